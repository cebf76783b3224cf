//! When a call is repeated and when not, how long it waits, and how tokens are renewed: against a real server, on a
//! clock that waits for nobody.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on shall fail")]

mod common;

use std::sync::Arc;
use std::time::Duration;

use common::{Act, Arrived, PROJECT, Server, TestClock, head};
use huaweicloud_jobs::session::credentials::{Context, Credentials};
use huaweicloud_jobs::session::signing::{Authorization, Request};
use huaweicloud_jobs::session::{RetryPolicy, Service, SessionBuilder};
use huaweicloud_jobs::{Error, ErrorKind, Session};

const GOOD: &str = r#"{"is_success": true}"#;

fn answer(status: u16, headers: &str, body: &str) -> Act {
    (head(status, headers, body.len()) + body).into()
}

fn good() -> Act {
    answer(200, "", GOOD)
}

/// One update, which is idempotent: its outcome, what arrived, and the waits.
async fn update(acts: impl IntoIterator<Item = Act>) -> (Result<(), Error>, Vec<Arrived>, Vec<Duration>) {
    let server = Server::acting(acts).await;
    let clock = Arc::new(TestClock::default());
    let session = server.builder().clock(Arc::clone(&clock) as _).build().unwrap();
    let outcome = session.modelarts().training_job(10).unwrap().update_description("x").await;
    (outcome, server.arrived(), clock.waits())
}

#[tokio::test]
async fn passing_failures_of_an_idempotent_call_are_repeated() {
    for status in [429, 502, 503, 504] {
        let (outcome, arrived, waits) = update([answer(status, "", ""), answer(status, "", ""), good()]).await;
        outcome.unwrap_or_else(|error| panic!("{status}: {error}"));
        assert_eq!((arrived.len(), waits.len()), (3, 2), "{status}");
        assert!(waits[0] <= Duration::from_millis(200) && waits[1] <= Duration::from_millis(400), "{waits:?}");
        assert!(arrived.iter().all(|request| request.body == arrived[0].body), "the same request each time");
    }
    for act in [Act::Close, Act::Reset, answer(200, "", "").clone()] {
        let broken = matches!(act, Act::Answer(_));
        let act = if broken { Act::Answer(head(200, "", 100).into_bytes()) } else { act };
        let (outcome, arrived, _) = update([act.clone(), good()]).await;
        outcome.unwrap_or_else(|error| panic!("{act:?}: {error}"));
        assert_eq!(arrived.len(), 2, "{act:?}");
    }
}

#[tokio::test]
async fn other_failures_are_not_repeated() {
    for status in [302, 400, 401, 403, 404, 408, 409, 413, 500, 501] {
        let (outcome, arrived, waits) = update([answer(status, "", "{}"), good()]).await;
        assert_eq!(outcome.unwrap_err().status().unwrap().as_u16(), status);
        assert_eq!((arrived.len(), waits.len()), (1, 0), "{status}");
    }
    let (outcome, arrived, _) = update([answer(200, "", "not JSON"), good()]).await;
    assert_eq!((outcome.unwrap_err().kind(), arrived.len()), (ErrorKind::Decode, 1));
    let failed = r#"{"is_success": false, "error_code": "ModelArts.0010", "error_message": "x"}"#;
    let (outcome, arrived, _) = update([answer(200, "", failed), good()]).await;
    assert_eq!((outcome.unwrap_err().code(), arrived.len()), (Some("ModelArts.0010"), 1));
}

#[tokio::test]
async fn repeating_ends() {
    let (outcome, arrived, waits) = update([answer(503, "", "")]).await;
    assert_eq!(outcome.unwrap_err().status().unwrap(), 503);
    assert_eq!((arrived.len(), waits.len()), (4, 3));
}

#[tokio::test]
async fn what_the_service_asks_for_is_waited_for() {
    let (outcome, arrived, waits) = update([answer(429, "retry-after: 7\r\n", ""), good()]).await;
    outcome.unwrap();
    assert_eq!((arrived.len(), waits), (2, vec![Duration::from_secs(7)]));
    // As a date; a date in the past asks for no wait.
    let (outcome, _, waits) = update([answer(503, "retry-after: Wed, 21 Oct 2015 07:28:00 GMT\r\n", ""), good()]).await;
    outcome.unwrap();
    assert!(waits[0] <= Duration::from_millis(200), "{waits:?}");
    // More than the time of a call: the failure is told at once.
    let (outcome, arrived, waits) = update([answer(429, "retry-after: 3600\r\n", ""), good()]).await;
    assert_eq!(outcome.unwrap_err().retry_after(), Some(Duration::from_secs(3600)));
    assert_eq!((arrived.len(), waits.len()), (1, 0));
}

