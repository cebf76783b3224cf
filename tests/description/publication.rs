//! Tests that published files agree with the descriptions.
#![cfg(feature = "spec")]
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::collections::BTreeSet;
use std::path::Path;

use huaweicloud_jobs::ErrorCode;
use huaweicloud_jobs::spec::{self, compat, deviations};
use serde_json::Value;

fn read(file: &str) -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(file)).unwrap()
}

#[test]
fn readme_is_current() {
    let (current, written) = (read("openapi/README.md"), deviations::readme());
    let line = current.lines().zip(written.lines()).take_while(|(old, new)| old == new).count() + 1;
    assert!(current == written, "openapi/README.md is stale from line {line} on; run `cargo hwjobs spec readme`");
}

#[test]
fn links_of_the_readme_lead_somewhere() {
    let page = read("openapi/README.md");
    let anchors: BTreeSet<String> = page
        .lines()
        .filter(|line| line.starts_with('#'))
        .map(|title| {
            let title = title.trim_start_matches('#').trim().to_lowercase();
            title.chars().filter(|c| c.is_alphanumeric() || " -_".contains(*c)).collect::<String>().replace(' ', "-")
        })
        .collect();
    let mut links = 0;
    for (target, _) in page.split("](").skip(1).filter_map(|rest| rest.split_once(')')) {
        links += 1;
        match target.strip_prefix('#') {
            Some(anchor) => assert!(anchors.contains(anchor), "no heading for #{anchor}"),
            None => {
                assert!(Path::new(env!("CARGO_MANIFEST_DIR")).join("openapi").join(target).exists(), "no file {target}")
            }
        }
    }
    assert!(links > 50, "{links} links found");
}

/// Returns the number of entries under a key in a document.
fn count(value: &Value, key: &str) -> usize {
    match value {
        Value::Object(map) => {
            map.get(key).and_then(Value::as_array).map_or(0, Vec::len)
                + map.values().map(|inner| count(inner, key)).sum::<usize>()
        }
        Value::Array(items) => items.iter().map(|inner| count(inner, key)).sum(),
        _ => 0,
    }
}

#[test]
fn every_deviation_is_listed_and_complete() {
    let mut total = 0;
    for document in spec::documents() {
        let found = deviations::deviations(document.value());
        assert_eq!(found.len(), count(document.value(), "x-deviation"), "{}", document.name());
        for deviation in &found {
            let texts = [deviation.documented, deviation.observed, deviation.decision];
            assert!(texts.iter().all(|text| !text.is_empty()) && !deviation.ids.is_empty(), "{}", deviation.pointer);
        }
        let exempt = deviations::exemptions(document.value());
        assert_eq!(exempt.len(), count(document.value(), "x-no-deviation"), "{}", document.name());
        let decided: BTreeSet<_> = found.iter().flat_map(|deviation| &deviation.ids).collect();
        for exemption in &exempt {
            assert!(!exemption.reason.is_empty() && !exemption.ids.is_empty(), "{}", exemption.operation);
            let both = exemption.ids.iter().find(|id| decided.contains(id));
            assert!(both.is_none(), "{both:?} is decided and called needless, at {}", exemption.operation);
        }
        total += found.len();
    }
    assert!(total > 200, "{total} deviations");
}

/// Every `error_code` in a value.
fn codes(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(map) => {
            if let Some(Value::String(code)) = map.get("error_code") {
                found.insert(code.clone());
            }
            if let Some(Value::Number(code)) = map.get("error").and_then(|error| error.get("code")) {
                found.insert(code.to_string());
            }
            map.values().for_each(|inner| codes(inner, found));
        }
        Value::Array(items) => items.iter().for_each(|inner| codes(inner, found)),
        _ => {}
    }
}

#[test]
fn codes_of_documented_failures_are_described() {
    let mut found = BTreeSet::new();
    for document in spec::documents() {
        for operation in document.operations() {
            for example in document.examples(operation) {
                if let Some((_, body)) = example.response {
                    codes(body, &mut found);
                }
            }
        }
    }
    assert!(found.contains("ModelArts.0105") && found.contains("401"), "{found:?}");
    for code in found {
        let known = ErrorCode::lookup(&code).unwrap_or_else(|| panic!("{code} is in no file of openapi/errors"));
        assert!(known.meaning().is_some(), "{code} has no meaning");
    }
}

