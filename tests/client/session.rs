//! Tests of retries, their waits and the renewal of tokens, with a real server and a virtual clock.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on shall fail")]

use std::sync::Arc;
use std::time::Duration;

use crate::common::{Act, Arrived, PROJECT, Server, TestClock, head};
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

/// Runs an update, which is idempotent, and returns its outcome, the requests, and the waits.
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
    // A longer wait than the time of a call: the error is returned at once.
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
    // 100 retries for all calls together; after that one attempt each.
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

const PROXY_VARIABLES: [&str; 8] =
    ["HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy", "NO_PROXY", "no_proxy"];

/// Runs a test of this file once more, in a process with these variables for proxies and no others: the environment is the
/// whole process's. Inside of it, returns nothing.
async fn in_environment(test: &str, variables: &[(&str, &str)]) -> Option<()> {
    let test = format!("session::{test}");
    let is_alone = crate::common::is_alone(&test, |call| {
        call.env_remove("REQUEST_METHOD");
        for name in PROXY_VARIABLES {
            call.env_remove(name);
        }
        call.envs(variables.iter().copied());
    });
    (!is_alone.await).then_some(())
}

/// A session with a service that is on another machine.
fn elsewhere() -> SessionBuilder {
    let session = Session::builder().endpoint("http://service.invalid").project_id(PROJECT).token("t");
    session.retry(RetryPolicy::never())
}

async fn update_with(session: SessionBuilder) -> Result<(), Error> {
    session.build()?.modelarts().training_job(10).unwrap().update_description("x").await
}

#[tokio::test]
async fn a_proxy_of_the_environment_is_used() {
    let proxy = Server::json(200, GOOD).await;
    for name in ["HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"] {
        let variables = [(name, &*proxy.endpoint), ("HTTPS_PROXY", "http://127.0.0.1:9")];
        if in_environment("a_proxy_of_the_environment_is_used", &variables).await.is_none() {
            return update_with(elsewhere()).await.unwrap();
        }
    }
    let arrived = proxy.arrived();
    assert_eq!(arrived.len(), 4);
    for arrived in arrived {
        assert_eq!(arrived.target, format!("http://service.invalid/v1/{PROJECT}/training-jobs/10"));
        assert_eq!(arrived.header("host"), Some("service.invalid"));
    }
}

#[tokio::test]
async fn this_machine_is_never_reached_through_a_proxy() {
    const NAME: &str = "this_machine_is_never_reached_through_a_proxy";
    // Nothing listens there.
    const DEAD: &str = "http://user:password-canary@127.0.0.1:9";
    for name in &PROXY_VARIABLES[..6] {
        if in_environment(NAME, &[(name, DEAD), ("NO_PROXY", "service.invalid")]).await.is_none() {
            break;
        }
    }
    let service = Server::json(200, GOOD).await;
    let iam = Server::acting([token(1, "")]).await;
    let port = service.endpoint.rsplit_once(':').unwrap().1;
    // The password is sent only to the identity service of this machine.
    update_with(with_password(&iam, &service)).await.unwrap();
    assert_eq!(iam.arrived().len(), 1);
    for host in ["localhost", "127.1", "0.0.0.0"] {
        let endpoint = format!("http://{host}:{port}");
        update_with(elsewhere().endpoint(&endpoint)).await.unwrap_or_else(|error| panic!("{host}: {error}"));
        update_with(elsewhere().endpoint(&endpoint).proxy(DEAD))
            .await
            .unwrap_or_else(|error| panic!("{host}: {error}"));
    }
}

