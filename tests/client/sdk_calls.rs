//! Each documented call of the ModelArts Python SDK, as Rust, and the requests that it makes.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on shall fail")]

use crate::common::{Arrived, PROJECT, Server};
use huaweicloud_jobs::modelarts::types::{
    LabelingDataType, LabelingJobType, SortOrder, TrainingJobConfigSortKey, VisualizationJobSortKey,
};
use huaweicloud_jobs::modelarts::{Code, Data, JobState, Resources, Training};
use serde_json::{Value, json};

/// One response for all operations: parsers ignore unknown fields.
const ANSWER: &str = r#"{"is_success": true, "job_id": 182626, "job_name": "a", "version_id": 278813, "config_name": "my_job_config",
    "job_total_count": 1, "version_count": 1, "config_total_count": 1, "model_total_count": 1,
    "jobs": [{"job_id": 182626, "job_name": "a", "version_id": 278813, "id": "062ef90a", "name": "a"}],
    "versions": [{"version_id": 278813, "version_name": "V0001"}], "configs": [{"config_name": "my_job_config"}],
    "log_file_list": ["job-job-0713-191758.0"], "content": "x", "start_line": "1", "end_line": "2",
    "specs": [{"spec_id": 1, "spec_code": "modelarts.vm.cpu.2u"}, {"spec_id": 2, "spec_code": "modelarts.vm.gpu.p100"}],
    "engines": [{"engine_id": 5, "engine_version": "PyTorch-1.0.0-python3.6"}],
    "models": [{"model_id": 7, "model_name": "Faster_RCNN_ResNet_v1_50"}], "images": []}"#;

struct Sdk {
    server: Server,
    seen: usize,
}

impl Sdk {
    async fn new() -> Self {
        Self { server: Server::json(200, ANSWER).await, seen: 0 }
    }

    /// The requests since the last time.
    fn sent(&mut self) -> Vec<Arrived> {
        let all = self.server.arrived();
        let new = all[self.seen..].to_vec();
        self.seen = all.len();
        new
    }

    /// The one request since the last time, and its body.
    fn expect(&mut self, line: &str) -> Value {
        let mut sent = self.sent();
        assert_eq!(sent.len(), 1, "{line}: {sent:?}");
        let request = sent.remove(0);
        let found = format!("{} {}", request.method, request.target.replace(PROJECT, "P"));
        assert_eq!(found, line);
        serde_json::from_slice(&request.body).unwrap_or_default()
    }
}

/// The settings of the SDK's `Estimator` in the samples: an own program, a custom image, or an algorithm.
fn estimators(data: &Data, spec: i64) -> [(Training, Value); 3] {
    let common = |code: Code| {
        Training::new(code, data.clone(), Resources::spec(spec).workers(1))
            .parameter("classes", "10")
            .parameter("lr", "0.001")
            .train_url("/bucket/output/")
            .log_url("/bucket/log/")
    };
    let command = "bash -x /home/work/run_train.sh python /home/work/user-job-dir/app/mnist/mnist_softmax.py --data_url /home/work/user-job-dir/app/mnist_data";
    [
        (
            common(Code::own("/bucket/src/", "/bucket/src/pytorch_sentiment.py").engine(5)),
            json!({"app_url": "/bucket/src/", "boot_file_url": "/bucket/src/pytorch_sentiment.py", "engine_id": 5}),
        ),
        (
            common(Code::image("100.125.5.235:20202/jobmng/cpu-base:1.0").command(command)),
            json!({"user_image_url": "100.125.5.235:20202/jobmng/cpu-base:1.0", "user_command": command}),
        ),
        (common(Code::algorithm(7)), json!({"model_id": 7})),
    ]
}

/// The configuration that goes over the wire.
fn config(own: &Value, data: &Value, spec: i64) -> serde_json::Map<String, Value> {
    let mut all = json!({
        "worker_server_num": 1, "spec_id": spec, "train_url": "/bucket/output/", "log_url": "/bucket/log/",
        "parameter": [{"label": "classes", "value": "10"}, {"label": "lr", "value": "0.001"}],
    });
    for part in [own, data] {
        all.as_object_mut().unwrap().extend(part.as_object().unwrap().clone());
    }
    all.as_object().unwrap().clone()
}

