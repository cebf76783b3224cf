//! Tests of waits with a virtual clock.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on shall fail")]

use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::common::{Act, Server, TestClock, head};
use huaweicloud_jobs::modelarts::{JobState, TrainingJobVersion};
use huaweicloud_jobs::session::RetryPolicy;
use huaweicloud_jobs::{Error, ErrorKind};

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn status(status: i64) -> Act {
    let body = format!(
        r#"{{"is_success": true, "job_id": 10, "job_name": "a", "version_id": 20, "status": {status}, "train_url": "/o/"}}"#
    );
    (head(200, "", body.len()) + &body).into()
}

fn refusal(status: u16, headers: &str) -> Act {
    let body = r#"{"is_success": false, "error_message": "no"}"#;
    (head(status, headers, body.len()) + body).into()
}

async fn version(acts: impl IntoIterator<Item = Act>) -> (Server, Arc<TestClock>, TrainingJobVersion) {
    let server = Server::acting(acts).await;
    let clock = Arc::new(TestClock::default());
    let session = server.builder().clock(clock.clone()).retry(RetryPolicy::never()).build().unwrap();
    let version = session.modelarts().training_job(10).unwrap().version(20).unwrap();
    (server, clock, version)
}

#[tokio::test]
async fn a_wait_asks_at_growing_distances_until_the_job_is_done() {
    let (server, clock, version) = version([1, 4, 7, 8, 8, 8, 8, 8, 10].map(status)).await;
    let seen = Arc::new(Mutex::new(Vec::new()));
    let record = Arc::clone(&seen);
    let done = version
        .wait()
        .observe(move |progress| record.lock().unwrap().push((progress.state.to_owned(), progress.polls)))
        .for_completion()
        .await
        .unwrap();
    assert_eq!(done.train_url.as_deref(), Some("/o/"));
    let waits: Vec<f64> = clock.waits().iter().map(Duration::as_secs_f64).collect();
    assert_eq!(waits, [5.0, 7.5, 11.25, 16.875, 25.3125, 37.96875, 56.953125, 60.0]);
    assert_eq!(server.arrived().len(), 9);
    assert!(server.arrived()[0].target.ends_with("/training-jobs/10/versions/20"));
    let seen = seen.lock().unwrap();
    assert_eq!(seen.len(), 9);
    assert_eq!(seen[0], ("JOBSTAT_INIT".to_owned(), 1));
    assert_eq!(seen[8], ("JOBSTAT_COMPLETED".to_owned(), 9));
}

#[tokio::test]
async fn the_end_of_the_time_another_end_and_a_failed_call_are_told_apart() {
    // The last request is sent at the time limit.
    let (server, clock, running) = version([status(8)]).await;
    let error = running.wait().at_most(seconds(12)).every(seconds(5)).backoff(1.0, seconds(5)).for_completion().await;
    let error = error.unwrap_err();
    assert!(error.is_timeout() && !error.is_failure() && error.call().is_none());
    assert_eq!((error.state(), error.polls()), (Some("JOBSTAT_RUNNING"), 4));
    assert!(error.elapsed() >= seconds(12) && error.elapsed() < seconds(15), "{error:?}");
    assert_eq!(error.last().unwrap().status.as_ref().unwrap().state(), JobState::Running);
    assert_eq!(server.arrived().len(), 4);
    assert!(clock.waits()[2] <= seconds(2));
    let text = error.to_string();
    assert!(text.contains("JOBSTAT_RUNNING") && text.contains("asked 4 times"), "{text}");
    assert_eq!(Error::from(error).kind(), ErrorKind::Timeout);

    for ended in [3, 5, 6, 11, 12, 13, 14, 16, 17, 21, 22] {
        let (_server, _, version) = version([status(8), status(ended)]).await;
        let error = version.wait().for_completion().await.unwrap_err();
        assert!(error.is_failure() && !error.is_timeout() && error.call().is_none(), "{ended}");
        assert_eq!(error.last().unwrap().status.as_ref().unwrap().state().code(), Some(ended));
        assert_eq!(error.polls(), 2);
    }

    let (_server, _, gone) = version([status(8), refusal(404, "")]).await;
    let error = gone.wait().for_completion().await.unwrap_err();
    assert!(error.call().unwrap().is_not_found() && !error.is_timeout() && !error.is_failure());
    assert_eq!((error.state(), error.polls()), (Some("JOBSTAT_RUNNING"), 2), "the last state is kept");
    assert!(std::error::Error::source(&error).is_some());
    assert!(Error::from(error).is_not_found(), "a failed call stays what it is");
}

#[tokio::test]
async fn a_failure_that_may_pass_is_asked_again_twice() {
    let (server, clock, version) =
        version([refusal(429, "retry-after: 30\r\n"), refusal(503, ""), status(8), Act::Close, Act::Close, status(10)])
            .await;
    version.wait().for_completion().await.unwrap();
    assert_eq!(server.arrived().len(), 6);
    assert_eq!(clock.waits()[0], seconds(30), "what the service asks for is the least");

    let (server, _, version) = self::version([refusal(503, "")]).await;
    let error = version.wait().for_completion().await.unwrap_err();
    assert_eq!(error.call().unwrap().status().unwrap(), 503);
    assert_eq!((error.polls(), server.arrived().len()), (3, 3));
    assert!(error.state().is_none() && error.last().is_none());
}

#[tokio::test]
async fn a_wait_may_be_for_less_than_the_end() {
    let (server, _, version) = version([status(7), status(8), status(10)]).await;
    let is_running = |details: &huaweicloud_jobs::modelarts::types::TrainingJobVersionDetails| {
        details.status.as_ref().is_some_and(|status| status.state() == JobState::Running)
    };
    version.wait().until(is_running).await.unwrap();
    assert_eq!(server.arrived().len(), 2);
    // The state passed too fast.
    version.wait().until(is_running).await.unwrap();
    assert_eq!(server.arrived().len(), 3);
}

#[tokio::test]
async fn a_state_that_is_not_documented_is_no_end() {
    let (_server, _, version) = version([status(99), status(10)]).await;
    let seen = Arc::new(Mutex::new(Vec::new()));
    let record = Arc::clone(&seen);
    version.wait().observe(move |p| record.lock().unwrap().push(p.state.to_owned())).for_completion().await.unwrap();
    assert_eq!(*seen.lock().unwrap(), ["99", "JOBSTAT_COMPLETED"]);
}
