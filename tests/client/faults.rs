//! Tests of faults between a call and its response: a table of faults, each caused by a real server or a missing one,
//! with the expected error. Waits use a virtual clock.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on shall fail")]

use crate::common;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use crate::common::{Act, Log, PROJECT, Server, TOKEN, TestClock, head};
use huaweicloud_jobs::session::credentials::Credentials;
use huaweicloud_jobs::session::{Clock, Service, SessionBuilder};
use huaweicloud_jobs::{Error, ErrorKind, Session};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;

/// A response that both calls of the table accept.
const GOOD: &str = r#"{"is_success": true, "job_id": 10, "job_name": "job"}"#;
/// Short, because it passes in real time.
const SHORT: Duration = Duration::from_millis(200);
/// The limit of a test, shorter than a real timeout of a session.
const LONG: Duration = Duration::from_secs(20);

fn answer(status: u16, headers: &str, body: &str) -> Act {
    (head(status, headers, body.len()) + body).into()
}

fn good() -> Act {
    answer(200, "", GOOD)
}

fn token(number: u32) -> Act {
    let body = r#"{"token": {"expires_at": "2999-01-01T00:00:00.000000Z", "user": {"id": "u", "name": "u",
        "domain": {"id": "d", "name": "d"}}}}"#;
    answer(201, &format!("x-subject-token: token-{number}\r\n"), body)
}

/// The place of the fault.
enum At {
    /// A server that reacts to the requests in order.
    Http(Vec<Act>),
    /// A server that reacts to the requests in order, with a short time for the call.
    Slow(Vec<Act>),
    /// A server for a session that logs in with a password, with an identity service that reacts.
    SignIn(Vec<Act>, Vec<Act>),
    /// A server with such a certificate.
    Tls(Certificate),
    /// A port on which nothing listens.
    Refused,
    /// A server that says nothing when it is to agree on TLS.
    SilentTls,
    /// A server without TLS.
    PlainTls,
    /// A host name that does not exist.
    Dns,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Certificate {
    /// By an authority that is trusted, for the right address.
    Good,
    Untrusted,
    OtherHost,
    Expired,
}

struct Fault {
    name: &'static str,
    at: At,
    /// `None`: the call succeeds in the end.
    kind: Option<ErrorKind>,
    status: Option<u16>,
    code: Option<&'static str>,
    /// A part of the message.
    says: &'static str,
    /// Requests that arrive of an update, which is a PUT, and of a creation, which is a POST.
    attempts: (usize, usize),
    /// The least and the most of each wait of the update, in milliseconds.
    waits: &'static [(u64, u64)],
    /// The kind of the update's error; that of a creation is the same.
    may_have_been_sent: bool,
}

/// The waits without a request of the service.
const ONE: &[(u64, u64)] = &[(0, 200)];
const TWO: &[(u64, u64)] = &[(0, 200), (0, 400)];
const THREE: &[(u64, u64)] = &[(0, 200), (0, 400), (0, 800)];

impl Fault {
    fn new(name: &'static str, at: At, attempts: (usize, usize), waits: &'static [(u64, u64)]) -> Self {
        Self { name, at, kind: None, status: None, code: None, says: "", attempts, waits, may_have_been_sent: true }
    }

    fn http(
        name: &'static str,
        acts: impl Into<Vec<Act>>,
        attempts: (usize, usize),
        waits: &'static [(u64, u64)],
    ) -> Self {
        Self::new(name, At::Http(acts.into()), attempts, waits)
    }

    fn fails(mut self, kind: ErrorKind, says: &'static str) -> Self {
        (self.kind, self.says) = (Some(kind), says);
        self
    }

    fn status(mut self, status: u16) -> Self {
        self.status = Some(status);
        self
    }

    fn code(mut self, code: &'static str) -> Self {
        self.code = Some(code);
        self
    }