/// Texts in quotes that look like an error code.
fn quoted_codes(source: &str) -> impl Iterator<Item = &str> {
    source.split('"').skip(1).step_by(2).filter(|text| {
        let number = text.rsplit('.').next().unwrap_or_default();
        let prefix = &text[..text.len() - number.len()];
        let digits = number.len() >= 4 && number.bytes().all(|byte| byte.is_ascii_digit());
        digits && matches!(prefix, "" | "ModelArts." | "APIG." | "MRS.")
    })
}

#[test]
fn codes_of_the_emulator_are_described() {
    let mut found = BTreeSet::new();
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("src/emulator")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let source = std::fs::read_to_string(&path).unwrap();
                found.extend(source.lines().flat_map(quoted_codes).map(str::to_owned));
            }
        }
    }
    assert!(["APIG.0301", "0176", "ModelArts.0104", "12000068"].iter().all(|code| found.contains(*code)), "{found:?}");
    for code in found {
        let known = ErrorCode::lookup(&code).unwrap_or_else(|| panic!("{code} is in no file of openapi/errors"));
        assert!(known.meaning().is_some(), "{code} has no meaning");
    }
}

fn parse(file: &str) -> Value {
    serde_saphyr::from_str(&read(file)).unwrap()
}

#[test]
fn descriptions_stay_compatible_with_the_released_ones() {
    for document in spec::documents() {
        let released = parse(&format!("openapi/released/{}.yaml", document.name()));
        let changes = compat::compare(&released, document.value());
        if let Err(reason) = compat::allowed(&released, document.value(), &changes) {
            panic!("{}: {reason}; `cargo hwjobs spec compat` lists the changes", document.name());
        }
    }
}

/// The gate on the real files: a field that goes is noticed wherever it is.
#[test]
fn every_field_of_the_descriptions_is_under_the_gate() {
    let mut fields = 0;
    for document in spec::documents() {
        let schemas = document.value()["components"]["schemas"].as_object().unwrap();
        for (name, schema) in schemas {
            let Some(properties) = schema["properties"].as_object() else { continue };
            let mut changed = document.value().clone();
            changed["components"]["schemas"][name]["properties"] = serde_json::json!({});
            let found = compat::compare(document.value(), &changed);
            for field in properties.keys() {
                let end = format!("{field}`");
                let gone = |change: &compat::Change| change.what == "the field is gone" && change.place.ends_with(&end);
                assert!(found.iter().any(gone), "{}: {name}.{field} may go", document.name());
            }
            fields += properties.len();
        }
    }
    assert!(fields > 500, "{fields} fields");
}

#[cfg(feature = "publish")]
mod export {
    use huaweicloud_jobs::Cloud;
    use huaweicloud_jobs::spec::{documents, documents_of, publish};

    use super::*;

    fn exported() -> (tempfile::TempDir, Vec<String>) {
        let folder = tempfile::tempdir().unwrap();
        let files = publish::export(&folder.path().join("public/site")).unwrap();
        (folder, files)
    }

    #[test]
    fn export_writes_what_it_says_and_sums_match() {
        let (folder, files) = exported();
        let site = folder.path().join("public/site");
        // Of each description YAML, JSON, a page, a 3.1 copy; of those of the cloud a view for generators and vectors.
        let of_descriptions = 4 * (documents().len() + 1) + 2 * documents().len();
        // Pages and sums, error codes, what belongs to the vectors, workflows.
        // Each cloud has its overlay in two forms, and each edition three.
        let of_clouds: usize = Cloud::all().map(|cloud| 2 + 3 * documents_of(cloud).len()).sum();
        assert_eq!(files.len(), of_descriptions + 6 + 8 + 3 + 5 + of_clouds, "{files:?}");
        let sums = std::fs::read_to_string(site.join("SHA256SUMS")).unwrap();
        let checked = std::process::Command::new("sha256sum")
            .args(["--check", "--strict", "--quiet", "SHA256SUMS"])
            .current_dir(&site)
            .output()
            .unwrap();
        assert!(checked.status.success(), "{}", String::from_utf8_lossy(&checked.stdout));
        for file in files.iter().filter(|file| *file != "SHA256SUMS") {
            assert!(sums.lines().any(|line| line.ends_with(&format!("  {file}"))), "{file} has no sum");
        }
        // A second export has the same bytes, so exports can be compared.
        let before = std::fs::read(site.join("SHA256SUMS")).unwrap();
        publish::export(&site).unwrap();
        assert_eq!(before, std::fs::read(site.join("SHA256SUMS")).unwrap());
    }

