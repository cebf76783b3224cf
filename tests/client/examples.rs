//! Tests every documented example with the generated types and over real HTTP.
//!
//! Each request is sent with the generated client to a real server, and what arrives is the documented request; each
//! answer is sent back and parses to the documented values; each failure becomes an `Error`, under 200 and under 400.

#![cfg(feature = "spec")]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on shall fail")]

use crate::common::{PROJECT, Server, head};
use crate::drivers::{Driver, drivers, text};
use huaweicloud_jobs::spec::{self, Example};
use serde_json::{Map, Value, json};

/// The requests of the documented updates arrive byte for byte, in the documented order.
const UPDATES: [&str; 4] = ["update_training_job", "update_visualization_job", "update_annotation_job", "update_job"];

/// The documented body without the nulls that the type leaves out: an optional field that is null is absent.
fn without_optional_null(documented: &Value, typed: &Value) -> Value {
    match (documented, typed) {
        (Value::Object(documented), Value::Object(typed)) => documented
            .iter()
            .filter(|(name, value)| !value.is_null() || typed.contains_key(*name))
            .map(|(name, value)| (name.clone(), without_optional_null(value, typed.get(name).unwrap_or(&Value::Null))))
            .collect::<Map<_, _>>()
            .into(),
        (Value::Array(documented), Value::Array(typed)) if documented.len() == typed.len() => {
            documented.iter().zip(typed).map(|(a, b)| without_optional_null(a, b)).collect()
        }
        _ => documented.clone(),
    }
}

/// All examples with the operation they belong to.
fn examples() -> Vec<(Driver, spec::load::Operation<'static>, &'static spec::Document, Vec<Example<'static>>)> {
    let drivers = drivers();
    let described: Vec<&str> = spec::documents().iter().flat_map(|d| d.operations().map(|o| o.id())).collect();
    let mut driven: Vec<&str> = drivers.iter().map(|driver| driver.id).collect();
    for id in &described {
        assert!(driven.contains(id), "{id} has no driver here");
    }
    driven.sort_unstable();
    assert_eq!(driven.len(), described.len());
    drivers
        .into_iter()
        .map(|driver| {
            let (document, operation) = spec::operation(driver.id).unwrap();
            let examples = document.examples(operation);
            (driver, operation, document, examples)
        })
        .collect()
}

/// The parameters of an example, with a project where the documents print a placeholder.
fn parameters(example: &Example<'_>, operation: spec::load::Operation<'_>) -> Map<String, Value> {
    let mut parameters = example.parameters.cloned().unwrap_or_default();
    if operation.path.contains("{project_id}") && !parameters.contains_key("project_id") {
        parameters.insert("project_id".to_owned(), json!(PROJECT));
    }
    parameters
}

/// Documented requests of an operation, also for an example that prints an answer only.
fn request_of<'a>(examples: &[Example<'a>], example: &Example<'a>) -> Option<Example<'a>> {
    if example.parameters.is_some() {
        Some(*example)
    } else {
        examples.iter().find(|e| e.parameters.is_some()).copied()
    }
}

#[test]
fn every_request_goes_through_its_type_and_comes_out_equal() {
    let mut replayed = 0;
    for (driver, _, _, examples) in examples() {
        for example in examples.iter().filter(|example| example.request.is_some()) {
            let request = example.request.unwrap();
            assert_eq!(&driver.request.unwrap()(request), request, "{} {}", driver.id, example.key);
            replayed += 1;
        }
    }
    println!("{replayed} documented request bodies");
    assert_eq!(replayed, 47);
}

#[tokio::test]
async fn every_request_arrives_as_documented() {
    let mut replayed = 0;
    for (driver, operation, document, examples) in examples() {
        for example in examples.iter().filter(|example| example.parameters.is_some()) {
            let status = document.success_status(operation).unwrap();
            let server = Server::json(status, "{}").await;
            let parameters = parameters(example, operation);
            // The response does not matter here.
            let _ = (driver.send)(&server.session(), &parameters, example.request).await;
            let arrived =
                server.arrived().pop().unwrap_or_else(|| panic!("{} {}: nothing came", driver.id, example.key));
            let place = format!("{} {}", driver.id, example.key);

            assert_eq!(arrived.method, operation.method.to_ascii_uppercase(), "{place}");
            let (path, query) = arrived.target.split_once('?').unwrap_or((&arrived.target, ""));
            let mut expected = operation.path.to_owned();
            let mut in_query = Vec::new();
            for (name, value) in &parameters {
                let slot = format!("{{{name}}}");
                if expected.contains(&slot) {
                    expected = expected.replace(&slot, &text(value));
                } else {
                    in_query.push((name.clone(), text(value)));
                }
            }
            assert_eq!(path, expected, "{place}");
            let mut given: Vec<(String, String)> =
                reqwest::Url::parse(&format!("http://x/?{query}")).unwrap().query_pairs().into_owned().collect();
            given.sort();
            in_query.sort();
            assert_eq!(given, in_query, "{place}");

            match example.request {
                Some(body) => {
                    let sent: Value = serde_json::from_slice(&arrived.body).unwrap();
                    assert_eq!(&sent, body, "{place}");
                    // Compact, nothing else: as long as the documented text without its blanks, whatever the order.
                    assert_eq!(arrived.body.len(), body.to_string().len(), "{place}");
                    if UPDATES.contains(&driver.id) {
                        assert_eq!(String::from_utf8(arrived.body.clone()).unwrap(), body.to_string(), "{place}");
                    }
                    assert_eq!(arrived.header("content-type"), Some("application/json"), "{place}");
                }
                None => assert!(arrived.body.is_empty(), "{place}"),
            }
            assert_eq!(arrived.header("api-version"), None, "{place}");
            replayed += 1;
        }
    }
    println!("{replayed} documented requests sent");
    assert!(replayed >= 81, "{replayed}");
}