#[tokio::test]
async fn a_failure_names_the_proxy_and_not_its_password() {
    const NAME: &str = "a_failure_names_the_proxy_and_not_its_password";
    let dead = |scheme: &str| format!("{scheme}://user:password-canary@127.0.0.1:9");
    let check = |outcome: Result<(), Error>, scheme: &str| {
        let error = outcome.unwrap_err();
        let shown = format!("{scheme}://127.0.0.1:9");
        assert_eq!((error.kind(), error.proxy()), (ErrorKind::Network, Some(&*shown)), "{error:?}");
        assert!(error.to_string().contains(&shown), "{error}");
        assert!(!format!("{error} {error:?}").contains("canary"), "{error:?}");
    };
    for name in ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"] {
        if in_environment(NAME, &[(name, &dead("http"))]).await.is_none() {
            return check(update_with(elsewhere().endpoint("https://service.invalid")).await, "http");
        }
    }
    for scheme in ["http", "https", "socks5", "socks5h", "socks4", "socks4a"] {
        let session = || elsewhere().proxy(dead(scheme));
        assert!(!format!("{:?}", session()).contains("canary"));
        // Names are looked up on this side by two of them.
        if !matches!(scheme, "socks4" | "socks5") {
            check(update_with(session()).await, scheme);
        }
        check(update_with(session().endpoint("http://192.0.2.1")).await, scheme);
    }

    // Errors of a proxy itself, in any form; an error of the service belongs to the service.
    for (status, body) in [(407, ""), (502, "<html>"), (503, "<html>squid</html>"), (200, "<html>log in</html>")] {
        let proxy = Server::json(status, body).await;
        let error = update_with(elsewhere().proxy(&proxy.endpoint)).await.unwrap_err();
        assert_eq!(error.proxy(), Some(&*proxy.endpoint));
        assert!(error.to_string().contains(&proxy.endpoint), "{error}");
        assert!(status != 407 || error.kind() == ErrorKind::Configuration, "{error}");
    }
    let proxy = Server::json(404, r#"{"error_code": "ModelArts.0102", "error_msg": "no such job"}"#).await;
    let error = update_with(elsewhere().proxy(&proxy.endpoint)).await.unwrap_err();
    assert!(!error.to_string().contains(&proxy.endpoint), "{error}");
}

#[tokio::test]
async fn a_session_can_be_told_which_proxy_to_use() {
    const NAME: &str = "a_session_can_be_told_which_proxy_to_use";
    let proxy = Server::json(200, GOOD).await;
    let named = ("TEST_PROXY", &*proxy.endpoint);
    for variables in [&[named][..], &[named, ("http_proxy", "http://127.0.0.1:9")], &[named, ("NO_PROXY", "*")]] {
        if in_environment(NAME, variables).await.is_none() {
            let proxy = std::env::var("TEST_PROXY").unwrap();
            update_with(elsewhere().no_proxy().proxy(&proxy)).await.unwrap();
            update_with(elsewhere().proxy(proxy.trim_start_matches("http://"))).await.unwrap();
            let error = update_with(elsewhere().proxy(proxy).no_proxy()).await.unwrap_err();
            assert_eq!(error.proxy(), None, "{error}");
            return;
        }
    }
    assert_eq!(proxy.arrived().len(), 6);
    let secret = "http://user:password@".to_owned() + proxy.endpoint.trim_start_matches("http://");
    update_with(elsewhere().proxy(secret)).await.unwrap();
    assert_eq!(proxy.arrived()[6].header("proxy-authorization"), Some("Basic dXNlcjpwYXNzd29yZA=="));
}

#[tokio::test]
async fn a_malformed_proxy_is_told_and_nothing_is_sent() {
    const NAME: &str = "a_malformed_proxy_is_told_and_nothing_is_sent";
    let check = |outcome: Result<(), Error>, said: &str| {
        let error = outcome.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Configuration, "{error}");
        assert!(error.message().starts_with(said), "{error}");
        assert!(!format!("{error} {error:?}").contains("canary"), "{error:?}");
    };
    for name in &PROXY_VARIABLES[..6] {
        let malformed = if *name == "http_proxy" { ":" } else { "http://user:canary@" };
        let variables = [(*name, malformed), ("TEST_VARIABLE", name)];
        if in_environment(NAME, &variables).await.is_none() {
            check(update_with(elsewhere()).await, &std::env::var("TEST_VARIABLE").unwrap());
            // The variables do not count here.
            assert!(elsewhere().no_proxy().build().is_ok());
            assert!(elsewhere().proxy("http://proxy.invalid").build().is_ok());
            return;
        }
    }
    check(update_with(elsewhere().proxy("http://user:canary@")).await, "the proxy");
}

