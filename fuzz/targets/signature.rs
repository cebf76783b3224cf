//! Any `Authorization` header on any request; and what the signer signs, the verifier accepts.

#![no_main]

use huaweicloud_jobs::session::Secret;
use huaweicloud_jobs::session::signing::{Algorithm, Authorization, Date, Request, SignedHeaders, Signer};
use libfuzzer_sys::arbitrary::{self, Arbitrary};
use libfuzzer_sys::fuzz_target;

#[derive(Arbitrary, Debug)]
struct Input<'a> {
    authorization: &'a str,
    method: &'a str,
    path: &'a str,
    query: &'a str,
    headers: Vec<(&'a str, &'a str)>,
    time: u32,
    layout: u8,
    all: bool,
    body: &'a [u8],
}

fuzz_target!(|input: Input<'_>| {
    let Input { authorization, method, path, query, headers, time, layout, all, body } = input;
    let secret = Secret::from("SecretKey");
    let request = Request { method, path, query, headers: &headers, body };
    if let Ok(authorization) = Authorization::parse(authorization) {
        let _ = format!("{:?}", authorization.verify(&request, &secret));
    }
    let algorithm = match layout % 3 {
        0 => Algorithm::Plain,
        1 => Algorithm::Legacy { region: "r", service: "s" },
        _ => Algorithm::Derived { region: "r", service: "s" },
    };
    let date = Date::from_unix_seconds(time.into()).expect("every u32 is a time");
    let signer = Signer::new("AccessKey", &secret).algorithm(algorithm);
    let signer = if all { signer.headers(SignedHeaders::Every) } else { signer };
    let Ok(signed) = signer.sign(&request, &date) else { return };
    // What is sent: the method is signed in upper case, whatever it was given in.
    let method = method.to_ascii_uppercase();
    let mut sent = headers.clone();
    if !sent.iter().any(|(name, _)| name.eq_ignore_ascii_case("x-sdk-date")) {
        sent.push(("x-sdk-date", date.as_str()));
    }
    let request = Request { method: &method, headers: &sent, ..request };
    let authorization = Authorization::parse(signed.authorization()).expect("the signer writes what the verifier reads");
    let verified = authorization.verify(&request, &secret);
    assert!(verified.is_ok(), "{verified:?}\n{}", signed.canonical_request());
});