    #[test]
    fn exported_json_and_yaml_say_the_same() {
        let (folder, files) = exported();
        let mut compared = 0;
        let derived = |file: &&str| ["generators/", "3.1/", "workflows/"].iter().any(|folder| file.starts_with(folder));
        for file in files.iter().filter_map(|file| file.strip_suffix(".yaml")).filter(|file| !derived(file)) {
            let text =
                |kind: &str| std::fs::read_to_string(folder.path().join(format!("public/site/{file}.{kind}"))).unwrap();
            let yaml: Value = serde_saphyr::from_str(&text("yaml")).unwrap();
            assert_eq!(yaml, serde_json::from_str::<Value>(&text("json")).unwrap(), "{file}");
            compared += 1;
        }
        let of_clouds: usize = Cloud::all().map(|cloud| 1 + documents_of(cloud).len()).sum();
        assert_eq!(compared, 8 + of_clouds);
    }

    /// The description inside a page.
    fn embedded(page: &str) -> Value {
        let (_, rest) = page.split_once("id=\"description\">").unwrap();
        serde_json::from_str(rest.split_once("</script>").unwrap().0).unwrap()
    }

    fn read_yaml(folder: &tempfile::TempDir, file: &str) -> Value {
        let text = std::fs::read_to_string(folder.path().join("public/site").join(file)).unwrap();
        serde_saphyr::from_str(&text).unwrap()
    }

    /// Every object of a document, with its JSON pointer.
    fn objects<'a>(value: &'a Value, pointer: String, found: &mut Vec<(String, &'a serde_json::Map<String, Value>)>) {
        match value {
            Value::Object(map) => {
                for (key, inner) in map {
                    if !matches!(key.as_str(), "example" | "examples" | "default") && !key.starts_with("x-") {
                        objects(inner, format!("{pointer}/{key}"), found);
                    }
                }
                found.push((pointer, map));
            }
            Value::Array(items) => {
                for (index, inner) in items.iter().enumerate() {
                    objects(inner, format!("{pointer}/{index}"), found);
                }
            }
            _ => {}
        }
    }

    /// What made generated clients wrong is not in the files for generators, whichever schema it would be in.
    #[test]
    fn generators_find_nothing_that_makes_their_types_wrong() {
        let (folder, _) = exported();
        let mut problems = Vec::new();
        for document in documents() {
            let view = read_yaml(&folder, &format!("generators/{}.yaml", document.name()));
            let mut found = Vec::new();
            objects(&view, String::new(), &mut found);
            for (pointer, map) in &found {
                let mut demand = |holds: bool, what: &str| {
                    if !holds {
                        problems.push(format!("{} {pointer}: {what}", document.name()));
                    }
                };
                let parts = |key: &str| map.get(key).and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
                let union = || parts("oneOf").iter().chain(parts("anyOf"));
                let resolved = |part: &Value| spec::load::resolve_whole(&view, part).clone();
                demand(!map.contains_key("not") && parts("oneOf").is_empty(), "a rule or an exclusive union");
                demand(parts("allOf").len() < 2, "a composition");
                demand(
                    union().chain(parts("allOf")).all(|part| part.get("required").is_none()),
                    "a branch that makes fields mandatory",
                );
                let null_inside = union().any(|part| part["nullable"] == true);
                demand(!null_inside || map.get("nullable") == Some(&true.into()), "null that only a union says");
                demand(
                    union().all(|part| !matches!(resolved(part)["type"].as_str(), Some("object" | "array"))),
                    "an object or array in a union",
                );
                if let [part] = parts("allOf") {
                    let null = resolved(part)["nullable"] == true;
                    demand(!null || map.get("nullable") == Some(&true.into()), "null that the property does not say");
                }
                let is_integers = map.get("type") == Some(&"integer".into()) && map.contains_key("enum");
                if is_integers {
                    for names in ["x-enum-varnames", "x-enum-descriptions"] {
                        let named = map.get(names).and_then(Value::as_array).map(Vec::len);
                        demand(named == map["enum"].as_array().map(Vec::len), "numbers without names");
                    }
                }
                demand(map.keys().all(|key| !matches!(key.as_str(), "4XX" | "5XX")), "a range of statuses");
                if pointer.ends_with("/responses") && pointer.starts_with("/paths") {
                    demand(map.contains_key("default"), "no default response");
                }
                if pointer.ends_with("/variables/region") {
                    demand(!map.contains_key("enum"), "regions that clients would insist on");
                }
            }
        }
        assert!(problems.is_empty(), "{} problems:\n{}", problems.len(), problems.join("\n"));
    }

