//! The objects of MRS that the documents' examples name.

use rusqlite::{Transaction, params};

/// Writes them into an empty project.
pub(super) fn write(transaction: &Transaction<'_>, project: &str) -> rusqlite::Result<()> {
    // The first is the one that the answers show; the others are named in requests.
    for (id, name, protected) in [
        ("2628d0e4-6109-4a09-a338-c4ee1b0963ed", "my-job-binary-666", None),
        ("092b628b-26a3-4571-9ba4-f8d000df8877", "my-job-binary-map", Some(false)),
        ("ed2ffd92-6308-44cb-b930-e10b6d65d3aa", "my-job-binary-spark", Some(false)),
        ("0d58a7e1-3ea7-413e-9a94-7702f99a9fa2", "my-job-binary-hive", Some(false)),
        ("89e6a8bc-dde1-4053-97c1-72504f630dbf", "my-job-binary-script", Some(false)),
    ] {
        transaction.execute(
            "INSERT INTO job_binary VALUES (?1, ?2, ?3, '/simple/mapreduce/program', 'this is the job binary template', 0, ?4)",
            params![project, id, name, protected],
        )?;
    }
    for (id, created) in [
        ("b8ea4daa-0042-45e0-a522-e8b714e74760", "2017-06-22T12:05:58"),
        ("38a04cba-c113-4868-b11f-f50e8b1bf252", "2017-06-22T09:39:13"),
    ] {
        transaction.execute(
            "INSERT INTO job VALUES (?1, ?2, 'my-mapreduce-job', 'MapReduce', 'This is the MapReduce job template', '[]',
             '[\"2628d0e4-6109-4a09-a338-c4ee1b0963ed\"]', '[]', 0, 0, ?3, ?3)",
            params![project, id, created],
        )?;
    }
    Ok(())
}
