//! Tests of the five updates: the ways to a handle, changed and unchanged fields, and rejections of the emulator.

#![cfg(feature = "emulator")]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on shall fail")]

use crate::common;
use crate::common::{Server, head};
use huaweicloud_jobs::emulator::Emulator;
use huaweicloud_jobs::modelarts::types::{
    AutoStopInput, AutoStopTimeUnit, AutoStopType, LabelingDataType, LabelingJobType,
};
use huaweicloud_jobs::modelarts::{Code, Data, Resources, Training};
use huaweicloud_jobs::mrs::types::{JobTypeForCreate, JobTypeForUpdate, UpdateJobRequest};
use huaweicloud_jobs::{ErrorKind, Session};
use serde_json::{Value, json};

const JOB: &str = "b8ea4daa-0042-45e0-a522-e8b714e74760";
const LIBRARY: &str = "2628d0e4-6109-4a09-a338-c4ee1b0963ed";

fn training() -> Training {
    let code = Code::own("/usr/app/", "/usr/app/boot.py").engine(1);
    Training::new(code, Data::obs("/usr/data/"), Resources::spec(1))
}

/// The bytes of the last request, head and body.
fn last(server: &Server) -> String {
    let arrived = server.arrived().pop().unwrap();
    format!(
        "{} {}\n{:?}\n{}",
        arrived.method,
        arrived.target,
        arrived.headers,
        String::from_utf8(arrived.body).unwrap()
    )
}

#[tokio::test]
async fn three_ways_to_a_training_job_end_in_the_same_request() {
    // One response serves creation, both lists and the update: parsers ignore unknown fields.
    let body = r#"{"is_success": true, "job_id": "10", "job_name": "a", "job_total_count": 1, "version_count": 1,
        "jobs": [{"job_id": 10, "job_name": "a", "version_id": 10}],
        "versions": [{"version_id": 10, "version_name": "V0001"}]}"#;
    let server = Server::json(200, body).await;
    let modelarts = server.session().modelarts();
    let mut requests = Vec::new();

    let text = "update description";
    modelarts.training_job("10").unwrap().update_description(text).await.unwrap();
    requests.push(last(&server));
    let created = modelarts.training_jobs().create("a", training()).send().await.unwrap();
    created.update_description(text).await.unwrap();
    requests.push(last(&server));
    let versions = created.versions().list().try_collect::<Vec<_>>().await.unwrap();
    versions[0].job().update_description(text).await.unwrap();
    requests.push(last(&server));
    let listed = modelarts.training_jobs().list().try_collect::<Vec<_>>().await.unwrap();
    listed[0].update_description(text).await.unwrap();
    requests.push(last(&server));

    assert!(requests[0].starts_with(&format!("PUT /v1/{}/training-jobs/10\n", common::PROJECT)), "{}", requests[0]);
    assert!(requests[0].ends_with("\n{\"job_desc\":\"update description\"}"), "{}", requests[0]);
    assert!(requests.iter().all(|request| *request == requests[0]), "{requests:#?}");
}

#[tokio::test]
async fn three_ways_to_a_visualization_job_end_in_the_same_request() {
    let body = r#"{"is_success": true, "job_id": "10", "job_name": "a", "job_total_count": 1,
        "jobs": [{"job_id": 10, "job_name": "a"}]}"#;
    let server = Server::json(200, body).await;
    let modelarts = server.session().modelarts();
    let mut requests = Vec::new();

    let text = "update visualization job";
    modelarts.visualization_job(10).unwrap().update_description(text).await.unwrap();
    requests.push(last(&server));
    let created = modelarts.visualization_jobs().create("a", "/obs/name/").send().await.unwrap();
    created.update_description(text).await.unwrap();
    requests.push(last(&server));
    let listed = modelarts.visualization_jobs().list().try_collect::<Vec<_>>().await.unwrap();
    listed[0].update_description(text).await.unwrap();
    requests.push(last(&server));

    assert!(
        requests[0].starts_with(&format!("PUT /v1/{}/visualization-jobs/10\n", common::PROJECT)),
        "{}",
        requests[0]
    );
    assert!(requests.iter().all(|request| *request == requests[0]), "{requests:#?}");
}