    fn unsent(mut self) -> Self {
        self.may_have_been_sent = false;
        self
    }
}

fn faults() -> Vec<Fault> {
    use ErrorKind::{Authentication, Configuration, Decode, Network, Service, Throttled, Timeout};
    let refusal = |code: &str, text: &str| {
        answer(401, "", &format!(r#"{{"error_code": "{code}", "error_msg": "{text}", "request_id": "r"}}"#))
    };
    let locked = "AK access failed to reach the limit,forbidden.";
    let clock = "Incorrect IAM authentication information: verify aksk signature fail, signature expired";
    let expired = "The token must be updated.";
    let html = "<html><head><title>502 Bad Gateway</title></head><body>nginx</body></html>";
    let large = format!(r#"{{"is_success": true, "x": "{}"}}"#, "x".repeat(17 << 20));
    let nested = format!(r#"{{"is_success": {}"#, "[".repeat(100_000));
    let raw = |bytes: &str| Act::Answer(bytes.as_bytes().to_vec());
    vec![
        // Faults before the connection.
        Fault::new("no such name", At::Dns, (0, 0), THREE)
            .fails(Network, "no-such-host.invalid:80: cannot connect")
            .unsent(),
        Fault::new("refused", At::Refused, (0, 0), THREE).fails(Network, "refused").unsent(),
        Fault::new("untrusted certificate", At::Tls(Certificate::Untrusted), (0, 0), &[])
            .fails(Network, "certificate")
            .unsent(),
        Fault::new("wrong host name", At::Tls(Certificate::OtherHost), (0, 0), &[])
            .fails(Network, "certificate")
            .unsent(),
        Fault::new("certificate past its time", At::Tls(Certificate::Expired), (0, 0), &[])
            .fails(Network, "certificate")
            .unsent(),
        Fault::new("good certificate", At::Tls(Certificate::Good), (1, 1), &[]),
        Fault::new("no TLS", At::PlainTls, (0, 0), THREE).fails(Network, "InvalidContentType").unsent(),
        Fault::new("connecting takes too long", At::SilentTls, (0, 0), THREE)
            .fails(Timeout, "no connection within")
            .unsent(),
        // The connection breaks.
        Fault::http("reset before the request", [Act::ResetUnread], (4, 1), THREE).fails(Network, ""),
        Fault::http("reset after the request", [Act::Reset], (4, 1), THREE).fails(Network, ""),
        Fault::http("closed after the request", [Act::Close], (4, 1), THREE).fails(Network, ""),
        Fault::http("closed, then nobody there", [Act::Gone], (1, 1), THREE).fails(Network, ""),
        Fault::http("closed in the head", [raw("HTTP/1.1 200 OK\r\nconten")], (4, 1), THREE).fails(Network, ""),
        Fault::http("truncated", [Act::Answer(head(200, "", 100).into_bytes()), good()], (2, 1), ONE),
        Fault::http("truncated each time", [raw(&(head(200, "", 100) + "{"))], (4, 1), THREE)
            .fails(Network, "broke off after 1 bytes")
            .status(200),
        Fault::http(
            "a broken chunk",
            [raw("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\n{\"is_\r\nxyz\r\n")],
            (4, 1),
            THREE,
        )
        .fails(Network, "broke off")
        .status(200),
        // Slowness.
        Fault::new("slow headers", At::Slow(vec![Act::Hang]), (1, 1), &[])
            .fails(Timeout, "no complete response within 200 ms (1 attempt)"),
        Fault::new("slow body", At::Slow(vec![Act::Stall((head(200, "", 100) + "{").into_bytes())]), (1, 1), &[])
            .fails(Timeout, "no complete response within 200 ms (1 attempt)")
            .status(200),
        // Responses that do not match the description.
        Fault::http("more bytes than declared", [raw(&(head(200, "", 5) + GOOD))], (1, 1), &[])
            .fails(Decode, "EOF")
            .status(200),
        Fault::http("not HTTP", [raw("SSH-2.0-OpenSSH_9.6\r\n")], (4, 1), THREE).fails(Network, ""),
        Fault::http("empty body", [answer(200, "", "")], (1, 1), &[]),
        Fault::http("no content", [raw("HTTP/1.1 204 No Content\r\n\r\n")], (1, 1), &[]),
        Fault::http("not JSON", [answer(200, "", html)], (1, 1), &[]).fails(Decode, "expected value").status(200),
        Fault::http("wrong JSON", [answer(200, "", r#"{"is_success": "perhaps"}"#)], (1, 1), &[])
            .fails(Decode, "neither a truth value nor its text")
            .status(200),
        Fault::http("deep JSON", [answer(200, "", &nested)], (1, 1), &[]).fails(Decode, "").status(200),
        Fault::http("too large", [answer(200, "", &large)], (1, 1), &[]).fails(Decode, "larger than").status(200),
        Fault::http("HTTP/1.0", [raw(&format!("HTTP/1.0 200 OK\r\n\r\n{GOOD}"))], (1, 1), &[]),
        Fault::http(
            "a word before the answer",
            [raw(&format!("HTTP/1.1 103 Early Hints\r\n\r\n{}{GOOD}", head(200, "", GOOD.len())))],
            (1, 1),
            &[],
        ),
        Fault::http("redirect", [answer(302, "location: /elsewhere\r\n", "")], (1, 1), &[])
            .fails(Configuration, "is a redirect to http://127.0.0.1")
            .status(302),
        // Error responses.
        Fault::http("408", [answer(408, "", "")], (1, 1), &[]).fails(Timeout, "no body").status(408),
        Fault::http("429", [answer(429, "", "")], (4, 1), THREE).fails(Throttled, "no body").status(429),
        Fault::http(
            "429 with a time to wait",
            [answer(429, "retry-after: 7\r\n", ""), good()],
            (2, 1),
            &[(7_000, 7_000)],
        ),
        Fault::http("429 with too long a time", [answer(429, "retry-after: 61\r\n", "")], (1, 1), &[])
            .fails(Throttled, "no body")
            .status(429),
        Fault::http(
            "429 with a time beyond numbers",
            [answer(429, "retry-after: 99999999999999999999999\r\n", "")],
            (1, 1),
            &[],
        )
        .fails(Throttled, "no body")
        .status(429),
        Fault::http(
            "503 until the end of time",
            [answer(503, "retry-after: Fri, 31 Dec 9999 23:59:59 GMT\r\n", "")],
            (1, 1),
            &[],
        )
        .fails(Service, "no body")
        .status(503),
        Fault::http(
            "429 with an endless time",
            [
                answer(429, "retry-after: 2\r\n", ""),
                answer(429, &format!("retry-after: {}\r\n", u64::MAX), r#"{"error_code": "APIG.0308"}"#),
            ],
            (2, 1),
            &[(2_000, 2_000)],
        )
        .fails(Throttled, "")
        .status(429)
        .code("APIG.0308"),
        Fault::http("500", [answer(500, "", r#"{"error_code": "X.1", "error_msg": "no"}"#)], (1, 1), &[])
            .fails(Service, "no")
            .status(500)
            .code("X.1"),
        Fault::http("502 in HTML", [answer(502, "content-type: text/html\r\n", html)], (4, 1), THREE)
            .fails(Service, "502 Bad Gateway")
            .status(502),
        Fault::http("503 twice", [answer(503, "", ""), answer(503, "", ""), good()], (3, 1), TWO),
        Fault::http("504", [answer(504, "", "")], (4, 1), THREE).fails(Service, "no body").status(504),
        Fault::http("locked key", [refusal("APIG.0301", locked)], (1, 1), &[])
            .fails(Authentication, "reach the limit")
            .status(401)
            .code("APIG.0301"),
        Fault::http("wrong clock", [refusal("APIG.0301", clock)], (1, 1), &[])
            .fails(Authentication, "signature expired")
            .status(401)
            .code("APIG.0301"),
        Fault::http("given token expired", [refusal("APIG.0307", expired), good()], (1, 1), &[])
            .fails(Authentication, expired)
            .status(401)
            .code("APIG.0307"),
        Fault::new(
            "token expired",
            At::SignIn(vec![refusal("APIG.0307", expired), good()], vec![token(1), token(2)]),
            (2, 2),
            &[],
        ),
        Fault::new(
            "no token to be had",
            At::SignIn(vec![good()], vec![refusal("IAM.0001", "The username or password is wrong.")]),
            (0, 0),
            &[],
        )
        .fails(Authentication, "password is wrong")
        .status(401)
        .code("IAM.0001")
        .unsent(),
    ]
}

/// The environment of a fault.
struct Stage {
    builder: SessionBuilder,
    clock: Arc<TestClock>,
    arrived: Box<dyn Fn() -> usize>,
    _held: Vec<Box<dyn std::any::Any>>,
}

async fn stage(at: &At) -> Stage {
    let clock = Arc::new(TestClock::default());
    let builder = |endpoint: &str| {
        // A proxy of the environment would resolve the unknown name itself, and fail differently.
        let builder = Session::builder().endpoint(endpoint).no_proxy().clock(Arc::clone(&clock) as _);
        builder.project_id(PROJECT).token(TOKEN)
    };
    let mut held: Vec<Box<dyn std::any::Any>> = Vec::new();
    let mut arrived: Box<dyn Fn() -> usize> = Box::new(|| 0);
    let builder = match at {
        At::Http(acts) | At::Slow(acts) | At::SignIn(acts, _) => {
            let server = Arc::new(Server::acting(acts.clone()).await);
            let mut builder = builder(&server.endpoint);
            arrived = Box::new(move || server.arrived().len());
            if let At::Slow(_) = at {
                builder = builder.timeout(SHORT);
            }
            if let At::SignIn(_, acts) = at {
                let iam = Server::acting(acts.clone()).await;
                builder = builder.endpoint_of(Service::Iam, &iam.endpoint).credentials(Credentials::password(
                    "account",
                    Some("user".to_owned()),
                    "not-a-real-secret",
                ));
                held.push(Box::new(iam));
            }
            builder
        }
        At::Tls(certificate) => {
            let server = TlsServer::start(*certificate).await;
            let builder = builder(&server.endpoint);
            let builder = match certificate {
                Certificate::Untrusted => builder,
                _ => builder.root_certificates(server.authority.clone()),
            };
            arrived = Box::new(move || server.arrived());
            builder
        }
        At::Refused => {
            let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
            builder(&format!("http://{}", listener.local_addr().unwrap()))
        }
        At::SilentTls => {
            // Its system accepts; it does not.
            let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
            let endpoint = format!("https://{}", listener.local_addr().unwrap());
            held.push(Box::new(listener));
            builder(&endpoint).connect_timeout(Duration::from_millis(50))
        }
        At::PlainTls => {
            // Responds to any bytes, although they are not a request.
            let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
            let endpoint = format!("https://{}", listener.local_addr().unwrap());
            tokio::spawn(async move {
                loop {
                    let (mut stream, _) = listener.accept().await.unwrap();
                    let mut hello = [0; 64];
                    tokio::io::AsyncReadExt::read(&mut stream, &mut hello).await.unwrap();
                    let answer = b"HTTP/1.1 400 Bad Request\r\n\r\n";
                    tokio::io::AsyncWriteExt::write_all(&mut stream, answer).await.unwrap();
                    tokio::io::AsyncReadExt::read_to_end(&mut stream, &mut Vec::new()).await.ok();
                }
            });
            builder(&endpoint)
        }
        At::Dns => builder("http://no-such-host.invalid"),
    };
    Stage { builder, clock, arrived, _held: held }
}

async fn update(session: &Session) -> Result<(), Error> {
    session.modelarts().training_job(10).unwrap().update_description("x").await
}

async fn create(session: &Session) -> Result<(), Error> {
    session.modelarts().visualization_jobs().create("job", "/obs/").send().await.map(|_| ())
}

/// Limits the time of a test.
async fn soon<T>(call: impl Future<Output = T>) -> T {
    tokio::time::timeout(LONG, Box::pin(call)).await.expect("it takes too long")
}

#[tokio::test]
async fn every_fault_is_told_as_what_it_is() {
    let faults = faults();
    assert!(faults.len() >= 25, "{}", faults.len());
    let mut wrong = Vec::new();
    for Fault { name, at, kind, status, code, says, attempts, waits, may_have_been_sent } in faults {
        let mut expect = |what: &str, right: bool, got: &dyn std::fmt::Debug| {
            if !right {
                wrong.push(format!("{name}: {what}: {got:?}"));
            }
        };
        let here = stage(&at).await;
        let outcome = soon(update(&here.builder.build().unwrap())).await;
        let (arrived, waited) = ((here.arrived)(), here.clock.waits());
        expect("attempts", arrived == attempts.0, &arrived);
        let bounds = waits.iter().map(|(least, most)| Duration::from_millis(*least)..=Duration::from_millis(*most));
        expect("waits", waited.len() == waits.len() && waited.iter().zip(bounds).all(|(w, b)| b.contains(w)), &waited);
        expect("outcome", outcome.as_ref().err().map(Error::kind) == kind, &outcome);
        if let (Err(error), Some(kind)) = (&outcome, kind) {
            expect("status", error.status().map(|status| status.as_u16()) == status, &error);
            expect("code", error.code() == code, &error);
            expect("message", error.message().contains(says), &error);
            expect("sent", error.may_have_been_sent() == may_have_been_sent, &error);
            let predicates = [
                (error.is_not_found(), ErrorKind::NotFound),
                (error.is_throttled(), ErrorKind::Throttled),
                (error.is_unauthenticated(), ErrorKind::Authentication),
                (error.is_conflict(), ErrorKind::Conflict),
                (error.is_invalid_request(), ErrorKind::InvalidRequest),
                (error.is_timeout(), ErrorKind::Timeout),
            ];
            expect("predicates", predicates.iter().all(|(is, of)| *is == (*of == kind)), &predicates);
            expect("one line", error.to_string().lines().count() == 1, &error);
            expect("no secret", !format!("{error} {error:?}").contains("not-a-secret"), &error);
            expect("operation", error.operation().is_some(), &error);
        }

        let here = stage(&at).await;
        let outcome = soon(create(&here.builder.build().unwrap())).await;
        let arrived = (here.arrived)();
        expect("attempts of a POST", arrived == attempts.1, &arrived);
        if let Err(error) = outcome {
            // A call that succeeds by a retry fails without retries, since it was sent.
            expect("sent, of a POST", error.may_have_been_sent() == may_have_been_sent, &error);
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

/// A server with a certificate, by an authority of its own.
struct TlsServer {
    endpoint: String,
    authority: String,
    arrived: Arc<Mutex<usize>>,
    task: tokio::task::JoinHandle<()>,
}

impl TlsServer {
    async fn start(certificate: Certificate) -> Self {
        let mut authority = CertificateParams::new(Vec::new()).unwrap();
        authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let authority = CertifiedIssuer::self_signed(authority, KeyPair::generate().unwrap()).unwrap();
        let name = if certificate == Certificate::OtherHost { "elsewhere.invalid" } else { "127.0.0.1" };
        let mut leaf = CertificateParams::new([name.to_owned()]).unwrap();
        leaf.not_after = rcgen::date_time_ymd(if certificate == Certificate::Expired { 2001 } else { 2999 }, 1, 1);
        leaf.not_before = rcgen::date_time_ymd(2000, 1, 1);
        let key = KeyPair::generate().unwrap();
        let leaf = leaf.signed_by(&key, &authority).unwrap();

        let provider = Arc::new(tokio_rustls::rustls::crypto::ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![leaf.der().clone()], PrivateKeyDer::Pkcs8(key.serialize_der().into()))
            .unwrap();
        let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(config));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = format!("https://{}", listener.local_addr().unwrap());
        let arrived = Arc::new(Mutex::new(0));
        let count = Arc::clone(&arrived);
        let task = tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                // A client that does not trust the certificate disconnects.
                let Ok(mut stream) = acceptor.accept(stream).await else { continue };
                if common::read(&mut stream).await.is_some() {
                    *count.lock().unwrap() += 1;
                    let answer = head(200, "", GOOD.len()) + GOOD;
                    tokio::io::AsyncWriteExt::write_all(&mut stream, answer.as_bytes()).await.unwrap();
                    tokio::io::AsyncWriteExt::shutdown(&mut stream).await.ok();
                }
            }
        });
        Self { endpoint, authority: authority.pem(), arrived, task }
    }

    fn arrived(&self) -> usize {
        *self.arrived.lock().unwrap()
    }
}

impl Drop for TlsServer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

#[tokio::test]
async fn switching_verification_off_is_loud() {
    let log = Log::default();
    let _log = tracing::subscriber::set_default(log.subscriber());
    for certificate in [Certificate::Untrusted, Certificate::OtherHost, Certificate::Expired] {
        let server = TlsServer::start(certificate).await;
        let builder = Session::builder().endpoint(&server.endpoint).project_id(PROJECT).token(TOKEN);
        let warnings = || log.text().lines().filter(|line| line.contains("WARN")).count();
        let before = warnings();
        let session = builder.danger_accept_any_certificate().build().unwrap();
        assert_eq!(warnings(), before + 1, "{}", log.text());
        soon(update(&session)).await.unwrap_or_else(|error| panic!("{certificate:?}: {error}"));
        assert_eq!(server.arrived(), 1);
    }
    assert!(log.text().contains("certificates are not verified"), "{}", log.text());
    assert!(!log.text().contains("not-a-secret"), "{}", log.text());
}

#[tokio::test]
async fn traces_say_what_was_called_and_how_long_it_took() {
    let log = Log::default();
    let _log = tracing::subscriber::set_default(log.subscriber());
    let server = Server::acting([
        answer(503, "x-request-id: req-1\r\n", ""),
        answer(200, "x-request-id: req-2\r\n", GOOD),
        Act::Close,
    ])
    .await;
    let session =
        server.builder().credentials(Credentials::access_key("AccessKey", "SecretKey-not-a-secret")).build().unwrap();
    update(&session).await.unwrap();
    create(&session).await.unwrap_err();
    let text = log.text();
    let closed: Vec<&str> = text.lines().filter(|line| line.contains("close time.busy")).collect();
    let line = |parts: &[&str]| {
        let found = closed.iter().find(|line| parts.iter().all(|part| line.contains(part)));
        assert!(found.is_some(), "{parts:?} in none of\n{}", closed.join("\n"));
    };
    // The spans as they are when they end: what the attempt says is in its own braces, after those of the call.
    line(&["attempt{attempt=1 status=503 request_id=\"req-1\" duration_ms="]);
    line(&["attempt{attempt=2 status=200 request_id=\"req-2\" duration_ms="]);
    line(&["call{operation=\"update_training_job\" status=200 request_id=\"req-2\" duration_ms="]);
    line(&["call{operation=\"create_visualization_job\" duration_ms="]);
    assert!(!text.contains("not-a-secret"), "{text}");
    assert!(!text.contains("Signature="), "{text}");
}

#[tokio::test]
async fn a_connection_that_was_closed_while_idle_is_replaced() {
    // No word of closing in the head: the client keeps the connection.
    let keep = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{GOOD}", GOOD.len()).into_bytes();
    let server = Server::acting([Act::Answer(keep)]).await;
    let clock = Arc::new(TestClock::default());
    let session = server.builder().clock(Arc::clone(&clock) as _).build().unwrap();
    for round in 0..10 {
        let outcome = if round % 2 == 0 { update(&session).await } else { create(&session).await };
        outcome.unwrap_or_else(|error| panic!("{round}: {error}"));
        // The end of the connection arrives.
        for _ in 0..100 {
            tokio::task::yield_now().await;
        }
    }
    assert_eq!((server.arrived().len(), server.connections(), clock.waits().len()), (10, 10, 0));
}

#[tokio::test]
async fn a_connection_is_kept_for_the_next_call() {
    let keep = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{GOOD}", GOOD.len()).into_bytes();
    let server = Server::acting([Act::Keep(keep)]).await;
    let session = server.session();
    for _ in 0..10 {
        soon(update(&session)).await.unwrap();
        soon(create(&session)).await.unwrap();
    }
    assert_eq!((server.arrived().len(), server.connections()), (20, 1));
}

#[tokio::test]
async fn what_follows_an_answer_is_not_the_next_answer() {
    let forged = r#"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n"#.replace(r"\r\n", "\r\n");
    let keep = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{GOOD}{forged}", GOOD.len()).into_bytes();
    let server = Server::acting([Act::Keep(keep)]).await;
    let session = server.session();
    for _ in 0..5 {
        soon(update(&session)).await.unwrap();
        soon(create(&session)).await.unwrap();
    }
    assert_eq!((server.arrived().len(), server.connections()), (10, 10), "such a connection is not used again");
}

#[tokio::test]
async fn signing_in_takes_its_part_of_the_time() {
    let service = Server::acting([Act::Hang]).await;
    let clock = Arc::new(TestClock::default());
    let iam = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let builder = service
        .builder()
        .endpoint_of(Service::Iam, format!("http://{}", iam.local_addr().unwrap()))
        .credentials(Credentials::password("account", Some("user".to_owned()), "password"))
        .clock(Arc::clone(&clock) as _);
    tokio::spawn(async move {
        let (mut stream, _) = iam.accept().await.unwrap();
        common::read(&mut stream).await.unwrap();
        // An identity service that takes a minute of the virtual time: what is left is short.
        clock.advance(Duration::from_secs(60));
        let Act::Answer(token) = token(1) else { unreachable!() };
        tokio::io::AsyncWriteExt::write_all(&mut stream, &token).await.unwrap();
    });
    let session = builder.timeout(Duration::from_secs(60) + SHORT).build().unwrap();
    let error = soon(update(&session)).await.unwrap_err();
    assert!(error.is_timeout() && error.may_have_been_sent(), "{error}");
    assert_eq!(service.arrived().len(), 1);
}

/// Repeats a function until a condition holds.
async fn until(happened: impl Fn() -> bool) {
    soon(async {
        while !happened() {
            tokio::task::yield_now().await;
        }
    })
    .await;
}

/// A clock whose waits never end.
#[derive(Debug, Default)]
struct Forever(Mutex<usize>);

impl Clock for Forever {
    fn now(&self) -> SystemTime {
        SystemTime::now()
    }

    fn sleep(&self, _: Duration) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        *self.0.lock().unwrap() += 1;
        Box::pin(std::future::pending())
    }
}

#[tokio::test]
async fn a_call_can_be_given_up_while_it_waits() {
    let server = Server::acting([answer(503, "", ""), Act::Hang, good()]).await;
    let clock = Arc::new(Forever::default());
    let session = server.builder().clock(Arc::clone(&clock) as _).build().unwrap();
    let start = || {
        let session = session.clone();
        tokio::spawn(async move { update(&session).await })
    };
    // Before the second attempt, and during a response.
    let waiting = start();
    until(|| *clock.0.lock().unwrap() == 1).await;
    waiting.abort();
    assert!(waiting.await.unwrap_err().is_cancelled());
    let waiting = start();
    until(|| server.arrived().len() == 2).await;
    waiting.abort();
    assert!(waiting.await.unwrap_err().is_cancelled());
    soon(update(&session)).await.unwrap();
    soon(create(&session)).await.unwrap();
    assert_eq!(server.arrived().len(), 4, "what was given up is not sent later");
}

#[tokio::test]
async fn who_gives_up_while_waiting_takes_nothing_from_the_others() {
    let server = Server::acting([answer(503, "", "")]).await;
    let clock = Arc::new(Forever::default());
    let session = server.builder().clock(Arc::clone(&clock) as _).build().unwrap();
    // More often than the retry budget of a session.
    for round in 1..=120 {
        let session = session.clone();
        let waiting = tokio::spawn(async move { update(&session).await });
        until(|| *clock.0.lock().unwrap() == round || waiting.is_finished()).await;
        waiting.abort();
        assert!(waiting.await.unwrap_err().is_cancelled(), "{round}: it was to wait");
    }
}

#[tokio::test]
async fn who_gives_up_while_fetching_a_token_for_all_leaves_it_to_another() {
    let service = Server::json(200, GOOD).await;
    let iam = Server::acting([Act::Hang, token(2)]).await;
    let builder = service.builder().endpoint_of(Service::Iam, &iam.endpoint).credentials(Credentials::password(
        "account",
        Some("user".to_owned()),
        "password",
    ));
    let session = builder.build().unwrap();
    let start = || {
        let session = session.clone();
        tokio::spawn(async move { update(&session).await })
    };
    let fetching = start();
    until(|| iam.arrived().len() == 1).await;
    let others: Vec<_> = (0..10).map(|_| start()).collect();
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
    assert_eq!((iam.arrived().len(), service.arrived().len()), (1, 0), "they wait for the one");
    fetching.abort();
    // One of the waiting calls is dropped too.
    others[3].abort();
    for (number, other) in others.into_iter().enumerate() {
        let outcome = soon(other).await;
        if number != 3 {
            outcome.unwrap().unwrap();
        }
    }
    soon(update(&session)).await.unwrap();
    assert_eq!(iam.arrived().len(), 2);
    assert!(service.arrived().iter().all(|request| request.header("x-auth-token") == Some("token-2")));
}
