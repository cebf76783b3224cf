//! Many training jobs, for tests of long lists.

use rusqlite::params;

use crate::emulator::store::Transaction;

/// Writes `count` jobs that have ended, with a version each, into a project.
pub(in crate::emulator) fn training_jobs(
    transaction: &Transaction<'_>,
    project: &str,
    count: u32,
    now: i64,
) -> rusqlite::Result<()> {
    if count == 0 {
        return Ok(());
    }
    transaction.execute("INSERT OR IGNORE INTO training_project (id) VALUES (?1)", [project])?;
    // Creating the indexes afterwards is faster than updating them row by row.
    let indexes = transaction
        .prepare(
            "SELECT name, sql FROM sqlite_schema WHERE type = 'index' AND tbl_name = 'training_job' AND sql NOT NULL",
        )?
        .query_map([], |row| Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?)))?
        .collect::<Result<Vec<_>, _>>()?;
    for (name, _) in &indexes {
        transaction.execute_batch(&format!("DROP INDEX {name}"))?;
    }
    // The numbers follow the existing ones; states and times are spread by multiplication.
    transaction.execute(
        "INSERT INTO training_job (project, id, name, description, workspace_id, created, latest, status, started,
                                   duration, versions, last_number)
         WITH RECURSIVE number (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM number WHERE n < ?2)
         SELECT (SELECT key FROM training_project WHERE id = ?1), first.id + n, 'job-' || printf('%08x', n * 2654435761 & 0xffffffff),
                'This is job ' || n, '0', ?3 - n * 1000, first.version + n, iif(n % 8 = 0, 12, 10), ?3 - n * 1000 + 5000,
                20000 + n * 7919 % 10000, 1, 1
         FROM number, (SELECT (SELECT coalesce(max(id), 0) FROM training_job) AS id,
                              (SELECT coalesce(max(id), 0) FROM training_job_version) AS version) AS first",
        params![project, count, now],
    )?;
    transaction.execute(
        "INSERT INTO training_job_version (job, id, name, status, created, started, duration, resource_id, config)
         SELECT key, latest, 'V0001', status, created, started, duration, printf('job%08x', latest),
                '{\"worker_server_num\":1,\"app_url\":\"/usr/app/\",\"boot_file_url\":\"/usr/app/boot.py\",\"data_url\":\"/usr/data/\",\"spec_id\":1}'
         FROM training_job WHERE key > (SELECT max(key) - ?1 FROM training_job)",
        [count],
    )?;
    for (_, sql) in &indexes {
        transaction.execute_batch(sql)?;
    }
    transaction.execute_batch(
        "REPLACE INTO sequence SELECT 'training_job', max(id) FROM training_job;
         REPLACE INTO sequence SELECT 'training_job_version', max(id) FROM training_job_version;",
    )
}
