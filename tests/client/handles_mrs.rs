//! Tests of the MRS handles with the emulator: every operation and its effect.

#![cfg(feature = "emulator")]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on shall fail")]

use std::time::Duration;

use huaweicloud_jobs::emulator::{Emulator, Transitions};
use huaweicloud_jobs::mrs::types::{DataSourceTypeForRequest, JobTypeForCreate};
use huaweicloud_jobs::mrs::{JobExeState, JobExeType};

#[tokio::test]
async fn job_binaries_and_data_sources_are_created_listed_changed_and_deleted() {
    let emulator = Emulator::builder().empty().start().await.unwrap();
    let mrs = emulator.session().unwrap().mrs();

    let binary = mrs.job_binaries().create("wordcount", "s3a://bucket/a.jar", "first").send().await.unwrap();
    let changed = binary.update().url("/hdfs/b.jar").send().await.unwrap();
    assert_eq!((changed.url.as_deref(), changed.description.as_deref()), (Some("/hdfs/b.jar"), Some("first")));
    assert_eq!(mrs.job_binary(binary.id().as_str()).unwrap().show().await.unwrap().name, "wordcount");
    mrs.job_binaries().create("other", "/x.jar", "").send().await.unwrap();
    let names: Vec<_> = mrs.job_binaries().list().per_page(1).try_collect::<Vec<_>>().await.unwrap();
    assert_eq!(names.iter().map(|entry| entry.details.name.as_str()).collect::<Vec<_>>(), ["wordcount", "other"]);
    binary.delete().await.unwrap();
    assert!(binary.show().await.unwrap_err().is_not_found());

    let sources = mrs.data_sources();
    let error = sources.create("in", "/wrong", DataSourceTypeForRequest::Obs).send().await.unwrap_err();
    assert_eq!((error.field(), error.may_have_been_sent()), (Some("url"), false), "{error}");
    let source = sources.create("in", "s3a://bucket/in/", DataSourceTypeForRequest::Obs).send().await.unwrap();
    let changed = source.update().name("input").description("May").send().await.unwrap();
    assert_eq!((changed.name.as_str(), changed.description.as_deref()), ("input", Some("May")));
    assert_eq!(source.show().await.unwrap().url.as_deref(), Some("s3a://bucket/in/"));
    assert_eq!(sources.list().sort_by("-name").try_collect::<Vec<_>>().await.unwrap().len(), 1);
    source.delete().await.unwrap();
    assert!(mrs.data_source(source.id().as_str()).unwrap().show().await.unwrap_err().is_not_found());
}

#[tokio::test]
async fn jobs_are_executed_waited_for_cancelled_and_deleted() {
    let emulator = Emulator::builder().empty().transitions(Transitions::AfterReads(2)).start().await.unwrap();
    let mrs = emulator.session().unwrap().mrs();
    let binary = mrs.job_binaries().create("script", "/a.sql", "").send().await.unwrap();
    let source = mrs.data_sources().create("data", "/data", DataSourceTypeForRequest::Hdfs).send().await.unwrap();
    let job = mrs.jobs().create("hive", JobTypeForCreate::Hive).mains([binary.id().as_str()]).send().await.unwrap();
    assert_eq!(mrs.jobs().list().try_collect::<Vec<_>>().await.unwrap().len(), 1);

    let start = || job.execute("cluster", source.id().as_str(), source.id().as_str()).args(["a"]).send();
    let execution = start().await.unwrap();
    let done = execution.wait().every(Duration::from_millis(1)).for_completion().await.unwrap();
    assert!(done.end_time.is_some(), "{done:?}");
    let cancelled = start().await.unwrap();
    cancelled.cancel().await.unwrap();
    let listed = mrs.executions().list().per_page(1).try_collect::<Vec<_>>().await.unwrap();
    assert_eq!(listed.len(), 2);
    execution.delete().await.unwrap();
    assert!(mrs.execution(execution.id().as_str()).unwrap().show().await.unwrap_err().is_not_found());
    job.delete().await.unwrap();
    assert!(job.show().await.unwrap_err().is_not_found());
}

#[tokio::test]
async fn submitted_jobs_are_listed_waited_for_and_deleted() {
    let emulator = Emulator::builder().empty().transitions(Transitions::AfterReads(2)).start().await.unwrap();
    let mrs = emulator.session().unwrap().mrs();
    let submit = |name: &str| {
        let submit = mrs.job_exes().submit(name, JobExeType::MapReduce, "cluster").jar_path("/a.jar");
        submit.arguments("wordcount").input("/in").output("/out").job_log("/log").send()
    };
    let submitted = submit("one").await.unwrap();
    let done = submitted.wait().every(Duration::from_millis(1)).for_completion().await.unwrap();
    assert_eq!(done.job_name, "one");
    submit("two").await.unwrap();
    let all = mrs.job_exes().list("cluster").per_page(1).try_collect::<Vec<_>>().await.unwrap();
    assert_eq!(all.len(), 2);
    let completed = mrs.job_exes().list("cluster").state(JobExeState::Completed).try_collect::<Vec<_>>().await.unwrap();
    assert_eq!(completed.iter().map(|exe| exe.id().as_str()).collect::<Vec<_>>(), [submitted.id().as_str()]);
    submitted.delete().await.unwrap();
    assert!(mrs.job_exe(submitted.id().as_str()).unwrap().show().await.unwrap_err().is_not_found());
}
