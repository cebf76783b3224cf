//! Tests of the typed mocks, as in a user's own test.

#![cfg(feature = "mock")]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on shall fail")]

use huaweicloud_jobs::ErrorKind;
use huaweicloud_jobs::api::wire::Bounded;
use huaweicloud_jobs::mock::{self, MockServer, modelarts, mrs};
use huaweicloud_jobs::modelarts::types::ListTrainingJobsResponse;
use huaweicloud_jobs::mrs::types::{JobResponse, UpdateJobRequest};
use modelarts::MockServerExt as _;
use mrs::MockServerExt as _;
use serde_json::json;

#[tokio::test]
async fn parameters_bodies_and_responses_are_types() {
    let server = MockServer::start_async().await;
    let session = mock::session(&server).unwrap();

    let page: ListTrainingJobsResponse = serde_json::from_value(json!({
        "is_success": true, "job_total_count": 1, "jobs": [{"job_id": 10, "job_name": "a", "version_id": 1}],
    }))
    .unwrap();
    let list = server.list_training_jobs(|when, then| {
        when.page(&Bounded::try_from(1_i64).unwrap()).sort_by(None);
        then.success(200, &page);
    });
    let jobs: Vec<_> = session.modelarts().training_jobs().list().try_collect().await.unwrap();
    assert_eq!(jobs[0].id().get(), 10);
    list.assert();

    let job = json!({"job": {"id": "x", "name": "renamed", "type": "Spark"}});
    let updated: JobResponse = serde_json::from_value(job.clone()).unwrap();
    let body: UpdateJobRequest = serde_json::from_value(json!({"name": "renamed"})).unwrap();
    let update = server.update_job(|when, then| {
        when.job_id(&"x".try_into().unwrap()).body(&body);
        then.success(202, &updated);
    });
    let shown: JobResponse = serde_json::from_value(job).unwrap();
    let show = server.show_job(|when, then| {
        when.job_id(&"x".try_into().unwrap());
        then.success(200, &shown);
    });
    let handle = session.mrs().job("x").unwrap();
    assert_eq!(handle.update().name("renamed").send().await.unwrap().name, "renamed");
    assert_eq!(handle.show().await.unwrap().name, "renamed");
    update.assert();
    show.assert();
}

#[tokio::test]
async fn failures_are_returned_as_the_services_do_and_once() {
    let server = MockServer::start_async().await;
    let session = mock::session(&server).unwrap();
    let throttled = server.delete_training_job(|when, then| {
        when.job_id(10);
        mock::fail(then.into_inner(), 429, "APIG.0308", "slow down");
    });
    let error = session.modelarts().training_job(10).unwrap().delete().await.unwrap_err();
    assert_eq!((error.kind(), error.code()), (ErrorKind::Throttled, Some("APIG.0308")), "{error}");
    throttled.assert_calls(1);
    // A request without a mock is an error too.
    assert!(session.modelarts().training_job(11).unwrap().delete().await.is_err());
}
