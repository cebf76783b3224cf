//! Tests with a canary in every credential, which no output may contain.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on shall fail")]

use crate::common::{Log, Server, head};
use huaweicloud_jobs::Session;
use huaweicloud_jobs::api::iam::types::CreateTokenRequest;
use huaweicloud_jobs::session::Secret;
use huaweicloud_jobs::session::credentials::Credentials;
use serde_json::json;

const CANARY: &str = "canary-7f3a-not-a-secret";

fn builder(endpoint: &str) -> huaweicloud_jobs::session::SessionBuilder {
    Session::builder().endpoint(endpoint).project_id("p").token(CANARY)
}

fn assert_silent(what: &str, text: &str) {
    assert!(!text.contains("canary"), "{what}: {text}");
}

#[test]
fn nothing_that_can_be_printed_holds_it() {
    let builder = builder("http://127.0.0.1:1");
    assert_silent("builder", &format!("{builder:?} {builder:#?}"));
    let session = builder.build().unwrap();
    assert_silent("session", &format!("{session:?} {session:#?}"));
    let (modelarts, mrs) = (session.modelarts(), session.mrs());
    assert_silent("clients", &format!("{:?} {:?} {:?}", session.iam(), modelarts.client(), mrs.client()));
    assert_silent("handles", &format!("{modelarts:?} {mrs:?} {:?} {:?}", modelarts.training_job(1), mrs.job("x")));
    assert_silent("generated builder", &format!("{:?}", modelarts.client().update_training_job().project_id("p")));
    assert_silent("update", &format!("{:?}", mrs.job("x").unwrap().update().name("n")));
    assert_silent("secret", &format!("{:?}", Secret::from(CANARY)));

    let bare = || Session::builder().endpoint("http://127.0.0.1:1").project_id("p");
    for builder in [
        bare().credentials(Credentials::password("account", None, CANARY)),
        bare().credentials(Credentials::access_key("key", CANARY)),
        bare().credentials(Credentials::temporary("key", CANARY, CANARY, None)),
    ] {
        let session = builder.clone().build().unwrap();
        assert_silent("credentials", &format!("{builder:?} {session:?} {:?}", session.modelarts().client()));
    }

    let request: CreateTokenRequest = serde_json::from_value(json!({"auth": {"identity": {"methods": ["password"],
        "password": {"user": {"name": "u", "password": CANARY, "domain": {"name": "d"}}}}}}))
    .unwrap();
    assert_silent("request for a token", &format!("{request:?} {request:#?}"));
    // The canary is sent in the request.
    assert!(serde_json::to_string(&request).unwrap().contains(CANARY));

    for endpoint in [format!("http://user:{CANARY}@127.0.0.1"), format!("ftp://{CANARY}"), format!("http://[{CANARY}")]
    {
        let error = self::builder(&endpoint).build().unwrap_err();
        assert_silent("refused endpoint", &format!("{error} {error:?}"));
    }
    let error =
        Session::builder().endpoint("http://x").project_id("p").token(format!("{CANARY}\n")).build().unwrap_err();
    assert_silent("refused token", &format!("{error} {error:?}"));
}

#[test]
fn neither_errors_nor_traces_hold_it_though_the_server_echoes_it() {
    let log = Log::default();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let mut said = String::new();
    tracing::subscriber::with_default(log.subscriber(), || {
        runtime.block_on(async {
            let bodies = [
                format!("{{\"error_msg\": \"token {CANARY} is bad\", \"error_code\": \"{CANARY}\"}}"),
                format!("<html>{CANARY}</html>"),
                format!("{{\"is_success\": \"{CANARY}\"}}"),
            ];
            for (status, body) in [401, 502, 200].into_iter().zip(bodies) {
                let server =
                    Server::raw(head(status, &format!("x-request-id: {CANARY}\r\n"), body.len()) + &body).await;
                let session = builder(&server.endpoint).build().unwrap();
                let error = session.modelarts().training_job(1).unwrap().update_description("x").await.unwrap_err();
                said += &format!("{error} {error:?} {:?} {:?}", error.code(), error.excerpt());
                // It did arrive.
                assert_eq!(server.arrived()[0].header("x-auth-token"), Some(CANARY));
            }
        });
    });
    let traced = log.text();
    assert!(traced.contains("update_training_job"), "the call is traced: {traced}");
    assert_silent("errors", &said);
    assert_silent("traces", &traced);
}

#[cfg(feature = "emulator")]
#[tokio::test]
async fn the_emulator_keeps_its_token_to_itself() {
    use huaweicloud_jobs::emulator::Emulator;
    let builder = Emulator::builder().token(CANARY).record(10);
    assert_silent("builder", &format!("{builder:?}"));
    let emulator = builder.start().await.unwrap();
    assert_silent("emulator", &format!("{emulator:?}"));
    emulator.session().unwrap().modelarts().training_job(10).unwrap().update_description("x").await.unwrap();
    let exchanges = emulator.take_exchanges();
    assert_eq!(exchanges.len(), 1);
    assert_silent("record", &format!("{exchanges:?}"));
    assert!(exchanges[0].headers.contains(&("x-auth-token".to_owned(), "***".to_owned())));
}

