//! Files that are given to a command.

use std::io::Read;
use std::path::Path;

use serde_json::Value;

use super::exit::{Usage, usage};

/// The text of a file, or of the standard input for `-`.
pub(super) fn text(file: &str) -> Result<String, Usage> {
    let mut text = String::new();
    let read = match file {
        "-" => std::io::stdin().lock().read_to_string(&mut text),
        file => std::fs::File::open(Path::new(file)).and_then(|mut file| file.read_to_string(&mut text)),
    };
    read.map_or_else(|error| usage(format!("{}: {error}", shown(file))), |_| Ok(text))
}

/// The JSON in a file.
pub(super) fn json(file: &str) -> Result<Value, Usage> {
    serde_json::from_str(&text(file)?).or_else(|error| usage(format!("{}: not JSON: {error}", shown(file))))
}

fn shown(file: &str) -> &str {
    if file == "-" { "standard input" } else { file }
}
