//! JSON through every generated type: what is read can be written, and what was written can be read.

#![no_main]

use libfuzzer_sys::fuzz_target;
use serde::Serialize;
use serde::de::DeserializeOwned;

include!(concat!(env!("OUT_DIR"), "/responses.rs"));

fn read<T: DeserializeOwned + Serialize + std::fmt::Debug>(body: &[u8]) {
    let Ok(value) = serde_json::from_slice::<T>(body) else { return };
    let _ = format!("{value:?}");
    let written = serde_json::to_vec(&value).expect("a response can be written");
    if let Err(error) = serde_json::from_slice::<T>(&written) {
        panic!("{error}: {}", String::from_utf8_lossy(&written));
    }
}

// The first byte chooses the type.
fuzz_target!(|input: (u8, &[u8])| READERS[usize::from(input.0) % READERS.len()](input.1));