#[tokio::test]
async fn a_redirect_is_not_followed_and_says_where_it_leads() {
    let elsewhere = Server::json(200, GOOD).await;
    let path = format!("/v1/{PROJECT}/training-jobs/10");
    for status in [300, 301, 302, 303, 307, 308] {
        for (location, leads, set) in [
            (
                format!("{}{path}", elsewhere.endpoint),
                format!("{}{path}", elsewhere.endpoint),
                elsewhere.endpoint.clone(),
            ),
            (
                format!("https://gateway.example/prefix{path}?x=canary#canary"),
                String::new(),
                "https://gateway.example/prefix".to_owned(),
            ),
            (
                "//user:canary@gateway.example/login".to_owned(),
                "http://gateway.example/login".to_owned(),
                "http://gateway.example".to_owned(),
            ),
            ("/login".to_owned(), "/login".to_owned(), String::new()),
        ] {
            let (outcome, arrived, _) = update([answer(status, &format!("location: {location}\r\n"), "<html>")]).await;
            let error = outcome.unwrap_err();
            assert_eq!((error.kind(), error.status().unwrap().as_u16()), (ErrorKind::Configuration, status), "{error}");
            let text = error.to_string();
            assert!(text.contains("is a redirect to") && text.contains(&leads), "{error}");
            assert!(text.contains(&format!("service is at {set}")) && text.contains("--endpoint"), "{error}");
            assert!(!format!("{error} {error:?}").contains("canary"), "{error:?}");
            assert_eq!((arrived.len(), elsewhere.arrived().len()), (1, 0), "the token stays here");
        }
    }
    for location in
        ["", "location: \r\n", "location: javascript:alert(1)\r\n", "location: http://[\r\n", "location: \u{e9}\r\n"]
    {
        let (outcome, arrived, _) = update([answer(302, location, "")]).await;
        let error = outcome.unwrap_err();
        assert!(error.message().contains("is a redirect"), "{location}: {error}");
        assert_eq!((error.kind(), arrived.len()), (ErrorKind::Configuration, 1));
    }
}

/// A body under a `Content-Encoding`, compressed in each of these ways, one after the other.
fn encoded(status: u16, encodings: &str, body: &[u8]) -> Act {
    use flate2::Compression;
    use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};
    use std::io::Write;
    let mut bytes = body.to_vec();
    for encoding in encodings.split(',').map(|name| name.trim().to_ascii_lowercase()) {
        macro_rules! through {
            ($encoder:ident) => {{
                let mut encoder = $encoder::new(Vec::new(), Compression::fast());
                encoder.write_all(&bytes).unwrap();
                encoder.finish().unwrap()
            }};
        }
        bytes = match encoding.as_str() {
            "gzip" | "x-gzip" => through!(GzEncoder),
            "deflate" => through!(ZlibEncoder),
            "raw" => through!(DeflateEncoder),
            _ => bytes,
        };
    }
    let named = encodings.replace("raw", "deflate");
    let head = head(status, &format!("content-encoding: {named}\r\n"), bytes.len());
    Act::Answer([head.as_bytes(), &bytes].concat())
}

#[tokio::test]
async fn a_body_that_is_compressed_unasked_is_decoded() {
    for encodings in ["gzip", "x-gzip", "GZip", "deflate", "raw", "identity", "gzip, deflate", "identity, gzip", ""] {
        let (outcome, ..) = update([encoded(200, encodings, GOOD.as_bytes())]).await;
        outcome.unwrap_or_else(|error| panic!("{encodings}: {error}"));
        let failure = br#"{"error_code": "ModelArts.0102", "error_msg": "no such job"}"#;
        let (outcome, ..) = update([encoded(404, encodings, failure)]).await;
        assert_eq!(outcome.unwrap_err().code(), Some("ModelArts.0102"), "{encodings}");
        let failure = br#"{"is_success": false, "error_code": "ModelArts.0102", "error_msg": "no such job"}"#;
        let (outcome, ..) = update([encoded(200, encodings, failure)]).await;
        assert_eq!(outcome.unwrap_err().code(), Some("ModelArts.0102"), "{encodings}");
    }
    // A proxy has decoded the body and left the header, or left a byte order mark.
    let (outcome, ..) = update([answer(200, "content-encoding: gzip\r\n", GOOD)]).await;
    outcome.unwrap();
    let marked = format!("\u{feff}{GOOD}");
    for act in [answer(200, "", &marked), encoded(200, "gzip", marked.as_bytes())] {
        update([act]).await.0.unwrap();
    }
    // An error page keeps its status, whatever can be made of its body, and is repeated as that status says.
    for encodings in ["gzip", "br", "zstd"] {
        let (outcome, arrived, _) = update([encoded(502, encodings, b"<html>bad gateway</html>")]).await;
        assert_eq!((outcome.unwrap_err().status().unwrap().as_u16(), arrived.len()), (502, 4), "{encodings}");
    }
}

