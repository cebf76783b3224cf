//! Tests every documented example of ModelArts with the handles over HTTP: the sent request is the documented one, and
//! the response is parsed to the documented one.

#![cfg(feature = "spec")]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on shall fail")]

use crate::common;
use std::collections::BTreeMap;
use std::pin::Pin;

use crate::common::{Arrived, PROJECT, Server, head};
use huaweicloud_jobs::modelarts::types::{self, SortOrder};
use huaweicloud_jobs::modelarts::{Code, Data, JobState, ModelArts, Resources, Training, Volume};
use huaweicloud_jobs::{Error, spec};
use serde::Serialize;
use serde_json::{Map, Value, json};

type Answered = Result<Value, Error>;
type Call<'a> = Pin<Box<dyn Future<Output = Answered> + 'a>>;
/// Sends the documented request of an example, whose key is given, with a handle.
type Way = for<'a> fn(&'a ModelArts, &'a str, &'a Value) -> Call<'a>;

fn json_of(answer: &impl Serialize) -> Value {
    serde_json::to_value(answer).unwrap()
}

/// A training as the documents' requests for jobs, versions and configurations name it.
fn training(config: &Value) -> Training {
    let text = |name: &str| config[name].as_str().map(str::to_owned);
    let mut code = match (text("user_image_url"), text("app_url"), text("boot_file_url")) {
        (Some(image), Some(directory), Some(file)) => Code::image(image).with_own(directory, file),
        (Some(image), Some(directory), None) => Code::image(image).with_directory(directory),
        (Some(image), ..) => Code::image(image),
        (None, Some(directory), Some(file)) => Code::own(directory, file),
        other => panic!("{other:?} is not documented"),
    };
    if let Some(engine) = config["engine_id"].as_i64() {
        code = code.engine(engine);
    }
    if let Some(model) = config["model_id"].as_i64() {
        code = code.with_algorithm(model);
    }
    if let Some(command) = text("user_command") {
        code = code.command(command);
    }
    let data = match (text("data_url"), text("dataset_id"), text("dataset_version_id")) {
        (Some(path), None, None) => Data::obs(path),
        (None, Some(id), Some(version)) => Data::dataset(id, version),
        other => panic!("{other:?} is not documented"),
    };
    let mut resources = Resources::spec(config["spec_id"].as_i64().unwrap())
        .workers(u32::try_from(config["worker_server_num"].as_i64().unwrap()).unwrap());
    if let Some(pool) = text("pool_id") {
        resources = resources.with_pool(pool);
    }
    let mut training = Training::new(code, data, resources);
    for parameter in config["parameter"].as_array().into_iter().flatten() {
        let label = parameter["label"].as_str().or_else(|| parameter["key"].as_str()).unwrap();
        training = match &parameter["value"] {
            Value::String(value) => training.parameter(label, value),
            value => training.parameter(label, value),
        };
    }
    training.train_url(text("train_url").unwrap()).log_url(text("log_url").unwrap())
}

fn text<'a>(body: &'a Value, name: &str) -> &'a str {
    body[name].as_str().unwrap()
}

fn volumes(config: &Value) -> Vec<Volume> {
    let one = |volume: &Value| match (&volume["nfs"], &volume["host_path"]) {
        (nfs, Value::Null) => {
            Volume::nfs(text(nfs, "id"), text(nfs, "src_path"), text(nfs, "dest_path")).read_only(false)
        }
        (_, host) => Volume::host_path(text(host, "src_path"), text(host, "dest_path")).read_only(false),
    };
    config["volumes"].as_array().into_iter().flatten().map(one).collect()
}

/// Returns a list as one page in its documented form.
macro_rules! first_page {
    ($list:expr, $name:literal, $entry:ident => $details:expr) => {{
        let page = $list.pages().try_next().await?.unwrap();
        let entries: Vec<Value> = page.entries.iter().map(|$entry| json_of(&$details)).collect();
        Ok(json!({ $name: entries }))
    }};
}

