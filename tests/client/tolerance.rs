//! Tests of tolerance: any response becomes a value or an error with a place, never a panic. A response may lack all
//! fields but its subject, and may print values in another form.

#![cfg(feature = "spec")]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on shall fail")]

use crate::fixtures;
use std::collections::BTreeSet;

use crate::common::{Act, PROJECT, Server, head};
use crate::drivers::drivers;
use crate::fixtures::Spot;
use huaweicloud_jobs::modelarts::types::{LabelingDataType, LabelingJobType};
use huaweicloud_jobs::mrs::JobExeType;
use huaweicloud_jobs::mrs::types::{DataSourceTypeForRequest, JobTypeForCreate};
use huaweicloud_jobs::spec::{self, Document, load};
use huaweicloud_jobs::{Error, ErrorKind, Session};
use proptest::prelude::*;
use serde_json::{Map, Value, json};

/// Any JSON, with field names of real responses among its keys.
fn any_json() -> impl Strategy<Value = Value> {
    let key = prop_oneof![
        4 => proptest::sample::select(vec!["job", "jobs", "versions", "job_id", "is_success", "error_code", "error", "id", "name", "libs", "type"]),
        1 => proptest::sample::select(vec!["x", "message", "code"]),
    ];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(|number| json!(number)),
        ".{0,8}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 32, 6, move |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::vec((key.clone(), inner), 0..6)
                .prop_map(|fields| fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()),
        ]
    })
}

fn any_body() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        proptest::collection::vec(any::<u8>(), 0..200),
        any_json().prop_map(|json| json.to_string().into_bytes()),
        (any_json(), 0..50usize).prop_map(|(json, cut)| {
            let mut bytes = json.to_string().into_bytes();
            bytes.truncate(bytes.len().saturating_sub(cut));
            bytes
        }),
    ]
}

/// Sends four kinds of call; each error must name its operation, and a decoding one the place.
async fn call_all(status: u16, body: &[u8]) -> Vec<Error> {
    let mut answer = head(status, "x-request-id: req-7\r\n", body.len()).into_bytes();
    answer.extend_from_slice(body);
    let server = Server::raw(answer).await;
    let session = server.session();
    let (modelarts, mrs) = (session.modelarts(), session.mrs());
    let training = modelarts.training_job(1).unwrap();
    let mut errors = Vec::new();
    errors.extend(training.update_description("x").await.err());
    errors.extend(training.versions().list().try_collect::<Vec<_>>().await.err());
    errors.extend(modelarts.visualization_job(1).unwrap().show().await.err());
    errors.extend(modelarts.labeling_jobs().list().try_collect::<Vec<_>>().await.err());
    errors.extend(mrs.job("x").unwrap().update().send().await.err());
    errors
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn nonsense_is_an_error_that_names_operation_and_place(
        status in prop_oneof![Just(200_u16), Just(202), Just(204), Just(400), Just(401), Just(404), Just(500), 200..600_u16],
        body in any_body(),
    ) {
        // These statuses have no body in HTTP.
        prop_assume!(status != 204 && status != 304 || body.is_empty());
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        for error in runtime.block_on(call_all(status, &body)) {
            prop_assert!(error.operation().is_some(), "{error:?}");
            prop_assert_eq!(error.status().map(|status| status.as_u16()), Some(status), "{:?}", error);
            prop_assert_eq!(error.request_id(), Some("req-7"), "{:?}", error);
            prop_assert_eq!(error.to_string().lines().count(), 1, "{}", error);
            if error.kind() == ErrorKind::Decode {
                prop_assert!(error.place().is_some(), "{error:?}");
            }
        }
    }
}

