//! Tests of the generated types and clients over HTTP.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on shall fail")]

use std::fmt::Debug;
use std::io::ErrorKind;
use std::net::TcpListener;

use huaweicloud_jobs::api::{iam, modelarts, mrs};
use huaweicloud_jobs::{Error, Session};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

type Outcome<T> = Result<T, progenitor_client::Error<()>>;

const TOKEN: &str = "canary-token";

/// A session whose requests go to a listener of this test.
fn session() -> (Session, TcpListener) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    (Session::builder().endpoint(endpoint).project_id("p1").token(TOKEN).build().unwrap(), listener)
}

/// Passes a call to the listener, sends a response, and returns its request line and body.
async fn sent<T>(listener: TcpListener, call: impl Future<Output = Outcome<T>>, answer: Value) -> (String, String) {
    let listener = tokio::net::TcpListener::from_std(listener).unwrap();
    let serve = async {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut request = String::new();
        let mut chunk = [0; 4096];
        let body = loop {
            if let Some((head, body)) = request.split_once("\r\n\r\n") {
                let length = head
                    .lines()
                    .find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length: ")?.parse().ok());
                if body.len() >= length.unwrap_or(0) {
                    break body.to_owned();
                }
            }
            let read = stream.read(&mut chunk).await.unwrap();
            assert_ne!(read, 0, "half a request: {request}");
            request += std::str::from_utf8(&chunk[..read]).unwrap();
        };
        let answer = answer.to_string();
        let head =
            format!("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n", answer.len());
        stream.write_all((head + &answer).as_bytes()).await.unwrap();
        (request.lines().next().unwrap_or_default().to_owned(), body)
    };
    // A call that sends nothing ends the test here; otherwise the listener would wait forever.
    let call = async { call.await.map(drop).unwrap() };
    tokio::join!(call, serve).1
}

/// Asserts that the call fails because of its values, and that nothing was sent.
async fn refused<T: Debug>(listener: &TcpListener, call: impl Future<Output = Outcome<T>>) -> String {
    let Err(progenitor_client::Error::InvalidRequest(reason)) = call.await else { panic!("it was not refused") };
    assert_eq!(listener.accept().unwrap_err().kind(), ErrorKind::WouldBlock, "something was sent");
    reason
}

fn read<T: DeserializeOwned>(value: Value) -> Result<T, String> {
    serde_json::from_value(value).map_err(|error| error.to_string())
}

/// Deserializes and serializes a value.
fn round<T: DeserializeOwned + Serialize>(value: Value) -> Value {
    serde_json::to_value(read::<T>(value).unwrap()).unwrap()
}

mod requests {
    use super::*;

    #[test]
    fn lengths_are_counted_in_characters() {
        use modelarts::types::UpdateTrainingJobRequest;

        let describe =
            |text: String| UpdateTrainingJobRequest::try_from(UpdateTrainingJobRequest::builder().job_desc(text));
        for letter in ["a", "描", "🦀"] {
            let longest = letter.repeat(256);
            let request = describe(longest.clone()).unwrap();
            assert_eq!(serde_json::to_value(&request).unwrap(), json!({"job_desc": longest}));
            let error = describe(letter.repeat(257)).unwrap_err().to_string();
            assert!(error.contains("job_desc") && error.contains("longer than 256 characters"), "{error}");
        }
        assert_eq!(serde_json::to_value(describe(String::new()).unwrap()).unwrap(), json!({"job_desc": ""}));
        // The limit also applies to the deserialization of a request, as in an emulator.
        assert!(read::<UpdateTrainingJobRequest>(json!({"job_desc": "a".repeat(257)})).is_err());
    }

