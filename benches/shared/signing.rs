//! A signature, and the hashing that it cannot do without.

use std::hint::black_box;

use hmac::{Hmac, KeyInit, Mac};
use huaweicloud_jobs::session::Secret;
use huaweicloud_jobs::session::signing::{Date, Request, Signed, Signer};
use sha2::{Digest, Sha256};

const ACCESS_KEY: &str = "FAKEACCESSKEY0000001";
pub(crate) const SECRET_KEY: &str = "fake-secret-key-for-tests-only-000000001";
const BODY: &[u8; 40] = br#"{"job_desc":"learning rate 0.1, 8 GPUs"}"#;

/// Returns the date of the signature.
pub(crate) fn date() -> Date {
    "20191115T033655Z".parse().expect("a date")
}

/// Signs an update of a description as a session does.
pub(crate) fn sign(secret: &Secret, date: &Date) -> Signed {
    let request = Request {
        method: "PUT",
        path: "/v1/77b6a44cba5143ab91d13ab9a8ff44fd/training-jobs/182626",
        query: "",
        headers: &[
            ("content-type", "application/json"),
            ("host", "modelarts.cn-north-4.myhuaweicloud.com"),
            ("x-sdk-date", date.as_str()),
            ("x-project-id", "77b6a44cba5143ab91d13ab9a8ff44fd"),
        ],
        body: BODY,
    };
    Signer::new(ACCESS_KEY, secret).sign(&request, date).expect("can be signed")
}

/// Returns the HMAC with its key, which a session prepares once.
pub(crate) fn keyed() -> Hmac<Sha256> {
    Hmac::new_from_slice(black_box(SECRET_KEY).as_bytes()).expect("a key")
}

/// Computes only the two hashes and the HMAC, over the same bytes.
pub(crate) fn hash(signed: &Signed, mut mac: Hmac<Sha256>) -> [[u8; 32]; 3] {
    let body = Sha256::digest(black_box(BODY));
    let request = Sha256::digest(black_box(signed.canonical_request()));
    mac.update(black_box(signed.string_to_sign()).as_bytes());
    [body.into(), request.into(), mac.finalize().into_bytes().into()]
}
