//! First guesses of somebody who has read only README and guides: each compiles and runs against the emulator.

#![cfg(feature = "emulator")]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on shall fail")]
#![allow(clippy::needless_borrows_for_generic_args, reason = "that references are taken is what is tested")]

use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;
use std::time::Duration;

use huaweicloud_jobs::emulator::{Emulator, Transitions};
use huaweicloud_jobs::modelarts::types::{LabelingDataType, LabelingJobType, TrainingJobSortKey};
use huaweicloud_jobs::modelarts::{Code, Data, JobState, Resources, Training};
use huaweicloud_jobs::mrs::types::{DataSourceTypeForRequest, JobTypeForCreate};
use huaweicloud_jobs::mrs::{JobExeType, Mrs};
use huaweicloud_jobs::paging::SortOrder;
use huaweicloud_jobs::session::credentials::{Chain, Context, Found, Outcome, Provider, Providing};
use huaweicloud_jobs::{
    ClusterId, Credentials, DataSourceId, EngineId, Error, ErrorKind, JobBinaryId, JobExeId, JobExecutionId, JobId,
    LabelingJobId, ModelId, ProjectId, RetryPolicy, Service, Session, SpecId, TrainingJobConfigName, TrainingJobId,
    TrainingJobVersionId, VisualizationJobId, bulk,
};

type Outcomes = Result<(), Box<dyn std::error::Error>>;

fn training() -> Training {
    Training::new(Code::algorithm(7), Data::obs("/bucket/data/"), Resources::spec(1).workers(2))
        .train_url("/bucket/output/")
}

async fn started() -> (Emulator, Session) {
    let emulator = Emulator::builder().transitions(Transitions::AfterReads(1)).start().await.unwrap();
    let session = emulator.session().unwrap();
    (emulator, session)
}

/// Every form in which a program may have the id of a training job or of a version.
#[tokio::test]
async fn numbers_texts_ids_handles_and_entries_name_training_jobs() -> Outcomes {
    let (_emulator, session) = started().await;
    let modelarts = session.modelarts();
    let path: String = "10".to_owned();
    let listed = modelarts.training_jobs().list().page(1).fetch_page().await?.entries;
    let entry = listed.iter().find(|entry| entry.id().get() == 10).unwrap();
    let id: TrainingJobId = entry.details.job_id;
    let handle = modelarts.training_job(id)?;
    for job in [
        modelarts.training_job(10)?,
        modelarts.training_job(10_u8)?,
        modelarts.training_job(10_u32)?,
        modelarts.training_job(10_i64)?,
        modelarts.training_job(10_u64)?,
        modelarts.training_job(10_usize)?,
        modelarts.training_job("10")?,
        modelarts.training_job(&path)?,
        modelarts.training_job(path)?,
        modelarts.training_job(&id)?,
        modelarts.training_job(&handle)?,
        modelarts.training_job(handle)?,
        modelarts.training_job(entry)?,
    ] {
        job.show().await?;
    }
    let job = modelarts.training_job(10)?;
    let versions: Vec<_> = job.versions().list().try_collect().await?;
    let version = versions[0].details.version_id;
    for version in [
        job.version(version)?,
        job.version(&version)?,
        job.version(version.get())?,
        job.version(version.to_string())?,
        job.version(&versions[0])?,
        job.version(entry.details.version_id).or_else(|_| job.version(version))?,
    ] {
        version.show().await?;
    }
    assert!(job.version("20").is_ok() && job.version("twenty").is_err());
    for malformed in ["", "..", "1/2", "ten", " 10", "99999999999999999999"] {
        let error = modelarts.training_job(malformed).unwrap_err();
        assert!(error.is_invalid_request() && error.field() == Some("job_id"), "{malformed}: {error}");
    }
    assert!(modelarts.training_job(u64::MAX).is_err());
    let created = job.versions().create(versions[0].details.version_id, training()).await?;
    assert!(job.versions().create(created.details.version_id, training()).await.is_ok());
    assert!(job.versions().create(&created, training()).await.is_ok());
    let error = job.versions().create("one", training()).await.unwrap_err();
    assert_eq!(
        (error.field(), error.operation()),
        (Some("version_id"), Some("create_training_job_version")),
        "{error}"
    );
    Ok(())
}