#[tokio::test]
async fn training_jobs() {
    let mut sdk = Sdk::new().await;
    let m = sdk.server.session().modelarts();
    let jobs = m.training_jobs();

    // Estimator.fit, four ways. Framework, instance type and algorithm are looked up by name, as the SDK does.
    let engines: Vec<_> = m.engines().try_collect().await.unwrap();
    assert_eq!(engines[0].engine_id.unwrap().get(), 5);
    sdk.expect("GET /v1/P/job/ai-engines"); // Estimator.get_framework_list
    let specs: Vec<_> = m.resource_specs().try_collect().await.unwrap();
    assert_eq!(specs[0].spec_id.unwrap().get(), 1);
    sdk.expect("GET /v1/P/job/resource-specs"); // Estimator.get_train_instance_types
    let algorithms: Vec<_> = m.built_in_algorithms().try_collect().await.unwrap();
    assert_eq!(algorithms[0].model_id.unwrap().get(), 7);
    sdk.expect("GET /v1/P/built-in-algorithms?page=1"); // Estimator.get_built_in_algorithms
    let path = (Data::obs("/bucket/data/train/"), json!({"data_url": "/bucket/data/train/"}));
    let dataset = (
        Data::dataset("4AZNvFkN7KYr5EdhFkH", "UOF9BIeSGArwVt0oI6T"),
        json!({"dataset_id": "4AZNvFkN7KYr5EdhFkH", "dataset_version_id": "UOF9BIeSGArwVt0oI6T"}),
    );
    let own_on_dataset = estimators(&dataset.0, 1)[0].clone();
    let fits = estimators(&path.0, 1).into_iter().map(|way| (way, &path.1)).chain([(own_on_dataset, &dataset.1)]);
    let mut created = None;
    for ((training, own), data) in fits {
        let job = jobs.create("my_training_job", training).description("pytorch-sentiment with ModelArts SDK");
        created = Some(job.send().await.unwrap());
        let body = sdk.expect("POST /v1/P/training-jobs");
        assert_eq!(body["config"].as_object().unwrap(), &config(&own, data, 1));
        assert_eq!(body["job_name"], "my_training_job");
        assert_eq!(body["job_desc"], "pytorch-sentiment with ModelArts SDK");
    }

    // Estimator.get_job_list(session, status=8, per_page=10, page=1, order="asc", search_content="job")
    let list = jobs.list().status(JobState::Running).per_page(10).page(1).order(SortOrder::Asc).search("job");
    let listed = list.pages().try_next().await.unwrap().unwrap();
    assert_eq!(listed.entries[0].id().get(), 182_626);
    sdk.expect("GET /v1/P/training-jobs?order=asc&page=1&per_page=10&search_content=job&status=8");

    // The three ways to an object: by its ids, as created, out of a list.
    let created = created.unwrap();
    let versions: Vec<_> = created.versions().list().try_collect().await.unwrap(); // get_job_version_object_list
    sdk.expect("GET /v1/P/training-jobs/182626/versions?page=1");
    let ways = [
        m.training_job("182626").unwrap().version(278_813).unwrap(),
        created.first_version().unwrap(),
        versions[0].handle.clone(),
    ];
    let base = "/v1/P/training-jobs/182626";
    for version in &ways {
        version.show().await.unwrap(); // get_job_info
        sdk.expect(&format!("GET {base}/versions/278813"));
        version.job().update_description("update description").await.unwrap(); // update_job_description
        assert_eq!(sdk.expect(&format!("PUT {base}")), json!({"job_desc": "update description"}));
        assert_eq!(version.log_files().await.unwrap(), ["job-job-0713-191758.0"]); // get_job_log_file_list
        sdk.expect(&format!("GET {base}/versions/278813/log/file-names"));
        version.log_file("job-job-0713-191758.0").read().send().await.unwrap(); // get_job_log
        sdk.expect(&format!("GET {base}/versions/278813/aom-log?log_file=job-job-0713-191758.0"));
        version.job().show().await.unwrap(); // get_job_version_info
        sdk.expect(&format!("GET {base}/versions?page=0"));
        version.stop().await.unwrap(); // stop_job_version
        sdk.expect(&format!("POST {base}/versions/278813/stop"));
        version.delete().await.unwrap(); // delete_job_version
        sdk.expect(&format!("DELETE {base}/versions/278813"));
    }
    m.training_job("155500").unwrap().delete().await.unwrap(); // Estimator.delete_job_by_id
    sdk.expect("DELETE /v1/P/training-jobs/155500");
    created.delete().await.unwrap(); // TrainingJob.delete_job
    sdk.expect("DELETE /v1/P/training-jobs/182626");

    // Estimator.create_job_version, in all ways of naming the code.
    for (training, own) in estimators(&path.0, 2) {
        let version = m.training_job("182626").unwrap().versions().create(278_813, training);
        version.description("create a job version").send().await.unwrap();
        let body = sdk.expect("POST /v1/P/training-jobs/182626/versions");
        let mut expected = config(&own, &path.1, 2);
        expected.insert("pre_version_id".to_owned(), json!(278_813));
        assert_eq!(body["config"].as_object().unwrap(), &expected);
        assert_eq!(body["job_desc"], "create a job version");
    }
}

