//! Tests of every form of error over real HTTP: status, request id and an excerpt are never lost.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on shall fail")]

use crate::common;
use crate::common::{Server, head};
use huaweicloud_jobs::modelarts::types::{LabelingDataType, LabelingJobType};
use huaweicloud_jobs::modelarts::{Code, Data, Resources, Training};
use huaweicloud_jobs::{Error, ErrorKind};

/// Returns the error of an update with this response.
async fn failure(answer: impl Into<Vec<u8>>) -> Error {
    let server = Server::raw(answer).await;
    let error = server.session().modelarts().training_job(10).unwrap().update_description("x").await.unwrap_err();
    assert_eq!(error.operation(), Some("update_training_job"), "{error}");
    assert_eq!(error.to_string().lines().count(), 1, "{error}");
    assert!(error.may_have_been_sent(), "{error}");
    error
}

/// Returns a response with a request id in its head.
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
            message: "the response says that the request failed",
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
            message: "502 Bad Gateway",
        },
        Case { status: 401, body: "", kind: ErrorKind::Authentication, code: None, message: "no body" },
        Case {
            status: 409,
            body: r#"{"errorCode": "X.1", "errorMsg": "busy"}"#,
            kind: ErrorKind::Conflict,
            code: Some("X.1"),
            message: "busy",
        },
        Case {
            status: 403,
            body: r#"{"error": {"code": 403, "message": "You are not authorized.", "title": "Forbidden"}}"#,
            kind: ErrorKind::Permission,
            code: Some("403"),
            message: "You are not authorized.",
        },
        Case {
            status: 400,
            body: r#"{"errors": [{"error_code": "ModelArts.0104", "error_msg": "bad field"}]}"#,
            kind: ErrorKind::InvalidRequest,
            code: Some("ModelArts.0104"),
            message: "bad field",
        },
        Case {
            status: 404,
            body: r#"{"itemNotFound": {"message": "Job could not be found", "code": 404}}"#,
            kind: ErrorKind::NotFound,
            code: Some("404"),
            message: "Job could not be found",
        },
        Case {
            status: 200,
            body: r#"{"is_success": "false", "error_code": "ModelArts.0103", "error_message": {"x": 1}}"#,
            kind: ErrorKind::Conflict,
            code: Some("ModelArts.0103"),
            message: "the response says that the request failed",
        },
        Case {
            status: 500,
            body: "upstream\tconnect error",
            kind: ErrorKind::Service,
            code: None,
            message: "upstream connect error",
        },
        Case { status: 400, body: r#"{"x": 1}"#, kind: ErrorKind::InvalidRequest, code: None, message: r#"{"x": 1}"# },
    ];
    for case in cases {
        let error = failure(answer(case.status, case.body)).await;
        let place = format!("{} {}: {error}", case.status, case.body);
        assert_eq!(error.kind(), case.kind, "{place}");
        assert_eq!(error.code(), case.code, "{place}");
        assert_eq!(error.message(), case.message, "{place}");
        assert_eq!(error.status().unwrap().as_u16(), case.status, "{place}");
        assert_eq!(error.request_id(), Some("req-7"), "{place}");
        assert_eq!(error.excerpt(), Some(&*case.body.replace('\t', " ")), "{place}");
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
    // A body of exactly the limit is read.
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
async fn a_status_without_a_registered_reason_is_told_by_its_number() {
    let error = failure(answer(599, r#"{"error_code":"ModelArts.0001","error_msg":"broken"}"#)).await;
    assert_eq!(error.to_string(), "update_training_job: ModelArts.0001 (599): broken [request req-7]");
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
    let host = endpoint.trim_start_matches("http://");
    assert_eq!((error.host(), error.attempts()), (Some(host), 4));
    let said = error.to_string();
    assert!(said.starts_with(&format!("update_training_job: {host}: cannot connect: Connection refused")), "{said}");
    assert!(said.ends_with(" (4 attempts)"), "{said}");
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
        (job.update().name("a b").send().await.unwrap_err(), "name", "letters, digits", "\"a b\""),
        (job.update().name("").send().await.unwrap_err(), "name", "1", "0"),
        (job.update().name("x".repeat(81)).send().await.unwrap_err(), "name", "80", "81"),
        (job.update().description("x".repeat(65536)).send().await.unwrap_err(), "description", "65535", "65536"),
        (
            modelarts.training_jobs().create("a b", config()).send().await.unwrap_err(),
            "job_name",
            "letters, digits",
            "\"a b\"",
        ),
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

#[tokio::test]
async fn what_stands_beside_a_nested_failure_is_kept() {
    let body = r#"{"error": {"code": "ModelArts.0010", "message": "Some errors occurred."}, "error_code": "ModelArts.0010",
        "encoded_authorization_message": "Egpjbi1ub==", "request_id": "in-body"}"#;
    let error = failure(head(403, "", body.len()) + body).await;
    assert_eq!(error.encoded_authorization_message(), Some("Egpjbi1ub=="));
    assert_eq!((error.request_id(), error.code()), (Some("in-body"), Some("ModelArts.0010")));
    assert!(format!("{error:?}").contains("Egpjbi1ub=="));
    // Each part is found where only one of the two has it.
    let body = r#"{"error": {"message": "nested"}, "error_code": "X.1", "error_msg": "flat", "requestId": "in-body"}"#;
    let error = failure(head(400, "", body.len()) + body).await;
    assert_eq!((error.code(), error.message(), error.request_id()), (Some("X.1"), "nested", Some("in-body")));
}

#[tokio::test]
async fn a_missing_permission_is_neither_a_failure_to_authenticate_nor_one_to_find() {
    for (status, body) in [
        (403, ""),
        (403, r#"{"error_code": "APIG.0302", "error_msg": "no"}"#),
        (403, r#"{"error": {"code": 403, "title": "Forbidden"}}"#),
        (401, r#"{"error_code": "12000136", "error_msg": "Policy doesn't allow mrs:job:update"}"#),
        (404, r#"{"error_code": "ModelArts.2786", "error_msg": "no"}"#),
        (500, r#"{"error_code": "0192", "error_msg": "no"}"#),
    ] {
        let error = failure(answer(status, body)).await;
        assert!(error.is_forbidden() && !error.is_unauthenticated() && !error.is_not_found(), "{status} {body}");
        assert_eq!(error.kind(), ErrorKind::Permission);
    }
    for (status, body) in [(401, ""), (403, r#"{"error_code": "APIGW.0301", "error_msg": "no"}"#)] {
        let error = failure(answer(status, body)).await;
        assert!(error.is_unauthenticated() && !error.is_forbidden(), "{status} {body}");
    }
}

#[tokio::test]
async fn an_endpoint_without_the_operation_is_a_mistake_in_the_configuration() {
    let body = r#"{"error_code": "APIGW.0101", "error_msg": "The API does not exist"}"#;
    for (path, doubt) in [("", ""), ("/a/b", "; its path /a/b goes in front of the path of each operation")] {
        let server = Server::raw(answer(404, body)).await;
        let endpoint = format!("{}{path}", server.endpoint);
        let session = server.builder().endpoint(&endpoint).build().unwrap();
        let error = session.modelarts().training_job(10).unwrap().update_description("x").await.unwrap_err();
        assert_eq!((error.kind(), error.is_not_found()), (ErrorKind::Configuration, false));
        let said = format!("The API does not exist (the endpoint is {endpoint}{doubt}) [request req-7]");
        assert!(error.to_string().ends_with(&said), "{error}");
        assert!(error.host().is_some() && error.code_info().unwrap().remedy().is_some());
    }
    // An error of the identity service has its address, not the other one's.
    let (iam, service) = (Server::raw(answer(404, body)).await, Server::raw(answer(200, "{}")).await);
    let session = service
        .builder()
        .endpoint_of(huaweicloud_jobs::session::Service::Iam, &iam.endpoint)
        .credentials(huaweicloud_jobs::session::credentials::Credentials::password("a", None, "not-a-password"))
        .build()
        .unwrap();
    let error = session.modelarts().training_job(10).unwrap().update_description("x").await.unwrap_err();
    assert!(error.to_string().contains(&format!("(the endpoint is {})", iam.endpoint)), "{error}");
    assert_eq!(error.operation(), Some("create_token"));
}

#[tokio::test]
async fn a_timeout_tells_how_long_it_waited_and_how_often() {
    use std::time::Duration;
    let server = Server::acting([common::Act::Hang]).await;
    let session = server.builder().timeout(Duration::from_millis(150)).build().unwrap();
    let error = session.modelarts().training_job(10).unwrap().update_description("x").await.unwrap_err();
    assert!(error.is_timeout() && error.may_have_been_sent());
    let host = server.endpoint.trim_start_matches("http://");
    let said = format!("update_training_job: {host}: no complete response within 150 ms (1 attempt)");
    assert_eq!(error.to_string(), said);
    // Broken off before and within the response.
    for act in [common::Act::Close, common::Act::Answer((head(200, "", 100) + "{").into_bytes())] {
        let server = Server::acting([act]).await;
        let session = server.builder().retry(huaweicloud_jobs::session::RetryPolicy::never()).build().unwrap();
        let error = session.modelarts().training_job(10).unwrap().update_description("x").await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Network);
        assert_eq!(error.host(), Some(server.endpoint.trim_start_matches("http://")), "{error}");
        assert!(
            error.to_string().contains("broke off") && error.to_string().contains(error.host().unwrap()),
            "{error}"
        );
    }
}

/// The time limit of a connection is another one than that of a whole call.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_connection_that_does_not_come_about_names_its_own_limit() {
    use std::time::Duration;
    // Nothing is accepted, and the queue is full: Linux then leaves further attempts without a response.
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let listener = socket.listen(0).unwrap();
    let address = listener.local_addr().unwrap();
    let mut queue = Vec::new();
    while let Ok(waiting) = std::net::TcpStream::connect_timeout(&address, Duration::from_millis(100)) {
        queue.push(waiting);
        assert!(queue.len() < 100, "the queue is never full");
    }
    let session = huaweicloud_jobs::Session::builder().endpoint(format!("http://{address}")).token("t");
    let session = session.project_id(common::PROJECT).retry(huaweicloud_jobs::session::RetryPolicy::never());
    let session = session.connect_timeout(Duration::from_millis(120)).timeout(Duration::from_secs(60)).build().unwrap();
    let error = session.modelarts().training_job(10).unwrap().update_description("x").await.unwrap_err();
    assert!(error.is_timeout() && !error.may_have_been_sent(), "{error:?}");
    let said = format!("update_training_job: {address}: no connection within 120 ms (1 attempt)");
    assert_eq!(error.to_string(), said);
}

/// Each operation with a handle whose requests have a limit, with a value that breaks one.
#[cfg(feature = "spec")]
#[tokio::test]
async fn a_value_that_breaks_a_limit_names_the_operation() {
    use std::collections::BTreeMap;

    use huaweicloud_jobs::mrs::JobExeType;
    use huaweicloud_jobs::mrs::types::{DataSourceTypeForRequest, JobTypeForCreate};
    use huaweicloud_jobs::spec;
    use serde_json::Value;

    let server = Server::json(200, "{}").await;
    let session = server.session();
    let (modelarts, mrs) = (session.modelarts(), session.mrs());
    let training = || {
        let resources = Resources::spec(1).workers(0);
        Training::new(Code::algorithm(1), Data::obs("/bucket/data/"), resources).train_url("/bucket/out/")
    };
    let long = "x".repeat(70_000);
    let job = modelarts.training_job(10).unwrap();
    let mut broken = BTreeMap::new();
    let mut breaks = |operation: &'static str, field: &'static str, outcome: Result<(), Error>| {
        broken.insert(operation, (field, outcome.unwrap_err()));
    };
    macro_rules! breaks {
        ($operation:literal, $field:literal, $call:expr) => {
            breaks($operation, $field, $call.await.map(|_| ()))
        };
    }
    let jobs = modelarts.training_jobs();
    breaks!("create_training_job", "worker_server_num", jobs.create("job", training()).send());
    breaks!("list_training_jobs", "per_page", jobs.list().per_page(0).try_next());
    breaks!("update_training_job", "job_desc", job.update_description(&long));
    breaks!("create_training_job_version", "worker_server_num", job.versions().create(20, training()).send());
    breaks!("list_training_job_versions", "per_page", job.versions().list().per_page(1001).try_next());
    breaks!("show_training_job_log", "lines", job.version(20).unwrap().log_file("a.log").read().lines(501).send());
    breaks!("list_built_in_algorithms", "per_page", modelarts.built_in_algorithms().per_page(0).try_next());
    let configs = modelarts.training_job_configs();
    breaks!("create_training_job_config", "config_name", configs.create("a b", training_of_one()).send());
    breaks!("list_training_job_configs", "per_page", configs.list().per_page(0).try_next());
    let config = modelarts.training_job_config("config").unwrap();
    breaks!("update_training_job_config", "worker_server_num", config.update(training()).send());
    let boards = modelarts.visualization_jobs();
    breaks!("create_visualization_job", "job_name", boards.create("a b", "/bucket/").send());
    breaks!("list_visualization_jobs", "per_page", boards.list().per_page(0).try_next());
    let board = modelarts.visualization_job(1).unwrap();
    breaks!("update_visualization_job", "job_desc", board.update_description(&long));
    let labels = modelarts.labeling_jobs();
    let create = labels.create("", LabelingDataType::Obs, LabelingJobType::ManualImageClassify);
    breaks!("create_annotation_job", "name", create.send());
    breaks!("list_annotation_jobs", "limit", labels.list().per_page(0).try_next());
    let label = modelarts.labeling_job("x").unwrap();
    breaks!("update_annotation_job", "name", label.update("").send());
    breaks!("save_annotation_job_validation", "pass_rate", label.save_validation("101"));
    breaks!("create_job_binary", "name", mrs.job_binaries().create("", "/a.jar", "").send());
    breaks!("list_job_binaries", "limit", mrs.job_binaries().list().per_page(0).try_next());
    breaks!("update_job_binary", "name", mrs.job_binary("x").unwrap().update().name("").send());
    let sources = mrs.data_sources();
    breaks!("create_data_source", "url", sources.create("n", "wrong", DataSourceTypeForRequest::Obs).send());
    breaks!("list_data_sources", "limit", sources.list().per_page(0).try_next());
    breaks!("update_data_source", "name", mrs.data_source("x").unwrap().update().name("").send());
    breaks!("create_job", "name", mrs.jobs().create("", JobTypeForCreate::Spark).send());
    breaks!("list_jobs", "limit", mrs.jobs().list().per_page(0).try_next());
    breaks!("update_job", "name", mrs.job("x").unwrap().update().name("").send());
    breaks!("list_job_executions", "limit", mrs.executions().list().per_page(0).try_next());
    breaks!("submit_job", "job_name", mrs.job_exes().submit("", JobExeType::Spark, "cluster").send());
    breaks!("list_job_exes", "page_size", mrs.job_exes().list("cluster").per_page(101).try_next());
    for (operation, (field, error)) in &broken {
        assert!(error.is_invalid_request() && !error.may_have_been_sent(), "{operation}: {error}");
        assert_eq!((error.operation(), error.field()), (Some(*operation), Some(*field)), "{error}");
        assert!(error.to_string().starts_with(&format!("{operation}: {field}")), "{error}");
    }
    assert_eq!(server.arrived().len(), 0);

    // A new operation, or one with a new limit, is not forgotten.
    const LIMITS: [&str; 5] = ["minimum", "maximum", "minLength", "maxLength", "pattern"];
    for document in spec::documents().iter().filter(|document| document.name() != "iam") {
        for operation in document.operations() {
            let body = document.request_schema(operation).map(|schema| match schema["$ref"].as_str() {
                Some(reference) => document.value().pointer(&reference[1..]).unwrap(),
                None => schema,
            });
            let fields = body.into_iter().flat_map(|body| body["properties"].as_object().into_iter().flatten());
            let parameters = document.parameters(operation).filter(|parameter| parameter["in"] == "query");
            let mut schemas = fields.map(|(_, schema)| schema).chain(parameters.map(|parameter| &parameter["schema"]));
            let is_limited = |schema: &Value| LIMITS.iter().any(|limit| schema.get(limit).is_some());
            if schemas.any(is_limited) {
                assert!(broken.contains_key(operation.id()), "{} is not tried", operation.id());
            }
        }
    }
}

#[cfg(feature = "spec")]
fn training_of_one() -> Training {
    Training::new(Code::algorithm(1), Data::obs("/bucket/data/"), Resources::spec(1))
}

/// Tests every operation that changes or deletes an object with an empty response.
#[tokio::test]
async fn nothing_under_a_success_status_says_that_a_change_is_made() {
    for body in ["", " \n", "null"] {
        let server = Server::raw(head(200, "content-type: application/json\r\n", body.len()) + body).await;
        let session = server.session();
        let (modelarts, mrs) = (session.modelarts(), session.mrs());
        let training = modelarts.training_job(1).unwrap();
        training.update_description("x").await.unwrap();
        training.delete().await.unwrap();
        training.version(1).unwrap().stop().await.unwrap();
        training.version(1).unwrap().delete().await.unwrap();
        modelarts.training_job_config("c").unwrap().delete().await.unwrap();
        let visualization = modelarts.visualization_job(1).unwrap();
        visualization.update_description("x").await.unwrap();
        visualization.stop().await.unwrap();
        visualization.restart().await.unwrap();
        visualization.delete().await.unwrap();
        let labeling = modelarts.labeling_job("x").unwrap();
        labeling.update("n").send().await.unwrap();
        labeling.delete().await.unwrap();
        mrs.job("x").unwrap().delete().await.unwrap();
        mrs.job_binary("x").unwrap().delete().await.unwrap();
        mrs.data_source("x").unwrap().delete().await.unwrap();
        let updates = huaweicloud_jobs::bulk::iter([(huaweicloud_jobs::JobId::try_from("x").unwrap(), "text")]);
        mrs.jobs().update_descriptions(updates).next().await.unwrap().result.unwrap();
        let shown = training.versions().list().try_collect::<Vec<_>>().await.unwrap_err();
        assert_eq!(shown.kind(), ErrorKind::Decode, "what is asked for is not there");
    }
    // If the response to an update is empty, the object is read.
    let job = r#"{"job": {"id": "x", "name": "after", "type": "Spark"}}"#;
    let nothing = common::Act::Answer(head(200, "", 0).into_bytes());
    let server = Server::acting([nothing, common::Act::Answer(answer(200, job).into_bytes())]).await;
    let changed = server.session().mrs().job("x").unwrap().update().name("after").send().await.unwrap();
    assert_eq!((changed.name.as_str(), server.arrived()[1].method.as_str()), ("after", "GET"));
}

#[cfg(feature = "raw")]
#[tokio::test]
async fn raw_changes_that_are_answered_with_nothing_are_made() {
    let server = Server::raw(head(200, "", 0)).await;
    let session = server.session();
    let mut made = 0;
    for document in huaweicloud_jobs::spec::documents() {
        for operation in document.operations() {
            let Some(example) = operation.examples(document.value()).into_iter().find(|e| e.parameters.is_some())
            else {
                continue;
            };
            let mut request = session.request(operation.id()).unwrap();
            for (name, value) in example.parameters.into_iter().flatten() {
                request = request.param(name, value.as_str().map_or_else(|| value.to_string(), str::to_owned));
            }
            if let Some(body) = example.request {
                request = request.body(body.clone());
            }
            let changes = matches!(operation.method, "put" | "delete");
            match request.send().await {
                Ok(response) => {
                    assert!(response.body().is_null() && operation.method != "get", "{}", operation.id());
                    made += usize::from(changes);
                }
                Err(error) => assert!(!changes && error.kind() == ErrorKind::Decode, "{error}"),
            }
        }
    }
    assert!(made > 10, "{made}");
}

#[tokio::test]
async fn a_mistyped_success_is_one_and_a_mistyped_failure_is_not() {
    let fails = |body: &'static str| async move {
        let server = Server::raw(answer(200, body)).await;
        let session = server.session();
        let typed = session.modelarts().training_job(10).unwrap().update_description("x").await;
        let mut all = session.modelarts().training_jobs().update_descriptions(huaweicloud_jobs::bulk::iter([(1, "x")]));
        assert_eq!(all.next().await.unwrap().result.is_err(), typed.is_err(), "{body}");
        let deleted = session.modelarts().visualization_job(1).unwrap().delete().await;
        assert_eq!(deleted.is_err(), typed.is_err(), "{body}");
        #[cfg(feature = "raw")]
        {
            let request = session.request("update_training_job").unwrap().param("job_id", 1);
            let raw = request.body(serde_json::json!({"job_desc": "x"})).send().await;
            assert_eq!(raw.is_err(), typed.is_err(), "{body}: {raw:?}");
        }
        typed.is_err()
    };
    for body in [
        r#"{"is_success": "false", "error_code": "ModelArts.0103", "error_message": "The name is in use"}"#,
        r#"{"is_success": 0, "error_code": "ModelArts.0103"}"#,
        r#"{"is_success": "0"}"#,
        r#"{"is_success": false, "error_code": "200"}"#,
        r#"{"is_success": true, "error_code": "ModelArts.0103", "error_message": "x"}"#,
        r#"{"error_code": "ModelArts.0103", "error_message": "x"}"#,
        r#"{"is_success": {}, "error_code": 12000002}"#,
    ] {
        assert!(fails(body).await, "{body}");
    }
    for body in [
        r#"{"is_success": true, "error_code": "200", "error_message": "success"}"#,
        r#"{"is_success": true, "error_code": 0, "error_message": ""}"#,
        r#"{"is_success": true, "error_code": null, "error_message": null}"#,
        r#"{"is_success": "true", "error_code": ""}"#,
        r#"{"is_success": "TRUE", "error_code": "0"}"#,
    ] {
        assert!(!fails(body).await, "{body}");
    }
}