#[tokio::test]
async fn absent_empty_false_and_blank_are_four_things_on_the_wire() {
    let answer =
        r#"{"job": {"id": "x", "name": "x", "type": "Spark", "tenant_id": "p", "created_at": "2017-06-22T12:05:58"}}"#;
    let server = Server::json(202, answer).await;
    let job = server.session().mrs().job("x").unwrap();
    let none: [&str; 0] = [];
    job.update().send().await.unwrap();
    job.update().mains(none).send().await.unwrap();
    job.update().is_public(false).send().await.unwrap();
    job.update().description("").send().await.unwrap();
    job.update()
        .mains(none)
        .libs(none)
        .interface([])
        .is_protected(false)
        .is_public(false)
        .description("")
        .send()
        .await
        .unwrap();
    let bodies: Vec<String> =
        server.arrived().into_iter().map(|arrived| String::from_utf8(arrived.body).unwrap()).collect();
    assert_eq!(
        bodies,
        [
            "{}",
            r#"{"mains":[]}"#,
            r#"{"is_public":false}"#,
            r#"{"description":""}"#,
            r#"{"mains":[],"libs":[],"is_protected":false,"interface":[],"is_public":false,"description":""}"#,
        ]
    );
}

#[tokio::test]
async fn absent_empty_false_and_blank_are_four_things_in_the_store() {
    let emulator = Emulator::start().await.unwrap();
    let job = emulator.session().unwrap().mrs().job(JOB).unwrap();
    let interface = || json!({"name": "in"}).as_object().unwrap().clone();
    let full = job
        .update()
        .name("full")
        .mains([LIBRARY])
        .libs([LIBRARY])
        .interface([interface()])
        .is_protected(true)
        .is_public(true)
        .job_type(JobTypeForUpdate::Spark)
        .description("text")
        .send()
        .await
        .unwrap();
    let kept = job.update().send().await.unwrap();
    assert_eq!((&kept.mains, &kept.libs, &kept.interface), (&full.mains, &full.libs, &full.interface));
    assert_eq!((kept.is_public, kept.is_protected), (Some(true), Some(true)));
    assert_eq!((kept.name.as_str(), kept.description.as_deref(), kept.type_.as_str()), ("full", Some("text"), "Spark"));
    assert_eq!(kept.mains.as_ref().unwrap()[0].id, LIBRARY);

    let none: [&str; 0] = [];
    let emptied = job.update().mains(none).send().await.unwrap();
    assert_eq!(emptied.mains.as_deref(), Some([].as_slice()));
    assert_eq!(emptied.libs, full.libs);
    let closed = job.update().is_public(false).send().await.unwrap();
    assert_eq!((closed.is_public, closed.is_protected), (Some(false), Some(true)));
    let blank = job.update().description("").send().await.unwrap();
    assert_eq!(blank.description.as_deref(), Some(""));
    assert_eq!(blank.name, "full");
    let shown = job.show().await.unwrap();
    assert_eq!((&shown.name, &shown.description, &shown.mains), (&blank.name, &blank.description, &blank.mains));
    assert_eq!(shown.libs.as_ref().unwrap()[0].id, LIBRARY);
}

#[tokio::test]
async fn what_is_changed_reads_back() {
    let emulator = Emulator::start().await.unwrap();
    let modelarts = emulator.session().unwrap().modelarts();

    let training = modelarts.training_jobs().create("mine", training()).description("old").send().await.unwrap();
    training.update_description("描述 ☃").await.unwrap();
    let listed = modelarts.training_jobs().list().search("mine").try_collect::<Vec<_>>().await.unwrap();
    assert_eq!(listed.len(), 1);
    assert_eq!(listed[0].details.job_desc.as_deref(), Some("描述 ☃"));
    assert_eq!(listed[0].id(), training.id());
    training.update_description("").await.unwrap();
    let listed = modelarts.training_jobs().list().search("mine").try_collect::<Vec<_>>().await.unwrap();
    assert_eq!(listed[0].details.job_desc.as_deref(), Some(""));

    let stop = AutoStopInput {
        type_: AutoStopType::Stop,
        time_unit: AutoStopTimeUnit::Hours,
        duration: 1.try_into().unwrap(),
    };
    let visualization =
        modelarts.visualization_jobs().create("mine", "/obs/name/").schedule([stop]).send().await.unwrap();
    visualization.update_description("new").await.unwrap();
    assert_eq!(visualization.show().await.unwrap().job_desc.as_deref(), Some("new"));

    let labeling = modelarts
        .labeling_jobs()
        .create("mine", LabelingDataType::Obs, LabelingJobType::ManualImageClassify)
        .description("old")
        .path("cat-dataset/")
        .send()
        .await
        .unwrap();
    labeling.update("renamed").send().await.unwrap();
    let listed = modelarts.labeling_jobs().list().search("renamed").try_collect::<Vec<_>>().await.unwrap();
    assert_eq!(listed[0].details.description.as_deref(), Some("old"), "what is not given stays");
    assert_eq!(labeling.update("renamed").description("new").send().await.unwrap().job_id, labeling.id().as_str());
}