/// The outcome of a creation, which is a POST.
async fn create(session: &Session) -> Result<(), Error> {
    let jobs = session.modelarts().visualization_jobs();
    jobs.create("job", "/obs/").send().await.map(|_| ())
}

#[tokio::test]
async fn a_post_is_never_sent_twice_once_bytes_may_have_arrived() {
    for act in [
        answer(429, "", ""),
        answer(502, "", ""),
        answer(503, "retry-after: 1\r\n", ""),
        answer(504, "", ""),
        Act::Close,
        Act::Reset,
        Act::Answer(head(200, "", 100).into_bytes()),
        Act::Answer(b"HTTP/1.1 200".to_vec()),
    ] {
        let server = Server::acting([act.clone()]).await;
        let error = create(&server.session()).await.unwrap_err();
        assert_eq!(server.arrived().len(), 1, "{act:?}: {error}");
        assert!(error.may_have_been_sent(), "{act:?}: {error}");
    }
}

#[tokio::test]
async fn what_could_not_be_sent_is_tried_again_whatever_it_is() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let clock = Arc::new(TestClock::default());
    let builder = Session::builder().endpoint(endpoint).project_id(PROJECT).token("t").clock(Arc::clone(&clock) as _);
    let error = create(&builder.build().unwrap()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Network);
    assert!(!error.may_have_been_sent());
    assert_eq!(clock.waits().len(), 3);
}

#[tokio::test]
async fn a_session_can_be_told_to_repeat_nothing() {
    let server = Server::acting([answer(503, "", ""), good()]).await;
    let session = server.builder().retry(RetryPolicy::never()).build().unwrap();
    let error = session.modelarts().training_job(10).unwrap().update_description("x").await.unwrap_err();
    assert_eq!((error.status().unwrap().as_u16(), server.arrived().len()), (503, 1));
}

#[tokio::test]
async fn when_everything_fails_a_session_stops_repeating() {
    let server = Server::acting([answer(503, "", "")]).await;
    let session = server.session();
    let job = session.modelarts().training_job(10).unwrap();
    for _ in 0..50 {
        job.update_description("x").await.unwrap_err();
    }
    // 100 repetitions for all together; after that one attempt each.
    assert_eq!(server.arrived().len(), 150);
}

#[tokio::test]
async fn a_service_that_says_nothing_is_given_up() {
    let quick = Duration::from_millis(300);
    for act in [Act::Hang, Act::Stall(head(200, "x-request-id: req-7\r\n", 100).into_bytes())] {
        let server = Server::acting([act.clone()]).await;
        let session = server.builder().timeout(quick).build().unwrap();
        let error = session.modelarts().training_job(10).unwrap().update_description("x").await.unwrap_err();
        assert!(error.is_timeout(), "{act:?}: {error}");
        assert!(error.may_have_been_sent(), "{act:?}: {error}");
        assert_eq!(server.arrived().len(), 1, "{act:?}");
        if let Act::Stall(_) = act {
            assert_eq!(error.request_id(), Some("req-7"), "{error}");
        }
    }
}

#[tokio::test]
async fn an_older_http_is_understood() {
    let body = format!("HTTP/1.0 200 OK\r\n\r\n{GOOD}");
    let (outcome, ..) = update([Act::Answer(body.into_bytes())]).await;
    outcome.unwrap();
}

#[tokio::test]
async fn a_proxy_of_the_environment_is_used() {
    const NAME: &str = "a_proxy_of_the_environment_is_used";
    // The environment is the whole process's, so the call is made in one of its own.
    if std::env::var_os("CALL_THROUGH_PROXY").is_some() {
        let session = Session::builder().endpoint("http://service.invalid").project_id(PROJECT).token("t");
        let session = session.retry(RetryPolicy::never()).build().unwrap();
        return session.modelarts().training_job(10).unwrap().update_description("x").await.unwrap();
    }
    let proxy = Server::json(200, GOOD).await;
    let mut call = std::process::Command::new(std::env::current_exe().unwrap());
    call.args(["--exact", NAME]).env("CALL_THROUGH_PROXY", "1").env("http_proxy", &proxy.endpoint);
    call.env_remove("no_proxy").env_remove("NO_PROXY").env_remove("REQUEST_METHOD");
    let output = tokio::task::spawn_blocking(move || call.output().unwrap()).await.unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    let arrived = proxy.arrived();
    assert_eq!(arrived.len(), 1);
    assert_eq!(arrived[0].target, format!("http://service.invalid/v1/{PROJECT}/training-jobs/10"));
    assert_eq!(arrived[0].header("host"), Some("service.invalid"));
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let elsewhere = Server::json(200, GOOD).await;
    let (outcome, arrived, _) = update([answer(307, &format!("location: {}/\r\n", elsewhere.endpoint), "")]).await;
    assert_eq!(outcome.unwrap_err().status().unwrap(), 307);
    assert_eq!((arrived.len(), elsewhere.arrived().len()), (1, 0), "the token stays here");
}

