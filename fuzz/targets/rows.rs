//! Files of updates, CSV or JSON Lines: each is refused, or all of its rows can be sent.

#![no_main]

#[path = "../../src/bin/hwjobs/main.rs"]
#[allow(dead_code, reason = "the command line as a module has no use for its `main`")]
mod hwjobs;

use std::sync::LazyLock;

use huaweicloud_jobs::Session;
use libfuzzer_sys::fuzz_target;
use tempfile::TempDir;

static PLACE: LazyLock<(TempDir, Session)> = LazyLock::new(|| {
    let session = Session::builder().endpoint("http://127.0.0.1:9").project_id("p").token("fuzz-token-not-a-secret").build();
    (tempfile::tempdir().expect("a folder"), session.expect("a session"))
});

fuzz_target!(|text: &[u8]| {
    let (folder, session) = &*PLACE;
    let file = folder.path().join("file");
    std::fs::write(&file, text).expect("the file can be written");
    hwjobs::fuzzing::rows(&file, session);
});