    /// The files for generators take away rules and nothing else: fields and operations are those of the description.
    #[test]
    fn generators_find_every_field() {
        let (folder, _) = exported();
        for document in documents() {
            let view = read_yaml(&folder, &format!("generators/{}.yaml", document.name()));
            for (name, schema) in document.value()["components"]["schemas"].as_object().unwrap() {
                let shown = &view["components"]["schemas"][name];
                for field in schema["properties"].as_object().into_iter().flat_map(serde_json::Map::keys) {
                    assert!(shown["properties"].get(field).is_some(), "{}: {name}.{field}", document.name());
                }
                assert_eq!(shown["required"], schema["required"], "{}: {name}", document.name());
                for rule in schema["x-rules"].as_array().into_iter().flatten().filter_map(Value::as_str) {
                    assert!(shown["description"].as_str().unwrap().contains(rule), "{name}: {rule}");
                }
                let has_rules =
                    schema["allOf"].as_array().is_some_and(|parts| parts.iter().all(|part| part.get("$ref").is_none()));
                assert!(
                    !has_rules || schema["x-rules"].is_array(),
                    "{}: {name} has rules that no text says",
                    document.name()
                );
            }
            let ids = |value: &Value| {
                let operations = spec::load::operations(value);
                operations
                    .map(|operation| {
                        (
                            operation.id().to_owned(),
                            operation.value["responses"]
                                .as_object()
                                .unwrap()
                                .keys()
                                .filter(|status| status.starts_with('2'))
                                .cloned()
                                .collect::<Vec<_>>(),
                        )
                    })
                    .collect::<Vec<_>>()
            };
            assert_eq!(ids(&view), ids(document.value()));
        }
    }

    /// Links between the exported files lead to exported files.
    #[test]
    fn links_lead_to_exported_files() {
        let (folder, files) = exported();
        let site = folder.path().join("public/site");
        let mut links = 0;
        for file in files.iter().filter(|file| file.ends_with(".html") || *file == "README.md") {
            let page = std::fs::read_to_string(site.join(file)).unwrap();
            let (open, close) = if file.ends_with(".html") { ("href=\"", '"') } else { ("](", ')') };
            // The renderer of the references has links of its own.
            let page = page.split("<script>").next().unwrap();
            for (target, _) in page.split(open).skip(1).filter_map(|rest| rest.split_once(close)) {
                let (target, anchor) = target.split_once('#').unwrap_or((target, ""));
                if target.starts_with("https://") {
                    continue;
                }
                links += 1;
                assert!(target.is_empty() || site.join(target).is_file(), "{file} leads to {target}");
                if target.is_empty() && file.ends_with(".html") {
                    assert!(page.contains(&format!("id=\"{anchor}\"")), "{file} has no #{anchor}");
                }
            }
        }
        assert!(links > 150, "{links}");
    }

    /// The vectors are those of the documents, and say everything that a runner needs.
    #[test]
    fn vectors_are_complete() {
        let (folder, _) = exported();
        let mut counts = [0; 3];
        for document in documents() {
            let text = std::fs::read_to_string(
                folder.path().join(format!("public/site/conformance/{}.json", document.name())),
            );
            let vectors: Vec<Value> = serde_json::from_str(&text.unwrap()).unwrap();
            for vector in &vectors {
                let request = &vector["request"];
                assert!(
                    request["path"].as_str().unwrap().starts_with("/v") && !request["path"].to_string().contains('{'),
                    "{vector}"
                );
                let operation = document.operation(vector["operation"].as_str().unwrap()).unwrap();
                assert_eq!(request["method"], operation.method.to_uppercase());
                let for_server = vector["appliesTo"].as_array().unwrap().iter().any(|side| side == "server");
                counts[0] += 1;
                counts[1] += usize::from(for_server);
                counts[2] += usize::from(vector["decodesTo"].get("error").is_some());
            }
            let examples: usize = document.operations().map(|operation| document.examples(operation).len()).sum();
            assert_eq!(vectors.len(), examples, "{}", document.name());
        }
        println!("{} vectors, {} for servers, {} failures", counts[0], counts[1], counts[2]);
        assert_eq!(counts[2], 29);
        let signing = std::fs::read_to_string(folder.path().join("public/site/conformance/signing.json")).unwrap();
        assert!(serde_json::from_str::<Vec<Value>>(&signing).unwrap().len() > 100);
    }

