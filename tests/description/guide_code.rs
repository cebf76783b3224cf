//! Tests that the code and the messages in guides are those of the crate.
//! Blocks of Rust are doc tests, blocks for a shell are run by `tests/cli/guides.rs`.

#![cfg(all(feature = "emulator", feature = "raw"))]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on shall fail")]

use std::fmt::Write as _;
use std::path::Path;

use huaweicloud_jobs::emulator::Emulator;
use serde_json::{Value, json};

/// Values that the guides assume, in an order in which each can use the earlier ones.
const VALUES: [(&str, &str); 20] = [
    ("m", "session.modelarts()"),
    ("id", "\"1\""),
    ("version_id", "7"),
    ("pre_version_id", "7"),
    ("name", "\"name\""),
    ("text", "\"text\""),
    ("label", "\"label\""),
    ("value", "\"value\""),
    ("train_url", "\"/bucket/\""),
    ("data_type", "given::<LabelingDataType>()"),
    ("job_type", "given::<LabelingJobType>()"),
    ("training", "given::<Training>()"),
    ("versions", "given::<Vec<Entry<TrainingJobVersion, types::TrainingJobVersionSummary>>>()"),
    ("job", "given::<TrainingJob>()"),
    ("version", "given::<TrainingJobVersion>()"),
    ("config", "given::<TrainingJobConfig>()"),
    ("board", "given::<VisualizationJob>()"),
    ("labeling", "given::<LabelingJob>()"),
    ("report", "given::<Report>()"),
    ("bulk", "given::<Bulk<'static, TrainingJobId>>()"),
];

/// The arguments for `..` in a call.
const ARGUMENTS: [(&str, &str); 11] = [
    ("create(..)", "create(\"name\", given::<Training>())"),
    ("region(..)", "region(\"region-1\")"),
    ("project_id(..)", "project_id(\"project\")"),
    ("access_key(..)", "access_key(\"key\", \"secret\")"),
    ("password(..)", "password(\"account\", None, \"password\")"),
    ("endpoint_of(Service::ModelArts, ..)", "endpoint_of(Service::ModelArts, \"https://modelarts.example\")"),
    ("update_descriptions(..)", "update_descriptions(futures_util::stream::empty::<(TrainingJobId, String)>())"),
    ("image(..)", "image(\"image\")"),
    ("command(..)", "command(\"run\")"),
    ("update(..)", "update(\"name\")"),
    ("patience(..)", "patience(std::time::Duration::ZERO)"),
];

/// The beginnings of code, with the part that the guide leaves out before it.
const BEGINNINGS: [(&str, &[&str]); 10] = [
    (
        "",
        &[
            "session.",
            "Session::",
            "m.",
            "job.",
            "version.",
            "versions[",
            "config.",
            "board.",
            "labeling.",
            "report.",
            "bulk.",
            "Code::",
            "Data::",
            "Resources::",
            "Context::",
            "Credentials::",
            "Emulator::",
        ],
    ),
    ("session.modelarts().", &["training_job(", "training_jobs(", "visualization_job(", "labeling_job("]),
    ("session.", &["mrs()"]),
    ("session.modelarts().", &["engines()", "resource_specs()", "built_in_algorithms()"]),
    ("session.modelarts().training_jobs().", &["create(", "list()"]),
    ("session.modelarts().training_jobs().list()", &[".try_next()"]),
    ("Session::builder()", &[".endpoint_of(", ".proxy(", ".no_proxy("]),
    ("given::<TrainingJobVersion>().log_file(\"name\")", &[".follow()"]),
    ("given::<Training>().", &["parameter("]),
    (
        "given::<Error>().",
        &[
            "field()",
            "retry_after()",
            "request_id()",
            "may_have_been_sent()",
            "place()",
            "excerpt()",
            "encoded_authorization_message()",
            "is_",
        ],
    ),
];

/// Spans that look like a call but are not Rust.
const NOT_RUST: [&str; 3] = ["Session(", "Session.", "%(name)s"];

/// Returns the text between backticks outside of blocks.
fn spans(page: &str) -> Vec<String> {
    let text = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(page)).unwrap();
    let (mut prose, mut in_block) = (String::new(), false);
    for line in text.lines() {
        if line.trim_start().starts_with("```") {
            in_block = !in_block;
        } else if !in_block {
            prose += line;
            prose.push(' ');
            // A backtick has its partner in the same paragraph.
            if line.is_empty() && prose.matches('`').count() % 2 == 1 {
                prose.push('`');
            }
        }
    }
    prose.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

