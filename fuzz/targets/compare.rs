//! Messages of a gateway with its canonical request in them, in any form.

#![no_main]

#[path = "../../src/bin/hwjobs/main.rs"]
#[allow(dead_code, reason = "the command line as a module has no use for its `main`")]
mod hwjobs;

use libfuzzer_sys::fuzz_target;

fuzz_target!(|message: &str| hwjobs::fuzzing::compare(message));
