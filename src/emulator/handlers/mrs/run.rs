//! Runs: of job objects, which are called job executions, and of jobs submitted straight to a cluster, of which there
//! is an exe object too.

use http::StatusCode;
use rusqlite::{Row, params};
use serde_json::{Map, Value, json};

use super::objects::{Kind, timestamp};
use super::{data_source, job};
use crate::emulator::answer::Refusal;
use crate::emulator::check::{fields, text};
use crate::emulator::handlers::{Answer, Call};
use crate::emulator::store::next_id;

/// States of a run.
const TERMINATED: i64 = -1;
const RUNNING: i64 = 2;
/// How a run ended.
const UNFINISHED: i64 = 0;
const CANCELED: i64 = 3;

/// All runs, as job executions.
pub(super) const EXECUTION: Kind = Kind {
    table: "run",
    what: "job execution",
    parameter: "job_execution_id",
    one: "job_execution",
    many: "job_executions",
    columns: "id, job_id, cluster_id, created, updated, started, ended, details",
    sortable: &["job_id", "cluster_id"],
    read,
};

/// Runs a job object.
pub(super) fn execute(call: &Call<'_>) -> Result<Answer, Refusal> {
    let job = call.text("job_id");
    job::KIND.must_exist(call, job)?;
    for field in ["input_id", "output_id"] {
        if let Some(id) = text(call.body, field).filter(|id| !id.is_empty()) {
            data_source::KIND.must_exist(call, id)?;
        }
    }
    let details = json!({
        "input_id": call.body["input_id"],
        "output_id": call.body["output_id"],
        "job_configs": call.body["job_configs"],
    });
    let id = start(call, job, "", &details)?;
    let mut answer = EXECUTION.answer(call, &id)?;
    // The page of this operation differs in these two fields from those that show the run later.
    if let Some(execution) = answer.body.as_mut().and_then(|body| body[EXECUTION.one].as_object_mut()) {
        execution.insert("is_protected".to_owned(), Value::Null);
        execution.shift_remove("engine_job_id");
    }
    Ok(answer)
}

/// Submits a job straight to a cluster.
pub(super) fn submit(call: &Call<'_>) -> Result<Answer, Refusal> {
    let body = call.body;
    rules(body)?;
    let mut details: Value = SUBMITTED
        .iter()
        .filter_map(|field| Some(((*field).to_owned(), body.get(field)?.clone())))
        .collect::<Map<_, _>>()
        .into();
    if let Some(arguments) = text(body, "arguments") {
        details["arguments"] = guarded(arguments).into();
    }
    let (name, cluster) = (text(body, "job_name").unwrap_or_default(), text(body, "cluster_id").unwrap_or_default());
    let id = start(call, "", name, &details)?;
    let seconds = call.now / 1000;
    let mut job = submitted(call, &id, name, cluster, &details);
    for (field, value) in [
        ("templated", json!(false)),
        ("created_at", json!(seconds)),
        ("updated_at", json!(seconds)),
        ("start_time", json!(seconds)),
        ("end_time", Value::Null),
        ("postpone_at", json!(seconds)),
        ("job_state", json!(RUNNING)),
        ("job_final_status", json!(UNFINISHED)),
        ("user_id", json!(call.project)),
        ("is_protected", json!(false)),
        ("credentials", json!("")),
    ] {
        job[field] = value;
    }
    for field in ["hql", "hive_script_path"] {
        job[field] = text(&details, field).unwrap_or_default().into();
    }
    for field in [
        "input_id",
        "output_id",
        "engine_job_id",
        "return_code",
        "is_public",
        "job_configs",
        "extra",
        "data_source_urls",
        "info",
    ] {
        job[field] = Value::Null;
    }
    Ok(json!({"job_execution": job}).into())
}

/// What the answer to a submission and an exe object have in common.
fn submitted(call: &Call<'_>, id: &str, name: &str, cluster: &str, details: &Value) -> Value {
    let given = |field: &str| text(details, field).unwrap_or_default();
    json!({
        "id": id,
        "tenant_id": call.project,
        "job_id": "",
        "job_name": name,
        "cluster_id": cluster,
        "group_id": id,
        "jar_path": given("jar_path"),
        "input": given("input"),
        "output": given("output"),
        "job_log": given("job_log"),
        "job_type": details["job_type"],
        "file_action": given("file_action"),
        "arguments": given("arguments"),
        "create_by": call.project,
        "finished_step": 0,
        "job_main_id": "",
        "job_step_id": "",
        "step_name": "",
        "step_num": 0,
        "task_num": 0,
        "update_by": call.project,
    })
}

