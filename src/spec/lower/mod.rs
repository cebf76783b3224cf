//! Derives the generator's view from the strict description.
//!
//! The YAML follows the documentation. A client must write strictly and read tolerantly, and the generator has limits.
//! Each difference between the two views is one rule here, with a name and a reason.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use super::{load, schema};

mod names;
mod texts;
mod walk;

pub use texts::{TEXT_PATTERNS, limited_type};
pub use walk::{BOUNDED, Side, WIRE_TYPES, reachable};

use names::{name_types_apart, type_response_ids};
use texts::bind_request_texts;
use walk::{
    INTEGER, NUMBER, SECRET, SEGMENT, components, each_operation, each_parameter, each_schema, placeholder, refer_to,
};

/// One difference between the description and the generator's view of it.
pub struct Rule {
    /// The name in tests and messages.
    pub name: &'static str,
    /// The reason for the difference.
    pub reason: &'static str,
    apply: fn(&mut Value),
}

impl Rule {
    /// Applies only this rule.
    pub fn apply(&self, document: &mut Value) {
        (self.apply)(document);
    }
}

/// All rules, in the order in which they are applied.
pub const RULES: &[Rule] = &[
    Rule {
        name: "drop_error_responses",
        reason: "an unmodelled failure reaches the caller raw, so that no status and no body is ever lost",
        apply: drop_error_responses,
    },
    Rule {
        name: "name_types_apart",
        reason: "a type of the description and a handle of the crate must not have the same name",
        apply: name_types_apart,
    },
    Rule {
        name: "accept_any_success_status",
        reason: "most pages name no status for success; any 2xx with the documented body is one",
        apply: accept_any_success_status,
    },
    Rule {
        name: "drop_field_rules",
        reason: "compositions that only state rules between fields have no Rust type",
        apply: drop_field_rules,
    },
    Rule {
        name: "drop_defaults",
        reason: "a default would be sent where the caller gave no value",
        apply: drop_defaults,
    },
    Rule {
        name: "drop_zero_minimum_length",
        reason: "no text is shorter than nothing; the generated comparison is a compiler warning",
        apply: drop_zero_minimum_length,
    },
    Rule {
        name: "bind_request_integers",
        reason: "the generator ignores the bounds of integers; a wire type checks them",
        apply: bind_request_integers,
    },
    Rule {
        name: "guard_path_segments",
        reason: "the generator encodes a path parameter but lets `..` and the empty text change the path",
        apply: guard_path_segments,
    },
    Rule {
        name: "guard_secrets",
        reason: "generated types print their fields; what has the format `password` must not be printed",
        apply: guard_secrets,
    },
    Rule {
        name: "bind_request_texts",
        reason: "the generator would check lengths and patterns with a type for each text and a regular expression engine",
        apply: bind_request_texts,
    },
    Rule {
        name: "nullable_request_arrays",
        reason: "absent and empty are two different things in a request",
        apply: nullable_request_arrays,
    },
    Rule {
        name: "open_response_enums",
        reason: "a response may hold a value that is not documented yet",
        apply: open_response_enums,
    },
    Rule {
        name: "unbound_response_values",
        reason: "a response is not rejected over a length, a pattern, a bound or a field that it adds",
        apply: unbound_response_values,
    },
    Rule {
        name: "relax_response_requirements",
        reason: "a response may leave out anything but its subject",
        apply: relax_response_requirements,
    },
    Rule {
        name: "type_response_ids",
        reason: "a number that identifies an object is more than a number; callers hand it on to other calls",
        apply: type_response_ids,
    },
    Rule {
        name: "type_response_times",
        reason: "a time or a duration is more than a number or a text; its unit says which",
        apply: type_response_times,
    },
    Rule {
        name: "tolerant_response_numbers",
        reason: "the documents' own examples print numbers as text",
        apply: tolerant_response_numbers,
    },
    Rule {
        name: "lift_nullable",
        reason: "the generator ignores that a component can be null; beside the reference it does not",
        apply: lift_nullable,
    },
    Rule {
        name: "nullable_response_arrays",
        reason: "a response may hold null for an optional array or object",
        apply: nullable_response_arrays,
    },
    // This rule is last: it hides the schemas behind a wire type, which responses still contain.
    Rule {
        name: "use_wire_types",
        reason: "the generator cannot say 'a number or its text'; hand-written types can",
        apply: use_wire_types,
    },
];