/// Each operation and how its examples are sent with a handle.
fn ways() -> BTreeMap<&'static str, Way> {
    let nothing = |()| json!({});
    let _ = nothing;
    BTreeMap::from([
        (
            "create_training_job",
            (|m, _, body| {
                Box::pin(async move {
                    let config = &body["config"];
                    let mut job = m.training_jobs().create(text(body, "job_name"), training(config));
                    job = job.description(text(body, "job_desc")).workspace_id(text(body, "workspace_id"));
                    if !config["volumes"].is_null() {
                        job = job.volumes(volumes(config));
                    }
                    let created = job.send().await?;
                    assert_eq!(created.id().get(), created.details.job_id.get());
                    assert_eq!(
                        created.first_version().map(|version| version.id().get()),
                        created.details.version_id.map(|id| id.get())
                    );
                    Ok(json_of(&created.details))
                })
            }) as Way,
        ),
        ("list_training_jobs", |m, _, _| {
            Box::pin(async move {
                let list = m.training_jobs().list().status(JobState::Waiting).per_page(10).page(1);
                let list = list.sort_by(types::TrainingJobSortKey::JobName).order(SortOrder::Asc).search("job");
                first_page!(list, "jobs", job => job.details)
            })
        }),
        ("update_training_job", |m, _, body| {
            Box::pin(
                async move { m.training_job(10)?.update_description(text(body, "job_desc")).await.map(|()| json!({})) },
            )
        }),
        ("delete_training_job", |m, _, _| {
            Box::pin(async move { m.training_job(10)?.delete().await.map(|()| json!({})) })
        }),
        ("create_training_job_version", |m, _, body| {
            Box::pin(async move {
                let config = &body["config"];
                let version =
                    m.training_job(10)?.versions().create(config["pre_version_id"].as_i64().unwrap(), training(config));
                let created = version.description(text(body, "job_desc")).send().await?;
                assert_eq!(created.id().get(), created.details.version_id.get());
                assert_eq!(created.job().id().get(), 10);
                Ok(json_of(&created.details))
            })
        }),
        ("list_training_job_versions", |m, _, _| {
            Box::pin(async move {
                let list = m.training_job(10)?.versions().list().per_page(5).page(1);
                first_page!(list, "versions", version => version.details)
            })
        }),
        ("show_training_job_version", |m, _, _| {
            Box::pin(async move { Ok(json_of(&m.training_job(10)?.version(10)?.show().await?)) })
        }),
        ("delete_training_job_version", |m, _, _| {
            Box::pin(async move { m.training_job(10)?.version(10)?.delete().await.map(|()| json!({})) })
        }),
        ("stop_training_job_version", |m, _, _| {
            Box::pin(async move { m.training_job(10)?.version(10)?.stop().await.map(|()| json!({})) })
        }),
        ("list_training_job_log_files", |m, _, _| {
            Box::pin(async move { Ok(json!({"log_file_list": m.training_job(10)?.version(10)?.log_files().await?})) })
        }),
        ("show_training_job_log", |m, _, _| {
            Box::pin(async move {
                let log = m.training_job(10)?.version(10)?.log_file("log1.log");
                Ok(json_of(&log.read().after("1551252759254000002").lines(50).send().await?))
            })
        }),
        ("create_training_job_config", |m, _, body| {
            Box::pin(async move {
                let config = m.training_job_configs().create(text(body, "config_name"), training(body));
                Ok(json_of(&config.description(text(body, "config_desc")).send().await?.details))
            })
        }),
        ("list_training_job_configs", |m, _, _| {
            Box::pin(async move {
                let list = m.training_job_configs().list().per_page(10).page(1).search("configname");
                let list = list.sort_by(types::TrainingJobConfigSortKey::CreateTime).order(SortOrder::Asc);
                first_page!(list, "configs", config => config.details)
            })
        }),
        ("show_training_job_config", |m, key, _| {
            Box::pin(async move {
                Ok(json_of(
                    &m.training_job_config(named("show_training_job_config", key, "config_name"))?.show().await?,
                ))
            })
        }),
        ("update_training_job_config", |m, key, body| {
            Box::pin(async move {
                let config = m.training_job_config(named("update_training_job_config", key, "config_name"))?;
                config.update(training(body)).description(text(body, "config_desc")).send().await.map(|()| json!({}))
            })
        }),
        ("delete_training_job_config", |m, key, _| {
            Box::pin(async move {
                m.training_job_config(named("delete_training_job_config", key, "config_name"))?
                    .delete()
                    .await
                    .map(|()| json!({}))
            })
        }),
        ("list_built_in_algorithms", |m, _, _| {
            Box::pin(async move {
                let list = m.built_in_algorithms().per_page(10).page(1).search("model");
                let list = list.sort_by(types::BuiltInAlgorithmSortKey::Engine).order(SortOrder::Asc);
                first_page!(list, "models", model => *model)
            })
        }),
        ("list_job_resource_specs", |m, _, _| {
            Box::pin(async move {
                first_page!(m.resource_specs().job_type(types::ResourceJobType::Train), "specs", spec => *spec)
            })
        }),
        ("list_job_ai_engines", |m, _, _| {
            Box::pin(async move {
                first_page!(m.engines().job_type(types::ResourceJobType::Train), "engines", engine => *engine)
            })
        }),
        ("create_visualization_job", |m, _, body| {
            Box::pin(async move {
                let mut job = m.visualization_jobs().create(text(body, "job_name"), text(body, "train_url"));
                job = job.description(text(body, "job_desc"));
                if let Some(kind) = body["job_type"].as_str() {
                    job = job.job_type(kind.parse().unwrap());
                }
                if !body["schedule"].is_null() {
                    job = job.stop_after(std::time::Duration::from_secs(3600));
                }
                Ok(json_of(&job.send().await?.details))
            })
        }),
        ("list_visualization_jobs", |m, _, _| {
            Box::pin(async move {
                let list = m.visualization_jobs().list().status(JobState::Waiting).per_page(10).page(1);
                let list =
                    list.sort_by(types::VisualizationJobSortKey::Status).order(SortOrder::Asc).search("job_name");
                first_page!(list, "jobs", job => job.details)
            })
        }),
        ("show_visualization_job", |m, key, _| {
            Box::pin(
                async move { Ok(json_of(&m.visualization_job(job_id("show_visualization_job", key))?.show().await?)) },
            )
        }),
        ("update_visualization_job", |m, key, body| {
            Box::pin(async move {
                let job = m.visualization_job(job_id("update_visualization_job", key))?;
                job.update_description(text(body, "job_desc")).await.map(|()| json!({}))
            })
        }),
        ("delete_visualization_job", |m, key, _| {
            Box::pin(async move {
                m.visualization_job(job_id("delete_visualization_job", key))?.delete().await.map(|()| json!({}))
            })
        }),
        ("stop_visualization_job", |m, key, _| {
            Box::pin(async move {
                m.visualization_job(job_id("stop_visualization_job", key))?.stop().await.map(|()| json!({}))
            })
        }),
        ("restart_visualization_job", |m, key, _| {
            Box::pin(async move {
                m.visualization_job(job_id("restart_visualization_job", key))?.restart().await.map(|()| json!({}))
            })
        }),
        ("create_annotation_job", |m, _, body| {
            Box::pin(async move {
                let kinds = (text(body, "data_type").parse().unwrap(), text(body, "type").parse().unwrap());
                let job = m.labeling_jobs().create(text(body, "name"), kinds.0, kinds.1);
                let created = job.description(text(body, "description")).path(text(body, "path")).send().await?;
                assert_eq!(created.id().as_str(), created.details.job_id);
                Ok(json_of(&created.details))
            })
        }),
        ("list_annotation_jobs", |m, _, _| {
            Box::pin(
                async move { first_page!(m.labeling_jobs().list().per_page(10).page(11), "jobs", job => job.details) },
            )
        }),
        ("update_annotation_job", |m, key, body| {
            Box::pin(async move {
                let job = m.labeling_job(job_id("update_annotation_job", key))?;
                Ok(json_of(&job.update(text(body, "name")).description(text(body, "description")).send().await?))
            })
        }),
        ("delete_annotation_job", |m, key, _| {
            Box::pin(
                async move { m.labeling_job(job_id("delete_annotation_job", key))?.delete().await.map(|()| json!({})) },
            )
        }),
        ("show_annotation_job_validation", |m, key, _| {
            Box::pin(async move {
                Ok(json_of(&m.labeling_job(job_id("show_annotation_job_validation", key))?.validation().await?))
            })
        }),
        ("save_annotation_job_validation", |m, key, body| {
            Box::pin(async move {
                let rate = body["pass_rate"].as_str().map_or_else(|| body["pass_rate"].to_string(), str::to_owned);
                let job = m.labeling_job(job_id("save_annotation_job_validation", key))?;
                job.save_validation(rate).await.map(|()| json!({}))
            })
        }),
    ])
}

