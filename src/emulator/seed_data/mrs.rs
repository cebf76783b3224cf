//! The objects of MRS that the documents' examples name.
//!
//! The examples of the lists are last pages that begin after a given object. The other objects come before it.

use rusqlite::params;
use serde_json::{Value, json};

use crate::emulator::store::Transaction;

/// Writes them into an empty project.
pub(super) fn write(transaction: &Transaction<'_>, project: &str) -> rusqlite::Result<()> {
    job_binaries(transaction, project)?;
    data_sources(transaction, project)?;
    jobs(transaction, project)?;
    job_executions(transaction, project)?;
    job_exes(transaction, project)
}

fn job_binaries(transaction: &Transaction<'_>, project: &str) -> rusqlite::Result<()> {
    // The first is the one that jobs show; the next are named in requests, the last three in the list.
    for (id, name, protected, updated) in [
        ("2628d0e4-6109-4a09-a338-c4ee1b0963ed", "my-job-binary-666", None, 0),
        ("092b628b-26a3-4571-9ba4-f8d000df8877", "my-job-binary-666", Some(false), 0),
        ("ed2ffd92-6308-44cb-b930-e10b6d65d3aa", "my-job-binary-spark", Some(false), 0),
        ("0d58a7e1-3ea7-413e-9a94-7702f99a9fa2", "my-job-binary-hive", Some(false), 0),
        ("89e6a8bc-dde1-4053-97c1-72504f630dbf", "my-job-binary-script", Some(false), 0),
        ("ddf13f9d-93e8-4999-b860-0dc0c01c517d", "my-job-binary-test1", Some(false), 0),
        ("eadfb8ec-760b-499f-b8df-00a6def854f8", "my-job-binary-test2", Some(false), 0),
        ("da37b581-042f-4d7a-9378-f628f32bd9ae", "my-job-binary-update", Some(false), at("2017-06-22T09:06:50")),
    ] {
        transaction.execute(
            "INSERT INTO job_binary VALUES (NULL, ?1, ?2, ?3, '/simple/mapreduce/program',
             'this is the job binary template', 0, ?4, ?5, ?6)",
            params![project, id, name, protected, at("2017-06-22T09:04:53"), updated],
        )?;
    }
    Ok(())
}

fn data_sources(transaction: &Transaction<'_>, project: &str) -> rusqlite::Result<()> {
    // The first three are named by executions, the last five by the list.
    for (id, name, created, updated) in [
        ("3e1bc8e6-8c69-4749-8e52-90d9341d15bc", "my-data-input", "2017-06-22T08:12:41", 0),
        ("52146b52-6540-4aac-a024-fee253cf52a9", "my-data-output", "2017-06-22T08:12:44", 0),
        ("8bb0259f-309a-49f4-843b-0be86ac1623a", "my-data-output-spark", "2017-06-22T08:12:47", 0),
        ("948b92e5-8213-4f5d-975a-435a67c6b93d", "my-data-source-1", "2017-06-22T08:14:03", 0),
        ("6f2c1f0a-4a5d-4a3e-9d5e-0c2f7f6b1e11", "my-data-source-2", "2017-06-22T08:15:22", 0),
        ("81a2d48b-029a-4160-830b-2d0ac51fa3ba", "my-data-source-3", "2017-06-22T08:16:37", 0),
        ("e68164d5-5897-41a7-a550-5de635fffe20", "my-datasource", "2017-06-22T08:22:06", 0),
        (
            "e275a927-fe72-4b8b-a634-e47a11dca181",
            "my-data-source-update",
            "2017-06-22T08:28:57",
            at("2017-06-22T08:30:08"),
        ),
    ] {
        transaction.execute(
            "INSERT INTO data_source VALUES (NULL, ?1, ?2, ?3, '/simple/mapreduce/input', 'hdfs',
             'this is the data source template', 0, 0, ?4, ?5)",
            params![project, id, name, at(created), updated],
        )?;
    }
    Ok(())
}

fn jobs(transaction: &Transaction<'_>, project: &str) -> rusqlite::Result<()> {
    // The first is the one that is executed.
    for (id, name, created) in [
        ("2c12ff33-da22-47b1-b51f-2828c16bbad8", "my-job", "2017-02-20T09:08:10"),
        ("62a287e9-76c3-458d-a2f8-56e2d824a9ee", "my-job-1", "2017-06-22T09:31:02"),
        ("77f3a2d1-5c0e-4b6f-8d1a-93e5b7c4f0a2", "my-job-2", "2017-06-22T09:32:15"),
        ("4f59aa66-bf38-402c-9b6f-320e77219b9b", "my-job-3", "2017-06-22T09:33:48"),
        ("38a04cba-c113-4868-b11f-f50e8b1bf252", "my-mapreduce-job", "2017-06-22T09:39:13"),
        ("b8ea4daa-0042-45e0-a522-e8b714e74760", "my-mapreduce-job-update", "2017-06-22T12:05:58"),
    ] {
        transaction.execute(
            "INSERT INTO job VALUES (NULL, ?1, ?2, ?3, 'MapReduce', 'This is the MapReduce job template', '[]',
             '[\"2628d0e4-6109-4a09-a338-c4ee1b0963ed\"]', '[]', 0, 0, ?4, ?4)",
            params![project, id, name, at(created)],
        )?;
    }
    Ok(())
}