    #[test]
    fn pages_load_nothing() {
        let (folder, files) = exported();
        for file in files.iter().filter(|file| file.ends_with(".html")) {
            let page = std::fs::read_to_string(folder.path().join("public/site").join(file)).unwrap();
            assert!(page.contains("Content-Security-Policy\" content=\"default-src 'none'"), "{file}");
            assert!(!page.contains("connect-src") && !page.contains("cdn.redoc.ly"), "{file}");
            for part in ["<link ", "@import", "src=\"http", "src='http"] {
                assert!(!page.contains(part), "{file} has {part}");
            }
        }
    }

    #[test]
    fn pages_show_every_example_and_deviation() {
        for document in documents() {
            let page = publish::reference(document);
            let shown = embedded(&page);
            for operation in document.operations() {
                let at = &shown["paths"][operation.path][operation.method];
                let text = at.to_string();
                for example in document.examples(operation) {
                    for value in [example.request, example.response.map(|(_, value)| value)].into_iter().flatten() {
                        assert!(text.contains(&value.to_string()), "{}: {}", operation.id(), example.key);
                    }
                    if example.request.is_none() && example.parameters.is_some() {
                        let samples = at["x-codeSamples"].as_array().unwrap();
                        let sample = samples.iter().find(|sample| sample["label"] == example.key).unwrap();
                        let method = operation.method.to_uppercase();
                        let source = sample["source"].as_str().unwrap();
                        assert!(source.starts_with(&format!("{method} /v")) && !source.contains('{'), "{source}");
                    }
                }
            }
            let text = shown.to_string();
            for deviation in deviations::deviations(document.value()) {
                let quoted = serde_json::to_string(deviation.decision).unwrap();
                assert!(text.contains(quoted.trim_matches('"')), "{}", deviation.pointer);
            }
            // Only the renderer's extensions remain.
            let rest = text.split("\"x-").skip(1).find(|rest| !rest.starts_with("codeSamples\""));
            assert!(rest.is_none(), "{:.60}", rest.unwrap_or_default());
        }
    }

    #[test]
    fn rules_between_fields_are_told_in_words() {
        let document = documents().iter().find(|document| document.name() == "modelarts").unwrap();
        let shown = embedded(&publish::reference(document));
        let config = &shown["components"]["schemas"]["TrainingJobConfig"];
        let text = config["description"].as_str().unwrap();
        assert!(text.contains("Exactly one of: `data_url`; `dataset_id`; `data_source`."), "{text}");
        assert!(
            text.contains("At least one of: `model_id`; `user_image_url`; `app_url` and `boot_file_url`."),
            "{text}"
        );
        assert!(config.get("allOf").is_none());
        // Alternatives that are more than rules stay.
        assert!(shown["components"]["schemas"]["IntegerOrText"]["anyOf"].is_array());
    }

    #[test]
    fn the_renderer_is_the_one_that_is_named() {
        let sums = std::process::Command::new("sha256sum")
            .arg("assets/redoc/redoc.standalone.js")
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .output()
            .unwrap();
        let sum = String::from_utf8(sums.stdout).unwrap();
        let page = read("assets/redoc/README.md");
        assert!(page.contains(sum.split(' ').next().unwrap()), "{sum}");
        assert!(
            page.contains("version 2.5.4")
                && read("assets/redoc/redoc.standalone.js.LICENSE.txt").contains("\"2.5.4\"")
        );
    }
}

#[cfg(feature = "cli")]
mod cli {
    use std::process::{Command, Output};

    use super::*;

    fn hwjobs(arguments: &[&str]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_hwjobs")).arg("spec").args(arguments).output().unwrap()
    }

    fn text(bytes: &[u8]) -> &str {
        std::str::from_utf8(bytes).unwrap()
    }