/// The id that an example names in its path.
fn job_id(operation: &str, key: &str) -> String {
    named(operation, key, "job_id")
}

/// Returns the path values of an example.
fn named(operation: &str, key: &str, name: &str) -> String {
    let (document, operation) = spec::operation(operation).unwrap();
    let example = document.examples(operation).into_iter().find(|example| example.key == key).unwrap();
    let id = &example.parameters.unwrap()[name];
    id.as_str().map_or_else(|| id.to_string(), str::to_owned)
}

fn parameters(arrived: &Arrived, template: &str) -> BTreeMap<String, String> {
    let (path, query) = arrived.target.split_once('?').unwrap_or((&arrived.target, ""));
    let mut found = BTreeMap::new();
    for (name, value) in template.split('/').zip(path.split('/')) {
        match name.strip_prefix('{').and_then(|name| name.strip_suffix('}')) {
            Some(name) => drop(found.insert(name.to_owned(), value.to_owned())),
            None => assert_eq!(name, value, "{path}"),
        }
    }
    for (name, value) in query.split('&').filter_map(|pair| pair.split_once('=')) {
        found.insert(name.to_owned(), value.to_owned());
    }
    found
}

/// Makes equivalent values equal: a number and its string, and the two names of a parameter's label in one example.
fn same(sent: &Value, documented: &Value) -> bool {
    match (sent, documented) {
        (Value::Object(sent), Value::Object(documented)) => {
            let renamed = |map: &Map<String, Value>| -> BTreeMap<String, Value> {
                let rename = |name: &String| if name == "key" { "label".to_owned() } else { name.clone() };
                map.iter()
                    .filter(|(_, value)| !value.is_null())
                    .map(|(name, value)| (rename(name), value.clone()))
                    .collect()
            };
            let (sent, documented) = (renamed(sent), renamed(documented));
            sent.keys().eq(documented.keys()) && sent.iter().all(|(name, value)| same(value, &documented[name]))
        }
        (Value::Array(sent), Value::Array(documented)) => {
            sent.len() == documented.len() && sent.iter().zip(documented).all(|(a, b)| same(a, b))
        }
        (Value::String(a), Value::Number(b)) | (Value::Number(b), Value::String(a)) => *a == b.to_string(),
        _ => sent == documented,
    }
}