#[tokio::test]
async fn the_other_objects_are_named_in_all_forms_too() -> Outcomes {
    let (_emulator, session) = started().await;
    let modelarts = session.modelarts();
    let board = modelarts.visualization_jobs().create("board", "/bucket/output/").await?;
    let id: VisualizationJobId = board.details.job_id.clone();
    for job in [
        modelarts.visualization_job(&id)?,
        modelarts.visualization_job(id.to_string())?,
        modelarts.visualization_job(id.as_str())?,
        modelarts.visualization_job(id.as_str().parse::<u64>()?)?,
        modelarts.visualization_job(&board)?,
    ] {
        assert_eq!(job.show().await?.job_id, id);
    }
    let labeling = modelarts
        .labeling_jobs()
        .create("cats", LabelingDataType::Obs, LabelingJobType::ManualImageClassify)
        .path("cats/")
        .await?;
    modelarts.labeling_job(&labeling)?.validation().await.ok();
    modelarts.labeling_job(&labeling.details.job_id)?.update("dogs").await?;
    modelarts.training_job_configs().create("saved", training()).await?;
    modelarts.training_job_config(String::from("saved"))?.update(training()).description("new").await?;
    let engine: EngineId = 1.into();
    for training in [
        Training::new(Code::own("/b/", "/b/x.py").engine(engine), Data::obs("/b/"), Resources::spec(SpecId::from(1))),
        Training::new(Code::own("/b/", "/b/x.py").engine("1"), Data::obs("/b/"), Resources::spec("1")),
        Training::new(Code::own("/b/", "/b/x.py").engine(1_u64), Data::obs("/b/"), Resources::spec(1_usize)),
        Training::new(Code::algorithm(ModelId::from(7)), Data::obs("/b/"), Resources::spec(&SpecId::from(1))),
    ] {
        let name = format!("job-{}", modelarts.training_jobs().list().fetch_page().await?.total.unwrap());
        modelarts.training_jobs().create(name, training).await?;
    }
    let error = modelarts
        .training_jobs()
        .create("x", Training::new(Code::algorithm("x"), Data::obs("/b/"), Resources::spec(1)));
    assert_eq!(error.await.unwrap_err().field(), Some("model_id"));
    let specs: Vec<_> = modelarts.resource_specs().engine_id(engine).try_collect().await?;
    let _ = Resources::spec(specs[0].spec_id);
    Ok(())
}

#[tokio::test]
async fn mrs_takes_what_its_own_calls_returned() -> Outcomes {
    let emulator = Emulator::builder().empty().transitions(Transitions::AfterReads(1)).start().await?;
    let mrs: Mrs = emulator.session()?.mrs();
    let binary = mrs.job_binaries().create("wordcount", "s3a://bucket/a.jar", "").await?;
    let other = mrs.job_binaries().create("other", "s3a://bucket/b.jar", "").await?;
    let input = mrs.data_sources().create("in", "s3a://bucket/in/", DataSourceTypeForRequest::Obs).await?;
    let output = mrs.data_sources().create("out", "s3a://bucket/out/", DataSourceTypeForRequest::Obs).await?;
    let job = mrs.jobs().create("count", JobTypeForCreate::MapReduce).libs([binary.id()]).await?;
    for update in [
        job.update().libs([]),
        job.update().libs([binary.id()]),
        job.update().libs([&binary, &other]),
        job.update().libs([binary.id().clone()]),
        job.update().libs([binary.id().as_str()]),
        job.update().libs(vec![binary.id().to_string()]),
        job.update().libs(&[&binary][..]),
        job.update().libs(HashSet::from([binary.id()])),
        job.update().libs(BTreeSet::from([binary.id().clone()])),
        job.update().libs([&binary, &other].into_iter().map(|binary| binary.id())),
        job.update().mains([]).libs(vec![&binary]),
    ] {
        update.await?;
    }
    let error = job.update().libs(["..", "x"]).await.unwrap_err();
    assert_eq!((error.field(), error.operation()), (Some("libs"), Some("update_job")), "{error}");

    let cluster: ClusterId = "e955a7a3-d334-4943-a39a-994976900d56".parse()?;
    let execution = job.execute(&cluster, &input, &output).args(["wordcount"]).await?;
    job.execute(cluster.as_str(), input.id(), output.id().clone()).args([]).await?;
    job.execute(cluster.to_string(), input.clone(), output.id().as_str()).send().await?;
    let error = job.execute("", &input, &output).await.unwrap_err();
    assert_eq!((error.field(), error.operation()), (Some("cluster_id"), Some("execute_job")), "{error}");
    mrs.execution(&execution)?.wait().every(Duration::from_millis(1)).await?;

    let submitted = mrs.job_exes().submit("one", JobExeType::MapReduce, &cluster).jar_path("/a.jar").await?;
    assert_eq!(mrs.job_exes().list(&cluster).id(&submitted).per_page(1).fetch_page().await?.entries.len(), 1);
    mrs.job_exe(submitted.id())?.show().await?;
    mrs.job(&job)?.update_description("counts words").await?;
    assert_eq!(mrs.job(job.id())?.show().await?.description.as_deref(), Some("counts words"));
    mrs.data_source(&input)?.update_description("input").await?;
    mrs.job_binary(&binary)?.update_description("program").await?;
    Ok(())
}