    /// The runner that is exported finds the emulator and a client in order, and says what is wrong with others.
    #[cfg(all(unix, feature = "emulator"))]
    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn the_reference_runner_tells_good_from_bad() {
        let folder = tempfile::tempdir().unwrap();
        assert!(hwjobs(&["export", folder.path().to_str().unwrap()]).status.success());
        let emulator = huaweicloud_jobs::emulator::Emulator::start().await.unwrap();
        let runner = |arguments: &[&str]| {
            let script = folder.path().join("conformance/run.py");
            let output = Command::new("python3").arg(script).args(arguments).env("NO_PROXY", "*").output().unwrap();
            let told = format!("{}{}", text(&output.stdout), text(&output.stderr));
            (output.status.code(), told)
        };
        let endpoint = emulator.endpoint();
        let reset = format!("{endpoint}/_emulator/state");
        let server = |token: &str, only: &str| {
            let project = emulator.project_id();
            runner(&["server", "--token", token, "--project", project, "--only", only, "--reset", &reset, &endpoint])
        };
        for only in ["modelarts/", "mrs/"] {
            let (code, told) = server("emulator-token-not-a-secret", only);
            assert_eq!(code, Some(0), "{told}");
            assert!(told.ends_with("vectors pass\n") && !told.contains("0 of 0"), "{told}");
        }
        let (code, told) = server("wrong", "mrs/show_job/");
        assert!(code == Some(1) && told.contains("status 401, documented 200"), "{told}");

        // A client that sends what is documented and understands what comes; one that loses the code; one that sends nothing.
        let client = |how: &str| {
            let script = folder.path().join("client.py");
            std::fs::write(&script, CLIENT.replace("HOW", how)).unwrap();
            runner(&["client", "--only", "mrs/", "python3", script.to_str().unwrap()])
        };
        let (code, told) = client("good");
        assert_eq!(code, Some(0), "{told}");
        let (code, told) = client("lossy");
        assert!(code == Some(1) && told.contains("value.job is missing"), "{told}");
        let (code, told) = client("silent");
        assert!(code == Some(1) && told.contains("sent []"), "{told}");
    }

    /// A client of a few lines: it sends a vector's request and prints what comes back.
    #[cfg(all(unix, feature = "emulator"))]
    const CLIENT: &str = r#"
import json, os, sys, urllib.parse, urllib.request
vector, how = json.load(sys.stdin), "HOW"
request = vector["request"]
url = os.environ["CONFORMANCE_URL"] + request["path"] + "?" * bool(request["query"]) + urllib.parse.urlencode(dict(request["query"]))
body = json.dumps(request["body"]).encode() if "body" in request else None
if how == "silent":
    sys.exit()
answer = urllib.request.urlopen(urllib.request.Request(url, body, request["headers"], method=request["method"]))
text = answer.read()
print(json.dumps({"value": json.loads(text) if text and how == "good" else {}}))
"#;

    #[test]
    fn list_names_what_show_prints() {
        let listed = hwjobs(&["list"]);
        let names: Vec<_> = text(&listed.stdout).lines().map(|line| line.split(' ').next().unwrap()).collect();
        assert_eq!(names, ["iam", "modelarts", "mrs"]);
        assert!(text(&listed.stdout).contains("32 operations"));
        for name in names {
            assert_eq!(text(&hwjobs(&["show", name]).stdout), read(&format!("openapi/{name}.yaml")));
            let json: Value = serde_json::from_slice(&hwjobs(&["show", name, "--format", "json"]).stdout).unwrap();
            assert_eq!(json["openapi"], "3.0.3");
        }
        let unknown = hwjobs(&["show", "obs"]);
        assert_eq!(unknown.status.code(), Some(2));
        assert!(text(&unknown.stderr).contains("[possible values: iam, modelarts, mrs]"), "{}", text(&unknown.stderr));
    }

