//! Bodies under any status: each is a success or one error, which is fit for a line of a log and holds nothing that was sent.

#![no_main]

use huaweicloud_jobs::fuzzing::{self, SECRET};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: (u16, &[u8])| {
    let (status, body) = input;
    let Some(error) = fuzzing::failure(100 + status % 900, body) else { return };
    let line = error.to_string();
    assert!(!line.chars().any(char::is_control), "{line:?}");
    assert!(error.excerpt().is_none_or(|excerpt| excerpt.chars().count() <= 512), "{error:?}");
    for text in [line, format!("{error:?}"), error.message().to_owned()] {
        assert!(!text.contains(SECRET), "{text}");
    }
});