#[tokio::test]
async fn each_documented_request_is_sent_and_each_documented_answer_is_read() {
    let ways = ways();
    let document = spec::documents().iter().find(|document| document.name() == "modelarts").unwrap();
    let (mut requests, mut answers, mut refusals) = (0, 0, 0);
    for operation in document.operations() {
        let id = operation.id();
        let way = ways.get(id).unwrap_or_else(|| panic!("{id} cannot be reached by a handle"));
        let examples = document.examples(operation);
        let nothing = json!({});
        let body_of = |key: &str| {
            examples.iter().find(|example| example.key == key).and_then(|example| example.request).unwrap_or(&nothing)
        };
        let first = examples.iter().find(|example| example.parameters.is_some()).unwrap();
        for example in &examples {
            let place = format!("{id}, {}", example.key);
            // Without a documented response, a minimal one.
            let least = json!({"is_success": true, "job_id": "10", "job_name": "a", "version_id": 20, "images": [], "jobs": []});
            let (status, answer) = example.response.unwrap_or(("200", &least));
            // An error without a request is returned for the first one.
            let key = if example.parameters.is_some() { example.key } else { first.key };
            let statuses: &[u16] = if status.starts_with('2') { &[200] } else { &[200, 400] };
            for status in statuses {
                let text = answer.to_string();
                let content = "content-type: application/json\r\n";
                let server = Server::raw(head(*status, content, text.len()) + &text).await;
                let modelarts = server.session().modelarts();
                let outcome = way(&modelarts, key, body_of(key)).await;
                let arrived = server.arrived();
                assert_eq!(arrived.len(), 1, "{place}");
                assert_eq!(arrived[0].method.to_lowercase(), operation.method, "{place}");
                let mut sent = parameters(&arrived[0], operation.path);
                assert_eq!(sent.remove("project_id").as_deref(), Some(PROJECT));
                if let Some(documented) = examples.iter().find(|example| example.key == key).unwrap().parameters {
                    for (name, value) in documented.iter().filter(|(name, _)| *name != "project_id") {
                        let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
                        assert_eq!(sent.remove(name.as_str()), Some(value), "{place}: {name}");
                    }
                }
                assert!(sent.is_empty(), "{place}: {sent:?} is not documented");
                if let Some(documented) = examples.iter().find(|example| example.key == key).unwrap().request {
                    let sent: Value = serde_json::from_slice(&arrived[0].body).unwrap();
                    assert!(same(&sent, documented), "{place}:\n{sent:#}\n{documented:#}");
                    requests += 1;
                }
                if statuses.len() == 1 {
                    let value = outcome.unwrap_or_else(|error| panic!("{place}: {error}"));
                    for (name, value) in value.as_object().unwrap() {
                        assert!(same(value, &answer[name]), "{place}: {name}\n{value:#}\n{:#}", answer[name]);
                    }
                    answers += 1;
                } else {
                    let error = outcome.err().unwrap_or_else(|| panic!("{place}: no error"));
                    assert_eq!(error.code(), answer["error_code"].as_str(), "{place}");
                    assert_eq!(error.operation(), Some(id), "{place}");
                    refusals += 1;
                }
            }
        }
    }
    assert_eq!(ways.len(), document.operations().count());
    println!("{requests} bodies, {answers} answers, {refusals} refusals");
    assert!(requests >= 15 && answers >= 40 && refusals >= 20, "{requests}, {answers}, {refusals}");
}

