//! Snapshots that somebody has edited: each is loaded whole or refused whole, and the emulator answers afterwards.

#![no_main]

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::LazyLock;
use std::time::Duration;

use huaweicloud_jobs::emulator::Emulator;
use libfuzzer_sys::arbitrary::{self, Arbitrary};
use libfuzzer_sys::fuzz_target;
use serde_json::{Value, json};
use socket2::SockRef;
use tokio::runtime::Runtime;

/// A change to a row: which one, by number, and what becomes of it.
#[derive(Arbitrary, Debug)]
struct Edit<'a> {
    table: u8,
    row: u8,
    column: u8,
    change: Change<'a>,
}

#[derive(Arbitrary, Debug)]
enum Change<'a> {
    Null,
    Remove,
    Double,
    Integer(i64),
    Real(f64),
    Text(&'a str),
    Bytes(&'a [u8]),
    /// A text of which a part is another one: most texts are JSON.
    Splice { at: u16, length: u8, text: &'a str },
}

struct World {
    _runtime: Runtime,
    emulator: Emulator,
    documented: Value,
}

static WORLD: LazyLock<World> = LazyLock::new(|| {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
    let runtime = runtime.expect("a runtime starts");
    // The answers of an edited state are not those of the description.
    let emulator = runtime.block_on(Emulator::builder().check_responses(false).start()).expect("the emulator starts");
    let documented = emulator.snapshot().expect("a snapshot");
    World { _runtime: runtime, emulator, documented }
});

fn edit(snapshot: &mut Value, edit: &Edit<'_>) -> Option<()> {
    let tables = snapshot["tables"].as_object_mut()?;
    let count = tables.len();
    let (_, rows) = tables.iter_mut().nth(usize::from(edit.table) % count)?;
    let rows = rows.as_array_mut()?;
    let row = usize::from(edit.row).checked_rem(rows.len())?;
    if matches!(edit.change, Change::Double) {
        rows.push(rows[row].clone());
        return Some(());
    }
    let columns = rows[row].as_object_mut()?;
    let index = usize::from(edit.column).checked_rem(columns.len())?;
    let name = columns.keys().nth(index)?.clone();
    let value = columns.get_mut(&name)?;
    *value = match &edit.change {
        Change::Null => Value::Null,
        Change::Remove => {
            columns.remove(&name);
            return Some(());
        }
        Change::Double => return None,
        Change::Integer(number) => json!(number),
        Change::Real(number) => json!(number),
        Change::Text(text) => json!(text),
        Change::Bytes(bytes) => json!({"hex": bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>()}),
        Change::Splice { at, length, text } => {
            let old: Vec<char> = value.as_str()?.chars().collect();
            let at = usize::from(*at).checked_rem(old.len() + 1)?;
            let end = (at + usize::from(*length)).min(old.len());
            old[..at].iter().copied().chain(text.chars()).chain(old[end..].iter().copied()).collect::<String>().into()
        }
    };
    Some(())
}

fn get(emulator: &Emulator, path: &str) {
    let endpoint = emulator.endpoint();
    let host = endpoint.trim_start_matches("http://");
    let mut stream = TcpStream::connect(host).expect("it listens");
    stream.set_read_timeout(Some(Duration::from_secs(10))).expect("a timeout can be set");
    SockRef::from(&stream).set_linger(Some(Duration::ZERO)).expect("a socket can linger");
    let request =
        format!("GET {path} HTTP/1.1\r\nhost: {host}\r\nx-auth-token: emulator-token-not-a-secret\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).expect("it reads");
    let mut response = Vec::new();
    stream.read_to_end(&mut response).expect("it answers");
    assert!(response.starts_with(b"HTTP/1.1 "), "{path}: {:?}", String::from_utf8_lossy(&response));
}

fuzz_target!(|edits: Vec<Edit<'_>>| {
    let World { emulator, documented, .. } = &*WORLD;
    let mut snapshot = documented.clone();
    for change in &edits {
        edit(&mut snapshot, change);
    }
    emulator.load(documented).expect("what was written is read");
    if emulator.load(&snapshot).is_err() {
        // Time goes on.
        let tables = |snapshot: &Value| {
            let tables = snapshot["tables"].as_object().into_iter().flatten();
            tables.filter(|(name, _)| *name != "clock").map(|(name, rows)| (name.clone(), rows.clone())).collect::<Vec<_>>()
        };
        let now = emulator.snapshot().expect("a snapshot");
        assert_eq!(tables(&now), tables(documented), "a refused snapshot changes something");
        return;
    }
    let project = emulator.project_id();
    for path in ["training-jobs", "training-jobs/10/versions", "visualization-jobs", "annotation-jobs", "training-job-configs"] {
        get(emulator, &format!("/v1/{project}/{path}"));
    }
    for path in ["jobs", "job-binaries", "data-sources", "job-executions"] {
        get(emulator, &format!("/v1.1/{project}/{path}"));
    }
    let written = emulator.snapshot().expect("what was loaded can be written");
    emulator.load(&written).expect("what was written can be loaded");
});