#[tokio::test]
async fn job_configs() {
    let mut sdk = Sdk::new().await;
    let m = sdk.server.session().modelarts();
    let configs = m.training_job_configs();
    let path = (Data::obs("/bucket/data/train/"), json!({"data_url": "/bucket/data/train/"}));
    let dataset = (
        Data::dataset("4AZNvFkN7KYr5EdhFkH", "UOF9BIeSGArwVt0oI6T"),
        json!({"dataset_id": "4AZNvFkN7KYr5EdhFkH", "dataset_version_id": "UOF9BIeSGArwVt0oI6T"}),
    );
    let mut created = None;
    for (data, on_wire) in [&path, &dataset] {
        let [(training, own), ..] = estimators(data, 2);
        let config_ = configs.create("my_job_config", training.clone()).description("my job config");
        created = Some(config_.send().await.unwrap()); // create_job_configs
        let body = sdk.expect("POST /v1/P/training-job-configs");
        let mut expected = config(&own, on_wire, 2);
        expected.insert("config_name".to_owned(), json!("my_job_config"));
        expected.insert("config_desc".to_owned(), json!("my job config"));
        assert_eq!(body.as_object().unwrap(), &expected);

        let named = m.training_job_config("my_job_config").unwrap();
        named.update(training).description("update").send().await.unwrap(); // update_job_configs
        let body = sdk.expect("PUT /v1/P/training-job-configs/my_job_config");
        let mut expected = config(&own, on_wire, 2);
        expected.insert("config_desc".to_owned(), json!("update"));
        assert_eq!(body.as_object().unwrap(), &expected);
    }
    // get_job_configs_list and get_job_configs_object_list are one.
    let list = configs.list().per_page(10).page(1).search("configname");
    let mut list = list.sort_by(TrainingJobConfigSortKey::CreateTime).order(SortOrder::Asc);
    let listed = list.try_next().await.unwrap().unwrap();
    sdk.expect(
        "GET /v1/P/training-job-configs?order=asc&page=1&per_page=10&search_content=configname&sortBy=create_time",
    );
    for way in [m.training_job_config("my_job_config").unwrap(), created.unwrap().handle, listed.handle] {
        way.show().await.unwrap(); // get_job_configs_info
        sdk.expect("GET /v1/P/training-job-configs/my_job_config");
        way.delete().await.unwrap(); // delete_job_configs
        sdk.expect("DELETE /v1/P/training-job-configs/my_job_config");
    }
}

#[tokio::test]
async fn visualization_jobs() {
    let mut sdk = Sdk::new().await;
    let m = sdk.server.session().modelarts();
    let jobs = m.visualization_jobs();
    let created = jobs.create("visualization_job", "/bucket/train/").description("my visualization job");
    let created = created.send().await.unwrap(); // create_visualization_job
    let expected =
        json!({"job_name": "visualization_job", "job_desc": "my visualization job", "train_url": "/bucket/train/"});
    assert_eq!(sdk.expect("POST /v1/P/visualization-jobs"), expected);
    // get_visualization_job_list and get_visualization_job_object_list are one.
    let list = jobs.list().status(JobState::Running).per_page(10).page(1).search("job");
    let mut list = list.sort_by(VisualizationJobSortKey::CreateTime).order(SortOrder::Asc);
    let listed = list.try_next().await.unwrap().unwrap();
    sdk.expect(
        "GET /v1/P/visualization-jobs?order=asc&page=1&per_page=10&search_content=job&sortBy=create_time&status=8",
    );
    let ways = [(m.visualization_job("8992").unwrap(), "8992"), (created.handle, "182626"), (listed.handle, "182626")];
    for (way, id) in ways {
        way.show().await.unwrap(); // get_visualization_job_info
        sdk.expect(&format!("GET /v1/P/visualization-jobs/{id}"));
        way.update_description("update visualization job").await.unwrap(); // update_visualization_job
        let body = sdk.expect(&format!("PUT /v1/P/visualization-jobs/{id}"));
        assert_eq!(body, json!({"job_desc": "update visualization job"}));
        way.delete().await.unwrap(); // delete_visualization_job
        sdk.expect(&format!("DELETE /v1/P/visualization-jobs/{id}"));
        way.stop().await.unwrap(); // stop_visualization_job
        sdk.expect(&format!("POST /v1/P/visualization-jobs/{id}/stop"));
        way.restart().await.unwrap(); // restart_visualization_job
        sdk.expect(&format!("POST /v1/P/visualization-jobs/{id}/restart"));
    }
}

