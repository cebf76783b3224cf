//! The descriptions as code generators need them: types that are right, in exchange for rules that only prose says.
//!
//! Generators merge the branches of rules between fields into the type, so that optional fields become mandatory, and take
//! what they do not know for what they know. Each difference from the description is one rule here, with a reason.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use crate::error::ErrorCode;
use crate::spec::{Document, errors, load, schema, states};

/// One difference between a description and the generators' view of it.
pub struct Rule {
    /// Name, as tests and pages use it.
    pub name: &'static str,
    /// Why the generators' view differs.
    pub reason: &'static str,
    apply: fn(&mut Value, &Document),
}

/// All rules, in the order in which they are applied.
pub const RULES: &[Rule] = &[
    Rule {
        name: "tell_field_rules",
        reason: "generators make the fields of all branches of a rule mandatory; prose says the rule instead",
        apply: tell_field_rules,
    },
    Rule {
        name: "merge_unions_of_objects",
        reason: "generators merge the objects of a union by themselves, some into code that does not compile",
        apply: merge_unions_of_objects,
    },
    Rule {
        name: "untype_unions_with_containers",
        reason: "a union of a text with an object or array does not compile in Java and loses the text in TypeScript",
        apply: untype_unions_with_containers,
    },
    Rule {
        name: "say_null_at_the_property",
        reason: "generators look for `nullable` at the property and on the schema, not inside a union or behind a reference",
        apply: say_null_at_the_property,
    },
    Rule {
        name: "unwrap_parameters",
        reason: "the Python client fails on an enum of a parameter that stands in an `allOf` beside its default",
        apply: unwrap_parameters,
    },
    Rule {
        name: "name_codes",
        reason: "codes in a union with their text get no names; as an enum of its own they do, and others are still read",
        apply: name_codes,
    },
    Rule {
        name: "open_response_values",
        reason: "a client must not fail over a text of a response that has another form than documented",
        apply: open_response_values,
    },
    Rule {
        name: "name_statuses",
        reason: "some generators do not know ranges such as `4XX`; the documented statuses and `default` say the same",
        apply: name_statuses,
    },
];

/// A description as code generators shall see it.
pub fn view(document: &Document) -> Value {
    let mut value = document.value().clone();
    for rule in RULES {
        (rule.apply)(&mut value, document);
    }
    value
}

fn tell_field_rules(value: &mut Value, _: &Document) {
    schema::visit(value, &mut |schema| {
        schema::drop_field_rules(schema);
        let rules: Vec<_> =
            schema.get("x-rules").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect();
        if !rules.is_empty() {
            let description = schema.get("description").and_then(Value::as_str).unwrap_or_default();
            let told = format!("{description} {}", rules.join(" "));
            schema.insert("description".to_owned(), told.trim_start().into());
        }
    });
}

/// The alternatives of a schema, references resolved.
fn alternatives<'a>(document: &'a Value, schema: &'a Map<String, Value>) -> Vec<&'a Value> {
    let parts = ["oneOf", "anyOf"].iter().filter_map(|key| schema.get(*key)?.as_array()).flatten();
    parts.map(|part| load::resolve(document, part)).collect()
}

fn merge_unions_of_objects(value: &mut Value, document: &Document) {
    schema::visit(&mut value["components"]["schemas"], &mut |schema| {
        let parts = alternatives(document.value(), schema);
        if parts.is_empty() || !parts.iter().all(|part| part["properties"].is_object()) {
            return;
        }
        // Names that differ only in their spelling would be one name in most languages; the first one stays.
        let mut names = BTreeSet::new();
        let fields = parts.iter().filter_map(|part| part["properties"].as_object()).flatten();
        let fields: Map<String, Value> = fields
            .filter(|(name, _)| names.insert(name.replace('_', "").to_lowercase()))
            .map(|(name, field)| (name.clone(), field.clone()))
            .collect();
        schema.retain(|key, _| !matches!(key.as_str(), "oneOf" | "anyOf"));
        schema.insert("type".to_owned(), "object".into());
        schema.insert("properties".to_owned(), fields.into());
    });
}

fn untype_unions_with_containers(value: &mut Value, document: &Document) {
    schema::visit(&mut value["components"]["schemas"], &mut |schema| {
        let parts = alternatives(document.value(), schema);
        if parts.iter().any(|part| matches!(part["type"].as_str(), Some("object" | "array"))) {
            schema.retain(|key, _| !matches!(key.as_str(), "oneOf" | "anyOf"));
        }
    });
}

fn say_null_at_the_property(value: &mut Value, _: &Document) {
    let nullable: BTreeSet<String> = {
        let schemas = value["components"]["schemas"].as_object().into_iter().flatten();
        schemas.filter(|(_, schema)| load::may_be_null(value, schema)).map(|(name, _)| name.clone()).collect()
    };
    schema::visit(value, &mut |schema| {
        let parts = schema.get("allOf").and_then(Value::as_array).map(Vec::as_slice);
        if let Some([part]) = parts
            && part["$ref"].as_str().and_then(load::schema_name).is_some_and(|name| nullable.contains(name))
        {
            schema.insert("nullable".to_owned(), true.into());
        }
    });
    for name in nullable {
        value["components"]["schemas"][name]["nullable"] = true.into();
    }
}