/// The key that marks a response enum which becomes an open Rust enum.
pub const OPEN_ENUM: &str = "x-open-enum";

/// The key that marks the fields that a response schema cannot be used without.
const ESSENTIAL: &str = "x-essential";
/// The key that lists the fields of a response schema that default to empty, or true.
pub const OR_DEFAULT: &str = "x-or-default";
/// Frequently used fields: they are not optional in Rust, although a response may lack them.
const PLAIN: [&str; 6] = ["is_success", "id", "job_id", "name", "job_name", "type"];

/// The types of response fields by their `x-unit`.
const TIMES: [(&str, &str); 5] = [
    ("ms since the Unix epoch", "EpochMillis"),
    ("s since the Unix epoch", "EpochSeconds"),
    ("ms", "Millis"),
    ("s", "Seconds"),
    ("date and time, taken as UTC", "ZonelessTime"),
];

/// Returns the generator's view of a description.
pub fn lower(document: &Value) -> Value {
    let mut document = document.clone();
    for rule in RULES {
        rule.apply(&mut document);
    }
    document
}

fn drop_error_responses(document: &mut Value) {
    let before = reachable(document, Side::Either);
    each_operation(document, |operation| {
        if let Some(responses) = operation.get_mut("responses").and_then(Value::as_object_mut) {
            responses.retain(|status, _| status.starts_with('2'));
        }
    });
    let after = reachable(document, Side::Either);
    if let Some(schemas) = components(document, "schemas") {
        schemas.retain(|name, _| after.contains(name) || !before.contains(name));
    }
}

/// The component schemas that only failures reach: the generator never sees them.
pub fn of_failures(document: &Value) -> BTreeSet<String> {
    let mut successes = document.clone();
    drop_error_responses(&mut successes);
    &reachable(document, Side::Either) - &reachable(&successes, Side::Either)
}

fn accept_any_success_status(document: &mut Value) {
    each_operation(document, |operation| {
        if let Some(responses) = operation.get_mut("responses").and_then(Value::as_object_mut)
            && responses.len() == 1
            && let Some((_, response)) = responses.iter().next()
        {
            *responses = Map::from_iter([("2XX".to_owned(), response.clone())]);
        }
    });
}

fn drop_field_rules(document: &mut Value) {
    each_schema(document, Side::Either, schema::drop_field_rules);
}

fn drop_defaults(document: &mut Value) {
    each_schema(document, Side::Either, |schema| {
        schema.shift_remove("default");
    });
}

fn drop_zero_minimum_length(document: &mut Value) {
    each_schema(document, Side::Either, |schema| {
        if schema.get("minLength") == Some(&json!(0)) {
            schema.shift_remove("minLength");
        }
    });
}

fn bind_request_integers(document: &mut Value) {
    let mut bounds = BTreeSet::new();
    each_schema(document, Side::Request, |schema| {
        let bound = |key| schema.get(key).and_then(Value::as_i64);
        let (minimum, maximum) = (bound("minimum"), bound("maximum"));
        if schema.get("type") == Some(&json!("integer")) && (minimum.is_some() || maximum.is_some()) {
            let wide = schema.get("format") == Some(&json!("int64"));
            let low = minimum.unwrap_or(if wide { i64::MIN } else { i32::MIN.into() });
            let high = maximum.unwrap_or(if wide { i64::MAX } else { i32::MAX.into() });
            bounds.insert((low, high));
            refer_to(schema, &bounded_name(low, high));
        }
    });
    for (low, high) in bounds {
        document["components"]["schemas"][bounded_name(low, high)] = json!({"type": "integer", "format": "int64"});
    }
}

/// Returns the name of the component for integers from `low` to `high`.
pub fn bounded_name(low: i64, high: i64) -> String {
    format!("{BOUNDED}{low}To{high}").replace('-', "Minus")
}

/// Returns the bounds of a name that [`bounded_name`] made.
pub fn bounds_of(name: &str) -> Option<(i64, i64)> {
    let (low, high) = name.strip_prefix(BOUNDED)?.split_once("To")?;
    let number = |text: &str| text.replace("Minus", "-").parse().ok();
    Some((number(low)?, number(high)?))
}

