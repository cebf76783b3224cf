//! The descriptions in OpenAPI 3.1, for tools that read no 3.0.

use serde_json::{Value, json};

use crate::spec::schema;

/// A description in OpenAPI 3.1. It says the same as the original.
pub(super) fn upgrade(document: &Value) -> Value {
    let mut value = document.clone();
    value["openapi"] = "3.1.0".into();
    for server in value["servers"].as_array_mut().into_iter().flatten() {
        tell_variables(server);
    }
    schema::visit(&mut value, &mut |schema| {
        let is_schema = !schema.contains_key("schema") && !schema.contains_key("in");
        if is_schema && let Some(example) = schema.shift_remove("example") {
            schema.insert("examples".to_owned(), json!([example]));
        }
        for (flag, bound) in [("exclusiveMinimum", "minimum"), ("exclusiveMaximum", "maximum")] {
            if schema.get(flag).is_some_and(Value::is_boolean)
                && schema.shift_remove(flag) == Some(Value::Bool(true))
                && let Some(limit) = schema.shift_remove(bound)
            {
                schema.insert(flag.to_owned(), limit);
            }
        }
        if schema.get("nullable").is_none_or(|nullable| !nullable.is_boolean()) {
            return;
        }
        let is_nullable = schema.shift_remove("nullable") == Some(Value::Bool(true));
        if !is_nullable {
            return;
        }
        if let Some(values) = schema.get_mut("enum").and_then(Value::as_array_mut)
            && !values.contains(&Value::Null)
        {
            values.push(Value::Null);
        }
        if let Some(kind) = schema.get("type").cloned() {
            schema.insert("type".to_owned(), json!([kind, "null"]));
        } else if let Some(whole) = schema.shift_remove("allOf") {
            schema.insert("anyOf".to_owned(), json!([{"allOf": whole}, {"type": "null"}]));
        } else if let Some(parts) = schema.get_mut("anyOf").and_then(Value::as_array_mut) {
            parts.push(json!({"type": "null"}));
        }
    });
    value
}

/// Moves the descriptions of a server's variables into that of the server: the schema of OpenAPI 3.1 that linters use has a slip
/// there and knows none.
fn tell_variables(server: &mut Value) {
    let variables = server.get_mut("variables").and_then(Value::as_object_mut).into_iter().flatten();
    let told: Vec<String> = variables
        .filter_map(|(name, variable)| {
            let text = variable.as_object_mut()?.shift_remove("description")?;
            Some(format!(" `{name}`: {}", text.as_str()?))
        })
        .collect();
    let description = server["description"].as_str().unwrap_or_default();
    server["description"] = format!("{description}{}", told.concat()).trim_start().into();
}
