//! Lists the generated types of responses, from the public surface that is written down in `src/api/signature.txt`.

use std::fmt::Write;
use std::path::Path;
use std::{env, fs};

fn main() {
    let surface = Path::new(env!("CARGO_MANIFEST_DIR")).join("../src/api/signature.txt");
    println!("cargo::rerun-if-changed={}", surface.display());
    let text = fs::read_to_string(&surface).expect("src/api/signature.txt can be read");
    let (mut service, mut types, mut count) = ("", String::new(), 0);
    for line in text.lines() {
        if let Some(name) = line.strip_prefix("# ") {
            service = name;
        }
        // operation(parameters) -> Type, METHOD path
        let Some((_, rest)) = line.split_once(") -> ") else { continue };
        let (name, _) = rest.split_once(", ").expect("a method follows the type of the response");
        if name == "()" {
            continue;
        }
        writeln!(types, "    read::<huaweicloud_jobs::api::{service}::types::{name}>,").expect("a string can grow");
        count += 1;
    }
    assert!(count > 40, "{count} operations are few: has the form of src/api/signature.txt changed?");
    let out = Path::new(&env::var_os("OUT_DIR").expect("cargo sets OUT_DIR")).join("responses.rs");
    fs::write(out, format!("const READERS: [fn(&[u8]); {count}] = [\n{types}];\n")).expect("OUT_DIR can be written");
}