/// What responses are about, and so may not lack: for each operation the field, and the id of what is in it; where a
/// response only confirms, that it does.
const ESSENTIAL: &str = "
create_token: token
list_projects: projects[].id
list_auth_projects: projects[].id
create_training_job: job_id
list_training_jobs: jobs[].job_id
update_training_job: is_success
delete_training_job: is_success
create_training_job_version: version_id
list_training_job_versions: versions[].version_id
show_training_job_version: version_id
delete_training_job_version: is_success
stop_training_job_version: is_success
list_training_job_log_files: log_file_list[]
create_training_job_config: is_success
list_training_job_configs: configs[].config_name
show_training_job_config: config_name
update_training_job_config: is_success
delete_training_job_config: is_success
list_built_in_algorithms: models[]
list_job_resource_specs: specs[]
list_job_ai_engines: engines[]
create_visualization_job: job_id
list_visualization_jobs: jobs[].job_id
show_visualization_job: job_id
update_visualization_job: is_success
delete_visualization_job: is_success
stop_visualization_job: is_success
restart_visualization_job: is_success
create_annotation_job: job_id
list_annotation_jobs: jobs[].id
show_annotation_job_validation: images[]
create_job: job.id
list_jobs: jobs[].id
show_job: job.id
update_job: job.id
execute_job: job_execution.id
list_job_executions: job_executions[].id
show_job_execution: job_execution.id
cancel_job_execution: job_execution.id
submit_job: job_execution.id
list_job_exes: job_executions[].id
show_job_exe: job_execution.id
create_job_binary: job_binary.id
list_job_binaries: binaries[].id
show_job_binary: job_binary.id
update_job_binary: job_binary.id
create_data_source: data_source.id
list_data_sources: data_sources[].id
show_data_source: data_source.id
update_data_source: data_source.id
";

/// Formats a subject for the table above.
fn written(subject: load::Subject<'_>) -> String {
    let list = if subject.is_list { "[]" } else { "" };
    match (subject.field, subject.key) {
        (Some(field), Some(id)) => format!("{field}{list}.{id}"),
        (Some(field), None) => format!("{field}{list}"),
        (None, id) => id.unwrap_or_default().to_owned(),
    }
}

#[test]
fn what_responses_are_about_is_the_list_above() {
    let mut found = String::from("\n");
    for document in spec::documents() {
        for operation in document.operations() {
            if let Some(subject) = operation.subject(document.value()) {
                found += &format!("{}: {}\n", operation.id(), written(subject));
            }
        }
    }
    assert_eq!(found, ESSENTIAL);
}

/// A value with every field that a schema describes.
fn whole(schema: &Spot<'static>) -> Value {
    let parts = schema.parts();
    let keyword = |key: &str| parts.iter().find_map(|part| part.value.get(key));
    if let Some(value) = keyword("enum").and_then(|values| values.get(0)) {
        return value.clone();
    }
    let holders: Vec<_> = parts.iter().filter(|part| part.is_object()).collect();
    if !holders.is_empty() {
        let fields = holders.iter().flat_map(|holder| holder.properties());
        // A success does not contain the fields of an error.
        let fields = fields.filter(|(name, _)| !name.starts_with("error_"));
        return fields.map(|(name, field)| (name.to_owned(), whole(&field))).collect::<Map<_, _>>().into();
    }
    if let Some(items) = schema.items() {
        return json!([whole(&items)]);
    }
    match schema.types().into_iter().find(|kind| *kind != "null") {
        Some("integer") => json!(7),
        Some("number") => json!(0.5),
        Some("boolean") => json!(true),
        Some("object") | None => json!({"any": 1}),
        Some(_) => json!("7"),
    }
}

/// A mutation of a response that clients must accept.
struct Variant {
    what: String,
    body: Value,
    /// Returns whether the response has lost its subject.
    useless: bool,
    /// Returns whether the response has lost its subject, for a parser of single list items.
    unusable: bool,
}