fn guard_path_segments(document: &mut Value) {
    let mut used = false;
    each_parameter(document, |parameter| {
        if parameter["in"] == "path" && parameter["schema"]["type"] == "string" {
            parameter["schema"] = json!({"$ref": format!("#/components/schemas/{SEGMENT}")});
            used = true;
        }
    });
    if used {
        document["components"]["schemas"][SEGMENT] = placeholder();
    }
}

fn guard_secrets(document: &mut Value) {
    let mut used = false;
    each_schema(document, Side::Either, |schema| {
        if schema.get("format") == Some(&json!("password")) {
            refer_to(schema, SECRET);
            used = true;
        }
    });
    if used {
        document["components"]["schemas"][SECRET] = placeholder();
    }
}

fn nullable_request_arrays(document: &mut Value) {
    each_schema(document, Side::Request, nullable_containers);
}

fn nullable_response_arrays(document: &mut Value) {
    each_schema(document, Side::Response, nullable_containers);
}

/// Makes optional arrays and free-form objects nullable, which the generator turns into `Option`.
fn nullable_containers(schema: &mut Map<String, Value>) {
    let required: Vec<Value> = schema.get("required").and_then(Value::as_array).cloned().unwrap_or_default();
    let Some(properties) = schema.get_mut("properties").and_then(Value::as_object_mut) else { return };
    for (name, property) in properties {
        let container =
            property["type"] == "array" || (property["type"] == "object" && property.get("properties").is_none());
        if container && !required.iter().any(|r| r == name.as_str()) {
            property["nullable"] = json!(true);
        }
    }
}

fn open_response_enums(document: &mut Value) {
    let named: Vec<String> = reachable(document, Side::Response).into_iter().collect();
    let request = reachable(document, Side::Request);
    for name in named {
        let schema =
            components(document, "schemas").and_then(|schemas| schemas.get_mut(&name)).and_then(Value::as_object_mut);
        if let Some(schema) = schema
            && schema.get("type") == Some(&json!("string"))
            && !request.contains(&name)
            && let Some(values) = schema.shift_remove("enum")
        {
            schema.insert(OPEN_ENUM.to_owned(), values);
        }
    }
    each_schema(document, Side::Response, |schema| {
        schema.shift_remove("enum");
    });
}

fn unbound_response_values(document: &mut Value) {
    each_schema(document, Side::Response, |schema| {
        for key in [
            "minLength",
            "maxLength",
            "pattern",
            "minimum",
            "maximum",
            "minItems",
            "maxItems",
            "uniqueItems",
            "multipleOf",
        ] {
            schema.shift_remove(key);
        }
        // The generated type would reject undescribed fields.
        if schema.get("additionalProperties") == Some(&json!(false)) {
            schema.shift_remove("additionalProperties");
        }
    });
}

fn relax_response_requirements(document: &mut Value) {
    let essential = essential_fields(document);
    for (component, field) in &essential {
        if let Some(schema) = components(document, "schemas").and_then(|schemas| schemas.get_mut(component)) {
            let marks = schema.as_object_mut().map(|schema| schema.entry(ESSENTIAL).or_insert_with(|| json!([])));
            marks.and_then(Value::as_array_mut).into_iter().for_each(|marks| marks.push(json!(field)));
        }
    }
    each_schema(document, Side::Response, |schema| {
        let essential = schema.shift_remove(ESSENTIAL).unwrap_or_default();
        let Some(Value::Array(mut required)) = schema.shift_remove("required") else { return };
        let mut or_default = Vec::new();
        required.retain(|name| {
            let property = name.as_str().map_or(&Value::Null, |name| &schema["properties"][name]);
            let is_essential = essential.as_array().is_some_and(|fields| fields.contains(name));
            let is_plain = PLAIN.iter().any(|plain| name == plain)
                && (property.get("type").is_none() || matches!(property["type"].as_str(), Some("string" | "boolean")));
            if property["nullable"] == true {
                // A nullable field stays required, so that null is written back.
                return true;
            }
            if is_plain && !is_essential {
                or_default.push(name.clone());
            }
            is_essential || is_plain
        });
        schema.insert("required".to_owned(), required.into());
        if !or_default.is_empty() {
            schema.insert(OR_DEFAULT.to_owned(), or_default.into());
        }
    });
}