#[tokio::test]
async fn a_body_that_cannot_be_decoded_is_told() {
    let Act::Answer(whole) = encoded(200, "gzip", GOOD.as_bytes()) else { unreachable!() };
    let start = whole.windows(4).position(|four| four == b"\r\n\r\n").unwrap() + 4;
    let gzip = |body: &[u8]| {
        let head = head(200, "content-encoding: gzip\r\n", body.len());
        Act::Answer([head.as_bytes(), body].concat())
    };
    let mut damaged = whole[start..].to_vec();
    damaged[12] ^= 0xff;
    for (act, said) in [
        (encoded(200, "br", GOOD.as_bytes()), "`br`"),
        (encoded(200, "gzip, zstd", GOOD.as_bytes()), "`zstd`"),
        (encoded(200, "\"x\"\t", GOOD.as_bytes()), "\\\"x\\\""),
        (encoded(200, "gzip,gzip,gzip,gzip", GOOD.as_bytes()), "4 times"),
        (gzip(&whole[start..whole.len() - 9]), "breaks off"),
        (gzip(&damaged), "is damaged"),
    ] {
        let (outcome, arrived, _) = update([act]).await;
        let error = outcome.unwrap_err();
        assert_eq!((error.kind(), arrived.len()), (ErrorKind::Decode, 1), "{error:?}");
        assert!(error.to_string().contains(said), "{error}");
    }
}

