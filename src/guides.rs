//! The guides: the pages of the folder `docs`, with links that lead to the pages here.
//!
//! `build.rs` writes them; their Rust code is run with the doc tests.

/// One page for each guide.
macro_rules! guides {
    ($($name:ident: $title:literal;)+) => {$(
        #[doc = $title]
        #[doc = ""]
        #[doc = include_str!(concat!(env!("OUT_DIR"), "/guides/", stringify!($name), ".md"))]
        pub mod $name {}
    )+};
}

guides! {
    readme: "The README of the repository.";
    architecture: "How the crate is built.";
    contributing: "How to work on the crate.";
    security: "How to report a weakness.";
    coverage: "Which operations are described, implemented and tested.";
    openapi: "The OpenAPI description.";
}

/// Guides whose code needs the features `emulator` and `contract`.
#[cfg(any(not(doctest), all(feature = "emulator", feature = "contract")))]
mod with_code {
    guides! {
        cli: "The command line.";
        clouds: "The clouds, their regions and their differences.";
        coming_from_the_python_sdk: "The methods of the ModelArts Python SDK and their counterparts.";
        contract_tests: "Tests of an endpoint against the description.";
        credentials: "Credentials, profiles, regions and endpoints.";
        emulator: "The emulator.";
        errors: "Kinds of errors, exit codes, and what to do.";
        getting_started: "The first ten minutes.";
        limits: "What is not known about the real services.";
        moving_to_v2: "From ModelArts v1 to v2.";
        performance: "Measured speed, and what limits it.";
        publishing: "The description as files.";
        releasing: "How a release is made.";
        sessions: "What the main jobs look like in a terminal.";
        signing: "Signatures, and how to find out why one is rejected.";
        testing_your_program: "The emulator in test suites.";
    }
}
#[cfg(any(not(doctest), all(feature = "emulator", feature = "contract")))]
pub use with_code::*;