/// What every id can do, by its bounds.
#[test]
fn ids_have_the_usual_traits() {
    fn id<T>(text: &str)
    where
        T: Clone + Eq + Ord + std::hash::Hash + std::fmt::Debug + std::fmt::Display + std::str::FromStr<Err = Error>,
        T: serde::Serialize + serde::de::DeserializeOwned + Send + Sync + 'static,
        T: for<'a> TryFrom<&'a str, Error = Error> + TryFrom<String, Error = Error> + for<'a> From<&'a T>,
    {
        let id: T = text.parse().unwrap();
        assert_eq!(id.to_string(), text);
        assert_eq!(T::try_from(text.to_owned()).unwrap(), T::from(&id));
        assert_eq!(serde_json::from_value::<T>(serde_json::to_value(&id).unwrap()).unwrap(), id);
        assert_eq!(HashSet::from([id.clone(), id.clone()]).len(), 1);
        assert!(format!("{id:?}").contains(text) && !format!("{id:?}").contains('{'), "{id:?}");
        assert!("".parse::<T>().is_err());
    }
    id::<TrainingJobId>("10");
    id::<TrainingJobVersionId>("20");
    id::<EngineId>("1");
    id::<SpecId>("2");
    id::<ModelId>("3");
    id::<VisualizationJobId>("197");
    id::<TrainingJobConfigName>("config");
    id::<LabelingJobId>("062ef90a");
    id::<JobId>("b8ea4daa");
    id::<JobBinaryId>("2628d0e4");
    id::<DataSourceId>("b2a7d0e4");
    id::<JobExecutionId>("e955a7a3");
    id::<JobExeId>("632863d5");
    id::<ClusterId>("33dff020");
    id::<ProjectId>("cbfb9585");
    assert_eq!((i64::from(TrainingJobId::from(10)), String::from("a".parse::<JobId>().unwrap())), (10, "a".to_owned()));
    // Texts of one kind are no ids of another kind: a job is no data source.
    assert_eq!("a".parse::<JobId>().unwrap().as_ref(), "a");
}

#[tokio::test]
async fn builders_can_be_kept_and_moved() -> Outcomes {
    let (_emulator, session) = started().await;
    let job = session.mrs().jobs().create("mine", JobTypeForCreate::Spark).libs(["x"]).await;
    let job = match job {
        Ok(job) => job,
        Err(_) => {
            let binary = session.mrs().job_binaries().create("mine", "/a.jar", "").await?;
            session.mrs().jobs().create("mine", JobTypeForCreate::Spark).libs([&binary]).await?
        }
    };
    // The handle is a temporary here.
    let mut update = session.mrs().job(&job)?.update();
    for (rename, name) in [(true, "renamed"), (false, "never")] {
        if rename {
            update = update.name(name);
        }
    }
    assert_eq!(update.await?.name, "renamed");

    let modelarts = session.modelarts();
    let job = modelarts.training_jobs().create("waited-for", training()).await?;
    let done = tokio::spawn(job.wait().every(Duration::from_millis(1)).for_completion());
    let again = tokio::spawn(job.wait().every(Duration::from_millis(1)).into_future());
    let details = done.await??;
    assert_eq!(again.await??.job_id, details.job_id);
    assert_eq!(details.job_id, Some(job.id()));
    let mut states = Vec::new();
    job.wait().every(Duration::from_millis(1)).observe(|progress| states.push(progress.state.to_owned())).await?;
    assert_eq!(states, ["JOBSTAT_COMPLETED"]);

    let version = job.first_version().unwrap();
    let read = { version.log_file("x").read().lines(1) };
    tokio::spawn(read.into_future()).await?.ok();
    Ok(())
}