/// The pages with code of Rust in their sentences.
fn pages() -> Vec<String> {
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs").read_dir().unwrap();
    let docs = docs.map(|entry| entry.unwrap().file_name().into_string().unwrap()).filter(|name| name.ends_with(".md"));
    let mut pages: Vec<String> = docs.map(|name| format!("docs/{name}")).collect();
    pages.extend(["README.md", "README.zh-CN.md", "ARCHITECTURE.md"].map(str::to_owned));
    pages.sort();
    pages
}

fn compilable(page: &str, span: &str) -> Option<String> {
    // A call has no blank before its arguments, and a name before that.
    let called = span.find('(').is_some_and(|at| span[..at].ends_with(|c: char| c.is_ascii_alphanumeric() || c == '_'));
    let python = span.contains("=..") || NOT_RUST.iter().any(|begin| span.starts_with(begin));
    let literal = span.contains(" {..}") || span.contains("::") && span.contains(" {");
    if python || !(called || literal) {
        return None;
    }
    let mut code = span.to_owned();
    for (placeholder, arguments) in ARGUMENTS {
        code = code.replace(placeholder, arguments);
    }
    let before = BEGINNINGS.iter().find(|(_, begins)| begins.iter().any(|begin| code.starts_with(begin)));
    match before {
        Some((before, _)) => Some(format!("{before}{code}")),
        // A span of another language: a query, a shell, an expression.
        None if span.contains([' ', '|', '$', '\'', '*']) && !literal => None,
        None => panic!("{page}: what is `{span}`? BEGINNINGS and NOT_RUST say it"),
    }
}

#[test]
fn code_within_sentences_and_tables_compiles() {
    let mut file = String::new();
    let mut number = 0;
    for page in pages() {
        for span in spans(&page) {
            let Some(code) = compilable(&page, &span) else { continue };
            let words: Vec<&str> = code.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').collect();
            write!(file, "/// {page}: {span}\nasync fn span_{number}(session: Session) -> Outcome {{\n").unwrap();
            for (name, value) in VALUES.iter().filter(|(name, _)| words.contains(name)) {
                writeln!(file, "    let {name} = {value};").unwrap();
            }
            write!(file, "    let _ = {code};\n    Ok(())\n}}\n\n").unwrap();
            number += 1;
        }
    }
    assert!(number > 60, "{number}");
    // `tests/description/guide_spans.rs` compiles it.
    expectorate::assert_contents(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/guides/spans.txt"), &file);
}

/// The first block of text of a page that begins like this.
fn block(page: &str, begin: &str) -> String {
    let text = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(page)).unwrap();
    let blocks = text.split("```text\n").skip(1).map(|rest| rest.split("```").next().unwrap().trim_end().to_owned());
    blocks.into_iter().find(|block| block.starts_with(begin)).unwrap_or_else(|| panic!("{page} prints no {begin}"))
}

/// The failures that the page on credentials prints, for a user whose home folder is `/home/me`.
#[tokio::test]
async fn the_page_on_credentials_prints_what_the_crate_says() {
    use huaweicloud_jobs::session::credentials::{Chain, Context};

    const HOME: &str = "/home/me";
    let user = Context::empty().home(HOME);
    let error = Chain::default().resolve(&user).await.unwrap_err();
    let printed = block("docs/credentials.md", "no credentials found").replace('\n', " ");
    assert_eq!(printed, error.to_string());

    let half = user.files(|path| match path.strip_prefix(HOME) {
        Ok(path) if path == Path::new(".huaweicloud/credentials") => Ok(b"[basic]\n\nak = EXAMPLEACCESSKEY\n".to_vec()),
        _ => Err(std::io::ErrorKind::NotFound.into()),
    });
    let error = Chain::default().resolve(&half).await.unwrap_err();
    assert_eq!(block("docs/credentials.md", HOME), error.to_string());
}

#[tokio::test]
async fn guides_print_what_the_crate_says() {
    let emulator = Emulator::builder().seed(7).start().await.unwrap();
    let job = emulator.session().unwrap().modelarts().training_job(99).unwrap();
    let error = job.update_description("a better text").await.unwrap_err();
    assert_eq!(block("docs/errors.md", "update_training_job: "), error.to_string());

    let printed: Value = serde_json::from_str(&block("docs/emulator.md", "{\"is_success\":false")).unwrap();
    let session = emulator.session().unwrap();
    let long = json!({"job_desc": "x".repeat(257)});
    let refused = session.request("update_training_job").unwrap().param("job_id", 10).body(long).unchecked();
    let error = refused.send().await.unwrap_err();
    assert_eq!(
        (printed["error_code"].as_str(), printed["error_message"].as_str()),
        (error.code(), Some(error.message()))
    );
}
