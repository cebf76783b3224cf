//! Every shape of failure, over real HTTP: status, request id and an excerpt are never lost.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on shall fail")]

mod common;

use common::{Server, head};
use huaweicloud_jobs::modelarts::types::{LabelingDataType, LabelingJobType};
use huaweicloud_jobs::modelarts::{Code, Data, Resources, Training};
use huaweicloud_jobs::{Error, ErrorKind};

/// The failure of one update answered with these bytes.
async fn failure(answer: impl Into<Vec<u8>>) -> Error {
    let server = Server::raw(answer).await;
    let error = server.session().modelarts().training_job(10).unwrap().update_description("x").await.unwrap_err();
    assert_eq!(error.operation(), Some("update_training_job"), "{error}");
    assert_eq!(error.to_string().lines().count(), 1, "{error}");
    assert!(error.may_have_been_sent(), "{error}");
    error
}

/// An answer with a request id in its head.
fn answer(status: u16, body: &str) -> String {
    head(status, "x-request-id: req-7\r\n", body.len()) + body
}

struct Case {
    status: u16,
    body: &'static str,
    kind: ErrorKind,
    code: Option<&'static str>,
    message: &'static str,
}

#[tokio::test]
async fn every_body_that_the_clouds_use_is_read() {
    let cases = [
        Case {
            status: 400,
            body: r#"{"error_msg": "Invalid cluster name.", "error_code": "12000002"}"#,
            kind: ErrorKind::InvalidRequest,
            code: Some("12000002"),
            message: "Invalid cluster name.",
        },
        Case {
            status: 200,
            body: r#"{"is_success": false, "error_message": "Error string", "error_code": "ModelArts.0105"}"#,
            kind: ErrorKind::Service,
            code: Some("ModelArts.0105"),
            message: "Error string",
        },
        Case {
            status: 400,
            body: r#"{"is_success": false, "error_message": "Job name:x is existed", "error_code": "ModelArts.0103"}"#,
            kind: ErrorKind::Conflict,
            code: Some("ModelArts.0103"),
            message: "Job name:x is existed",
        },
        Case {
            status: 200,
            body: r#"{"is_success": false}"#,
            kind: ErrorKind::Service,
            code: None,
            message: "the answer says that the request failed",
        },
        Case {
            status: 401,
            body: r#"{"error": {"code": 401, "message": "The username or password is wrong.", "title": "Unauthorized"}}"#,
            kind: ErrorKind::Authentication,
            code: Some("401"),
            message: "The username or password is wrong.",
        },
        Case {
            status: 404,
            body: r#"{"error_code": 404, "error_name": "NOT_FOUND", "error_message": "Object not found"}"#,
            kind: ErrorKind::NotFound,
            code: Some("404"),
            message: "Object not found",
        },
        Case {
            status: 401,
            body: r#"{"error_msg": "decrypt token fail", "error_code": "APIGW.0301", "request_id": "in-body"}"#,
            kind: ErrorKind::Authentication,
            code: Some("APIGW.0301"),
            message: "decrypt token fail",
        },
        Case {
            status: 429,
            body: r#"{"error_msg": "The throttling threshold has been reached", "error_code": "APIG.0308"}"#,
            kind: ErrorKind::Throttled,
            code: Some("APIG.0308"),
            message: "The throttling threshold has been reached",
        },
        Case {
            status: 502,
            body: "<html><body><h1>502 Bad Gateway</h1></body></html>",
            kind: ErrorKind::Service,
            code: None,
            message: "the body says nothing in a known form",
        },
        Case { status: 401, body: "", kind: ErrorKind::Authentication, code: None, message: "no body" },
        Case {
            status: 409,
            body: r#"{"errorCode": "X.1", "errorMsg": "busy"}"#,
            kind: ErrorKind::Conflict,
            code: Some("X.1"),
            message: "busy",
        },
        Case { status: 302, body: "", kind: ErrorKind::Service, code: None, message: "no body" },
    ];
    for case in cases {
        let error = failure(answer(case.status, case.body)).await;
        let place = format!("{} {}: {error}", case.status, case.body);
        assert_eq!(error.kind(), case.kind, "{place}");
        assert_eq!(error.code(), case.code, "{place}");
        assert_eq!(error.message(), case.message, "{place}");
        assert_eq!(error.status().unwrap().as_u16(), case.status, "{place}");
        assert_eq!(error.request_id(), Some("req-7"), "{place}");
        assert_eq!(error.excerpt(), Some(case.body), "{place}");
    }
}

#[tokio::test]
async fn the_request_id_may_stand_in_the_body() {
    let body = r#"{"error_msg": "no", "error_code": "APIG.0301", "request_id": "in-body"}"#;
    let error = failure(head(401, "", body.len()) + body).await;
    assert_eq!(error.request_id(), Some("in-body"));
    assert!(error.to_string().ends_with("[request in-body]"), "{error}");
}

#[tokio::test]
async fn a_truncated_body_keeps_what_came() {
    let error = failure(head(200, "x-request-id: req-7\r\n", 1000) + "{\"is_succ").await;
    assert_eq!(error.kind(), ErrorKind::Network);
    assert_eq!(error.status().unwrap(), 200);
    assert_eq!(error.request_id(), Some("req-7"));
    assert_eq!(error.excerpt(), Some("{\"is_succ"));
    assert!(error.message().contains("after 9 bytes"), "{error}");
}