/// The response with each field removed, with each set to null, and with each scalar printed in another way.
fn variants(document: &'static Document, operation: load::Operation<'static>, body: &Value) -> Vec<Variant> {
    let mut found = Vec::new();
    let mut add = |what: &str, pointer: &str, body: Value, useless: bool, unusable: bool| {
        found.push(Variant { what: format!("{what} {pointer}"), body, useless, unusable });
    };
    let subject = operation.subject(document.value());
    let (_, response) = fixtures::responses(document, operation)
        .into_iter()
        .find(|(status, _)| status.starts_with('2'))
        .expect("every operation succeeds somehow");
    let schema = fixtures::body_schema(&response).expect("the caller has a body for it");
    fixtures::walk(&schema, body, "", &mut |pointer, spot, value| {
        // One item of a list stands for all.
        if pointer.split('/').any(|name| name.parse::<usize>().is_ok_and(|index| index > 0)) {
            return;
        }
        let names: Vec<&str> = pointer.split('/').skip(1).filter(|name| name.parse::<usize>().is_err()).collect();
        let (parent, name) = pointer.rsplit_once('/').unwrap_or_default();
        let replaced = |with: Value| {
            let mut body = body.clone();
            *body.pointer_mut(pointer).expect("the walk found it") = with;
            body
        };
        if !names.is_empty() && name.parse::<usize>().is_err() {
            let is_field = |subject: &load::Subject<'_>| subject.field.is_some() && names == [subject.field.unwrap()];
            let is_list = subject.is_some_and(|subject| subject.is_list);
            let field = subject.is_some_and(|subject| is_field(&subject));
            let id = subject.is_some_and(|subject| {
                let path: Vec<&str> = subject.field.into_iter().chain(subject.key).collect();
                subject.key.is_some() && names == path
            });
            let mut without = body.clone();
            without
                .pointer_mut(parent)
                .and_then(Value::as_object_mut)
                .expect("a field has an object")
                .shift_remove(name);
            add("without", pointer, without, field || id, field || (id && !is_list));
            // Some services print an empty list as null.
            add("null", pointer, replaced(Value::Null), field && !is_list || id, (field || id) && !is_list);
        }
        match value {
            Value::Number(number) => {
                add("text for", pointer, replaced(json!(number.to_string())), false, false);
                let is_field = name.parse::<usize>().is_err();
                let is_id = subject.is_some_and(|subject| subject.key == Some(name));
                if is_field && !is_id && spot.types().contains(&"integer") {
                    add("empty text for", pointer, replaced(json!("")), false, false);
                }
            }
            Value::Bool(value) => {
                add("text for", pointer, replaced(json!(value.to_string())), false, false);
                add("capital text for", pointer, replaced(json!(if *value { "True" } else { "False" })), false, false);
            }
            Value::String(_)
                if !spot.types().iter().any(|kind| matches!(*kind, "object" | "array" | "boolean"))
                    && spot.keyword("format") != Some(&json!("password")) =>
            {
                add("number for", pointer, replaced(json!(7)), false, false);
                if !spot.types().iter().any(|kind| matches!(*kind, "integer" | "number")) {
                    add("truth value for", pointer, replaced(json!(true)), false, false);
                }
            }
            Value::Object(_) => {
                let mut more = value.clone();
                more["field_of_tomorrow"] = json!({"a": [1]});
                add("a new field in", pointer, replaced(more), false, false);
            }
            _ => {}
        }
    });
    found
}

