//! A canary in every credential: it must not come out anywhere.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on shall fail")]

mod common;

use common::{Log, Server, head};
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
    // It is there, and goes where it must.
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