#[tokio::test]
async fn descriptions_are_changed_in_every_way() -> Outcomes {
    let (_emulator, session) = started().await;
    let modelarts = session.modelarts();
    let job = modelarts.training_job(10)?;
    let versions: Vec<_> = job.versions().list().try_collect().await?;
    versions[0].update_description("from the list of versions").await?;
    assert_eq!(job.show().await?.job_desc.as_deref(), Some("from the list of versions"));

    let board = modelarts.visualization_jobs().create("board", "/bucket/output/").await?;
    let mut updates = modelarts.visualization_jobs().update_descriptions(bulk::iter([(&board, "many")]));
    let done = updates.next().await.unwrap();
    assert_eq!((&done.id, done.result.is_ok(), done.attempts), (board.id(), true, 1));
    assert_eq!(board.show().await?.job_desc.as_deref(), Some("many"));

    let create = modelarts.labeling_jobs().create("cats", LabelingDataType::Obs, LabelingJobType::ManualImageClassify);
    let labeling = create.path("cats/").await?;
    let updates = bulk::iter([(labeling.id().clone(), "dogs", "many"), ("gone".parse::<LabelingJobId>()?, "x", "y")]);
    let mut updates = modelarts.labeling_jobs().update_descriptions(updates);
    let mut outcomes = Vec::new();
    while let Some(done) = updates.next().await {
        outcomes.push((done.index, done.result.is_ok()));
    }
    outcomes.sort();
    assert_eq!((outcomes, updates.position()), (vec![(0, true), (1, false)], 2));
    let listed: Vec<_> = modelarts.labeling_jobs().list().search("dogs").try_collect().await?;
    assert_eq!(listed[0].details.description.as_deref(), Some("many"));

    let jobs: Vec<_> = modelarts.training_jobs().list().try_collect().await?;
    let mut updates = modelarts.training_jobs().update_descriptions(bulk::iter(jobs.iter().map(|job| (job, "all"))));
    while let Some(done) = updates.next().await {
        done.result?;
    }
    Ok(())
}

#[tokio::test]
async fn all_lists_name_the_size_and_the_order_alike() -> Outcomes {
    let (_emulator, session) = started().await;
    let (modelarts, mrs) = (session.modelarts(), session.mrs());
    let jobs =
        || modelarts.training_jobs().list().per_page(1).sort_by(TrainingJobSortKey::JobName).order(SortOrder::Desc);
    let page = jobs().fetch_page().await?;
    assert_eq!(page.entries.len(), 1);
    let rest: Vec<_> = jobs().resume(page.cursor.unwrap()).try_collect().await?;
    assert_eq!(rest.len() as u64 + 1, page.total.unwrap());
    assert_eq!(modelarts.training_jobs().list().per_page(1).page(2).fetch_page().await?.entries.len(), 1);
    assert!(modelarts.training_jobs().list().page(99).fetch_page().await?.entries.is_empty());
    modelarts.visualization_jobs().list().per_page(1).order(SortOrder::Asc).fetch_page().await?;
    modelarts.labeling_jobs().list().per_page(1).order(SortOrder::Asc).fetch_page().await?;
    modelarts.built_in_algorithms().per_page(1).order(SortOrder::Asc).fetch_page().await?;
    modelarts.training_job_configs().list().per_page(1).order(SortOrder::Asc).fetch_page().await?;
    modelarts.training_job(10)?.versions().list().per_page(1).fetch_page().await?;
    mrs.job_exes().list("cluster").per_page(1).fetch_page().await?;
    mrs.executions().list().per_page(1).fetch_page().await?;
    mrs.data_sources().list().per_page(1).fetch_page().await?;
    for name in ["a", "b", "c"] {
        mrs.job_binaries().create(name, "/x.jar", "").await?;
    }
    let names = |order| mrs.job_binaries().list().per_page(2).sort_by("name").order(order).try_collect::<Vec<_>>();
    let (up, down) = (names(SortOrder::Asc).await?, names(SortOrder::Desc).await?);
    let names = |entries: Vec<huaweicloud_jobs::Entry<_, _>>| -> Vec<String> {
        let _: &Vec<
            huaweicloud_jobs::Entry<huaweicloud_jobs::mrs::JobBinary, huaweicloud_jobs::mrs::types::JobBinaryDetails>,
        > = &entries;
        entries.into_iter().map(|entry| entry.details.name).collect()
    };
    let (up, mut down) = (names(up), names(down));
    down.reverse();
    assert_eq!(up, down);
    let error = mrs.jobs().list().order(SortOrder::Desc).fetch_page().await.unwrap_err();
    assert_eq!(error.field(), Some("order"), "{error}");
    Ok(())
}

