//! Clouds: overlays, the editions that they make, and each part of the crate that follows them.
#![cfg(all(feature = "publish", feature = "contract", feature = "emulator", feature = "raw"))]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on shall fail")]

use std::collections::BTreeMap;
use std::sync::Arc;

use huaweicloud_jobs::contract::{Format, Matrix, Plan, Report, Runner};
use huaweicloud_jobs::emulator::Emulator;
use huaweicloud_jobs::spec::differences::differences;
use huaweicloud_jobs::spec::overlay::Overlay;
use huaweicloud_jobs::spec::{self, Document, clouds, load, publish};
use huaweicloud_jobs::{Cloud, Documented, ErrorKind, Session};
use serde_json::{Value, json};

/// The token of emulators here.
const TOKEN: &str = "a-token-of-this-test";

fn cloud(name: &str) -> Cloud {
    name.parse().unwrap()
}

fn yaml(text: &str) -> Value {
    serde_saphyr::from_str(text).unwrap()
}

fn overlay(actions: &str) -> Overlay {
    Overlay::parse(&yaml(&format!("overlay: 1.0.0\ninfo: {{ title: A test, version: 1.0.0 }}\nactions:\n{actions}")))
        .unwrap()
}

fn applied(document: &str, actions: &str) -> Value {
    let mut document = yaml(document);
    overlay(actions).apply(&mut document).unwrap();
    document
}