#[tokio::test]
async fn a_body_over_the_limit_is_not_read_to_its_end() {
    let limit = 16 * 1024 * 1024;
    let error = failure(head(200, "x-request-id: req-7\r\n", limit + 1) + &" ".repeat(limit + 1)).await;
    assert_eq!(error.status().unwrap(), 200);
    assert_eq!(error.request_id(), Some("req-7"));
    assert_eq!(error.excerpt().unwrap().len(), 512);
    assert!(error.message().contains("16777216 bytes"), "{error}");
    // At the limit it is read.
    let body = " ".repeat(limit - 20) + "{\"is_success\": true}";
    let server = Server::raw(head(200, "", body.len()) + &body).await;
    server.session().modelarts().training_job(10).unwrap().update_description("x").await.unwrap();
}

#[tokio::test]
async fn an_answer_that_is_not_what_is_promised_names_the_place() {
    for (body, place) in [
        ("not JSON at all", "."),
        ("[]", "."),
        ("{}", "."),
        (r#"{"is_success": "perhaps"}"#, "is_success"),
        ("\u{0}\u{1}", "."),
    ] {
        let error = failure(answer(200, body)).await;
        assert_eq!(error.kind(), ErrorKind::Decode, "{body}: {error}");
        assert_eq!(error.place(), Some(place), "{body}: {error}");
        assert_eq!(error.status().unwrap(), 200, "{body}");
        assert_eq!(error.request_id(), Some("req-7"), "{body}");
        assert!(error.excerpt().is_some(), "{body}");
    }
    let body = r#"{"is_success": true, "job_total_count": 1, "jobs": [{"job_id": 1, "job_name": "a", "version_id": 1}, {"job_id": {}}]}"#;
    let server = Server::json(200, body).await;
    let error = server.session().modelarts().training_jobs().list().try_collect::<Vec<_>>().await.unwrap_err();
    assert_eq!(error.place(), Some("jobs[1].job_id"), "{error}");
    assert!(error.to_string().starts_with("list_training_jobs: 200 OK: body at `jobs[1].job_id`"), "{error}");
}

#[tokio::test]
async fn retry_after_is_told() {
    let error = failure(head(429, "retry-after: 3\r\n", 0)).await;
    assert!(error.is_throttled());
    assert_eq!(error.retry_after().unwrap().as_secs(), 3);
}

#[tokio::test]
async fn nobody_there_means_that_nothing_was_sent() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let session = huaweicloud_jobs::Session::builder().endpoint(&endpoint).project_id("p").token("t").build().unwrap();
    let error = session.modelarts().training_job(1).unwrap().update_description("x").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Network);
    assert!(!error.may_have_been_sent());
    assert_eq!(error.operation(), Some("update_training_job"));
    assert!(!error.to_string().contains("127.0.0.1"), "an address may be private: {error}");
}

#[tokio::test]
async fn what_breaks_a_limit_never_leaves_the_machine() {
    let server = Server::json(200, r#"{"is_success": true}"#).await;
    let session = server.session();
    let (modelarts, mrs) = (session.modelarts(), session.mrs());
    let long = "描".repeat(257);
    let job = mrs.job("b8ea4daa").unwrap();
    let config = || Training::new(Code::algorithm(1), Data::obs("/bucket/data/"), Resources::spec(1));
    let errors = [
        (modelarts.training_job(10).unwrap().update_description(&long).await.unwrap_err(), "job_desc", "256", "257"),
        (
            modelarts.visualization_job(10).unwrap().update_description(&long).await.unwrap_err(),
            "job_desc",
            "256",
            "257",
        ),
        (modelarts.labeling_job("x").unwrap().update("").send().await.unwrap_err(), "name", "1", "0"),
        (job.update().name("a b").send().await.unwrap_err(), "name", "A-Za-z0-9_-", "3"),
        (job.update().name("").send().await.unwrap_err(), "name", "1", "0"),
        (job.update().name("x".repeat(81)).send().await.unwrap_err(), "name", "80", "81"),
        (job.update().description("x".repeat(65536)).send().await.unwrap_err(), "description", "65535", "65536"),
        (modelarts.training_jobs().create("a b", config()).send().await.unwrap_err(), "job_name", "A-Za-z0-9_-", "3"),
        (
            modelarts.visualization_jobs().create("x".repeat(21), "/o/").send().await.unwrap_err(),
            "job_name",
            "20",
            "21",
        ),
        (
            modelarts
                .labeling_jobs()
                .create("", LabelingDataType::Obs, LabelingJobType::ManualImageClassify)
                .send()
                .await
                .unwrap_err(),
            "name",
            "1",
            "0",
        ),
    ];
    for (error, field, limit, length) in errors {
        assert!(error.is_invalid_request(), "{error}");
        assert!(!error.may_have_been_sent(), "{error}");
        assert_eq!(error.field(), Some(field), "{error}");
        for part in [field, limit, length] {
            assert!(error.to_string().contains(part), "{part} in {error}");
        }
    }
    assert!(modelarts.labeling_job("..").unwrap_err().is_invalid_request());
    assert!(mrs.job("a/b").unwrap_err().is_invalid_request());
    assert!(server.arrived().is_empty());
    // 256 characters, 768 bytes: within the limit.
    modelarts.training_job(10).unwrap().update_description("描".repeat(256)).await.unwrap();
    assert_eq!(server.arrived().len(), 1);
}