#[tokio::test]
async fn sessions_are_set_up_as_one_expects() -> Outcomes {
    let emulator = Emulator::builder()
        .project("cbfb9585c5854926a411a3f5a984fc09", "first")
        .project("0123456789abcdef0123456789abcdef", "second")
        .start()
        .await?;
    let session = emulator
        .session_builder()
        .retry(RetryPolicy::never())
        .timeout(Duration::from_secs(20))
        .user_agent_suffix("surface/1.0")
        .credentials(Credentials::token("wrong"))
        .credentials(emulator.access_key())
        .build()?;
    assert_eq!(session.endpoint(Service::Mrs), Some(&*emulator.endpoint()));
    assert_eq!((session.region(), session.project_id().as_str()), (None, emulator.project_id()));
    session.modelarts().training_job(10)?.show().await?;
    for credentials in [emulator.access_key(), emulator.login()] {
        let session = emulator.session_with(credentials)?;
        let other = session.for_project("0123456789abcdef0123456789abcdef")?;
        assert_eq!(other.project_id().as_str(), "0123456789abcdef0123456789abcdef");
        assert!(other.modelarts().training_job(10)?.show().await.unwrap_err().is_not_found());
        assert!(other.for_project(session.project_id())?.modelarts().training_job(10)?.show().await.is_ok());
    }
    assert!(session.for_project("..").is_err());

    let regional = Session::builder().region("cn-north-4").project_id("p").token("t").build()?;
    assert_eq!(regional.region(), Some("cn-north-4"));
    assert_eq!(regional.endpoint(Service::ModelArts), Some("https://modelarts.cn-north-4.myhuaweicloud.com"));
    let one = Session::builder().endpoint_of(Service::Mrs, "https://mrs.example").project_id("p").token("t").build()?;
    assert_eq!((one.endpoint(Service::ModelArts), one.endpoint(Service::Mrs)), (None, Some("https://mrs.example")));
    let error = Session::builder().region("cn-north-4").project_id("p").token("t").user_agent_suffix("a\nb").build();
    assert!(error.unwrap_err().is_configuration());
    let error = Session::builder().region("cn-north-4").project_id("p").token("t").client_certificate("no PEM").build();
    assert!(error.unwrap_err().to_string().contains("client certificate"));
    let http = session_with_own_client(&emulator)?;
    http.modelarts().training_job(10)?.show().await?;
    Ok(())
}

fn session_with_own_client(emulator: &Emulator) -> Result<Session, Error> {
    // A program that makes its own clients chooses a provider itself.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let client = reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none()).build().unwrap();
    emulator.session_builder().http_client(client).build()
}

/// A provider of one's own, which counts how often it is asked; its keys expire.
struct Vault {
    keys: Credentials,
    asked: Arc<std::sync::atomic::AtomicU32>,
}

impl Provider for Vault {
    fn name(&self) -> &'static str {
        "vault"
    }

    fn provide<'a>(&'a self, _: &'a Context) -> Providing<'a> {
        Box::pin(async {
            self.asked.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            let Credentials::AccessKey { access_key, secret_key, .. } = &self.keys else { panic!("a key pair") };
            let soon = huaweicloud_jobs::jiff::Timestamp::now() + huaweicloud_jobs::jiff::SignedDuration::from_mins(1);
            let keys = Credentials::temporary(access_key.clone(), secret_key.clone(), "session-token", Some(soon));
            Ok(Outcome::Found(Found::new(keys, self.name(), "a drawer")))
        })
    }
}

