//! Runs of job objects, which are job executions, and of jobs that are submitted straight to a cluster, which have an exe
//! object too.

use rusqlite::{Row, ToSql, params};
use serde_json::{Map, Value, json};

use super::objects::{Kind, timestamp};
use super::{data_source, job};
use crate::api::mrs::states;
use crate::emulator::check::{fields, text};
use crate::emulator::handlers::call::{Call, Outcome};
use crate::emulator::handlers::list::List;
use crate::emulator::lifecycle::{Lifecycle, Next};
use crate::emulator::response::Rejection;
use crate::emulator::store::next_id;
use crate::shape::code_of;

/// The states of a run.
const TERMINATED: i64 = code_of(states::JOB_EXE_STATE, "terminated");
const RUNNING: i64 = code_of(states::JOB_EXE_STATE, "running");
const COMPLETED: i64 = code_of(states::JOB_EXE_STATE, "completed");
/// Final states of a run.
const UNFINISHED: i64 = code_of(states::JOB_EXE_FINAL_STATUS, "unfinished");
const SUCCEEDED: i64 = code_of(states::JOB_EXE_FINAL_STATUS, "success");
const CANCELED: i64 = code_of(states::JOB_EXE_FINAL_STATUS, "canceled");

/// The lifecycle of a run: it takes half a minute and succeeds.
pub(in crate::emulator::handlers) static LIFECYCLE: Lifecycle = Lifecycle {
    kind: "run",
    next: |_, _, _, now| Ok(if now == RUNNING { Next::after_seconds(30, COMPLETED) } else { None }),
    write: |transaction, project, id, new, at| {
        let (outcome, ended) = match new {
            COMPLETED => (SUCCEEDED, Some(at)),
            TERMINATED => (CANCELED, Some(at)),
            _ => (UNFINISHED, None),
        };
        transaction
            .prepare_cached(
                "UPDATE run SET status = ?3, outcome = ?4, updated = ?5, ended = ?6 WHERE project_id = ?1 AND id = ?2",
            )?
            .execute(params![project, id, new, outcome, at, ended])?;
        Ok(())
    },
};

/// All runs, as job executions.
pub(super) const EXECUTION: Kind = Kind {
    table: "run",
    what: "job execution",
    parameter: "job_execution_id",
    one: "job_execution",
    columns: "id, job_id, cluster_id, created, updated, started, ended, details",
    sortable: &["job_id", "cluster_id"],
    read,
};

/// Runs a job object.
pub(super) fn execute(call: &Call<'_>) -> Result<Outcome, Rejection> {
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
    let mut outcome = EXECUTION.outcome(call, &id)?;
    // The response to the start differs in these two fields from later ones.
    if let Some(execution) = outcome.body.as_mut().and_then(|body| body[EXECUTION.one].as_object_mut()) {
        execution.insert("is_protected".to_owned(), Value::Null);
        execution.shift_remove("engine_job_id");
    }
    Ok(outcome)
}