/// An identity service that gives a token named after how many it has given.
fn token(number: u32, headers: &str) -> Act {
    let body = r#"{"token": {"expires_at": "2999-01-01T00:00:00.000000Z", "user": {"id": "u", "name": "u",
        "domain": {"id": "d", "name": "d"}}}}"#;
    answer(201, &format!("x-subject-token: token-{number}\r\n{headers}"), body)
}

fn with_password(iam: &Server, service: &Server) -> SessionBuilder {
    service.builder().endpoint_of(Service::Iam, &iam.endpoint).credentials(Credentials::password(
        "account",
        Some("user".to_owned()),
        "password-not-a-secret",
    ))
}

#[tokio::test]
async fn a_token_is_fetched_once_for_any_number_of_calls() {
    let (iam, service) = (Server::acting([token(1, "")]).await, Server::json(200, GOOD).await);
    let session = with_password(&iam, &service).build().unwrap();
    let calls = (0..1000).map(|_| {
        let job = session.modelarts().training_job(10).unwrap();
        tokio::spawn(async move { job.update_description("x").await })
    });
    for call in calls.collect::<Vec<_>>() {
        call.await.unwrap().unwrap();
    }
    assert_eq!((iam.arrived().len(), service.arrived().len()), (1, 1000));
    let request = &iam.arrived()[0];
    assert_eq!((request.method.as_str(), request.target.as_str()), ("POST", "/v3/auth/tokens"));
    assert_eq!(request.header("x-auth-token"), None);
    assert_eq!(
        String::from_utf8(request.body.clone()).unwrap(),
        format!(
            r#"{{"auth":{{"identity":{{"methods":["password"],"password":{{"user":{{"domain":{{"name":"account"}},"name":"user","password":"password-not-a-secret"}}}}}},"scope":{{"project":{{"id":"{PROJECT}"}}}}}}}}"#
        )
    );
    assert!(service.arrived().iter().all(|request| request.header("x-auth-token") == Some("token-1")));
}

#[tokio::test]
async fn an_expired_token_is_renewed_once_and_the_call_repeated() {
    for refusal in [
        r#"{"error_code": "ModelArts.0202", "error_msg": "Invalid Token header. Token expired, please refresh it."}"#,
        r#"{"error_code": "APIG.0307", "error_msg": "The token must be updated."}"#,
        r#"{"error_code": "APIG.0301", "error_msg": "token expires, expires_at: 2020-01-01"}"#,
    ] {
        let iam = Server::acting([token(1, ""), token(2, "")]).await;
        let service = Server::acting([answer(401, "", refusal), good(), answer(401, "", refusal)]).await;
        let session = with_password(&iam, &service).build().unwrap();
        // A POST too: the gateway has refused it before the service saw it.
        let job = session.modelarts().training_job(10).unwrap();
        job.update_description("x").await.unwrap();
        let tokens: Vec<_> = service.arrived().iter().map(|r| r.header("x-auth-token").map(str::to_owned)).collect();
        assert_eq!(tokens, [Some("token-1".to_owned()), Some("token-2".to_owned())], "{refusal}");
        assert!(job.update_description("x").await.unwrap_err().is_unauthenticated(), "{refusal}");
        assert_eq!(service.arrived().len(), 4, "once, and not again: {refusal}");
    }
}