#[tokio::test]
async fn own_providers_are_asked_again_when_keys_expire() -> Outcomes {
    let emulator = Emulator::start().await?;
    let asked = Arc::default();
    let chain = Chain::first_try(Vault { keys: emulator.access_key(), asked: Arc::clone(&asked) });
    let session = Session::builder().endpoint(emulator.endpoint()).no_proxy().project_id(emulator.project_id());
    let session = session.chain(chain).context(Context::empty()).connect().await?;
    let before = asked.load(std::sync::atomic::Ordering::Relaxed);
    // Whatever the emulator says to the token: the keys have less time left than the margin, so each call renews them.
    session.modelarts().training_job(10)?.show().await.ok();
    assert!(before == 1 && asked.load(std::sync::atomic::Ordering::Relaxed) > before);
    Ok(())
}

#[tokio::test]
async fn errors_say_what_kind_they_are() -> Outcomes {
    let (_emulator, session) = started().await;
    let error = session.modelarts().training_job(404)?.update_description("x").await.unwrap_err();
    assert!(error.is_not_found() && !error.is_retryable());
    assert_eq!(
        (error.kind().as_ref(), error.kind().to_string(), error.attempts()),
        ("not found", "not found".to_owned(), 1)
    );
    let debug = format!("{error:?}");
    assert_eq!(debug.matches(error.message()).count(), 1, "{debug}");
    assert!(debug.starts_with(&error.to_string()) && debug.contains("not found"), "{debug}");
    let words: BTreeSet<_> = ErrorKind::ALL.iter().map(|kind| kind.as_str()).collect();
    assert_eq!(words.len(), ErrorKind::ALL.len());

    let nowhere = Session::builder().endpoint("http://127.0.0.1:9").no_proxy().project_id("p").token("t");
    let error = nowhere.retry(RetryPolicy::never()).build()?.modelarts().training_job(1)?.show().await.unwrap_err();
    assert!(error.is_network() && error.is_retryable(), "{error}");
    assert_eq!(format!("{error:?}").matches(error.message()).count(), 1, "{error:?}");
    assert!(Session::builder().build().unwrap_err().is_configuration());
    Ok(())
}

#[tokio::test]
async fn details_read_well() -> Outcomes {
    let (_emulator, session) = started().await;
    let job = session.modelarts().training_job(10)?;
    let details: huaweicloud_jobs::modelarts::types::TrainingJobDetails = job.show().await?;
    let id: Option<TrainingJobId> = details.job_id;
    assert_eq!(format!("{id:?} {}", job.id()), "Some(TrainingJobId(10)) 10");
    let text = format!("{details:?}");
    assert!(!text.contains("quoted") && !text.contains("Integer"), "{text}");
    let status = details.versions[0].status.clone().unwrap();
    assert_eq!(status.to_string(), status.state().to_string());
    assert_eq!((JobState::Completed.to_string(), JobState::Running.code()), ("JOBSTAT_COMPLETED".to_owned(), Some(8)));
    assert_ne!(JobState::UnknownToService, JobState::Undocumented);
    assert_eq!(format!("{job}"), "10");
    Ok(())
}

#[cfg(feature = "mock")]
#[test]
fn values_of_calls_can_be_made_in_tests() -> Outcomes {
    use huaweicloud_jobs::mock;
    for kind in ErrorKind::ALL {
        assert_eq!(mock::error(*kind, "text").kind(), *kind);
    }
    let error = mock::response_error(429, r#"{"error_code": "APIG.0308", "error_msg": "slow down"}"#);
    assert!(error.is_throttled() && error.is_retryable());
    let session = Session::builder().endpoint("http://127.0.0.1:9").project_id("p").token("t").build()?;
    let entry = mock::entry(session.modelarts().training_job(10)?, "details");
    let page = mock::page([entry], Some(1));
    assert_eq!((page.entries[0].id().get(), page.total), (10, Some(1)));
    Ok(())
}

/// No provider of cryptography is installed for the whole process; in a process of its own, since other tests install one.
#[test]
fn no_provider_is_installed_behind_the_programs_back() {
    if std::env::var_os("SURFACE_ALONE").is_some() {
        let session = Session::builder().region("cn-north-4").project_id("p").token("t").build();
        assert!(session.is_ok() && rustls::crypto::CryptoProvider::get_default().is_none());
        return;
    }
    let name = "no_provider_is_installed_behind_the_programs_back";
    let mut command = std::process::Command::new(std::env::current_exe().unwrap());
    let output = command.args(["--exact", name]).env("SURFACE_ALONE", "1").output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
}
