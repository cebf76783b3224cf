//! The profile file, the configuration of the ModelArts SDK and the variables: each place is absent, found or broken, and what
//! is told of it holds no secret.

#![no_main]

use std::ffi::OsStr;
use std::io::ErrorKind;
use std::path::Path;
use std::sync::Arc;

use futures_util::FutureExt;
use huaweicloud_jobs::session::credentials::{Chain, Context, Profile, Settings};
use libfuzzer_sys::arbitrary::{self, Arbitrary};
use libfuzzer_sys::fuzz_target;

#[derive(Arbitrary, Debug)]
struct Input<'a> {
    /// The profile that is asked for.
    profile: Option<&'a str>,
    /// The value of a variable.
    variable: (u8, &'a str),
    /// Whether the file is the ModelArts SDK's.
    is_json: bool,
    file: &'a [u8],
}

const VARIABLES: [&str; 8] = [
    "HUAWEICLOUD_SDK_AK",
    "HUAWEICLOUD_SDK_SK",
    "HWJOBS_TOKEN",
    "HWJOBS_USER",
    "HWJOBS_PASSWORD",
    "HWJOBS_ENDPOINT",
    "HWJOBS_REGION",
    "HWJOBS_PROFILE",
];

fuzz_target!(|input: Input<'_>| {
    let file: Arc<[u8]> = input.file.into();
    let name = if input.is_json { "config.json" } else { "credentials" };
    let (which, value) = input.variable;
    let variable = VARIABLES[usize::from(which) % VARIABLES.len()];
    let mut context = Context::empty().home("/home").variables([(variable, value)]).files(move |path: &Path| {
        if path.file_name() == Some(OsStr::new(name)) { Ok(file.to_vec()) } else { Err(ErrorKind::NotFound.into()) }
    });
    if let Some(profile) = input.profile {
        context = context.profile(profile);
    }
    let _ = Profile.names(&context);
    let _ = Settings::environment(&context);
    // Nothing here waits: the metadata service is not allowed.
    match Chain::default().resolve(&context).now_or_never().expect("nothing is waited for") {
        Ok(found) => drop(format!("{found:?}")),
        Err(error) => {
            let line = error.to_string();
            assert!(!line.chars().any(char::is_control), "{line:?}");
        }
    }
});