fn unwrap_parameters(value: &mut Value, _: &Document) {
    schema::visit(value, &mut |parameter| {
        let is_parameter = parameter.get("in").is_some_and(Value::is_string);
        let wrapped = parameter.get("schema").and_then(|schema| schema.get("allOf")).and_then(Value::as_array);
        if let (true, Some([only])) = (is_parameter, wrapped.map(Vec::as_slice)) {
            let only = only.clone();
            parameter.insert("schema".to_owned(), only);
        }
    });
}

fn name_codes(value: &mut Value, _: &Document) {
    let Some(schemas) = value["components"]["schemas"].as_object_mut() else { return };
    let mut added = Vec::new();
    for (name, schema) in schemas.iter_mut().filter(|(_, schema)| schema.get("x-states").is_some()) {
        let states: Vec<_> = states::states(schema).collect();
        let code = format!("{name}Code");
        let enumeration = json!({
            "type": "integer",
            "format": "int32",
            "description": schema["description"],
            "enum": states.iter().map(|state| state.code).collect::<Vec<_>>(),
            "x-enum-varnames": states.iter().map(|state| capitalized(state.variant.unwrap_or(state.name))).collect::<Vec<_>>(),
            "x-enum-descriptions": states.iter().map(|state| state.meaning).collect::<Vec<_>>(),
        });
        schema["anyOf"] = json!([
            {"$ref": format!("#/components/schemas/{code}")},
            {"type": "integer", "format": "int32"},
            {"type": "string"},
        ]);
        added.push((code, enumeration));
    }
    schemas.extend(added);
}

fn capitalized(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

fn open_response_values(value: &mut Value, document: &Document) {
    let names = responded(document.value());
    let Some(schemas) = value["components"]["schemas"].as_object_mut() else { return };
    for (_, schema) in schemas.iter_mut().filter(|(name, _)| names.contains(*name)) {
        schema::visit(schema, &mut |schema| {
            for key in ["pattern", "minLength", "maxLength", "minimum", "maximum"] {
                schema.shift_remove(key);
            }
        });
    }
}

/// The component schemas that only responses reach.
fn responded(document: &Value) -> BTreeSet<String> {
    let (mut requests, mut responses) = (BTreeSet::new(), BTreeSet::new());
    for operation in load::operations(document) {
        for parameter in operation.parameters(document) {
            schema::references(document, parameter, &mut requests);
        }
        schema::references(document, &operation.value["requestBody"], &mut requests);
        schema::references(document, &operation.value["responses"], &mut responses);
    }
    let names = responses.difference(&requests).filter_map(|reference| load::schema_name(reference));
    names.map(str::to_owned).collect()
}

/// The statuses of failures that the described operations can have, in order.
fn failing_statuses(document: &Document) -> BTreeSet<u16> {
    let is_ours = |code: &&ErrorCode| code.meaning().is_some() && ["gateway", document.name()].contains(&code.family());
    let codes = ErrorCode::all().iter().filter(is_ours);
    codes.flat_map(|code| code.statuses()).copied().filter(|status| *status >= 400).collect()
}

fn name_statuses(value: &mut Value, document: &Document) {
    let statuses = failing_statuses(document);
    let mut shared = Map::new();
    for operation in value["paths"].as_object_mut().into_iter().flat_map(Map::values_mut) {
        let methods = operation.as_object_mut().into_iter().flatten();
        for (_, operation) in methods.filter(|(method, _)| load::METHODS.contains(&method.as_str())) {
            let Some(responses) = operation["responses"].as_object_mut() else { continue };
            if let (Some(client), Some(server)) = (responses.shift_remove("4XX"), responses.shift_remove("5XX")) {
                let server = share(server, responses, &mut shared);
                let client = share(client, responses, &mut shared);
                for status in &statuses {
                    let response = if *status < 500 { &client } else { &server };
                    responses.entry(status.to_string()).or_insert_with(|| response.clone());
                }
                responses.insert("default".to_owned(), server);
                responses.sort_keys();
            }
        }
    }
    if let Some(responses) = value["components"]["responses"].as_object_mut() {
        responses.extend(shared);
    }
}

/// Makes one response for many statuses: a reference. Examples stay with the status of their code.
fn share(response: Value, responses: &mut Map<String, Value>, shared: &mut Map<String, Value>) -> Value {
    if response.get("$ref").is_some() {
        return response;
    }
    let examples = "/content/application~1json/examples";
    let mut bare = response.clone();
    if let Some(content) = bare.pointer_mut("/content/application~1json").and_then(Value::as_object_mut) {
        content.shift_remove("examples");
    }
    for (key, example) in response.pointer(examples).and_then(Value::as_object).into_iter().flatten() {
        let status = errors::status_of_failure(&example["value"]).to_string();
        let own = responses.entry(status).or_insert_with(|| bare.clone());
        if let Some(content) = own.pointer_mut("/content/application~1json") {
            content["examples"][key] = example.clone();
        }
    }
    let schema = bare.pointer("/content/application~1json/schema/$ref").and_then(Value::as_str);
    let name = schema.and_then(load::schema_name).unwrap_or("Failure").to_owned();
    let reference = json!({"$ref": format!("#/components/responses/{name}")});
    shared.insert(name, bare);
    reference
}