#[tokio::test]
async fn labeling_jobs() {
    let mut sdk = Sdk {
        server: Server::json(
            200,
            &ANSWER.replace(
                "\"job_id\": 182626, \"job_name\": \"a\", \"version_id\"",
                "\"job_id\": \"062ef90a\", \"version_id\"",
            ),
        )
        .await,
        seen: 0,
    };
    let m = sdk.server.session().modelarts();
    let jobs = m.labeling_jobs();
    let create = jobs.create("label_name", LabelingDataType::Obs, LabelingJobType::ManualImageClassify);
    create.description("label_description").path("cat-datset/obs-9374/").send().await.unwrap(); // create_label_job
    let expected = json!({"name": "label_name", "description": "label_description", "data_type": "OBS",
        "type": "Manual Image classify", "path": "cat-datset/obs-9374/"});
    assert_eq!(sdk.expect("POST /v1/P/annotation-jobs"), expected);
    // The documented number of the page is 10, counted from 0.
    jobs.list().per_page(10).page(11).try_next().await.unwrap(); // query_label_jobs
    sdk.expect("GET /v1/P/annotation-jobs?limit=10&offset=10");
    let id = "062ef90a-da4d-4af4-82ba-1523da57e78e";
    let job = m.labeling_job(id).unwrap();
    job.delete().await.unwrap(); // delete_label_job
    sdk.expect(&format!("DELETE /v1/P/annotation-jobs/{id}"));
    job.update("label_name").description("label_description").send().await.unwrap(); // mod_label_job
    let body = sdk.expect(&format!("PUT /v1/P/annotation-jobs/{id}"));
    assert_eq!(body, json!({"name": "label_name", "description": "label_description"}));
    job.validation().await.unwrap(); // query_validation
    sdk.expect(&format!("GET /v1/P/annotation-jobs/{id}/validation"));
    job.save_validation("98.00").await.unwrap(); // save_validation
    assert_eq!(sdk.expect(&format!("POST /v1/P/annotation-jobs/{id}/validation")), json!({"pass_rate": "98.00"}));
}

/// All methods of the SDK's classes are in the table, and found by their names in the documentation.
#[test]
fn every_method_has_its_counterpart() {
    let table = include_str!("../../docs/coming-from-the-python-sdk.md");
    let code = [
        include_str!("../../src/modelarts/mod.rs"),
        include_str!("../../src/modelarts/job_configs.rs"),
        include_str!("../../src/modelarts/labeling.rs"),
        include_str!("../../src/modelarts/logs.rs"),
        include_str!("../../src/modelarts/training.rs"),
        include_str!("../../src/modelarts/visualization.rs"),
    ]
    .concat();
    let classes = [
        (
            "Estimator",
            "create_job_configs create_job_version delete_job_by_id delete_job_configs delete_job_version fit \
             get_built_in_algorithms get_framework_list get_job_configs_info get_job_configs_list \
             get_job_configs_object_list get_job_info get_job_list get_job_log get_job_log_file_list \
             get_job_version_info get_job_version_object_list get_train_instance_types stop_job_version \
             update_job_configs update_job_description",
        ),
        ("TrainingJob", "delete_job"),
        (
            "VisualizationJob",
            "create_visualization_job delete_visualization_job get_visualization_job_info get_visualization_job_list \
             get_visualization_job_object_list restart_visualization_job stop_visualization_job \
             update_visualization_job",
        ),
        (
            "LabelApi",
            "create_label_job delete_label_job mod_label_job query_label_jobs query_validation save_validation",
        ),
    ];
    let mut count = 0;
    for (class, methods) in classes {
        for method in methods.split_whitespace() {
            assert!(table.contains(&format!("`{class}.{method}`")), "{class}.{method} is not in the table");
            let found = [format!("alias = \"{method}\""), format!("pub async fn {method}(")];
            assert!(found.iter().any(|text| code.contains(text)), "{method} is not found in the documentation");
            count += 1;
        }
    }
    assert_eq!(count, 36);
}