#[tokio::test]
async fn every_documented_answer_parses_to_its_values() {
    let mut replayed = 0;
    for (driver, operation, _, examples) in examples() {
        for example in &examples {
            let Some((status, body)) = example.response.filter(|(status, _)| status.starts_with('2')) else { continue };
            let server = Server::json(status.parse().unwrap(), &body.to_string()).await;
            let answer = (driver.send)(&server.session(), &parameters(example, operation), example.request).await;
            let answer = answer.unwrap_or_else(|error| panic!("{} {}: {error}", driver.id, example.key));
            assert_eq!(answer, without_optional_null(body, &answer), "{} {}", driver.id, example.key);
            replayed += 1;
        }
    }
    println!("{replayed} documented answers");
    assert_eq!(replayed, 60);
}

#[cfg(feature = "raw")]
#[tokio::test]
async fn every_documented_answer_is_accepted_raw() {
    let mut replayed = 0;
    for (driver, operation, _, examples) in examples() {
        for example in &examples {
            let Some((status, body)) = example.response.filter(|(status, _)| status.starts_with('2')) else { continue };
            let server = Server::json(status.parse().unwrap(), &body.to_string()).await;
            let request = raw_request(&server.session(), driver.id, &parameters(example, operation), example.request);
            let answer = request.send().await.unwrap_or_else(|error| panic!("{} {}: {error}", driver.id, example.key));
            assert_eq!(answer.body(), body, "{} {}", driver.id, example.key);
            replayed += 1;
        }
    }
    assert_eq!(replayed, 60);
}

#[cfg(feature = "raw")]
fn raw_request(
    session: &huaweicloud_jobs::Session,
    operation: &str,
    parameters: &Map<String, Value>,
    body: Option<&Value>,
) -> huaweicloud_jobs::raw::Request {
    let request = session.request(operation).unwrap();
    let request = parameters.iter().fold(request, |request, (name, value)| request.param(name, text(value)));
    body.into_iter().fold(request, |request, body| request.body(body.clone()))
}

#[tokio::test]
async fn every_documented_failure_becomes_an_error_under_any_status() {
    let mut replayed = 0;
    for (driver, operation, _, examples) in examples() {
        for example in &examples {
            let Some((_, body)) = example.response.filter(|(status, _)| !status.starts_with('2')) else { continue };
            let request = request_of(&examples, example).unwrap();
            for status in [200, 400] {
                let server = Server::json(status, &body.to_string()).await;
                let outcome = (driver.send)(&server.session(), &parameters(&request, operation), request.request).await;
                let error = outcome.expect_err(driver.id);
                let place = format!("{} {} under {status}: {error}", driver.id, example.key);
                let inner = if body["error"].is_object() { &body["error"] } else { body };
                let code = inner.get("error_code").or_else(|| inner.get("code")).map(text);
                let message =
                    ["error_message", "error_msg", "message"].iter().find_map(|name| inner.get(*name)).map(text);
                if status == 400 || code.is_some() && body["error"].is_null() {
                    assert_eq!(error.code().map(str::to_owned), code, "{place}");
                    assert_eq!(Some(error.message().to_owned()), message, "{place}");
                }
                assert_eq!(error.status().unwrap().as_u16(), status, "{place}");
                assert_eq!(error.request_id(), Some("req-7"), "{place}");
            }
            replayed += 1;
        }
    }
    println!("{replayed} documented failures");
    assert_eq!(replayed, 29);
}

#[tokio::test]
async fn an_answer_may_come_with_another_success_status() {
    let body = "{\"is_success\": true}";
    let server = Server::raw(head(201, "", body.len()) + body).await;
    server.session().modelarts().training_job(10).unwrap().update_description("x").await.unwrap();
}