/// What is kept of a submitted job besides its name and its cluster.
const SUBMITTED: [&str; 9] =
    ["job_type", "jar_path", "arguments", "input", "output", "job_log", "hive_script_path", "file_action", "hql"];

/// Arguments without the values that an at sign marks as secret, as in `@password=secret`.
fn guarded(arguments: &str) -> String {
    let guard = |argument: &str| match argument.split_once('=') {
        Some((name, _)) if name.starts_with('@') => format!("{name}=***"),
        _ => argument.to_owned(),
    };
    arguments.split(' ').map(guard).collect::<Vec<_>>().join(" ")
}

/// The documented rules between the fields of a submitted job.
fn rules(body: &Value) -> Result<(), Refusal> {
    let given = |field: &str| text(body, field).unwrap_or_default();
    let missing = |code| Err(Refusal::Rule { status: StatusCode::BAD_REQUEST, code });
    let invalid = |message: &str| Err(Refusal::Invalid(message.to_owned()));
    let (jar, kind) = (given("jar_path").to_ascii_lowercase(), body["job_type"].as_i64().unwrap_or_default());
    match kind {
        1 | 2 if jar.is_empty() => return missing("12000081"),
        1 | 2 if !jar.ends_with(".jar") => return invalid("The field jar_path must end in .jar for this type of job."),
        6 if !jar.is_empty() && !jar.ends_with(".sql") => {
            return invalid("The field jar_path must end in .sql for this type of job.");
        }
        3 | 6 | 7 if given("hive_script_path").is_empty() => return missing("12000114"),
        7 if given("hql").is_empty() => return invalid("The field hql is missing, which this type of job needs."),
        5 => {
            let (from, to) = match given("file_action") {
                "import" => ("s3a://", "/"),
                "export" => ("/", "s3a://"),
                _ => return invalid("The field file_action is missing, which this type of job needs."),
            };
            for (field, start) in [("input", from), ("output", to)] {
                if !given(field).starts_with(start) {
                    return invalid(&format!("The field {field} must begin with {start} for this file_action."));
                }
            }
        }
        _ => {}
    }
    Ok(())
}

/// Stores a new run, and says its id.
fn start(call: &Call<'_>, job: &str, name: &str, details: &Value) -> Result<String, Refusal> {
    let id = next_id(call.transaction)?;
    call.transaction
        .prepare_cached("INSERT INTO run VALUES (NULL, ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?8, ?8, NULL, ?9)")?
        .execute(params![
            call.project,
            id,
            job,
            name,
            text(call.body, "cluster_id"),
            RUNNING,
            UNFINISHED,
            call.now,
            details.to_string(),
        ])?;
    Ok(id)
}

/// Stops a run that has not ended.
pub(super) fn cancel(call: &Call<'_>) -> Result<Answer, Refusal> {
    let mut answer = EXECUTION.show(call)?;
    let canceled = call
        .transaction
        .prepare_cached(
            "UPDATE run SET status = ?3, outcome = ?4, updated = ?5, ended = ?5
             WHERE project_id = ?1 AND id = ?2 AND ended IS NULL",
        )?
        .execute(params![call.project, call.text(EXECUTION.parameter), TERMINATED, CANCELED, call.now])?;
    if canceled == 0 {
        return Err(Refusal::Rule { status: StatusCode::CONFLICT, code: "0175" });
    }
    // As documented, the answer comes before the end is recorded.
    if let Some(body) = &mut answer.body {
        body[EXECUTION.one]["updated_at"] = timestamp(call.now).into();
    }
    Ok(answer)
}