#[tokio::test]
async fn a_compressed_body_is_no_larger_than_another_one_decoded() {
    let fits = format!(r#"{{"is_success": true, "x": "{}"}}"#, "x".repeat((16 << 20) - 100));
    update([encoded(200, "gzip", fits.as_bytes())]).await.0.unwrap();
    // A few kilobytes that stand for much more, once and twice.
    let bomb = vec![b' '; 17 << 20];
    for encodings in ["gzip", "deflate", "raw", "gzip, gzip"] {
        let (outcome, arrived, _) = update([encoded(200, encodings, &bomb)]).await;
        let error = outcome.unwrap_err();
        assert_eq!((error.kind(), arrived.len()), (ErrorKind::Decode, 1), "{encodings}: {error}");
        assert!(error.message().contains("larger than"), "{encodings}: {error}");
        // An error page of any size keeps its status.
        let (outcome, ..) = update([encoded(500, encodings, &bomb)]).await;
        assert_eq!(outcome.unwrap_err().status().unwrap(), 500, "{encodings}");
    }
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

/// The responses of clouds to an invalid or expired token.
fn rejections() -> Vec<(u16, String)> {
    let coded =
        |code: &str, text: &str| format!(r#"{{"error_code": "{code}", "error_msg": "{text}", "request_id": "r"}}"#);
    let mut rejections = vec![
        (401, coded("ModelArts.0202", "Invalid Token header. Token expired, please refresh it.")),
        (401, coded("APIG.0307", "The token must be updated.")),
        (401, coded("APIG.0301", "token expires, expires_at: 2020-01-01")),
        (401, coded("APIGW.0301", "Incorrect IAM authentication information: decrypt token fail")),
        (401, coded("X.1", "anything")),
        (
            401,
            r#"{"error": {"code": 401, "message": "The X-Auth-Token is invalid!", "title": "Unauthorized"}}"#
                .to_owned(),
        ),
        (401, String::new()),
        (401, "<html>401</html>".to_owned()),
        (403, r#"{"message": "X-Auth-Token is invalid"}"#.to_owned()),
        (403, r#"{"error": {"code": 403, "message": "The token has expired."}}"#.to_owned()),
        (403, coded("APIC.0301", "Incorrect IAM authentication information: decrypt token fail")),
    ];
    // All codes that are described as such, under each of their statuses.
    for code in huaweicloud_jobs::ErrorCode::all() {
        let about_a_token = code.meaning().is_some_and(|text| {
            ["The token is not valid", "The token has expired", "The token must be"]
                .iter()
                .any(|start| text.starts_with(start))
        });
        if about_a_token {
            rejections.extend(code.statuses().iter().map(|status| (*status, coded(code.code(), "no"))));
        }
    }
    assert!(rejections.len() >= 16, "{}", rejections.len());
    rejections
}

fn tokens_of(arrived: &[Arrived]) -> Vec<String> {
    arrived.iter().map(|arrived| arrived.header("x-auth-token").unwrap().to_owned()).collect()
}

#[tokio::test]
async fn a_token_that_is_rejected_is_renewed_once_and_the_request_repeated() {
    let made = answer(200, "", r#"{"is_success": true, "job_id": 10, "job_name": "job"}"#);
    let acts = rejections().into_iter().flat_map(|(status, body)| {
        let rejected = answer(status, "", &body);
        [rejected.clone(), made.clone(), rejected.clone(), made.clone(), rejected.clone(), rejected]
    });
    let service = Server::acting(acts).await;
    let iam = Server::acting((1..).take(100).map(|number| token(number, ""))).await;
    // A session that repeats nothing by itself does this too, and waits for nothing.
    let clock = Arc::new(TestClock::default());
    let session = with_password(&iam, &service).retry(RetryPolicy::never()).clock(Arc::clone(&clock) as _);
    let session = session.build().unwrap();
    let job = session.modelarts().training_job(10).unwrap();
    for (round, (status, body)) in rejections().into_iter().enumerate() {
        job.update_description("x").await.unwrap_or_else(|error| panic!("{status} {body}: {error}"));
        // A POST too: it was rejected before anything was done.
        create(&session).await.unwrap_or_else(|error| panic!("{status} {body}: {error}"));
        let error = job.update_description("x").await.unwrap_err();
        assert_eq!(error.status().unwrap().as_u16(), status, "{error}");

        let arrived = &service.arrived()[6 * round..];
        let token = |number: usize| format!("token-{}", 3 * round + number);
        let expected = [token(1), token(2), token(2), token(3), token(3), token(4)];
        assert_eq!(tokens_of(arrived), expected, "once, and not again: {status} {body}");
        assert_eq!((&arrived[2].method, &arrived[2].body), (&arrived[3].method, &arrived[3].body));
        assert_eq!(arrived[2].method, "POST");
        assert_eq!((iam.arrived().len(), clock.waits().len()), (3 * round + 4, 0));
    }
}

#[tokio::test]
async fn a_failure_that_is_not_about_the_token_leaves_it_alone() {
    for (status, body) in [
        (403, r#"{"message": "policy does not allow this request"}"#),
        (403, r#"{"error_code": "APIG.0302", "error_msg": "The IAM user is not authorized for this API."}"#),
        (403, r#"{"error_code": "ModelArts.0210", "error_msg": "The project is not that of the token."}"#),
        (403, ""),
        (404, r#"{"error_msg": "The token is invalid"}"#),
        (500, r#"{"error_msg": "token expired"}"#),
    ] {
        let (iam, service) = (Server::acting([token(1, "")]).await, Server::json(status, body).await);
        let session = with_password(&iam, &service).build().unwrap();
        let error = session.modelarts().training_job(10).unwrap().update_description("x").await.unwrap_err();
        assert_eq!(error.status().unwrap().as_u16(), status);
        assert_eq!((iam.arrived().len(), service.arrived().len()), (1, 1), "{status} {body}");
    }
}

#[tokio::test]
async fn all_calls_that_are_rejected_share_one_sign_in() {
    // One identity service says the same token again, the other one a new one.
    for renewed in [1, 2] {
        let iam = Server::acting([token(1, ""), token(renewed, "")]).await;
        let rejected = std::iter::repeat_n(answer(401, "", ""), 50);
        let service = Server::acting(rejected.chain([good()])).await;
        let session = with_password(&iam, &service).build().unwrap();
        let calls: Vec<_> = (0..50)
            .map(|_| {
                let session = session.clone();
                tokio::spawn(async move { session.modelarts().training_job(10).unwrap().update_description("x").await })
            })
            .collect();
        for call in calls {
            // The server has no more than fifty rejections, however they are spread.
            if let Err(error) = call.await.unwrap() {
                assert_eq!(error.status().unwrap(), 401);
            }
        }
        let arrived = iam.arrived().len();
        let tokens = tokens_of(&service.arrived());
        assert!(tokens.len() <= 100, "no more than twice: {}", tokens.len());
        assert!(arrived <= 1 + tokens.len() / 50 + 1, "{arrived} sign-ins for {} requests", tokens.len());
    }
}

#[tokio::test]
async fn a_sign_in_that_fails_is_told_and_the_rejected_request_was_not_done() {
    let wrong = r#"{"error": {"code": 401, "message": "The username or password is wrong.", "title": "Unauthorized"}}"#;
    let (iam, service) =
        (Server::acting([token(1, ""), answer(401, "", wrong)]).await, Server::acting([answer(401, "", "")]).await);
    let session = with_password(&iam, &service).build().unwrap();
    let error = create(&session).await.unwrap_err();
    assert_eq!(error.operation(), Some("create_token"), "{error}");
    assert!(error.is_unauthenticated() && !error.may_have_been_sent(), "{error:?}");
    assert_eq!((iam.arrived().len(), service.arrived().len()), (2, 1));
}

#[tokio::test]
async fn a_wait_of_hours_survives_a_token_that_is_rejected() {
    let status = |status: u32| {
        let version =
            format!(r#"{{"is_success": true, "job_id": 10, "job_name": "a", "version_id": 20, "status": {status}}}"#);
        answer(200, "", &version)
    };
    // One of the kind with its status, one with its words.
    for (code, body) in [(401, ""), (403, r#"{"message": "X-Auth-Token is invalid"}"#)] {
        let running = || std::iter::repeat_n(status(8), 100);
        let rejected = || [answer(code, "", body)];
        let acts = running().chain(rejected()).chain(running()).chain(rejected()).chain(running()).chain([status(10)]);
        let service = Server::acting(acts).await;
        let iam = Server::acting([token(1, ""), token(2, ""), token(3, "")]).await;
        let clock = Arc::new(TestClock::default());
        let session = with_password(&iam, &service).clock(Arc::clone(&clock) as _).build().unwrap();
        let version = session.modelarts().training_job(10).unwrap().version(20).unwrap();
        version.wait().for_completion().await.unwrap_or_else(|error| panic!("{code} {body}: {error}"));
        assert!(clock.waits().iter().sum::<Duration>() > Duration::from_secs(4 * 60 * 60));
        assert_eq!((iam.arrived().len(), service.arrived().len()), (3, 303), "{code} {body}");
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
        (base().root_certificates("nonsense"), "certificates"),
        (Session::builder().region("Nowhere!").project_id("p").token("t"), "region"),
    ] {
        let error = builder.build().expect_err(said);
        assert_eq!(error.kind(), ErrorKind::Configuration, "{error}");
        assert!(error.message().contains(said), "{said}: {error}");
    }
    assert!(Session::builder().region("cn-north-4").project_id("p").token("t").build().is_ok());
}

#[tokio::test]
async fn a_blank_value_is_rejected_where_it_is_given() {
    let base = || Session::builder().endpoint("http://127.0.0.1:1").project_id("p").token("t");
    let password = |account: &str, user: Option<&str>, password: &str| {
        base().credentials(Credentials::password(account, user.map(str::to_owned), password))
    };
    for blank in ["", " ", "\t", " \r\n ", "\u{3000}"] {
        let keys = |access: &str, secret: &str| base().credentials(Credentials::access_key(access, secret));
        let temporary = base().credentials(Credentials::temporary(KEY.0, KEY.1, blank, None));
        for (builder, said) in [
            (base().project_id(blank), "project_id"),
            (base().project_name(blank), "project_name"),
            (base().domain_id(blank), "domain_id"),
            (base().region(blank), "region"),
            (base().endpoint(blank), "endpoint"),
            (base().endpoint_of(Service::Mrs, blank), "endpoint"),
            (base().proxy(blank), "proxy"),
            (base().token(blank), "token"),
            (keys(blank, KEY.1), "access key"),
            (keys(KEY.0, blank), "secret key"),
            (temporary, "security token"),
            (password(blank, None, "p"), "account"),
            (password("a", Some(blank), "p"), "user"),
            (password("a", None, blank), "password"),
        ] {
            for error in [builder.clone().build().expect_err(said), builder.connect().await.expect_err(said)] {
                assert_eq!(error.kind(), ErrorKind::Configuration, "{error}");
                assert!(error.message().contains(said), "{said}: {error}");
            }
        }
    }
}

#[tokio::test]
async fn a_session_for_one_service_needs_no_address_of_the_others() {
    const ALL: [Service; 3] = [Service::ModelArts, Service::Mrs, Service::Iam];
    let lists = r#"{"is_success": true, "markers": {}, "jobs": [], "job_total_count": 0, "projects": [], "links": {}}"#;
    for known in ALL {
        let server = Server::json(200, lists).await;
        let session = Session::builder().endpoint_of(known, &server.endpoint).project_id(PROJECT).token("t").build();
        let session = session.unwrap();
        for service in ALL {
            let outcome = match service {
                Service::ModelArts => session.modelarts().training_jobs().list().try_next().await.map(|_| ()),
                Service::Mrs => session.mrs().jobs().list().try_next().await.map(|_| ()),
                _ => session.iam().list_projects().send().await.map(|_| ()).map_err(Error::from),
            };
            if service == known {
                outcome.unwrap_or_else(|error| panic!("{service:?}: {error}"));
                continue;
            }
            let error = outcome.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Configuration, "{error}");
            assert!(!error.may_have_been_sent() && error.operation().is_some(), "{error:?}");
            // The service, and what to set: in a program, in the environment, in a profile, at the command line.
            let name = service.name();
            for said in [
                format!("of {service:?} "),
                format!("endpoint_of(Service::{service:?}"),
                format!("HWJOBS_{}_ENDPOINT", name.to_uppercase()),
                format!("{name}_endpoint"),
                "--endpoint".to_owned(),
                "--region".to_owned(),
            ] {
                assert!(error.message().contains(&said), "{said}: {error}");
            }
        }
        assert_eq!(server.arrived().len(), 1);
    }

    // Signing in is a call of the identity service; so is the search for a project.
    let server = Server::json(200, GOOD).await;
    let modelarts = || Session::builder().endpoint_of(Service::ModelArts, &server.endpoint);
    let session = modelarts().project_id(PROJECT).credentials(Credentials::password("a", None, "p")).build().unwrap();
    let error = session.modelarts().training_job(10).unwrap().update_description("x").await.unwrap_err();
    assert!(error.message().contains("HWJOBS_IAM_ENDPOINT") && !error.may_have_been_sent(), "{error:?}");
    let error = modelarts().project_name("n").token("t").connect().await.unwrap_err();
    assert!(error.message().contains("HWJOBS_IAM_ENDPOINT"), "{error:?}");
    assert_eq!(server.arrived().len(), 0);
    let by_variables =
        Context::empty().variables([("HWJOBS_TOKEN", "t"), ("HWJOBS_MODELARTS_ENDPOINT", &server.endpoint)]);
    update_with_context(by_variables).await.unwrap();
    assert_eq!(server.arrived().len(), 1);
}

async fn update_with_context(context: Context) -> Result<(), Error> {
    let session = Session::builder().context(context).project_id(PROJECT).connect().await?;
    session.modelarts().training_job(10).unwrap().update_description("x").await
}

#[tokio::test]
async fn an_address_may_end_in_the_version_of_its_service() {
    for ending in ["", "/", "/v3", "/v3/", "/v3/auth/tokens"] {
        let (iam, service) = (Server::acting([token(1, "")]).await, Server::json(200, GOOD).await);
        let versioned = if ending.starts_with("/v3") { "/v1" } else { ending };
        let (iam_endpoint, service_endpoint) =
            (format!("{}{ending}", iam.endpoint), format!("{}{versioned}", service.endpoint));
        let builder = with_password(&iam, &service).endpoint_of(Service::Iam, &iam_endpoint);
        update_with(builder.endpoint_of(Service::ModelArts, &service_endpoint)).await.unwrap();
        let login = [("HWJOBS_USER", "u"), ("HWJOBS_PASSWORD", "p"), ("HWJOBS_MODELARTS_ENDPOINT", &*service_endpoint)];
        for name in ["HWJOBS_IAM_ENDPOINT", "HUAWEICLOUD_SDK_IAM_ENDPOINT"] {
            let context = Context::empty().variables(login.into_iter().chain([(name, &*iam_endpoint)]));
            update_with_context(context).await.unwrap();
        }
        assert_eq!(iam.arrived().len(), 3);
        assert!(iam.arrived().iter().all(|arrived| arrived.target == "/v3/auth/tokens"), "{ending}");
        let target = format!("/v1/{PROJECT}/training-jobs/10");
        assert!(service.arrived().iter().all(|arrived| arrived.target == target), "{ending}");
    }
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