#[tokio::test]
async fn a_token_near_its_end_is_renewed_before_it_is_used() {
    let (iam, service) = (Server::acting([token(1, ""), token(2, "")]).await, Server::json(200, GOOD).await);
    let clock = Arc::new(TestClock::default());
    let session = with_password(&iam, &service).clock(Arc::clone(&clock) as _).build().unwrap();
    let job = session.modelarts().training_job(10).unwrap();
    job.update_description("x").await.unwrap();
    job.update_description("x").await.unwrap();
    assert_eq!(iam.arrived().len(), 1);
    clock.advance(Duration::from_secs(40_000_000_000));
    job.update_description("x").await.unwrap();
    assert_eq!(iam.arrived().len(), 2);
    assert_eq!(service.arrived()[2].header("x-auth-token"), Some("token-2"));
}

#[tokio::test]
async fn a_wrong_password_is_tried_once_for_all_who_wait() {
    let refusal =
        r#"{"error": {"code": 401, "message": "The username or password is wrong.", "title": "Unauthorized"}}"#;
    let (iam, service) = (Server::json(401, refusal).await, Server::json(200, GOOD).await);
    let session = with_password(&iam, &service).build().unwrap();
    let calls = (0..100).map(|_| {
        let job = session.modelarts().training_job(10).unwrap();
        tokio::spawn(async move { job.update_description("x").await })
    });
    for call in calls.collect::<Vec<_>>() {
        let error = call.await.unwrap().unwrap_err();
        assert!(error.is_unauthenticated(), "{error}");
        assert_eq!(error.operation(), Some("create_token"), "{error}");
        assert!(!format!("{error} {error:?}").contains("not-a-secret"));
    }
    assert_eq!((iam.arrived().len(), service.arrived().len()), (1, 0));
}

#[tokio::test]
async fn a_given_token_is_used_as_it_is() {
    let refusal = r#"{"error_code": "ModelArts.0202", "error_msg": "expired"}"#;
    let (outcome, arrived, _) = update([answer(401, "", refusal), good()]).await;
    assert!(outcome.unwrap_err().is_unauthenticated());
    assert_eq!(arrived.len(), 1);
}

