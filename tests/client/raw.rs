//! Raw calls: any operation by its name.

#![cfg(feature = "raw")]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on shall fail")]

use crate::common;
use crate::common::{Act, PROJECT, Server, head};
use huaweicloud_jobs::{ErrorKind, Session, bulk, spec};
use serde_json::{Value, json};

fn answer(status: u16, body: &Value) -> Act {
    let body = body.to_string();
    Act::Answer((head(status, "x-request-id: req-7\r\n", body.len()) + &body).into())
}

#[tokio::test]
async fn a_raw_call_takes_the_way_of_all_calls() {
    let failure = answer(503, &json!({"error_code": "X.1", "error_msg": "later"}));
    let server = Server::acting([failure, answer(200, &json!({"job": {"id": "a", "name": "n"}}))]).await;
    let session = server.session();
    let answered = session.request("show_job").unwrap().param("job_id", "a b%").send().await.unwrap();
    assert_eq!((answered.status().as_u16(), answered.request_id()), (200, Some("req-7")));
    assert_eq!(answered.body()["job"]["id"], "a");
    let arrived = server.arrived();
    // Repeated, signed in, and encoded.
    assert_eq!(arrived.len(), 2);
    assert_eq!(arrived[1].target, format!("/v1.1/{PROJECT}/jobs/a%20b%25"));
    assert_eq!(arrived[1].header("x-auth-token"), Some(common::TOKEN));

    let refused = answer(404, &json!({"error_code": "X.1", "error_msg": "gone"}));
    let error = Server::acting([refused]).await.session().request("show_job").unwrap().param("job_id", 1).send().await;
    let error = error.unwrap_err();
    assert_eq!((error.kind(), error.operation(), error.code()), (ErrorKind::NotFound, Some("show_job"), Some("X.1")));
    let garbage = Server::raw(head(200, "", 5) + "hello").await;
    let error = garbage.session().request("show_job").unwrap().param("job_id", 1).send().await.unwrap_err();
    assert_eq!((error.kind(), error.excerpt()), (ErrorKind::Decode, Some("hello")));
    let nothing = Server::raw(head(204, "", 0)).await;
    let answered = nothing.session().request("delete_job").unwrap().param("job_id", 1).send().await.unwrap();
    assert_eq!((answered.body(), answered.items().len()), (&Value::Null, 0));
}

#[tokio::test]
async fn what_the_description_does_not_allow_is_not_sent() {
    let server = Server::json(200, "{}").await;
    let session = server.session();
    assert_eq!(session.request("patch_job").unwrap_err().to_string(), "the description has no operation `patch_job`");
    let update = || session.request("update_job").unwrap().body(json!({"name": "n"}));
    for id in ["", ".", "..", "a/b", "a\\b", "a\nb"] {
        for request in [update().param("job_id", id), update().unchecked().param("job_id", id)] {
            let error = request.send().await.unwrap_err();
            assert_eq!((error.kind(), error.field()), (ErrorKind::InvalidRequest, Some("job_id")), "{id:?}: {error}");
        }
    }
    let list = || session.request("list_training_jobs").unwrap();
    for (request, said) in [
        (update(), "job_id is missing"),
        (update().param("id", 1), "no parameter `id`; there are job_id, project_id"),
        (update().param("job_id", "a").body(json!({"nome": 1})), "the body has no field `nome`; there are name, "),
        (update().param("job_id", "a").body(json!({"name": "a b"})), "name: "),
        (update().param("job_id", "a").body(json!([])), "the body: "),
        (list().param("page", "one"), "page is not as described"),
        (list().param("per_page", 1001), "per_page is not as described"),
        (list().param("order", "up"), "order is not as described"),
        (list().body(json!({})), "body is given, and this operation has none"),
    ] {
        let error = request.send().await.unwrap_err();
        assert!(error.is_invalid_request() && error.to_string().contains(said), "{error}");
        assert!(!error.may_have_been_sent());
    }
    assert!(server.arrived().is_empty());
    // A rejected value may be a password.
    let secret = json!({"auth": {"identity": {"methods": ["password"], "password": {"user": {"password": 77_123}}}}});
    let error = session.request("create_token").unwrap().body(secret).send().await.unwrap_err();
    assert!(!error.to_string().contains("77"), "{error}");
}

#[test]
fn secrets_are_not_shown() {
    let canary = "canary-not-a-secret";
    let session = Session::builder().endpoint("http://127.0.0.1:1").project_id("p").token(canary).build().unwrap();
    let body = json!({"auth": {"identity": {"methods": ["password"], "password": {"user": {"name": "u",
        "password": canary, "domain": {"name": "d"}}}}}});
    let request = session.request("create_token").unwrap().body(body);
    let preview = request.preview().unwrap();
    let list = session.request("list_jobs").unwrap().preview().unwrap();
    let said = format!("{request:?} {preview} {preview:?} {list} {list:?}");
    assert!(!said.contains("canary") && said.contains("x-auth-token: ***"), "{said}");
}

#[test]
fn every_operation_has_a_request() {
    let session = Session::builder().endpoint("http://127.0.0.1:1").project_id("p").token("t").build().unwrap();
    for operation in spec::documents().iter().flat_map(|document| document.operations()) {
        let request = session.request(operation.id()).unwrap().unchecked();
        let names = operation.path.split('{').skip(1).filter_map(|part| part.split('}').next());
        let request = names.filter(|name| *name != "project_id").fold(request, |request, name| request.param(name, 1));
        let url = match operation.id() {
            "show_training_job_log" => request.param("log_file", "x").preview(),
            "list_job_exes" => request.param("cluster_id", "x").preview(),
            _ => request.preview(),
        };
        assert!(!url.unwrap().url.contains(['{', '}']), "{}", operation.id());
    }
}

#[tokio::test]
async fn many_calls_are_made_as_one_bulk() {
    let good = answer(200, &json!({"is_success": true}));
    let gone = answer(404, &json!({"error_code": "X.1", "error_msg": "gone"}));
    let server = Server::acting([good.clone(), gone, good]).await;
    let session = server.session();
    let update =
        |id: u32| session.request("update_training_job").unwrap().param("job_id", id).body(json!({"job_desc": "x"}));
    let mut calls = session.send_all(bulk::iter([update(1), update(2), update(3)])).at_most(1);
    let mut outcomes = Vec::new();
    while let Some(done) = calls.next().await {
        outcomes.push((done.index, done.result.is_ok()));
    }
    assert_eq!(outcomes, [(0, true), (1, false), (2, true)]);
}