/// A run as a job execution.
fn read(call: &Call<'_>, row: &Row<'_>) -> Result<Value, Refusal> {
    let details: Value = serde_json::from_str(&row.get::<_, String>("details")?).unwrap_or_default();
    Ok(json!({
        "created_at": timestamp(row.get("created")?),
        "updated_at": timestamp(row.get("updated")?),
        "id": row.get::<_, String>("id")?,
        "tenant_id": call.project,
        "job_id": row.get::<_, String>("job_id")?,
        "start_time": timestamp(row.get("started")?),
        "end_time": row.get::<_, Option<i64>>("ended")?.map(timestamp),
        "cluster_id": row.get::<_, String>("cluster_id")?,
        "oozie_job_id": null,
        "return_code": null,
        "input_id": details["input_id"],
        "output_id": details["output_id"],
        "is_protected": false,
        "is_public": null,
        "engine_job_id": null,
        "job_configs": details["job_configs"],
        "data_source_urls": null,
        "info": null,
    }))
}

const EXE_COLUMNS: &str = "id, name, cluster_id, status, outcome, created, updated, started, ended, details";

/// Answers one page of the submitted jobs that meet all given conditions, the newest first.
pub(super) fn list_exes(call: &Call<'_>) -> Result<Answer, Refusal> {
    let (size, page) = (call.number_or("page_size", 10), call.number_or("current_page", 1).max(1));
    let state = call.parameters.get("state").and_then(Value::as_i64);
    let conditions = "FROM run WHERE project_id = ?1 AND job_id = '' AND (?2 IN ('', cluster_id)) AND ?3 IN ('', id)
                      AND ?4 IN ('', name) AND ifnull(?5, status) = status";
    let (cluster, id, name) = (call.text("cluster_id"), call.text("id"), call.text("job_name"));
    let total: i64 = call
        .transaction
        .prepare_cached(&format!("SELECT count(*) {conditions}"))?
        .query_row(params![call.project, cluster, id, name, state], |row| row.get(0))?;
    let mut query = call
        .transaction
        .prepare_cached(&format!("SELECT {EXE_COLUMNS} {conditions} ORDER BY number DESC LIMIT ?6 OFFSET ?7"))?;
    let mut rows =
        query.query(params![call.project, cluster, id, name, state, size, (page - 1).saturating_mul(size)])?;
    let mut exes = Vec::new();
    while let Some(row) = rows.next()? {
        exes.push(exe(call, row)?);
    }
    Ok(json!({"totalRecord": total, "job_executions": exes}).into())
}

/// Answers with the exe object of a submitted job.
pub(super) fn show_exe(call: &Call<'_>) -> Result<Answer, Refusal> {
    let id = call.text("job_exe_id");
    let mut query = call
        .transaction
        .prepare_cached(&format!("SELECT {EXE_COLUMNS} FROM run WHERE project_id = ?1 AND id = ?2 AND job_id = ''"))?;
    let mut rows = query.query([call.project, id])?;
    let row = rows.next()?.ok_or_else(|| Refusal::unknown("job exe object", id))?;
    Ok(json!({"job_execution": exe(call, row)?}).into())
}

/// A run as an exe object.
fn exe(call: &Call<'_>, row: &Row<'_>) -> Result<Value, Refusal> {
    let (created, started, ended): (i64, i64, Option<i64>) =
        (row.get("created")?, row.get("started")?, row.get("ended")?);
    let details: Value = serde_json::from_str(&row.get::<_, String>("details")?).unwrap_or_default();
    let text = |column: &str| row.get::<_, String>(column);
    let mut exe = submitted(call, &text("id")?, &text("name")?, &text("cluster_id")?, &details);
    for (field, value) in [
        ("create_at", json!(created)),
        ("update_at", json!(row.get::<_, i64>("updated")?)),
        ("start_time", json!(started)),
        ("end_time", json!(ended)),
        ("postpone_at", json!(created)),
        ("hql", details["hql"].clone()),
        ("job_state", json!(row.get::<_, i64>("status")?)),
        ("job_final_status", json!(row.get::<_, i64>("outcome")?)),
        ("hive_script_path", details["hive_script_path"].clone()),
        ("spend_time", json!(ended.map(|ended| (ended - started) as f64 / 1000.0))),
        ("step_seq", json!(0)),
        ("progress", json!("")),
    ] {
        exe[field] = value;
    }
    // The documented world has more to tell of its runs.
    for (field, value) in fields(&details["exe"]) {
        exe[field] = value.clone();
    }
    Ok(exe)
}