#[tokio::test]
async fn an_id_that_no_request_can_use_is_a_fault_of_the_response() {
    for id in ["", " ", ".", "..", "a/b", "a\\b", "a\u{7}b"] {
        let object = json!({"id": id});
        let mut body = json!({"is_success": true, "job_id": id, "configs": [{"config_name": id}], "totalRecord": 1});
        for field in ["job", "job_binary", "data_source", "job_execution"] {
            body[field] = object.clone();
        }
        for field in ["jobs", "binaries", "data_sources", "job_executions"] {
            body[field] = json!([object]);
        }
        let server = Server::json(200, &body.to_string()).await;
        let session = server.session();
        let (modelarts, mrs) = (session.modelarts(), session.mrs());
        let job = mrs.job("7").unwrap();
        let submit = mrs.job_exes().submit("n", JobExeType::MapReduce, "cluster").jar_path("/a.jar");
        let (data, kind) = (LabelingDataType::Obs, LabelingJobType::ManualImageClassify);
        let errors = [
            mrs.jobs().create("n", JobTypeForCreate::MapReduce).libs(["a"]).send().await.err(),
            mrs.job_binaries().create("n", "/a.jar", "").send().await.err(),
            mrs.data_sources().create("n", "/data", DataSourceTypeForRequest::Hdfs).send().await.err(),
            job.execute("cluster", "in", "out").send().await.err(),
            submit.arguments("a").input("/in").output("/out").job_log("/log").send().await.err(),
            modelarts.labeling_jobs().create("n", data, kind).send().await.err(),
            mrs.jobs().list().try_next().await.err(),
            mrs.job_binaries().list().try_next().await.err(),
            mrs.data_sources().list().try_next().await.err(),
            mrs.executions().list().try_next().await.err(),
            mrs.job_exes().list("cluster").try_next().await.err(),
            modelarts.labeling_jobs().list().try_next().await.err(),
            modelarts.training_job_configs().list().try_next().await.err(),
        ];
        let errors: Vec<Error> = errors.into_iter().map(|error| error.expect("the id leads elsewhere")).collect();
        assert_eq!(server.arrived().len(), errors.len());
        for error in &errors {
            assert_eq!((error.kind(), error.may_have_been_sent()), (ErrorKind::Decode, true), "{error}");
            assert!(error.place().is_some_and(|place| place.ends_with("id") || place.ends_with("name")), "{error:?}");
        }
        let operations: Vec<_> = errors.iter().filter_map(Error::operation).collect();
        let creators = ["create_job", "create_job_binary", "create_data_source", "execute_job", "submit_job"];
        assert_eq!(operations[..5], creators);
        assert_eq!(operations.len(), errors.len());
        for (index, told) in
            [(0, "the request was carried out"), (3, "the work was started"), (4, "the work was started")]
        {
            assert!(errors[index].to_string().contains(told), "{}", errors[index]);
        }
    }
}

#[tokio::test]
async fn a_response_may_lack_all_but_what_it_is_about() {
    let mut problems = BTreeSet::new();
    let mut tried = 0;
    for driver in drivers() {
        let (document, operation) = spec::operation(driver.id).unwrap();
        let Some(schema) = operation.success_schema(document.value()) else { continue };
        let status = document.success_status(operation).unwrap();
        let name = load::component(document.value(), schema).expect("responses are components");
        let whole = whole(&Spot::at(document, &format!("/components/schemas/{name}")));
        let examples = document.examples(operation);
        let request = examples.iter().find(|example| example.parameters.is_some()).unwrap();
        let mut parameters = request.parameters.unwrap().clone();
        parameters.entry("project_id").or_insert_with(|| json!(PROJECT));
        let documented = examples.iter().filter_map(|example| example.response);
        let documented = documented.filter(|(status, _)| status.starts_with('2')).map(|(_, body)| body);
        let bodies: Vec<&Value> = [&whole].into_iter().chain(documented).collect();
        let variants: Vec<_> = bodies.into_iter().flat_map(|body| variants(document, operation, body)).collect();
        let acts = variants.iter().map(|variant| {
            let body = variant.body.to_string();
            let length = body.len();
            Act::Keep(format!("HTTP/1.1 {status} Status\r\ncontent-length: {length}\r\n\r\n{body}").into_bytes())
        });
        let server = Server::acting(acts).await;
        let session = server.session();
        for Variant { what, body, useless, unusable } in &variants {
            tried += 1;
            let read = (driver.send)(&session, &parameters, request.request).await;
            match (read, useless) {
                (Err(error), false) => _ = problems.insert(format!("{} {what}: {error}", driver.id)),
                (Ok(_), true) => _ = problems.insert(format!("{} {what}: is read", driver.id)),
                _ => {}
            }
            match (operation.usable(document.value(), body), unusable) {
                (Err(reason), false) => _ = problems.insert(format!("{} {what}, raw: {reason:?}", driver.id)),
                (Ok(()), true) => _ = problems.insert(format!("{} {what}, raw: is read", driver.id)),
                _ => {}
            }
        }
    }
    println!("{tried} variants of responses");
    let all: Vec<_> = problems.iter().map(String::as_str).collect();
    assert!(problems.is_empty(), "{} of {tried}:\n{}", problems.len(), all.join("\n"));
    assert!(tried > 2000, "{tried}");
}