/// Submits a job to a cluster.
pub(super) fn submit(call: &Call<'_>) -> Result<Outcome, Rejection> {
    let body = call.body;
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

/// Describes the fields that the response to a submission and an exe object share.
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

/// The fields of a submitted job that are stored besides its name and its cluster.
const SUBMITTED: [&str; 9] =
    ["job_type", "jar_path", "arguments", "input", "output", "job_log", "hive_script_path", "file_action", "hql"];

/// Redacts the values of arguments that an at sign marks as secret, as in `@password=secret`.
fn guarded(arguments: &str) -> String {
    let guard = |argument: &str| match argument.split_once('=') {
        Some((name, _)) if name.starts_with('@') => format!("{name}=***"),
        _ => argument.to_owned(),
    };
    arguments.split(' ').map(guard).collect::<Vec<_>>().join(" ")
}

/// Stores a new run, and returns its id.
fn start(call: &Call<'_>, job: &str, name: &str, details: &Value) -> Result<String, Rejection> {
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
    call.enter(&LIFECYCLE, &id, RUNNING)?;
    Ok(id)
}

/// Shows a job execution.
pub(super) fn show(call: &Call<'_>) -> Result<Outcome, Rejection> {
    let outcome = EXECUTION.show(call)?;
    call.seen(&LIFECYCLE, call.text(EXECUTION.parameter))?;
    Ok(outcome)
}

/// Lists job executions.
pub(super) fn list(call: &Call<'_>) -> Result<Outcome, Rejection> {
    let outcome = EXECUTION.list(call)?;
    seen(call, &outcome)?;
    Ok(outcome)
}

/// Counts that a response shows the state of all runs in it.
fn seen(call: &Call<'_>, outcome: &Outcome) -> Result<(), Rejection> {
    let items = call.list.map_or("", |list| list.items);
    let runs = outcome.body.as_ref().and_then(|body| body[items].as_array());
    runs.into_iter().flatten().filter_map(|run| text(run, "id")).try_for_each(|id| call.seen(&LIFECYCLE, id))
}

/// Stops a run that has not ended.
pub(super) fn cancel(call: &Call<'_>) -> Result<Outcome, Rejection> {
    let id = call.text(EXECUTION.parameter);
    let mut outcome = EXECUTION.show(call)?;
    let execution = outcome.body.as_mut().map(|body| &mut body[EXECUTION.one]);
    let Some(execution) = execution.filter(|execution| execution["end_time"].is_null()) else {
        return Err(Rejection::Conflict { code: "0175", message: format!("The job execution {id} has ended.") });
    };
    call.enter(&LIFECYCLE, id, TERMINATED)?;
    // As documented, the response is made before the end is recorded.
    execution["updated_at"] = timestamp(call.now).into();
    Ok(outcome)
}

/// Deletes a run. A run that has not ended is stopped, as in the documents' example.
pub(super) fn delete(call: &Call<'_>) -> Result<Outcome, Rejection> {
    call.gone(&LIFECYCLE, call.text(EXECUTION.parameter))?;
    EXECUTION.delete(call)
}

/// Describes a run as a job execution.
fn read(call: &Call<'_>, row: &Row<'_>) -> Result<Value, Rejection> {
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

/// Lists a page of the submitted jobs that match all given conditions, the newest first.
pub(super) fn list_exes(call: &Call<'_>) -> Result<Outcome, Rejection> {
    let (limit, offset) = call.page();
    let state = call.parameters.get("state").and_then(Value::as_i64);
    let texts: Vec<(&str, &str)> = [("cluster_id", "cluster_id"), ("id", "id"), ("name", "job_name")]
        .map(|(column, parameter)| (column, call.text(parameter)))
        .into_iter()
        .filter(|(_, text)| !text.is_empty())
        .collect();
    let mut from = "run WHERE project_id = ?1 AND job_id = ''".to_owned();
    let mut parameters: Vec<&dyn ToSql> = vec![&call.project];
    for (column, text) in &texts {
        parameters.push(text);
        from += &format!(" AND {column} = ?{}", parameters.len());
    }
    if let Some(state) = &state {
        parameters.push(state);
        from += &format!(" AND status = ?{}", parameters.len());
    }
    let list = List {
        columns: EXE_COLUMNS,
        from: &from,
        parameters: &parameters,
        order: ["number", "number"],
        descending: true,
        limit,
        offset,
    };
    // Lists by cluster and state are the usual ones, so their totals are kept in a table.
    let total = match texts.as_slice() {
        [] => call.tally("job_exe", None, state)?,
        [("cluster_id", cluster)] => call.tally("job_exe", Some(cluster), state)?,
        _ => list.count(call)?,
    };
    let exes = list.read(call, total, |row| exe(call, row))?;
    let outcome = call.listed(exes, total, json!({}));
    seen(call, &outcome)?;
    Ok(outcome)
}

/// Shows the exe object of a submitted job.
pub(super) fn show_exe(call: &Call<'_>) -> Result<Outcome, Rejection> {
    let id = call.text("job_exe_id");
    let mut query = call
        .transaction
        .prepare_cached(&format!("SELECT {EXE_COLUMNS} FROM run WHERE project_id = ?1 AND id = ?2 AND job_id = ''"))?;
    let mut rows = query.query([call.project, id])?;
    // The status is the documented one of the code: clients of exe objects expect it instead of 404.
    let unknown =
        || Rejection::Documented { code: "0176", message: format!("The job exe object {id} does not exist.") };
    let row = rows.next()?.ok_or_else(unknown)?;
    let outcome = json!({"job_execution": exe(call, row)?});
    call.seen(&LIFECYCLE, id)?;
    Ok(outcome.into())
}

/// Describes a run as an exe object.
fn exe(call: &Call<'_>, row: &Row<'_>) -> rusqlite::Result<Value> {
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
        // Seconds; one edition has an Integer, the other one a Float, so the value is an integer.
        ("spend_time", json!(ended.map(|ended| (ended - started) / 1000))),
        ("step_seq", json!(0)),
        ("progress", json!("")),
    ] {
        exe[field] = value;
    }
    // Runs of the seed data have more fields.
    for (field, value) in fields(&details["exe"]) {
        exe[field] = value.clone();
    }
    Ok(exe)
}