#[tokio::test]
async fn what_the_documents_exclude_is_refused_before_anything_is_sent() {
    let server = Server::json(200, r#"{"is_success": true}"#).await;
    let modelarts = server.session().modelarts();
    let own = || Code::own("/bucket/src/", "/bucket/src/boot.py");
    let data = || Data::obs("/bucket/data/");
    let create = async |training: Training| modelarts.training_jobs().create("a", training).send().await.unwrap_err();
    let spec = || Resources::spec(1);
    let none: [&str; 0] = [];
    for (field, error) in [
        ("app_url", create(Training::new(Code::own("/bucket/src", "/bucket/src/boot.py"), data(), spec())).await),
        ("app_url", create(Training::new(Code::own("obs://b/src/", "/b/src/boot.py"), data(), spec())).await),
        ("boot_file_url", create(Training::new(Code::own("/bucket/src/", "/bucket/boot.py"), data(), spec())).await),
        ("boot_file_url", create(Training::new(Code::own("/bucket/src/", "/bucket/src/"), data(), spec())).await),
        ("user_command", create(Training::new(own().command("bash x"), data(), spec())).await),
        ("data_url", create(Training::new(own(), Data::obs("bucket/data/"), spec())).await),
        ("data_url", create(Training::new(own(), Data::obs_sources(["/b/", "x"]), spec())).await),
        ("data_source", create(Training::new(own(), Data::obs_sources(none), spec())).await),
        ("train_url", create(Training::new(own(), data(), spec()).train_url("/bucket/out")).await),
        ("log_url", create(Training::new(own(), data(), spec()).log_url("log/")).await),
        ("train_url", {
            let training = Training::new(own(), data(), spec());
            modelarts.training_job(1).unwrap().versions().create(1, training).send().await.unwrap_err()
        }),
        ("pool_id", {
            let training = Training::new(own(), data(), Resources::pool("p"));
            modelarts.training_job_configs().create("c", training).send().await.unwrap_err()
        }),
        ("pool_id", {
            let training = Training::new(own(), data(), spec().with_pool("p"));
            modelarts.training_job_config("c").unwrap().update(training).send().await.unwrap_err()
        }),
        ("duration", {
            let job = modelarts.visualization_jobs().create("v", "/b/o/");
            job.stop_after(std::time::Duration::from_secs(5400)).send().await.unwrap_err()
        }),
        ("train_url", modelarts.visualization_jobs().create("v", "/b/o").send().await.unwrap_err()),
        ("per_page", modelarts.training_jobs().list().per_page(1001).try_next().await.unwrap_err()),
        ("search_content", modelarts.training_jobs().list().search("x".repeat(65)).try_next().await.unwrap_err()),
        ("status", modelarts.training_jobs().list().status(JobState::Undocumented).try_next().await.unwrap_err()),
        ("project_type", modelarts.resource_specs().project_type(4).try_next().await.unwrap_err()),
        ("pass_rate", modelarts.labeling_job("x").unwrap().save_validation("100.01").await.unwrap_err()),
        ("sortBy", {
            let list = modelarts.training_job_configs().list().config_type(types::TrainingJobConfigType::Sample);
            list.sort_by(types::TrainingJobConfigSortKey::CreateTime).try_next().await.unwrap_err()
        }),
    ] {
        assert_eq!(error.field(), Some(field), "{error}");
        assert!(error.is_invalid_request() && !error.may_have_been_sent(), "{error}");
    }
    assert!(server.arrived().is_empty());
}

/// A log that grows while it is followed.
#[tokio::test]
async fn a_log_is_followed_until_the_version_is_done_and_nothing_is_lost() {
    let json = |body: String| common::Act::from(head(200, "", body.len()) + &body);
    let page = |content: &str, end: &str| {
        json(
            json!({"is_success": true, "content": content, "start_line": 1, "end_line": end, "lines": "1"}).to_string(),
        )
    };
    let state = |status: i64| {
        json(json!({"is_success": true, "job_id": 10, "job_name": "a", "version_id": 20, "status": status}).to_string())
    };
    let broken = common::Act::from(head(503, "", 0));
    let server = Server::acting([
        page("one\ntwo\n", "100"),
        page("", "100"),
        state(8),
        page("three\n", "101"),
        // The last line again: nothing new.
        page("three\n", "101"),
        state(8),
        broken.clone(),
        page("four", "102"),
        page("", "102"),
        state(10),
        page("five\n", "103"),
        page("", "103"),
    ])
    .await;
    let clock = std::sync::Arc::new(common::TestClock::default());
    let session = server.builder().clock(clock.clone()).retry(huaweicloud_jobs::session::RetryPolicy::never());
    let session = session.build().unwrap();
    let log = session.modelarts().training_job(10).unwrap().version(20).unwrap().log_file("log1.log");
    let mut lines = log.follow().tail(2);
    let mut read = Vec::new();
    while let Some(line) = lines.try_next().await.unwrap() {
        read.push(line);
        // The remaining lines can be read from there.
        assert_eq!(lines.position(), [None, Some("100"), Some("101"), Some("102"), Some("103")][read.len() - 1]);
    }
    assert_eq!(read, ["one", "two", "three", "four", "five"]);
    let asked: Vec<String> = server.arrived().into_iter().map(|request| request.target).collect();
    assert!(asked[0].ends_with("aom-log?lines=2&log_file=log1.log"), "{}", asked[0]);
    assert!(asked[1].ends_with("aom-log?base_line=100&lines=500&log_file=log1.log&order=desc"), "{}", asked[1]);
    assert_eq!(clock.waits(), [std::time::Duration::from_secs(5); 3]);
    assert_eq!(asked.len(), 12);
}

#[tokio::test]
async fn a_training_runs_on_one_worker_at_least() {
    let server = Server::json(200, "{}").await;
    let session = server.session();
    let modelarts = session.modelarts();
    for workers in [0, 1 << 31, u32::MAX] {
        let training = || {
            let resources = Resources::spec(1).workers(workers);
            Training::new(Code::algorithm(1), Data::obs("/bucket/data/"), resources).train_url("/bucket/out/")
        };
        let configs = modelarts.training_job_configs();
        for error in [
            modelarts.training_jobs().create("job", training()).send().await.map(|_| ()).unwrap_err(),
            modelarts.training_job(10).unwrap().versions().create(20, training()).send().await.map(|_| ()).unwrap_err(),
            configs.create("config", training()).send().await.map(|_| ()).unwrap_err(),
            modelarts.training_job_config("config").unwrap().update(training()).send().await.map(|_| ()).unwrap_err(),
        ] {
            assert!(error.is_invalid_request() && !error.may_have_been_sent(), "{workers}: {error}");
            assert_eq!(error.field(), Some("worker_server_num"), "{workers}: {error}");
        }
    }
    assert_eq!(server.arrived().len(), 0);
}