#[tokio::test]
async fn the_emulator_refuses_with_the_documented_codes() {
    let emulator = Emulator::start().await.unwrap();
    let session = emulator.session().unwrap();
    let (modelarts, mrs) = (session.modelarts(), session.mrs());
    let with = |project: &str, token: &str| {
        Session::builder().endpoint(emulator.endpoint()).project_id(project).token(token).build().unwrap()
    };
    let stranger = with(emulator.project_id(), "another-token").modelarts().training_job(10).unwrap();
    let elsewhere = emulator.token();
    let elsewhere =
        Session::builder().endpoint(emulator.endpoint()).project_id("another").token(elsewhere).build().unwrap();
    let unknown_labeling = modelarts.labeling_job("nobody").unwrap();
    let unknown_job = mrs.job("nobody").unwrap();
    modelarts.training_jobs().create("twice", training()).send().await.unwrap();
    let refused = [
        (stranger.update_description("x").await.unwrap_err(), ErrorKind::Authentication, 401, "APIG.0301"),
        (
            elsewhere.modelarts().training_job(10).unwrap().update_description("x").await.unwrap_err(),
            ErrorKind::Permission,
            403,
            "ModelArts.0210",
        ),
        (elsewhere.mrs().job(JOB).unwrap().show().await.unwrap_err(), ErrorKind::Permission, 403, "APIG.0302"),
        (
            modelarts.training_job(12).unwrap().update_description("x").await.unwrap_err(),
            ErrorKind::NotFound,
            400,
            "ModelArts.0102",
        ),
        (
            modelarts.visualization_job("no-number").unwrap().update_description("x").await.unwrap_err(),
            ErrorKind::NotFound,
            400,
            "ModelArts.0102",
        ),
        (unknown_labeling.update("x").send().await.unwrap_err(), ErrorKind::NotFound, 400, "ModelArts.0102"),
        (unknown_job.update().send().await.unwrap_err(), ErrorKind::NotFound, 404, "0176"),
        (
            modelarts.training_jobs().create("twice", training()).send().await.unwrap_err(),
            ErrorKind::Conflict,
            409,
            "ModelArts.0103",
        ),
        (
            modelarts.visualization_jobs().create("apiTest-11", "/o/").send().await.unwrap_err(),
            ErrorKind::Conflict,
            409,
            "ModelArts.0103",
        ),
        (
            mrs.jobs().create("j", JobTypeForCreate::MapReduce).send().await.unwrap_err(),
            ErrorKind::InvalidRequest,
            500,
            "12000069",
        ),
        (
            mrs.jobs().create("j", JobTypeForCreate::SparkScript).send().await.unwrap_err(),
            ErrorKind::InvalidRequest,
            400,
            "12000068",
        ),
        (
            mrs.job(JOB).unwrap().update().libs(["no-binary"]).send().await.unwrap_err(),
            ErrorKind::NotFound,
            404,
            "0176",
        ),
    ];
    for (error, kind, status, code) in refused {
        assert_eq!(error.kind(), kind, "{error}");
        assert_eq!(error.status().unwrap().as_u16(), status, "{error}");
        assert_eq!(error.code(), Some(code), "{error}");
        assert!(error.request_id().is_some(), "{error}");
        assert!(!error.message().is_empty(), "{error:?}");
        let known = error.code_info().unwrap_or_else(|| panic!("{code} is not in the data"));
        assert!(known.meaning().is_some(), "{code} has no meaning in the data");
    }
}