#[tokio::test]
async fn a_project_is_found_by_the_name_of_the_region() {
    let projects = async |list: &str| Server::json(200, &format!(r#"{{"projects": [{list}], "links": {{}}}}"#)).await;
    let project = |id: &str| {
        format!(r#"{{"id": "{id}", "name": "cn-north-4", "links": {{}}, "parent_id": "d", "domain_id": "d"}}"#)
    };
    let connect = async |list: String| {
        let iam = projects(&list).await;
        let builder = Session::builder().region("cn-north-4").endpoint(&iam.endpoint).token("t");
        (builder.connect().await, iam.arrived())
    };
    let (session, arrived) = connect(project("the-id")).await;
    assert_eq!(session.unwrap().project_id().as_str(), "the-id");
    assert_eq!(arrived[0].target, "/v3/projects?name=cn-north-4");
    let (none, _) = connect(String::new()).await;
    assert!(none.unwrap_err().message().contains("no project of the name cn-north-4"));
    let (two, _) = connect(format!("{}, {}", project("a"), project("b"))).await;
    assert!(two.unwrap_err().message().contains("several projects"));
}

#[test]
fn what_is_missing_or_malformed_is_said() {
    let base = || Session::builder().endpoint("http://127.0.0.1:1").project_id("p").token("t");
    assert!(base().build().is_ok());
    for (builder, said) in [
        (Session::builder(), "project_id"),
        (Session::builder().project_id("p"), "endpoint"),
        (Session::builder().project_id("p").endpoint("http://x"), "credentials"),
        (base().endpoint("ftp://x"), "neither http nor https"),
        (base().endpoint("http://x/?a=b"), "query"),
        (base().endpoint("http://"), "not an address"),
        (base().project_id("a/b"), "project_id"),
        (base().token(""), "token is empty"),
        (base().root_certificates("nonsense"), "certificates"),
        (Session::builder().region("Nowhere!").project_id("p").token("t"), "region"),
    ] {
        let error = builder.build().expect_err(said);
        assert_eq!(error.kind(), ErrorKind::Configuration, "{error}");
        assert!(error.message().contains(said), "{said}: {error}");
    }
    assert!(Session::builder().region("cn-north-4").project_id("p").token("t").build().is_ok());
}

/// The vendor's own test keys; they open nothing.
const KEY: (&str, &str) = ("AccessKey", "SecretKey-not-a-secret");

/// Whether a request verifies with what arrived, and only with that.
fn verify(arrived: &Arrived) -> Result<(), String> {
    let headers: Vec<(&str, &str)> =
        arrived.headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let (path, query) = arrived.target.split_once('?').unwrap_or((&arrived.target, ""));
    let request = Request { method: &arrived.method, path, query, headers: &headers, body: &arrived.body };
    let authorization =
        Authorization::parse(arrived.header("authorization").unwrap()).map_err(|error| error.to_string())?;
    assert_eq!(authorization.access_key(), KEY.0);
    authorization.verify(&request, &KEY.1.into()).map(|_| ()).map_err(|error| error.to_string())
}

#[tokio::test]
async fn what_arrives_is_what_was_signed() {
    let body = r#"{"is_success": true, "job_total_count": 0, "jobs": []}"#;
    let server = Server::json(200, body).await;
    let session = server
        .builder()
        .credentials(Credentials::temporary(KEY.0, KEY.1, "security-token-not-a-secret", None))
        .build()
        .unwrap();
    let modelarts = session.modelarts();
    modelarts.training_job(10).unwrap().update_description("描述").await.unwrap();
    // A blank, signs and other letters in the query.
    modelarts.training_jobs().list().search("a b+c&d=é*~").per_page(5).try_collect::<Vec<_>>().await.unwrap();
    for arrived in server.arrived() {
        verify(&arrived).unwrap_or_else(|error| panic!("{arrived:?}: {error}"));
        assert_eq!(arrived.header("x-project-id"), Some(PROJECT));
        assert_eq!(arrived.header("x-security-token"), Some("security-token-not-a-secret"));
        assert_eq!(arrived.header("x-auth-token"), None);
        assert_eq!(arrived.header("api-version"), None, "the generator's own");
        assert!(
            arrived
                .header("authorization")
                .unwrap()
                .contains("SignedHeaders=host;x-project-id;x-sdk-date;x-security-token,")
        );
        let mut changed = arrived.clone();
        changed.body.push(b' ');
        verify(&changed).unwrap_err();
        let mut changed = arrived.clone();
        changed.target = changed.target.replace("training", "trainino");
        verify(&changed).unwrap_err();
    }
    assert!(
        server.arrived()[1].target.ends_with("?page=1&per_page=5&search_content=a%20b%2Bc%26d%3D%C3%A9%2A~"),
        "{:?}",
        server.arrived()[1]
    );
}

#[tokio::test]
async fn what_is_repeated_is_signed_again() {
    let server = Server::acting([answer(503, "retry-after: 5\r\n", ""), good()]).await;
    let session = server.builder().credentials(Credentials::access_key(KEY.0, KEY.1)).build().unwrap();
    session.modelarts().training_job(10).unwrap().update_description("x").await.unwrap();
    let arrived = server.arrived();
    arrived.iter().for_each(|arrived| verify(arrived).unwrap());
    assert_ne!(arrived[0].header("x-sdk-date"), arrived[1].header("x-sdk-date"));
    assert_ne!(arrived[0].header("authorization"), arrived[1].header("authorization"));
}

#[tokio::test]
async fn a_session_is_made_from_what_the_environment_says() {
    let projects = r#"{"projects": [{"id": "the-id", "name": "cn-north-4", "links": {}, "parent_id": "d",
        "domain_id": "d"}], "links": {}, "is_success": true}"#;
    let server = Server::json(200, projects).await;
    let context = Context::empty().variables([
        ("HUAWEICLOUD_SDK_AK", KEY.0),
        ("HUAWEICLOUD_SDK_SK", KEY.1),
        ("HWJOBS_ENDPOINT", &server.endpoint),
        ("HWJOBS_REGION", "cn-north-4"),
    ]);
    let session = Session::builder().context(context).connect().await.unwrap();
    assert_eq!(session.project_id().as_str(), "the-id");
    session.modelarts().training_job(10).unwrap().update_description("x").await.unwrap();
    let arrived = server.arrived();
    arrived.iter().for_each(|arrived| verify(arrived).unwrap());
    assert_eq!(arrived[0].header("x-project-id"), None, "it is what is looked for");
    assert_eq!(arrived[1].header("x-project-id"), Some("the-id"));
    assert!(arrived[1].target.starts_with("/v1/the-id/"));

    let nothing = Session::builder().context(Context::empty()).connect().await.unwrap_err();
    assert_eq!(nothing.kind(), ErrorKind::Configuration);
    assert!(nothing.message().contains("environment"), "it lists what was tried: {nothing}");
}

