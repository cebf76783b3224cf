//! Tests every documented example with the generated types and over real HTTP: the conformance vectors that `spec export`
//! writes for clients in other languages.
//!
//! Each request is sent with the generated client to a real server, and what arrives is the documented request; each
//! answer is sent back and parses to the documented values; each failure becomes an `Error`, under 200 and under 400.

#![cfg(feature = "publish")]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on shall fail")]

use crate::common::{Server, head};
use crate::drivers::{Driver, drivers, text};
use huaweicloud_jobs::spec;
use huaweicloud_jobs::spec::publish::conformance;
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

/// A conformance vector with the operation of the generated client that it is for.
struct Replay {
    driver: &'static Driver,
    vector: Value,
}

impl Replay {
    fn place(&self) -> &str {
        self.vector["name"].as_str().unwrap()
    }

    fn parameters(&self) -> &Map<String, Value> {
        self.vector["parameters"].as_object().unwrap()
    }

    fn request(&self) -> Option<&Value> {
        self.vector["request"].get("body")
    }

    /// Status and body of a response that has a body.
    fn response(&self) -> Option<(u16, &Value)> {
        let response = self.vector.get("response")?;
        Some((u16::try_from(response["status"].as_u64()?).unwrap(), response.get("body")?))
    }

    fn error(&self) -> Option<&Value> {
        self.vector.get("decodesTo")?.get("error")
    }

    /// Whether the documents print this very request.
    fn is_printed(&self) -> bool {
        self.vector["appliesTo"].as_array().unwrap().contains(&json!("server"))
    }
}

/// All vectors; each operation has a driver.
fn replays() -> Vec<Replay> {
    let drivers: &'static [Driver] = Vec::leak(drivers());
    let described: Vec<&str> = spec::documents().iter().flat_map(|d| d.operations().map(|o| o.id())).collect();
    let of =
        |id: &str| drivers.iter().find(|driver| driver.id == id).unwrap_or_else(|| panic!("{id} has no driver here"));
    for id in &described {
        assert_eq!(of(id).id, *id);
    }
    assert_eq!(drivers.len(), described.len());
    let vectors = conformance::all().into_iter();
    vectors.map(|vector| Replay { driver: of(vector["operation"].as_str().unwrap()), vector }).collect()
}

#[test]
fn every_request_goes_through_its_type_and_comes_out_equal() {
    let mut replayed = 0;
    for replay in replays().iter().filter(|replay| replay.is_printed()) {
        let Some(request) = replay.request() else { continue };
        assert_eq!(&replay.driver.request.unwrap()(request), request, "{}", replay.place());
        replayed += 1;
    }
    println!("{replayed} documented request bodies");
    assert_eq!(replayed, 47);
}

#[tokio::test]
async fn every_request_arrives_as_documented() {
    let mut replayed = 0;
    for replay in replays().iter().filter(|replay| replay.is_printed()) {
        let place = replay.place();
        let (_, operation) = spec::operation(replay.driver.id).unwrap();
        let status =
            spec::documents().iter().find_map(|document| document.success_status(document.operation(operation.id())?));
        let server = Server::json(status.unwrap(), "{}").await;
        // The response does not matter here.
        let _ = (replay.driver.send)(&server.session(), replay.parameters(), replay.request()).await;
        let arrived = server.arrived().pop().unwrap_or_else(|| panic!("{place}: nothing came"));

        let wanted = &replay.vector["request"];
        assert_eq!(arrived.method, wanted["method"], "{place}");
        let (path, query) = arrived.target.split_once('?').unwrap_or((&arrived.target, ""));
        assert_eq!(path, wanted["path"], "{place}");
        let mut given: Vec<(String, String)> =
            reqwest::Url::parse(&format!("http://x/?{query}")).unwrap().query_pairs().into_owned().collect();
        given.sort();
        let mut in_query: Vec<(String, String)> = serde_json::from_value(wanted["query"].clone()).unwrap();
        in_query.sort();
        assert_eq!(given, in_query, "{place}");

        match replay.request() {
            Some(body) => {
                let sent: Value = serde_json::from_slice(&arrived.body).unwrap();
                assert_eq!(&sent, body, "{place}");
                // Compact, nothing else: as long as the documented text without its blanks, whatever the order.
                assert_eq!(arrived.body.len(), body.to_string().len(), "{place}");
                if UPDATES.contains(&replay.driver.id) {
                    assert_eq!(String::from_utf8(arrived.body.clone()).unwrap(), body.to_string(), "{place}");
                }
                assert_eq!(arrived.header("content-type"), Some("application/json"), "{place}");
            }
            None => assert!(arrived.body.is_empty(), "{place}"),
        }
        assert_eq!(arrived.header("api-version"), None, "{place}");
        replayed += 1;
    }
    println!("{replayed} documented requests sent");
    assert!(replayed >= 81, "{replayed}");
}

#[tokio::test]
async fn every_documented_response_parses_to_its_values() {
    let mut replayed = 0;
    for replay in replays().iter().filter(|replay| replay.error().is_none()) {
        let Some((status, body)) = replay.response() else { continue };
        let server = Server::json(status, &body.to_string()).await;
        let parsed = (replay.driver.send)(&server.session(), replay.parameters(), replay.request()).await;
        let parsed = parsed.unwrap_or_else(|error| panic!("{}: {error}", replay.place()));
        let documented = &replay.vector["decodesTo"]["value"];
        assert_eq!(parsed, without_optional_null(documented, &parsed), "{}", replay.place());
        replayed += 1;
    }
    println!("{replayed} documented responses");
    // 60 of the documents, and the six of labeling jobs that are made from the tables.
    assert_eq!(replayed, 66);
}

#[cfg(feature = "raw")]
#[tokio::test]
async fn every_documented_response_is_accepted_raw() {
    let mut replayed = 0;
    for replay in replays().iter().filter(|replay| replay.error().is_none()) {
        let Some((status, body)) = replay.response() else { continue };
        let server = Server::json(status, &body.to_string()).await;
        let session = server.session();
        let request = session.request(replay.driver.id).unwrap();
        let request =
            replay.parameters().iter().fold(request, |request, (name, value)| request.param(name, text(value)));
        let request = replay.request().into_iter().fold(request, |request, body| request.body(body.clone()));
        let response = request.send().await.unwrap_or_else(|error| panic!("{}: {error}", replay.place()));
        assert_eq!(response.body(), body, "{}", replay.place());
        replayed += 1;
    }
    assert_eq!(replayed, 66);
}

#[tokio::test]
async fn every_documented_failure_becomes_an_error_under_any_status() {
    let mut replayed = 0;
    for replay in replays() {
        let Some(expected) = replay.error() else { continue };
        let (documented, body) = replay.response().unwrap();
        for status in [200, 400, documented] {
            let server = Server::json(status, &body.to_string()).await;
            let outcome = (replay.driver.send)(&server.session(), replay.parameters(), replay.request()).await;
            let error = outcome.expect_err(replay.driver.id);
            let place = format!("{} under {status}: {error}", replay.place());
            if status >= 400 || body["error"].is_null() && !expected["code"].is_null() {
                assert_eq!(error.code(), expected["code"].as_str(), "{place}");
                assert_eq!(Some(error.message()), expected["message"].as_str(), "{place}");
            }
            assert_eq!(error.status().unwrap().as_u16(), status, "{place}");
            assert_eq!(error.request_id(), Some("req-7"), "{place}");
        }
        replayed += 1;
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