/// Requests of a client without validation, and their responses.
#[tokio::test]
async fn the_emulator_holds_requests_against_the_strict_description() {
    let emulator = Emulator::start().await.unwrap();
    let project = emulator.project_id().to_owned();
    let _ = rustls::crypto::ring::default_provider().install_default();
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let token = "emulator-token-not-a-secret";
    let put = |path: String, body: String| {
        http.put(format!("{}{path}", emulator.endpoint())).header("x-auth-token", token).body(body).send()
    };
    let training = format!("/v1/{project}/training-jobs/10");
    let long = json!({"job_desc": "描".repeat(257)}).to_string();
    for body in [&long, r#"{}"#, r#"{"job_desc": 7}"#, r#"{"job_desc": null}"#, "[]", "", "{", "\u{0}"] {
        let response = put(training.clone(), body.to_string()).await.unwrap();
        assert_eq!(response.status(), 400, "{body}");
        let answer: Value = serde_json::from_slice(&response.bytes().await.unwrap()).unwrap();
        assert_eq!(answer["is_success"], false, "{body}");
        assert_eq!(answer["error_code"], "ModelArts.0104", "{body}");
        assert!(answer["error_message"].is_string(), "{body}");
    }
    let response =
        put(format!("/v1/{project}/annotation-jobs/x"), json!({"description": "d"}).to_string()).await.unwrap();
    let answer: Value = serde_json::from_slice(&response.bytes().await.unwrap()).unwrap();
    assert_eq!(answer["error_code"], "ModelArts.0104");
    assert!(answer["error_msg"].as_str().unwrap().contains("name"), "{answer}");
    // The description did not change.
    let jobs = emulator.session().unwrap().modelarts().training_jobs().list().try_collect::<Vec<_>>().await.unwrap();
    let job = jobs.iter().find(|job| job.id().get() == 10).unwrap();
    assert_eq!(job.details.job_desc.as_deref(), Some("This is ModelArts job"));

    let response = http.delete(format!("{}/v1/{project}/nothing", emulator.endpoint())).send().await.unwrap();
    assert_eq!(response.status(), 404);
    let answer: Value = serde_json::from_slice(&response.bytes().await.unwrap()).unwrap();
    assert_eq!(answer["error_code"], "APIG.0101");
    let response = http.patch(format!("{}{training}", emulator.endpoint())).send().await.unwrap();
    assert_eq!(response.status(), 405);
    assert_eq!(response.headers()["allow"], "PUT, DELETE");
    let response = http.put(format!("{}{training}", emulator.endpoint())).body("{}").send().await.unwrap();
    assert_eq!(response.status(), 401);
    let answer: Value = serde_json::from_slice(&response.bytes().await.unwrap()).unwrap();
    assert_eq!(answer["error_code"], "APIG.0301");
}

#[tokio::test]
async fn an_empty_emulator_knows_nothing_and_two_know_nothing_of_each_other() {
    let (first, second) =
        (Emulator::builder().empty().start().await.unwrap(), Emulator::builder().empty().start().await.unwrap());
    let (ours, theirs) = (first.session().unwrap().modelarts(), second.session().unwrap().modelarts());
    assert!(ours.training_jobs().list().try_collect::<Vec<_>>().await.unwrap().is_empty());
    let job = ours.training_jobs().create("only-here", training()).send().await.unwrap();
    assert!(theirs.training_job(job.id().get()).unwrap().update_description("x").await.unwrap_err().is_not_found());
    let endpoint = first.endpoint();
    drop(first);
    // The emulator ends with its handle: nothing listens any more.
    let session =
        Session::builder().endpoint(endpoint).project_id(second.project_id()).token(second.token()).build().unwrap();
    let error = session.modelarts().training_job(1).unwrap().update_description("x").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Network, "{error}");
    second.stop().await;
}

/// Clients are tolerant where the clouds differ.
#[tokio::test]
async fn an_answer_may_hold_more_less_and_other_than_documented() {
    let body = r#"{"is_success": true, "job_id": 10, "job_name": "a", "version_count": "1", "new_field": {"a": [1]},
        "versions": [{"version_id": "10", "version_name": "V0001", "status": 99, "parameter": null, "duration": "5"}]}"#;
    let server = Server::json(200, body).await;
    let versions =
        server.session().modelarts().training_job(10).unwrap().versions().list().try_collect::<Vec<_>>().await.unwrap();
    let version = &versions[0].details;
    assert_eq!(version.duration.as_ref().unwrap().duration().as_millis(), 5);
    assert!(version.parameter.is_none());
    let status = version.status.as_ref().unwrap();
    assert_eq!(status.state(), huaweicloud_jobs::modelarts::JobState::Undocumented);
    assert!(!status.is_terminal());

    let body =
        r#"{"job": {"id": "x", "name": "x", "type": "Flink", "tenant_id": "p", "created_at": "now", "libs": null}}"#;
    let server = Server::raw(head(200, "", body.len()) + body).await;
    let job = server.session().mrs().job("x").unwrap().show().await.unwrap();
    assert_eq!(job.type_, huaweicloud_jobs::mrs::open::JobType::Unknown("Flink".to_owned()));
    assert!(job.libs.is_none());
}

#[test]
fn the_documented_request_of_the_patch_is_what_the_type_writes() {
    let (document, operation) = huaweicloud_jobs::spec::operation("update_job").unwrap();
    let documented = document.examples(operation)[0].request.unwrap();
    let typed: UpdateJobRequest = serde_json::from_value(documented.clone()).unwrap();
    assert_eq!(serde_json::to_string(&typed).unwrap(), documented.to_string());
}