/// The forms in which a firewall echoes a request.
#[cfg(feature = "raw")]
fn echoes(request: &crate::common::Arrived) -> Vec<String> {
    let headers: String = request.headers.iter().map(|(name, value)| format!("{name}: {value}\n")).collect();
    let whole = format!("{} {}\n{headers}\n{}", request.method, request.target, String::from_utf8_lossy(&request.body));
    let escaped = serde_json::Value::from(whole.as_str()).to_string();
    let ascii: String = whole.encode_utf16().map(|unit| format!("\\u{unit:04X}")).collect();
    let percent: String = whole.bytes().map(|byte| format!("%{byte:02x}")).collect();
    let html = whole.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;");
    let numbers: String = whole.chars().map(|c| format!("&#{};", u32::from(c))).collect();
    vec![
        whole.clone(),
        format!("{{\"error_msg\": {escaped}, \"error_code\": {escaped}, \"request_id\": {escaped}}}"),
        format!("{{\"error\": {{\"message\": {}}}}}", serde_json::Value::from(escaped.as_str())),
        format!("{{\"is_success\": \"{ascii}\", \"encoded_authorization_message\": \"{ascii}\"}}"),
        format!("<html><title>403</title>{html}</html>"),
        format!("<html><title>{numbers}</title></html>"),
        format!("{{\"detail\": \"{percent}\"}}"),
    ]
}

/// Sends a response that a function makes of each request, and records the signed requests.
#[cfg(feature = "raw")]
struct Mirror {
    endpoint: String,
    way: std::sync::Arc<std::sync::atomic::AtomicUsize>,
    signatures: std::sync::Arc<std::sync::Mutex<Vec<String>>>,
    task: tokio::task::JoinHandle<()>,
}

#[cfg(feature = "raw")]
impl Drop for Mirror {
    fn drop(&mut self) {
        self.task.abort();
    }
}

#[cfg(feature = "raw")]
impl Mirror {
    const STATUSES: [u16; 4] = [200, 401, 403, 500];

    async fn start() -> Self {
        use std::sync::atomic::Ordering;
        use tokio::io::AsyncWriteExt;
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let way = std::sync::Arc::<std::sync::atomic::AtomicUsize>::default();
        let signatures = std::sync::Arc::<std::sync::Mutex<Vec<String>>>::default();
        let (chosen, kept) = (way.clone(), signatures.clone());
        let task = tokio::spawn(async move {
            loop {
                let (mut stream, _) = listener.accept().await.unwrap();
                let Some(request) = crate::common::read(&mut stream).await else { continue };
                if let Some((_, signature)) = request.header("authorization").and_then(|h| h.split_once("Signature=")) {
                    kept.lock().unwrap().push(signature.to_owned());
                }
                let way = chosen.load(Ordering::SeqCst);
                let bodies = echoes(&request);
                let body = &bodies[way % bodies.len()];
                let status = Self::STATUSES[way / bodies.len() % Self::STATUSES.len()];
                let _ = stream.write_all((head(status, "", body.len()) + body).as_bytes()).await;
                let _ = stream.shutdown().await;
            }
        });
        Self { endpoint, way, signatures, task }
    }
}

/// Every operation, with every kind of credentials, against a server that echoes all it gets in one way after the other.
#[cfg(feature = "raw")]
#[tokio::test]
async fn what_was_sent_in_secret_does_not_come_back_from_any_operation() {
    use std::sync::atomic::Ordering;
    // With marks that each way of escaping changes.
    const HARD: &str = "canary\"7f3a</not>&a+secret%41=~";
    let mirror = Mirror::start().await;
    let bare = || {
        Session::builder()
            .endpoint(&mirror.endpoint)
            .project_id("p")
            .retry(huaweicloud_jobs::session::RetryPolicy::never())
    };
    let (mut tried, mut way, mut redacted) = (0, 0, 0);
    for credentials in [
        Credentials::Token(HARD.into()),
        Credentials::temporary("key", "not-a-secret-key", HARD, None),
        Credentials::password("account", None, HARD),
    ] {
        let session = bare().credentials(credentials).build().unwrap();
        for document in huaweicloud_jobs::spec::documents() {
            for operation in document.operations() {
                let mut request = session.request(operation.id()).unwrap().unchecked();
                for parameter in document.parameters(operation) {
                    if parameter["required"] == true && parameter["name"] != "project_id" {
                        request = request.param(parameter["name"].as_str().unwrap(), "1");
                    }
                }
                if operation.id() == "create_token" {
                    let user = json!({"name": "u", "password": HARD, "domain": {"name": "d"}});
                    request = request
                        .body(json!({"auth": {"identity": {"methods": ["password"], "password": {"user": user}}}}));
                }
                way += 1;
                mirror.way.store(way, Ordering::SeqCst);
                let said = match request.send().await {
                    Ok(response) => response.body().to_string(),
                    Err(error) => format!("{error} {error:?} {error:#?} {}", error.message()),
                };
                for part in ["canary", "7f3a", "/not>", "+secret%"] {
                    assert!(!said.contains(part), "{}: {said}", operation.id());
                }
                for signature in &*mirror.signatures.lock().unwrap() {
                    assert!(!said.contains(&signature[..16]), "{}: {said}", operation.id());
                }
                redacted += said.matches("***").count();
                tried += 1;
            }
        }
    }
    assert!(redacted > 100, "{redacted}");
    assert!(tried == 3 * 58 && !mirror.signatures.lock().unwrap().is_empty());
}
