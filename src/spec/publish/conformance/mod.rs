//! The documented examples as data for tests in any language: what a client must send and understand, what a server must
//! respond.

use serde_json::{Map, Value, json};

use crate::spec::load::Operation;
use crate::spec::{Document, documents, errors, load};

/// The request id that a response to a client carries.
const REQUEST_ID: &str = "6ae1f1a4c2f94a8e9d2f0c6d3b1e7a55";

/// The vectors of a description, in its order: one for each documented request and each documented failure.
///
/// ```
/// use huaweicloud_jobs::spec::{documents, publish::conformance};
///
/// let vectors = conformance::vectors(&documents()[2]);
/// let vector = vectors.iter().find(|vector| vector["name"] == "mrs/update_job/map-reduce").expect("it is documented");
/// assert_eq!(vector["request"]["method"], "PATCH");
/// assert_eq!(vector["response"]["status"], 202);
/// ```
pub fn vectors(document: &Document) -> Vec<Value> {
    document.operations().flat_map(|operation| of_operation(document, operation)).collect()
}

/// All vectors of all descriptions.
pub fn all() -> Vec<Value> {
    documents().iter().flat_map(vectors).collect()
}

fn of_operation(document: &Document, operation: Operation<'_>) -> Vec<Value> {
    let examples = document.examples(operation);
    let success = document.success_status(operation).unwrap_or(200);
    let first = examples.iter().find(|example| example.parameters.is_some());
    examples
        .iter()
        .map(|example| {
            // A failure, and a success without a printed request, are responses to the request that is documented first.
            let asked = if example.parameters.is_some() { Some(example) } else { first };
            let request = asked.and_then(|asked| asked.request);
            let parameters = parameters(document, operation, asked.and_then(|asked| asked.parameters));
            let failure = example.response.filter(|(status, _)| !status.starts_with('2'));
            let (status, body) = match failure {
                Some((_, body)) => (errors::status_of_failure(body), Some(body)),
                None => (
                    success,
                    example.response.map(|(_, body)| body).or_else(|| assumed(document, operation, example.key)),
                ),
            };
            let has_schema = document.success_schema(operation).is_some();
            let is_complete = failure.is_some() || body.is_some() || !has_schema;
            let both = example.parameters.is_some() && failure.is_none();
            let mut vector = json!({
                "name": format!("{}/{}/{}", document.name(), operation.id(), example.key),
                "appliesTo": if both { json!(["client", "server"]) } else { json!(["client"]) },
                "service": document.name(),
                "operation": operation.id(),
                "parameters": parameters,
                "request": asked_for(document, operation, &parameters, request),
            });
            if is_complete {
                vector["response"] = response(status, body);
                vector["decodesTo"] = match failure {
                    Some((_, body)) => {
                        json!({"schema": failure_schema(document, operation, status), "error": error(status, body)})
                    }
                    None => success_value(document, operation, body),
                };
            }
            vector
        })
        .collect()
}

/// The response that no page prints, but that the description assumes.
fn assumed<'a>(document: &'a Document, operation: Operation<'a>, key: &str) -> Option<&'a Value> {
    let response = document.response(operation, document.success_status(operation)?)?;
    response.pointer("/content/application~1json/examples")?.get(key)?.get("value")
}

/// The parameters of a request by name; where the documents print none for a path, the description's example.
fn parameters(document: &Document, operation: Operation<'_>, given: Option<&Map<String, Value>>) -> Map<String, Value> {
    let mut parameters = given.cloned().unwrap_or_default();
    for parameter in document.parameters(operation).filter(|parameter| parameter["in"] == "path") {
        let name = parameter["name"].as_str().unwrap_or_default();
        parameters.entry(name).or_insert_with(|| parameter["example"].clone());
    }
    parameters
}

fn asked_for(
    document: &Document,
    operation: Operation<'_>,
    parameters: &Map<String, Value>,
    body: Option<&Value>,
) -> Value {
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let mut path = operation.path.to_owned();
    let mut query = Vec::new();
    for parameter in document.parameters(operation) {
        let name = parameter["name"].as_str().unwrap_or_default();
        match (parameters.get(name), parameter["in"] == "path") {
            (Some(value), true) => path = path.replace(&format!("{{{name}}}"), &text(value)),
            (Some(value), false) => query.push(json!([name, text(value)])),
            (None, _) => {}
        }
    }
    let headers = if body.is_some() { json!({"Content-Type": "application/json"}) } else { json!({}) };
    let mut request =
        json!({"method": operation.method.to_uppercase(), "path": path, "query": query, "headers": headers});
    if let Some(body) = body {
        request["body"] = body.clone();
    }
    request
}

fn response(status: u16, body: Option<&Value>) -> Value {
    let mut response = json!({"status": status, "headers": {"X-Request-Id": REQUEST_ID}});
    if let Some(body) = body {
        response["headers"]["Content-Type"] = "application/json".into();
        response["body"] = body.clone();
    }
    response
}

fn success_value(document: &Document, operation: Operation<'_>, body: Option<&Value>) -> Value {
    let reference = document.success_schema(operation).and_then(|schema| schema["$ref"].as_str());
    let schema = reference.and_then(load::schema_name);
    json!({"schema": schema, "value": body})
}

fn failure_schema<'a>(document: &'a Document, operation: Operation<'a>, status: u16) -> Option<&'a str> {
    let response = document.response(operation, status)?;
    response.pointer("/content/application~1json/schema/$ref").and_then(Value::as_str).and_then(load::schema_name)
}

/// What a client must be able to say of a failure, whichever form it has.
fn error(status: u16, body: &Value) -> Value {
    let inner = if body["error"].is_object() { &body["error"] } else { body };
    let first = |names: &[&str]| names.iter().find_map(|name| inner.get(*name)).cloned().unwrap_or_default();
    let code = match first(&["error_code", "code"]) {
        Value::Number(code) => Value::String(code.to_string()),
        code => code,
    };
    json!({"status": status, "code": code, "message": first(&["error_message", "error_msg", "message"]), "requestId": REQUEST_ID})
}