/// States of a run that the examples show.
const TERMINATED: i64 = -1;
const RUNNING: i64 = 2;
const COMPLETED: i64 = 3;

fn job_executions(transaction: &Transaction<'_>, project: &str) -> rusqlite::Result<()> {
    let cluster = "33dff020-7f96-4270-9c3a-88b99627f6e2";
    let run = |id, cluster: &str, [created, updated, started]: [&str; 3], ended: Option<&str>| {
        let (status, outcome) = if ended.is_some() { (TERMINATED, 3) } else { (RUNNING, 0) };
        let (created, updated, started, ended) = (at(created), at(updated), at(started), ended.map(at));
        RunRow { id, name: "my-mapreduce-job", cluster, status, outcome, created, updated, started, ended }.write(
            transaction,
            project,
            &json!({"job_type": 1}),
        )
    };
    run(
        "2de74673-1a78-48af-a95b-e1fec4a4ae9c",
        "ef7b54f2-3d92-49b2-a6d7-94607e1ea7df",
        ["2017-05-25T07:28:12", "2017-05-25T07:28:13", "2017-05-25T07:28:12"],
        None,
    )?;
    for (id, time, ended) in [
        ("821c8924-5249-4dd8-8069-b8d425f3f54a", "2017-06-22T06:10:20", "2017-06-22T06:10:35"),
        ("8303c1f4-7d0b-4f55-9c6e-5a1d2e8b7c90", "2017-06-22T06:12:41", "2017-06-22T06:12:58"),
        ("839244be-c471-469b-80c0-6f63e376bcbc", "2017-06-22T06:17:09", "2017-06-22T06:17:24"),
    ] {
        run(id, cluster, [time; 3], Some(ended))?;
    }
    run("852042ea-a32c-424b-aacf-df2e6d6642b5", cluster, ["2017-06-22T06:23:51"; 3], None)?;
    run(
        "84900772-8807-4ddc-9484-f719fa43711f",
        cluster,
        ["2017-06-22T06:24:57", "2017-06-22T06:24:59", "2017-06-22T06:24:49"],
        Some("2017-06-22T06:25:02"),
    )
}

fn job_exes(transaction: &Transaction<'_>, project: &str) -> rusqlite::Result<()> {
    let exe = |id: &str, name: &str, cluster: &str, created: i64, details: Value| {
        let (updated, started) = (created, created);
        // The examples show completed jobs that failed and have no end.
        RunRow { id, name, cluster, status: COMPLETED, outcome: 1, created, updated, started, ended: None }.write(
            transaction,
            project,
            &details,
        )
    };
    let hive_script = "632863d5-15d4-4691-9dc1-1a72340cb097";
    exe(
        hive_script,
        "hive_script",
        "8b1d55f6-150e-45e2-8347-b2ca608d366b",
        1_484_240_559_176,
        json!({
            "job_type": 3,
            "jar_path": "s3a://jp-test1/program/Hivescript.sql",
            "arguments": "wordcount",
            "input": "s3a://jp-test1/input/",
            "output": "s3a://jp-test1/output/",
            "job_log": "s3a://jp-test1/joblogs/",
            "hive_script_path": "s3a://jp-test1/program/Hivescript.sql",
            "exe": {
                "job_id": hive_script,
                "postpone_at": 1_484_240_558_705_i64,
                "step_seq": 222,
                "progress": "first progress",
            },
        }),
    )?;
    // The list says that there are fourteen, and prints the newest.
    for (number, created) in (0..14).map(|number| (number, 1_484_641_003_707 - (13 - number) * 60_000)) {
        let id = format!("669476bd-89d2-45aa-8f1a-872d16de37{:02x}", 0x71 + number);
        exe(
            &id,
            "myfirstjob",
            "20ca8601-72a2-4570-b788-2a20fec81a95",
            created,
            json!({
                "job_type": 1,
                "jar_path": "s3a://jp-test1/program/hadoop-mapreduce-examples-2.4.1.jar",
                "arguments": "wordcount",
                "input": "s3a://jp-test1/input/",
                "output": "s3a://jp-test1/output/",
                "job_log": "s3a://jp-test1/joblogs/",
                "hql": "",
                "exe": {"postpone_at": created - 533, "step_seq": 222, "progress": "first progress"},
            }),
        )?;
    }
    Ok(())
}

/// A run of the seed data.
struct RunRow<'a> {
    id: &'a str,
    name: &'a str,
    cluster: &'a str,
    status: i64,
    outcome: i64,
    created: i64,
    updated: i64,
    started: i64,
    ended: Option<i64>,
}

impl RunRow<'_> {
    fn write(&self, transaction: &Transaction<'_>, project: &str, details: &Value) -> rusqlite::Result<()> {
        let Self { id, name, cluster, status, outcome, created, updated, started, ended } = self;
        transaction.execute(
            "INSERT INTO run VALUES (NULL, ?1, ?2, '', ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
            params![project, id, name, cluster, status, outcome, created, updated, started, ended, details.to_string()],
        )?;
        Ok(())
    }
}

/// Parses a time as the documents print it, into milliseconds since the Unix epoch.
fn at(time: &str) -> i64 {
    let time: jiff::civil::DateTime = time.parse().expect("a time of the documents");
    time.to_zoned(jiff::tz::TimeZone::UTC).expect("UTC has no gaps").timestamp().as_millisecond()
}
