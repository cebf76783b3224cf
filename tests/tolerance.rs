//! Whatever a server answers: a value or an error that says where, never a panic.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on shall fail")]

mod common;

use common::{Server, head};
use huaweicloud_jobs::Error;
use proptest::prelude::*;
use serde_json::{Value, json};

/// Any JSON, with the field names of real answers among its keys.
fn any_json() -> impl Strategy<Value = Value> {
    let key = prop_oneof![
        4 => proptest::sample::select(vec!["job", "jobs", "versions", "job_id", "is_success", "error_code", "error", "id", "name", "libs", "type"]),
        1 => proptest::sample::select(vec!["x", "message", "code"]),
    ];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(|number| json!(number)),
        ".{0,8}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 32, 6, move |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::vec((key.clone(), inner), 0..6)
                .prop_map(|fields| fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()),
        ]
    })
}

fn any_body() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        proptest::collection::vec(any::<u8>(), 0..200),
        any_json().prop_map(|json| json.to_string().into_bytes()),
        (any_json(), 0..50usize).prop_map(|(json, cut)| {
            let mut bytes = json.to_string().into_bytes();
            bytes.truncate(bytes.len().saturating_sub(cut));
            bytes
        }),
    ]
}

/// Sends four kinds of call; each error must name its operation, and a decoding one the place.
async fn call_all(status: u16, body: &[u8]) -> Vec<Error> {
    let mut answer = head(status, "x-request-id: req-7\r\n", body.len()).into_bytes();
    answer.extend_from_slice(body);
    let server = Server::raw(answer).await;
    let session = server.session();
    let (modelarts, mrs) = (session.modelarts(), session.mrs());
    let training = modelarts.training_job(1).unwrap();
    let mut errors = Vec::new();
    errors.extend(training.update_description("x").await.err());
    errors.extend(training.versions().list().try_collect::<Vec<_>>().await.err());
    errors.extend(modelarts.visualization_job(1).unwrap().show().await.err());
    errors.extend(modelarts.labeling_jobs().list().try_collect::<Vec<_>>().await.err());
    errors.extend(mrs.job("x").unwrap().update().send().await.err());
    errors
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn nonsense_is_an_error_that_names_operation_and_place(
        status in prop_oneof![Just(200_u16), Just(202), Just(204), Just(400), Just(401), Just(404), Just(500), 200..600_u16],
        body in any_body(),
    ) {
        // These statuses have no body in HTTP.
        prop_assume!(status != 204 && status != 304 || body.is_empty());
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        for error in runtime.block_on(call_all(status, &body)) {
            prop_assert!(error.operation().is_some(), "{error:?}");
            prop_assert_eq!(error.status().map(|status| status.as_u16()), Some(status), "{:?}", error);
            prop_assert_eq!(error.request_id(), Some("req-7"), "{:?}", error);
            prop_assert_eq!(error.to_string().lines().count(), 1, "{}", error);
            if error.kind() == huaweicloud_jobs::ErrorKind::Decode {
                prop_assert!(error.place().is_some(), "{error:?}");
            }
        }
    }
}
