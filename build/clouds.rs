//! Compiles the overlays of the clouds: the table for `src/cloud.rs`, and JSON for `src/spec/clouds.rs`.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::{SERVICES, edition, load, overlay, read};

/// The folder of the overlays.
pub(crate) const FOLDER: &str = "openapi/clouds";

/// The table of clouds for `src/cloud.rs`, and the overlays as JSON for `src/spec/clouds.rs`.
pub(crate) fn write(out: &Path) -> Result<(), String> {
    let mut bases = Vec::new();
    for service in SERVICES {
        let file = out.join(format!("{service}.json"));
        let text = fs::read_to_string(&file).map_err(|error| format!("{}: {error}", file.display()))?;
        bases.push((service, serde_json::from_str::<Value>(&text).map_err(|error| error.to_string())?));
    }
    let entries = fs::read_dir(FOLDER).map_err(|error| format!("{FOLDER}: {error}"))?;
    let mut files: Vec<PathBuf> = entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|file| file.extension().is_some_and(|kind| kind == "yaml"))
        .collect();
    files.sort();
    let (mut rows, mut overlays) = (String::new(), String::new());
    for file in &files {
        let named = |reason: String| format!("{}: {reason}", file.display());
        let name = file.file_stem().and_then(|name| name.to_str()).ok_or_else(|| named("has no name".to_owned()))?;
        let json = out.join(format!("cloud_{name}.json"));
        let value = read(&file.to_string_lossy(), &json)?;
        rows += &cloud(name, &value, &bases).map_err(named)?;
        let yaml = Path::new(env!("CARGO_MANIFEST_DIR")).join(file);
        overlays += &format!("    ({name:?}, include_str!({:?}), include_str!({:?})),\n", yaml, json);
    }
    let partial = format!("{FOLDER}/partial/editions.yaml");
    read(&partial, &out.join("partial_editions.json"))?;
    for (name, text) in [
        ("clouds.rs", format!("static CLOUDS: &[Facts] = &[\n{rows}];\n")),
        ("overlays.rs", format!("&[\n{overlays}]\n")),
    ] {
        fs::write(out.join(name), text).map_err(|error| format!("{name}: {error}"))?;
    }
    Ok(())
}

/// The row of a cloud, from its overlay and what it makes of the descriptions.
fn cloud(name: &str, value: &Value, bases: &[(&str, Value)]) -> Result<String, String> {
    let overlay = overlay::Overlay::parse(value).map_err(|error| error.to_string())?;
    let facts = &value["x-cloud"];
    let known = ["summary", "code-prefix", "other-regions", "sign-in", "x-source"];
    let keys = facts.as_object().ok_or("no `x-cloud`")?.keys();
    if let Some(key) = keys.into_iter().find(|key| !known.contains(&key.as_str())) {
        return Err(format!("x-cloud: unknown key `{key}`"));
    }
    let mut selected = vec![0; value["actions"].as_array().map_or(0, Vec::len)];
    let (mut services, mut documented, mut unknown, mut deprecated) = (String::new(), vec![], vec![], vec![]);
    for (service, base) in bases {
        let (document, counts) = edition::resolve(base, &overlay).map_err(|error| format!("{service}: {error}"))?;
        selected.iter_mut().zip(counts).for_each(|(sum, count)| *sum += count);
        if load::operations(&document).next().is_none() {
            continue;
        }
        let server = &document["servers"][0];
        let regions: Vec<&str> = server
            .pointer("/variables/region/enum")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .collect();
        services += &format!(
            "ServiceFacts {{ name: {service:?}, address: {:?}, regions: &{regions:?} }}, ",
            server["url"].as_str().unwrap_or_default()
        );
        for operation in load::operations(&document) {
            let id = operation.id().to_owned();
            match operation.value.get("x-documented").and_then(Value::as_str) {
                None => documented.push(id.clone()),
                Some("unknown") => unknown.push(id.clone()),
                Some(other) => return Err(format!("{id}: `x-documented` is {other}; it can be `unknown` only")),
            }
            if operation.value["deprecated"] == true {
                deprecated.push(id);
            }
        }
    }
    if let Some(index) = selected.iter().position(|count| *count == 0) {
        return Err(format!(
            "actions[{index}]: `{}` selects nothing in any description",
            value["actions"][index]["target"]
        ));
    }
    for (index, action) in value["actions"].as_array().into_iter().flatten().enumerate() {
        for key in ["description", "x-source"] {
            if action.get(key).is_none() {
                return Err(format!("actions[{index}]: no `{key}`"));
            }
        }
    }
    let text = |key: &str| facts[key].as_str().ok_or(format!("x-cloud: no `{key}`"));
    text("summary")?;
    Ok(format!(
        "    Facts {{ name: {name:?}, title: {:?}, code_prefix: {:?}, other_regions: {}, services: &[{services}], \
         documented: &{documented:?}, unknown: &{unknown:?}, deprecated: &{deprecated:?} }},\n",
        value["info"]["title"].as_str().unwrap_or_default(),
        text("code-prefix")?,
        facts["other-regions"] == true,
    ))
}