    #[tokio::test]
    async fn too_long_a_text_is_not_sent() {
        let (session, listener) = session();
        let modelarts = session.modelarts();
        let update = |text: String| {
            let request = modelarts.client().update_training_job().project_id("p1").job_id(10);
            request.body_map(|body| body.job_desc(text)).send()
        };
        let reason = refused(&listener, update("描".repeat(257))).await;
        assert!(reason.contains("longer than 256 characters"), "{reason}");
        let (line, body) = sent(listener, update("描".repeat(256)), json!({"is_success": true})).await;
        assert_eq!(line, "PUT /v1/p1/training-jobs/10 HTTP/1.1");
        assert_eq!(body, format!(r#"{{"job_desc":"{}"}}"#, "描".repeat(256)));
    }

    #[test]
    fn names_match_their_pattern() {
        use modelarts::types::CreateTrainingJobRequestJobName as Name;

        for name in ["a", "Test-Job_1", &"a".repeat(64)] {
            assert_eq!(name.parse::<Name>().unwrap().as_str(), name);
        }
        for name in ["", "a b", "a/b", "a\n", "名", &"a".repeat(65)] {
            assert!(name.parse::<Name>().is_err(), "{name:?}");
            assert!(read::<Name>(json!(name)).is_err(), "{name:?}");
        }
    }

    #[tokio::test]
    async fn enums_are_closed() {
        use modelarts::types::{SortOrder, UpdateTrainingJobRequest};

        assert_eq!(read::<SortOrder>(json!("desc")), Ok(SortOrder::Desc));
        for value in ["up", "DESC", ""] {
            assert!(read::<SortOrder>(json!(value)).is_err(), "{value}");
        }
        assert!(read::<UpdateTrainingJobRequest>(json!({"job_desc": 1})).is_err());
        let (session, listener) = session();
        let modelarts = session.modelarts();
        let list = modelarts.client().list_training_jobs().project_id("p1").order("up");
        assert!(refused(&listener, list.send()).await.contains("order"));
    }

    #[test]
    fn absent_and_empty_are_two_things() {
        use mrs::types::UpdateJobRequest;

        let request = |builder| serde_json::to_value(UpdateJobRequest::try_from(builder).unwrap()).unwrap();
        let builder = UpdateJobRequest::builder;
        assert_eq!(request(builder()), json!({}));
        assert_eq!(request(builder().libs(Some(vec![]))), json!({"libs": []}));
        assert_eq!(request(builder().is_public(Some(false))), json!({"is_public": false}));
        let empty = Some("".parse().unwrap());
        assert_eq!(request(builder().description(empty)), json!({"description": ""}));
        // Deserialization keeps the difference.
        for value in [json!({}), json!({"libs": [], "description": "", "is_protected": false})] {
            assert_eq!(round::<UpdateJobRequest>(value.clone()), value);
        }
    }

    /// Fields have the documented order, not the alphabetical one, because people compare bodies with the pages.
    #[test]
    fn fields_keep_the_documented_order() {
        let example = r#"{"name":"my-mapreduce-job-update","mains":[],"libs":["2628d0e4-6109-4a09-a338-c4ee1b0963ed"],"is_protected":false,"interface":[],"is_public":false,"type":"MapReduce","description":"This is the Map Reduce job template"}"#;
        let request: mrs::types::UpdateJobRequest = serde_json::from_str(example).unwrap();
        assert_eq!(serde_json::to_string(&request).unwrap(), example);
    }

    #[tokio::test]
    async fn numbers_of_the_query_keep_their_bounds() {
        for value in [0, -1, 1001, i64::MAX] {
            let (session, listener) = session();
            let modelarts = session.modelarts();
            let list = modelarts.client().list_training_jobs().project_id("p1").per_page(value);
            let reason = refused(&listener, list.send()).await;
            assert!(reason.contains("per_page"), "{reason}");
        }
        for value in [1_i64, 1000] {
            let (session, listener) = session();
            let modelarts = session.modelarts();
            let list = modelarts.client().list_training_jobs().project_id("p1").per_page(value);
            let answer = json!({"is_success": true, "job_total_count": 0, "jobs": []});
            let (line, body) = sent(listener, list.send(), answer).await;
            assert_eq!(line, format!("GET /v1/p1/training-jobs?per_page={value} HTTP/1.1"));
            assert_eq!(body, "");
        }
    }

    #[tokio::test]
    async fn no_value_leads_to_another_path() {
        let (session, listener) = session();
        let (modelarts, mrs) = (session.modelarts(), session.mrs());
        for value in ["..", ".", "", "a/b", "a\\b", "a\n"] {
            let call = mrs.client().show_job().project_id("p1").job_id(value).send();
            assert!(refused(&listener, call).await.contains("job_id"), "{value:?}");
            let call = modelarts.client().list_training_jobs().project_id(value).send();
            assert!(refused(&listener, call).await.contains("project_id"), "{value:?}");
        }
        // Unusual characters are encoded.
        let call = mrs.client().delete_job().project_id("p1").job_id("a b?c#d%2e").send();
        let (line, _) = sent(listener, call, json!({})).await;
        assert_eq!(line, "DELETE /v1.1/p1/jobs/a%20b%3Fc%23d%252e HTTP/1.1");
    }

    #[tokio::test]
    async fn what_is_required_is_asked_for() {
        let (session, listener) = session();
        let modelarts = session.modelarts();
        let reason = refused(&listener, modelarts.client().update_training_job().project_id("p1").send()).await;
        assert!(reason.contains("job_id"), "{reason}");
        let call = modelarts.client().update_training_job().project_id("p1").job_id(1).send();
        assert!(refused(&listener, call).await.contains("job_desc"));
    }
}

mod answers {
    use huaweicloud_jobs::api::wire::{Boolean, Integer, Number};
    use modelarts::types::{ListTrainingJobsResponse, TrainingJobSummary};
    use mrs::open::JobType;

    use super::*;

    fn job() -> Value {
        json!({
            "description": "d", "tenant_id": "t", "created_at": "2017-06-22T09:39:13", "mains": [], "libs": [],
            "type": "MapReduce", "id": "1", "name": "n",
        })
    }

    fn job_with(key: &str, value: Value) -> Value {
        let mut job = job();
        job[key] = value;
        job
    }

    #[test]
    fn enums_are_open() {
        let job: mrs::types::JobDetails = read(job_with("type", json!("Flink"))).unwrap();
        assert_eq!(job.type_, JobType::Unknown("Flink".to_owned()));
        assert_eq!(serde_json::to_value(&job).unwrap(), job_with("type", json!("Flink")));
        let job: mrs::types::JobDetails = read(job_with("type", json!("mapreduce"))).unwrap();
        assert_eq!(job.type_, JobType::MapReduce);
    }

    #[test]
    fn numbers_are_read_and_written_as_they_came() {
        let job = |id: Value| json!({"job_id": id, "job_name": "n", "version_id": 1});
        for id in [json!(10), json!("10"), json!("-3"), json!(i64::MAX)] {
            assert_eq!(round::<TrainingJobSummary>(job(id.clone())), job(id));
        }
        assert_eq!(read::<TrainingJobSummary>(job(json!("10"))).unwrap().job_id.get(), 10);
        for id in [json!("ten"), json!(""), json!(1.5), json!(u64::MAX), json!(null), json!(true)] {
            assert!(read::<TrainingJobSummary>(job(id.clone())).is_err(), "{id}");
        }
        for share in [json!(0.5), json!("0.50"), json!(1), json!("1e3")] {
            assert_eq!(round::<Number>(share.clone()), share);
        }
        for value in [json!(true), json!("false")] {
            assert_eq!(round::<Boolean>(value.clone()), value);
        }
        assert_eq!(read::<Integer>(json!(3.0)).map(Integer::get), Ok(3));
    }

    #[test]
    fn arrays_can_be_null() {
        for (value, read_as) in [(json!(null), None), (json!([]), Some(0))] {
            let job: mrs::types::JobDetails = read(job_with("libs", value)).unwrap();
            assert_eq!(job.libs.map(|libs| libs.len()), read_as);
        }
        let mut absent = job();
        absent.as_object_mut().unwrap().shift_remove("libs");
        assert_eq!(read::<mrs::types::JobDetails>(absent).unwrap().libs, None);
        // Also in what is read through a wire type.
        let metric: modelarts::types::ClassMetric = read(json!({"reserved_data": null})).unwrap();
        assert_eq!(metric.reserved_data, None);
    }

    #[test]
    fn unknown_fields_are_ignored() {
        let answer = json!({"is_success": true, "job_total_count": "1", "new": {}, "jobs": [
            {"job_id": "1", "job_name": "n", "version_id": 2, "new": [1]},
        ]});
        let answer: ListTrainingJobsResponse = read(answer).unwrap();
        assert_eq!((answer.job_total_count.unwrap().get(), answer.jobs[0].version_id.unwrap().get()), (1, 2));
    }

    /// Limits of requests do not apply to responses: a name that is too long to send is accepted.
    #[test]
    fn limits_do_not_apply() {
        let job: TrainingJobSummary =
            read(json!({"job_id": 1, "job_name": "a b".repeat(99), "version_id": 1})).unwrap();
        assert_eq!(job.job_name.len(), 297);
    }
}

mod secrets {
    use super::*;
    use huaweicloud_jobs::session::Secret;
    use iam::types::{CreateTokenRequest, UserCredential, UserDomain};

    #[test]
    fn a_password_is_sent_and_never_printed() {
        let credential = json!({"domain": {"name": "account"}, "name": "user", "password": "canary-password"});
        let request = json!({"auth": {"identity": {"methods": ["password"], "password": {"user": credential}}}});
        let parsed: CreateTokenRequest = read(request.clone()).unwrap();
        assert_eq!(serde_json::to_value(&parsed).unwrap(), request);
        let user = UserCredential {
            domain: UserDomain { name: "account".to_owned() },
            name: "user".to_owned(),
            password: Secret::from("canary-password"),
        };
        for text in [format!("{parsed:?}"), format!("{parsed:#?}"), format!("{user:?}")] {
            assert!(text.contains("user") && !text.contains("canary"), "{text}");
        }
    }

    #[test]
    fn a_client_does_not_print_its_token() {
        let (session, _listener) = session();
        let (modelarts, mrs) = (session.modelarts(), session.mrs());
        let builder = modelarts.client().update_training_job().project_id("p1");
        for text in [format!("{:?}", modelarts.client()), format!("{:#?}", mrs.client()), format!("{builder:?}")] {
            assert!(text.contains("Client") && !text.contains(TOKEN), "{text}");
        }
    }
}

/// Proven by compiling.
#[test]
fn clients_can_be_shared_and_futures_sent() {
    fn shared<T: Clone + Send + Sync + 'static>() {}
    fn sendable<T: Send>(_: T) {}

    shared::<iam::Client>();
    shared::<modelarts::Client>();
    shared::<mrs::Client>();
    shared::<Session>();
    sendable(|client: &iam::Client| drop(client.create_token()));
    let (session, _listener) = session();
    let (modelarts, mrs) = (session.modelarts(), session.mrs());
    sendable(modelarts.client().update_training_job().send());
    sendable(modelarts.client().list_training_jobs().send());
    sendable(mrs.client().update_job().send());
    sendable(mrs.client().list_jobs().send());
    fn token(client: &iam::Client) -> impl Send {
        client.create_token().send()
    }
    sendable(token);
}

#[test]
fn an_error_is_one_word() {
    assert_eq!(size_of::<Error>(), size_of::<usize>());
    assert_eq!(size_of::<Option<Error>>(), size_of::<usize>());
}