#[tokio::test]
async fn the_identity_service_is_asked_for_the_account() {
    let projects = r#"{"projects": [{"id": "the-id", "name": "cn-north-4", "links": {}}], "links": {}}"#;
    let iam = Server::json(200, projects).await;
    let service = Server::json(200, GOOD).await;
    let keys = || Credentials::access_key(KEY.0, KEY.1);
    let scopes = |arrived: Vec<Arrived>| {
        let scope = |arrived: Arrived| {
            verify(&arrived).unwrap_or_else(|error| panic!("{arrived:?}: {error}"));
            let signed = |name: &str| {
                let value = arrived.header(name)?;
                let authorization = arrived.header("authorization").unwrap();
                assert!(authorization.contains(&format!(";{name};")), "{name} is signed: {authorization}");
                Some(value.to_owned())
            };
            (signed("x-domain-id"), signed("x-project-id"))
        };
        arrived.into_iter().map(scope).collect::<Vec<_>>()
    };
    let domain = || (Some("the-account".to_owned()), None);
    let project = |id: &str| (None, Some(id.to_owned()));

    // The account from the environment; the project is looked for.
    let context = Context::empty().variables([
        ("HUAWEICLOUD_SDK_AK", KEY.0),
        ("HUAWEICLOUD_SDK_SK", KEY.1),
        ("HUAWEICLOUD_SDK_DOMAIN_ID", "the-account"),
        ("HWJOBS_IAM_ENDPOINT", &iam.endpoint),
        ("HWJOBS_ENDPOINT", &service.endpoint),
        ("HWJOBS_REGION", "cn-north-4"),
    ]);
    let session = Session::builder().context(context).connect().await.unwrap();
    session.modelarts().training_job(10).unwrap().update_description("x").await.unwrap();
    session.iam().list_projects().send().await.unwrap();
    assert_eq!(scopes(iam.arrived()), [domain(), domain()]);
    assert_eq!(scopes(service.arrived()), [project("the-id")]);

    // The account from the builder; without one, the project is all there is to say.
    let builder = || service.builder().endpoint_of(Service::Iam, &iam.endpoint).credentials(keys());
    builder().domain_id("the-account").build().unwrap().iam().list_projects().send().await.unwrap();
    builder().build().unwrap().iam().list_projects().send().await.unwrap();
    assert_eq!(scopes(iam.arrived())[2..], [domain(), project(PROJECT)]);

    // A token has its own.
    let session = service.builder().endpoint_of(Service::Iam, &iam.endpoint).domain_id("the-account").build().unwrap();
    session.iam().list_projects().send().await.unwrap();
    assert_eq!(iam.arrived()[4].header("x-domain-id"), None);
}

#[tokio::test]
async fn temporary_keys_are_looked_for_again_before_they_end() {
    let keys = |number: u32, expires: &str| {
        let body = format!(
            r#"{{"credential": {{"access": "AccessKey", "secret": "{}", "securitytoken": "security-token-{number}",
                "expires_at": "{expires}"}}}}"#,
            KEY.1
        );
        answer(200, "", &body)
    };
    // Two requests a look: for a token of the metadata service, then for the keys.
    let session_token = || answer(200, "", "metadata-token");
    let metadata = Server::acting([
        session_token(),
        keys(1, "2030-01-01T00:00:00Z"),
        session_token(),
        keys(2, "2031-01-01T00:00:00Z"),
    ])
    .await;
    let service = Server::json(200, GOOD).await;
    let clock = Arc::new(std::sync::Mutex::new("2029-06-01T00:00:00Z".parse::<jiff::Timestamp>().unwrap()));
    let now = Arc::clone(&clock);
    let context = Context::empty()
        .variables([("HWJOBS_ENDPOINT", &service.endpoint)])
        .metadata(true)
        .metadata_endpoint(&metadata.endpoint)
        .clock(move || *now.lock().unwrap());
    let session =
        Session::builder().context(context).endpoint(&service.endpoint).project_id(PROJECT).connect().await.unwrap();
    let job = session.modelarts().training_job(10).unwrap();
    job.update_description("x").await.unwrap();
    job.update_description("x").await.unwrap();
    assert_eq!(metadata.arrived().len(), 2);
    *clock.lock().unwrap() = "2029-12-31T23:30:00Z".parse().unwrap();
    job.update_description("x").await.unwrap();
    let tokens: Vec<_> =
        service.arrived().iter().map(|arrived| arrived.header("x-security-token").unwrap().to_owned()).collect();
    assert_eq!(tokens, ["security-token-1", "security-token-1", "security-token-2"]);
    service.arrived().iter().for_each(|arrived| verify(arrived).unwrap());
}