/// Returns the fields that a response cannot be used without, with their components.
fn essential_fields(document: &Value) -> BTreeSet<(String, String)> {
    let mut found = BTreeSet::new();
    for operation in load::operations(document) {
        let (Some(response), Some(subject)) = (operation.success_schema(document), operation.subject(document)) else {
            continue;
        };
        for (schema, field) in [(response, subject.field), (subject.schema, subject.key)] {
            if let (Some(component), Some(field)) = (load::component(document, schema), field) {
                found.insert((component.to_owned(), field.to_owned()));
            }
        }
    }
    found
}

fn type_response_times(document: &mut Value) {
    let mut used = BTreeSet::new();
    let nullable = nullable_components(document);
    each_schema(document, Side::Response, |schema| {
        let unit = schema.get("x-unit").and_then(Value::as_str);
        let Some((_, name)) = TIMES.iter().find(|(time, _)| unit == Some(time)) else { return };
        // The code below removes the reference to it.
        let parts = schema.get("allOf").and_then(Value::as_array).into_iter().flatten();
        let mut names = parts.filter_map(|part| load::schema_name(part["$ref"].as_str()?));
        if names.any(|name| nullable.contains(name)) {
            schema.insert("nullable".to_owned(), json!(true));
        }
        used.insert(*name);
        refer_to(schema, name);
    });
    for name in used {
        document["components"]["schemas"][name] = placeholder();
    }
}

fn tolerant_response_numbers(document: &mut Value) {
    let mut used = BTreeSet::new();
    each_schema(document, Side::Response, |schema| {
        let name = match schema.get("type").and_then(Value::as_str) {
            Some("integer") => INTEGER,
            Some("number") => NUMBER,
            _ => return,
        };
        used.insert(name);
        refer_to(schema, name);
    });
    for name in used {
        document["components"]["schemas"][name] = placeholder();
    }
}

/// Returns the component schemas that allow null.
fn nullable_components(document: &Value) -> BTreeSet<String> {
    let schemas = document["components"]["schemas"].as_object();
    let nullable = schemas.into_iter().flatten().filter(|(_, schema)| load::may_be_null(document, schema));
    nullable.map(|(name, _)| name.clone()).collect()
}

fn lift_nullable(document: &mut Value) {
    let nullable = nullable_components(document);
    for (_, schema) in components(document, "schemas").into_iter().flatten() {
        schema.as_object_mut().and_then(|schema| schema.shift_remove("nullable"));
    }
    each_schema(document, Side::Response, |schema| {
        for (key, value) in schema {
            match key.as_str() {
                "properties" => {
                    value
                        .as_object_mut()
                        .into_iter()
                        .flat_map(Map::values_mut)
                        .for_each(|value| lift(value, &nullable));
                }
                "items" | "additionalProperties" => lift(value, &nullable),
                _ => {}
            }
        }
    });
}

/// Marks each reference to one of these components as nullable.
fn lift(schema: &mut Value, nullable: &BTreeSet<String>) {
    let reference = schema.get("$ref").or_else(|| schema.pointer("/allOf/0/$ref")).and_then(Value::as_str);
    let name = reference.and_then(load::schema_name).map(str::to_owned);
    if let (Some(name), Some(map)) = (name.filter(|name| nullable.contains(name)), schema.as_object_mut()) {
        refer_to(map, &name);
        map.insert("nullable".to_owned(), json!(true));
    }
}

fn use_wire_types(document: &mut Value) {
    if let Some(schemas) = components(document, "schemas") {
        for (name, schema) in schemas {
            if WIRE_TYPES.iter().any(|(wire, _)| wire == name) {
                *schema = placeholder();
            }
        }
    }
}

/// Returns the open enums of a lowered description: component name to documented values.
pub fn open_enums(document: &Value) -> BTreeMap<String, Vec<String>> {
    let schemas = document["components"]["schemas"].as_object();
    schemas
        .into_iter()
        .flatten()
        .filter_map(|(name, schema)| {
            let values = schema.get(OPEN_ENUM)?.as_array()?;
            Some((name.clone(), values.iter().filter_map(Value::as_str).map(str::to_owned).collect()))
        })
        .collect()
}