#[tokio::test]
async fn what_a_response_lacks_reads_as_empty() {
    let server = Server::json(200, "{}").await;
    let job = server.session().modelarts().labeling_job("a").unwrap();
    assert_eq!(job.update("name").send().await.unwrap().job_id, "");
    let server = Server::json(202, r#"{"job": {"id": "a", "mains": [{}]}}"#).await;
    let job = server.session().mrs().job("a").unwrap().show().await.unwrap();
    assert_eq!((job.name.as_str(), job.type_.as_str(), job.tenant_id), ("", "", None));
    let server = Server::json(200, r#"{"is_success": true, "jobs": null}"#).await;
    let jobs: Vec<_> = server.session().modelarts().training_jobs().list().try_collect().await.unwrap();
    assert!(jobs.is_empty());
    // Sahara has no `markers` where all fits on one page.
    let server = Server::json(200, r#"{"binaries": [{"id": "a", "name": "a.jar"}, {"id": "b"}]}"#).await;
    let binaries: Vec<_> = server.session().mrs().job_binaries().list().try_collect().await.unwrap();
    assert_eq!(binaries.len(), 2);
}

#[tokio::test]
async fn a_project_is_found_without_links() {
    let body = r#"{"projects": [{"id": "p3", "name": "ap-southeast-1", "domain_id": "d"}, {"id": "p4"}]}"#;
    let server = Server::json(200, body).await;
    let session = Session::builder().endpoint(&server.endpoint).token("t").project_name("ap-southeast-1");
    assert_eq!(session.connect().await.unwrap().project_id().as_str(), "p3");
}

/// Returns the undescribed parts of a value.
fn undescribed(schema: &Spot<'static>, value: &Value) -> Vec<String> {
    let mut found = Vec::new();
    fixtures::walk(schema, value, "", &mut |pointer, spot, value| {
        let parts = fixtures::applicable(spot, value);
        let open = parts.iter().any(|part| part.value.get("additionalProperties").is_some_and(|more| *more != false));
        let known: BTreeSet<&str> = parts.iter().flat_map(|part| part.properties()).map(|(name, _)| name).collect();
        let names = value.as_object().into_iter().flatten().map(|(name, _)| name.as_str());
        if !open {
            found.extend(names.filter(|name| !known.contains(name)).map(|name| format!("{pointer}/{name}")));
        }
    });
    found
}

/// A recorded response of Open Telekom Cloud, with made-up names: it has more than the tables, and nulls.
#[test]
fn a_recorded_version_is_as_described() {
    let version: Value = serde_json::from_str(include_str!("../fixtures/otc_training_job_version.json")).unwrap();
    let of_version = |name: &str| !matches!(name, "is_success" | "job_id" | "job_name" | "job_desc");
    let (inner, mut list): (Map<_, _>, Map<_, _>) =
        version.as_object().unwrap().clone().into_iter().partition(|(name, _)| of_version(name));
    list.insert("version_count".to_owned(), json!(1));
    list.insert("versions".to_owned(), json!([inner]));
    for (id, body) in [("show_training_job_version", version), ("list_training_job_versions", list.into())] {
        let (document, operation) = spec::operation(id).unwrap();
        let name = load::component(document.value(), operation.success_schema(document.value()).unwrap()).unwrap();
        let schema = Spot::at(document, &format!("/components/schemas/{name}"));
        let validator = fixtures::validator(document, schema.value);
        let broken: Vec<_> =
            validator.iter_errors(&body).map(|error| format!("{}: {error}", error.instance_path())).collect();
        assert_eq!(broken, [""; 0], "{id}");
        assert_eq!(undescribed(&schema, &body), [""; 0], "{id}");
    }
}