    #[test]
    fn a_stale_readme_fails_the_check_until_it_is_written() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("README.md");
        let file = file.to_str().unwrap();
        std::fs::write(file, read("openapi/README.md").replace("C001", "C999")).unwrap();
        let stale = hwjobs(&["readme", "--check", "--file", file]);
        assert_eq!(stale.status.code(), Some(1));
        assert!(text(&stale.stdout).contains("`cargo hwjobs spec readme` rewrites it"), "{}", text(&stale.stdout));
        assert!(hwjobs(&["readme", "--file", file]).status.success());
        assert!(hwjobs(&["readme", "--check", "--file", file]).status.success());
        assert_eq!(hwjobs(&["readme", "--check", "--file", "/nowhere/README.md"]).status.code(), Some(2));
    }

    #[test]
    fn export_leaves_the_files_of_others_alone() {
        let folder = tempfile::tempdir().unwrap();
        let mine = folder.path().join("README.md");
        std::fs::write(&mine, "my own page").unwrap();
        let refused = hwjobs(&["export", folder.path().to_str().unwrap()]);
        assert_eq!(refused.status.code(), Some(1));
        assert!(
            text(&refused.stderr).contains("README.md is there and not from an export"),
            "{}",
            text(&refused.stderr)
        );
        assert_eq!(std::fs::read_to_string(&mine).unwrap(), "my own page");
        assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 1);
    }

    #[test]
    fn export_that_was_cut_off_can_be_repeated() {
        let folder = tempfile::tempdir().unwrap();
        let arguments = ["export", folder.path().to_str().unwrap()];
        assert!(hwjobs(&arguments).status.success());
        // The sums come last.
        for file in ["SHA256SUMS", "mrs.html", "modelarts.yaml"] {
            std::fs::remove_file(folder.path().join(file)).unwrap();
        }
        assert!(hwjobs(&arguments).status.success());
        assert!(folder.path().join("SHA256SUMS").exists());
    }

    #[test]
    fn export_says_where_it_wrote() {
        let folder = tempfile::tempdir().unwrap();
        let output = hwjobs(&["export", folder.path().to_str().unwrap()]);
        assert!(output.status.success() && text(&output.stdout).ends_with("begin with index.html\n"));
        assert!(folder.path().join("index.html").exists());
        let file = folder.path().join("index.html/under-a-file");
        let refused = hwjobs(&["export", file.to_str().unwrap()]);
        assert_eq!(refused.status.code(), Some(1));
        assert!(text(&refused.stderr).contains("under-a-file: "), "{}", text(&refused.stderr));
    }

    #[test]
    fn compat_names_changes_and_refuses_breaking_ones() {
        let root = env!("CARGO_MANIFEST_DIR");
        let (released, working) = (format!("{root}/openapi/released"), format!("{root}/openapi"));
        let same = hwjobs(&["compat", &working, &working]);
        let now = spec::documents().iter().find(|document| document.name() == "mrs").unwrap();
        let now = now.value()["info"]["version"].as_str().unwrap();
        let next = format!("0.{}.0", now.split('.').nth(1).unwrap().parse::<u32>().unwrap() + 1);
        assert!(
            same.status.success()
                && text(&same.stdout).contains(&format!("mrs {now} -> {now}: 0 breaking, 0 additive: ok\n"))
        );
        assert!(hwjobs(&["compat", &released, &working]).status.success());

        let folder = tempfile::tempdir().unwrap();
        let (old, new) = (format!("{root}/openapi/mrs.yaml"), folder.path().join("mrs.yaml"));
        let renamed = read("openapi/mrs.yaml").replace("operationId: update_job\n", "operationId: patch_job\n");
        std::fs::write(&new, &renamed).unwrap();
        let refused = hwjobs(&["compat", &old, new.to_str().unwrap()]);
        assert_eq!(refused.status.code(), Some(1));
        assert_eq!(
            text(&refused.stdout),
            format!(
                "mrs: breaking: update_job: the operation is called `patch_job`\n\
                 mrs {now} -> {now}: 1 breaking, 0 additive: rejected: \
                 1 breaking changes since {now} need the version {next}, not {now}\n"
            )
        );
        let bumped = renamed.replace(&format!("  version: {now}\n"), &format!("  version: {next}\n"));
        std::fs::write(&new, bumped).unwrap();
        assert!(hwjobs(&["compat", &old, new.to_str().unwrap()]).status.success());

        let nothing = hwjobs(&["compat", folder.path().join("none").to_str().unwrap(), &working]);
        assert_eq!(nothing.status.code(), Some(2));
        // Released, and gone since.
        std::fs::remove_file(&new).unwrap();
        assert_eq!(hwjobs(&["compat", &old, new.to_str().unwrap()]).status.code(), Some(2));
    }
}