/// The examples of the OpenAPI Overlay Specification 1.0.0, and those of its repository's `compliant-sets`.
#[test]
fn the_examples_of_the_specification_hold() {
    let structured = applied(
        "paths: { '/': { get: {} }, '/pets': { get: { summary: Old }, post: {} } }",
        "
  - target: '$'
    update:
      info: { x-overlay-applied: structured-overlay }
      paths:
        '/': { summary: The root resource, get: { summary: Retrieve the root resource, x-rate-limit: 100 } }
        '/pets': { get: { summary: Retrieve a list of pets, x-rate-limit: 100 } }",
    );
    assert_eq!(
        structured,
        yaml(
            "
paths:
  '/': { get: { summary: Retrieve the root resource, x-rate-limit: 100 }, summary: The root resource }
  '/pets': { get: { summary: Retrieve a list of pets, x-rate-limit: 100 }, post: {} }
info: { x-overlay-applied: structured-overlay }"
        )
    );
    let targeted = applied(
        "paths: { /foo: { get: {} }, /bar: { get: { description: Old }, post: { summary: Kept } } }",
        "
  - target: $.paths['/foo'].get
    update: { description: This is the new description }
  - target: $.paths['/bar'].get
    update: { description: This is the updated description }
  - target: $.paths['/bar']
    update: { post: { description: This is an updated description of a child object, x-safe: false } }",
    );
    assert_eq!(
        targeted,
        yaml(
            "
paths:
  /foo: { get: { description: This is the new description } }
  /bar:
    get: { description: This is the updated description }
    post: { summary: Kept, description: This is an updated description of a child object, x-safe: false }"
        )
    );
    let wildcard = applied(
        "
paths:
  /a: { get: { parameters: [{ name: filter, in: query, schema: { $ref: old } }, { name: filter, in: header, schema: {} }] } }
  /b: { get: {}, put: {} }",
        "
  - target: $.paths.*.get
    update: { x-safe: true }
  - target: $.paths.*.get.parameters[?@.name=='filter' && @.in=='query']
    update: { schema: { $ref: '/components/schemas/filterSchema' } }",
    );
    assert_eq!(
        wildcard,
        yaml(
            "
paths:
  /a:
    get:
      parameters:
        - { name: filter, in: query, schema: { $ref: '/components/schemas/filterSchema' } }
        - { name: filter, in: header, schema: {} }
      x-safe: true
  /b: { get: { x-safe: true }, put: {} }"
        )
    );
    let document = "paths: { /a: { get: { parameters: [{ name: dummy }, { name: kept }, { name: dummy }] } } }";
    let added = applied(document, "  - { target: $.paths.*.get.parameters, update: { name: newParam, in: query } }");
    assert_eq!(added["paths"]["/a"]["get"]["parameters"][3], json!({"name": "newParam", "in": "query"}));
    let removed = applied(document, "  - { target: \"$.paths.*.get.parameters[?@.name == 'dummy']\", remove: true }");
    assert_eq!(removed["paths"]["/a"]["get"]["parameters"], json!([{"name": "kept"}]));
    // compliant-sets: remove-example (a primitive), remove-matching-responses, remove-property, remove-server, and an array
    // that is replaced by a removal and an update.
    let sets = applied(
        "
servers: [{ url: one, description: Dev }, { url: two }]
paths: { /l: { get: { responses: { '200': { properties: { a: { type: string }, b: { type: number } } }, '500': {}, default: {} } } } }
components: { schemas: { B: { properties: { building: { example: House, type: string } } } } }
tags: [one, two]",
        "
  - { target: \"$.components.schemas.B.properties['building'].example\", remove: true }
  - { target: \"$.paths..responses['500']\", remove: true }
  - { target: \"$.paths..responses['default']\", remove: true }
  - { target: \"$.paths['/l'].get.responses['200']..properties[?(@.type == 'string')]\", remove: true }
  - { target: \"$.servers[?( @.description == 'Dev' )]\", remove: true }
  - { target: $.tags, remove: true }
  - { target: $, update: { tags: [three] } }",
    );
    assert_eq!(
        sets,
        yaml(
            "
servers: [{ url: two }]
paths: { /l: { get: { responses: { '200': { properties: { b: { type: number } } } } } } }
components: { schemas: { B: { properties: { building: { type: string } } } } }
tags: [three]"
        )
    );
}

#[test]
fn overlays_that_are_wrong_are_rejected_with_the_place() {
    let good = json!({"overlay": "1.0.0", "info": {"title": "t", "version": "1"}, "actions": [{"target": "$", "remove": false, "update": {}}]});
    assert!(Overlay::parse(&good).is_ok());
    let broken = |change: fn(&mut Value)| {
        let mut overlay = good.clone();
        change(&mut overlay);
        Overlay::parse(&overlay).unwrap_err().to_string()
    };
    for (change, reason) in [
        (
            (|overlay| overlay["overlay"] = json!("2.0.0")) as fn(&mut Value),
            "the version is 2.0.0; only 1.0 is supported",
        ),
        (|overlay| overlay["actions"] = json!([]), "`actions` is missing, empty or not a list"),
        (|overlay| overlay["action"] = json!([]), "the field `action` is unknown"),
        (
            |overlay| drop(overlay["info"].as_object_mut().unwrap().remove("version")),
            "info: `version` is missing or not a text",
        ),
        (|overlay| overlay["actions"][0]["target"] = json!("$.["), "actions[0]: `target` is not a JSONPath"),
        (|overlay| overlay["actions"][0]["remove"] = json!("yes"), "actions[0]: `remove` is neither true nor false"),
        (|overlay| overlay["actions"][0] = json!({"target": "$"}), "actions[0]: it has neither `update` nor `remove`"),
    ] {
        let found = broken(change);
        assert!(found.starts_with(reason), "{found}");
    }
    let mut document = json!({"a": {"b": 1}});
    let error = overlay("  - { target: $.a, update: { b: { c: 1 } } }").apply(&mut document).unwrap_err();
    assert_eq!(error.to_string(), "actions[0]: b: the update is of another kind than what is there");
}

/// All documents of all clouds.
fn editions() -> impl Iterator<Item = (Cloud, &'static Document)> {
    Cloud::all().flat_map(|cloud| spec::documents_of(cloud).iter().map(move |document| (cloud, document)))
}

#[test]
fn editions_are_whole() {
    let mut problems = Vec::new();
    for (cloud, document) in editions() {
        let text = document.value().to_string();
        for part in text.split("\"$ref\":\"").skip(1) {
            let reference = part.split('"').next().unwrap();
            if load::target(document.value(), reference).is_none() {
                problems.push(format!("{} {}: {reference} leads nowhere", cloud.name(), document.name()));
            }
        }
        for operation in document.operations() {
            let name = format!("{} {}", cloud.name(), operation.id());
            let base = spec::operation(operation.id()).unwrap();
            if (base.1.path, base.1.method) != (operation.path, operation.method) {
                problems.push(format!("{name}: is elsewhere"));
            }
            let valid = |schema: Option<&Value>, value: &Value, what: &str| {
                let schema = document.json_schema(schema?);
                let error = jsonschema::validator_for(&schema).unwrap().validate(value).err()?.to_string();
                Some(format!("{name} {what}: {error}"))
            };
            for example in document.examples(operation) {
                let key = example.key;
                problems.extend(example.request.and_then(|body| valid(document.request_schema(operation), body, key)));
                let Some((status, body)) = example.response else { continue };
                let response = load::resolve(document.value(), &operation.value["responses"][status]);
                problems.extend(valid(response.pointer("/content/application~1json/schema"), body, key));
                if example.parameters.is_some()
                    && operation.value.get("requestBody").is_some()
                    && example.request.is_none()
                {
                    problems.push(format!("{name} {key}: a request without its body"));
                }
            }
        }
    }
    assert!(problems.is_empty(), "{} problems:\n{}", problems.len(), problems.join("\n"));
}

#[test]
fn each_cloud_documents_what_it_documents() {
    let counts: BTreeMap<&str, [usize; 3]> = Cloud::all()
        .map(|cloud| {
            let count = |service: &str| {
                let documents = spec::documents().iter().filter(|document| document.name() == service);
                let operations = documents.flat_map(Document::operations);
                operations.filter(|operation| cloud.documents(operation.id()) == Documented::Yes).count()
            };
            (cloud.name(), ["iam", "modelarts", "mrs"].map(count))
        })
        .collect();
    assert_eq!(counts, [("flexible-engine", [3, 0, 20]), ("huawei", [3, 26, 4]), ("otc", [3, 26, 23])].into());
    let deprecates = |name: &str, operation: &str| cloud(name).deprecates(operation);
    // Where one cloud advises against an operation, another advises for it.
    assert!(deprecates("flexible-engine", "submit_job") && !deprecates("flexible-engine", "create_job"));
    assert!(deprecates("otc", "create_job") && !deprecates("otc", "create_job_binary"));
    assert_eq!(cloud("huawei").documents("create_job"), Documented::No);
    assert_eq!(cloud("flexible-engine").documents("list_job_exes"), Documented::Unknown);
}

#[test]
fn an_edition_has_the_limits_of_its_cloud() {
    let takes = |name: &str, operation: &str, body: Value| {
        let documents = spec::documents_of(cloud(name));
        let (document, operation) =
            documents.iter().find_map(|document| Some((document, document.operation(operation)?))).unwrap();
        let schema = document.json_schema(document.request_schema(operation).unwrap());
        jsonschema::validator_for(&schema).unwrap().is_valid(&body)
    };
    let submit = |arguments: &str| json!({"job_type": 1, "job_name": "a", "cluster_id": "c", "jar_path": "/a.jar", "arguments": arguments});
    for (arguments, expected) in [
        ("plain", [true; 3]),
        ("a!b", [true, false, false]),
        ("a\\b", [true, false, false]),
        ("a\"b", [true, false, true]),
        ("a;b", [false; 3]),
    ] {
        let found = ["otc", "huawei", "flexible-engine"].map(|name| takes(name, "submit_job", submit(arguments)));
        assert_eq!(found, expected, "{arguments}");
    }
    let create = |more: Value| {
        let mut config = json!({"worker_server_num": 1, "app_url": "/a/", "boot_file_url": "/a/b.py", "train_url": "/t/", "data_url": "/d/"});
        config.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        json!({"job_name": "a", "config": config})
    };
    for (more, expected) in [
        (json!({"spec_id": 1}), [true, true]),
        (json!({"spec_id": 1, "pool_id": "p"}), [true, false]),
        (json!({"pool_id": "p"}), [true, true]),
        (json!({"flavor": {"code": "c"}}), [false, false]),
    ] {
        let found = ["otc", "huawei"].map(|name| takes(name, "create_training_job", create(more.clone())));
        assert_eq!(found, expected, "{more}");
    }
}

#[test]
fn a_session_finds_the_services_of_its_cloud() {
    let session = |cloud: &str, region: &str| {
        Session::builder().cloud(cloud).region(region).project_id("5a3314075bfa49b9ae360f4ecd333695").token("t").build()
    };
    let address = |session: &Session, operation: &str| session.request(operation).unwrap().endpoint().to_owned();
    let otc = session("otc", "eu-de").unwrap();
    assert_eq!(otc.cloud(), Some(cloud("otc")));
    assert_eq!(address(&otc, "list_jobs"), "https://mrs.eu-de.otc.t-systems.com");
    let error = session("otc", "cn-north-4").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Configuration);
    assert!(error.to_string().contains("has no region cn-north-4; it has eu-de, eu-nl"), "{error}");
    let error = session("otk", "eu-de").unwrap_err();
    assert!(error.to_string().contains("the clouds are flexible-engine, huawei, otc"), "{error}");
    let flexible = session("flexible-engine", "eu-west-0").unwrap();
    assert_eq!(address(&flexible, "list_jobs"), "https://mrs.eu-west-0.prod-cloud-ocb.orange-business.com");
}

async fn held(emulator: &Arc<Emulator>, plan: &Plan) -> Report {
    let advanced = Arc::clone(emulator);
    let runner = Runner::new(emulator.session().unwrap()).embedded(true).allow_billed(true).workers(8).seed(1);
    runner.advance(move |by| advanced.advance_clock(by)).run(plan, |_| {}).await.unwrap()
}

/// Each edition is honoured by the emulator of its cloud, and not by that of another one.
#[tokio::test(flavor = "multi_thread")]
async fn editions_are_told_apart_by_contract_tests() {
    let mut differing: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    for served in Cloud::all() {
        for promised in Cloud::all() {
            let emulator = Arc::new(Emulator::builder().cloud(served).start().await.unwrap());
            let plan = Plan::of_cloud(promised);
            let report = held(&emulator, &plan).await;
            if served == promised {
                report.assert_honoured();
                assert_eq!(report.cloud.as_deref(), Some(promised.name()));
            }
            differing.insert((promised.name(), served.name()), report.failures().count());
            assert_eq!(report.leftovers, [], "{promised} on {served}");
        }
    }
    println!("clauses that differ, (promised, served): {differing:?}");
    for ((promised, served), count) in differing {
        assert_eq!(count == 0, promised == served, "{promised} promised, {served} served: {count}");
    }
}

#[tokio::test]
async fn the_emulator_of_a_cloud_lacks_what_the_cloud_lacks() {
    let emulator = Emulator::builder().cloud(cloud("otc")).token(TOKEN).start().await.unwrap();
    let _ = rustls::crypto::ring::default_provider().install_default();
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let at = |path: &str| format!("{}{}", emulator.endpoint(), path.replace("{p}", emulator.project_id()));
    let send =
        |method: reqwest::Method, path: &str| client.request(method, at(path)).header("X-Auth-Token", TOKEN).send();
    let missing = send(reqwest::Method::GET, "/v1/{p}/annotation-jobs").await.unwrap();
    assert_eq!(missing.status(), 404);
    assert_eq!(missing.json::<Value>().await.unwrap()["error_code"], "APIGW.0101");
    assert_eq!(send(reqwest::Method::GET, "/v1.1/{p}/jobs").await.unwrap().status(), 200);

    let emulator = Emulator::builder().cloud(cloud("huawei")).mrs_version("3.1.0").token(TOKEN).start().await.unwrap();
    let error = emulator.session().unwrap().mrs().job_exes().list("c").try_next().await.unwrap_err();
    assert_eq!((error.status().map(|status| status.as_u16()), error.code()), (Some(400), Some("12000085")));
    // A method that only other clouds have is as good as none.
    let path = format!("{}/v1.1/{}/job-executions/x", emulator.endpoint(), emulator.project_id());
    let missing = client.get(path).header("X-Auth-Token", TOKEN).send().await.unwrap();
    assert_eq!(missing.status(), 404);
    let old = Emulator::builder().cloud(cloud("huawei")).mrs_version("2.1.0").start().await.unwrap();
    old.session().unwrap().mrs().job_exes().list("c").try_next().await.unwrap();
    let everywhere = Emulator::builder().cloud(cloud("otc")).mrs_version("3.1.0").start().await.unwrap();
    everywhere.session().unwrap().mrs().jobs().list().try_next().await.unwrap();
    let error = Emulator::builder().mrs_version("three").start().await.unwrap_err();
    assert!(error.to_string().contains("`three` is no version of MRS"), "{error}");
}

#[test]
fn differing_facts_are_found() {
    let pairs = [["otc", "huawei"], ["otc", "flexible-engine"], ["huawei", "flexible-engine"]];
    for pair in pairs {
        let found = differences(&pair.map(cloud));
        println!("{pair:?}: {}", found.len());
        assert!(found.len() > 20, "{pair:?}: {found:?}");
        assert_eq!(differences(&[cloud(pair[0]), cloud(pair[0])]), []);
    }
    let found = differences(&[cloud("otc"), cloud("huawei")]);
    let of = |operation: &str, place: &str| {
        found
            .iter()
            .find(|fact| (fact.operation.as_str(), fact.place.as_str()) == (operation, place))
            .map(|fact| &fact.values)
    };
    assert_eq!(of("create_job", "").unwrap(), &["deprecated", "not documented"]);
    assert_eq!(of("list_job_exes", "query cluster_id").unwrap(), &["optional", "mandatory"]);
    assert_eq!(of("create_training_job", "request.config.flavor"), None);
    let sources: std::collections::BTreeSet<&str> =
        Cloud::all().flat_map(|cloud| clouds::overlay(cloud).changes()).flat_map(clouds::Change::sources).collect();
    println!("{} sources", sources.len());
}

#[test]
fn the_guide_is_up_to_date() {
    expectorate::assert_contents("docs/clouds.md", &publish::clouds::guide());
}

#[test]
fn every_edition_is_exported() {
    let folder = tempfile::tempdir().unwrap();
    let files = publish::export(folder.path()).unwrap();
    for (cloud, document) in editions() {
        for kind in ["yaml", "json", "html"] {
            let name = format!("clouds/{}/{}.{kind}", cloud.name(), document.name());
            assert!(files.contains(&name), "{name}");
            assert!(folder.path().join(&name).exists(), "{name}");
        }
        let text =
            std::fs::read_to_string(folder.path().join(format!("clouds/{}/{}.yaml", cloud.name(), document.name())));
        assert_eq!(&yaml(&text.unwrap()), document.value());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_matrix_shows_what_each_cloud_promises() {
    let mut matrix = Matrix::default();
    for name in ["otc", "huawei"] {
        let emulator = Arc::new(Emulator::builder().cloud(cloud(name)).start().await.unwrap());
        let plan = Plan::of_cloud(cloud(name)).only(&["mrs.*.failure.*"]).unwrap();
        matrix.add(name, &held(&emulator, &plan).await);
    }
    let headings: Vec<String> = matrix.headings().collect();
    assert!(headings[0].starts_with("otc (Open Telekom Cloud, "), "{headings:?}");
    let cells = |id: &str| {
        let row = matrix.rows().find(|row| row.id() == id).unwrap();
        matrix.cells(row).collect::<Vec<_>>()
    };
    assert_eq!(cells("mrs.create_job.failure.absent"), ["not promised", "honours"]);
    assert_eq!(cells("mrs.show_job.failure.unknown-job_id"), ["honours", "not promised"]);
    let json: Value = serde_json::from_str(&Format::Json.matrix(&matrix).unwrap()).unwrap();
    let row =
        json["clauses"].as_array().unwrap().iter().find(|row| row["id"] == "mrs.create_job.failure.absent").unwrap();
    assert_eq!(
        (&row["endpoints"]["otc"]["promised"], &row["endpoints"]["huawei"]["promised"]),
        (&json!(false), &json!(true))
    );
    assert!(Format::Markdown.matrix(&matrix).unwrap().contains("not promised"));
}

/// Runs `hwjobs` with a session of an emulator, without the environment of this process.
#[cfg(feature = "cli")]
fn hwjobs(emulator: Option<&Emulator>, arguments: &[&str]) -> (i32, String, String) {
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_hwjobs"));
    command.args(arguments).env_clear().env("HOME", "/nonexistent");
    if let Some(emulator) = emulator {
        command.envs(emulator.environment());
    }
    let output = command.output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

#[cfg(feature = "cli")]
#[tokio::test(flavor = "multi_thread")]
async fn the_command_line_follows_the_cloud() {
    let emulator = Emulator::start().await.unwrap();
    let (code, _, errors) = hwjobs(Some(&emulator), &["--cloud", "otc", "labeling-job", "list"]);
    assert_eq!(
        (code, errors.as_str()),
        (0, "hwjobs: note: Open Telekom Cloud does not document list_annotation_jobs; it may be missing there\n")
    );
    let (code, _, errors) = hwjobs(Some(&emulator), &["--cloud", "otc", "training-job", "list"]);
    assert_eq!((code, errors.as_str()), (0, ""));
    let (code, _, errors) =
        hwjobs(Some(&emulator), &["--cloud", "flexible-engine", "api", "list_job_exes", "--param", "cluster_id=c"]);
    assert_eq!(
        (code, errors.as_str()),
        (0, "hwjobs: note: it is not known whether Flexible Engine documents list_job_exes\n")
    );
    let (code, _, errors) = hwjobs(Some(&emulator), &["--cloud", "otk", "training-job", "list"]);
    assert_eq!(code, 2);
    assert!(errors.contains("[possible values: flexible-engine, huawei, otc]"), "{errors}");

    let (_, listed, _) = hwjobs(None, &["spec", "list", "--clouds"]);
    let lines: Vec<Vec<&str>> = listed.lines().map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(lines[0], ["flexible-engine", "Flexible", "Engine", "iam", "3,", "modelarts", "0,", "mrs", "20"]);
    assert_eq!(lines.len(), Cloud::all().len());
    let (_, shown, _) = hwjobs(None, &["spec", "show", "mrs", "--cloud", "huawei"]);
    let shown = yaml(&shown);
    assert_eq!(
        &shown,
        spec::documents_of(cloud("huawei")).iter().find(|document| document.name() == "mrs").unwrap().value()
    );
    let (code, _, errors) = hwjobs(None, &["spec", "show", "modelarts", "--cloud", "flexible-engine"]);
    assert_eq!((code, errors.as_str()), (2, "hwjobs: Flexible Engine documents nothing of modelarts\n"));
    let (_, help, _) = hwjobs(None, &["labeling-job", "update", "--help"]);
    assert!(help.contains("Deprecated: no cloud documents it since 2021-10-16."), "{help}");
    assert!(help.contains("Documented by no cloud any more."), "{help}");
    let (_, help, _) = hwjobs(None, &["training-job", "update", "--help"]);
    assert!(help.contains("Permissions: `modelarts:trainJob:update`."), "{help}");
    assert!(help.contains("Documented by Huawei Cloud (deprecated), Open Telekom Cloud (deprecated)."), "{help}");
    let (code, plan, _) = hwjobs(None, &["contract", "run", "--cloud", "huawei", "--plan", "--only", "mrs.*.absent"]);
    assert_eq!(code, 0);
    assert!(plan.contains("mrs.create_job.failure.absent") && plan.ends_with("19 clauses\n"), "{plan}");
}
