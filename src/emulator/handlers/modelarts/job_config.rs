//! Saved configurations of training jobs.

use rusqlite::{OptionalExtension, Row, params};
use serde_json::{Value, json};

use super::config;
use crate::emulator::check::text;
use crate::emulator::handlers::call::{Call, Outcome, anywhere};
use crate::emulator::handlers::list::List;
use crate::emulator::response::Rejection;
use crate::emulator::store::taken;

pub(super) fn create(call: &Call<'_>) -> Result<Outcome, Rejection> {
    let name = text(call.body, "config_name").unwrap_or_default();
    if taken(call.transaction, "training_job_config", call.project, name)? {
        return Err(Rejection::Taken(name.to_owned()));
    }
    call.within_quota("training_job_config")?;
    call.transaction.prepare_cached("INSERT INTO training_job_config VALUES (?1, ?2, ?3, ?4, ?5)")?.execute(
        params![
            call.project,
            name,
            text(call.body, "config_desc").unwrap_or_default(),
            call.now,
            config::accept(call.body)?.to_string(),
        ],
    )?;
    Ok(json!({"is_success": true}).into())
}

pub(super) fn list(call: &Call<'_>) -> Result<Outcome, Rejection> {
    let key = match call.text("sortBy") {
        "create_time" if is_sample(call) => {
            return Err(Rejection::not_allowed("The samples cannot be sorted by create_time."));
        }
        "create_time" => "created",
        "config_desc" => "description",
        _ => "name",
    };
    let (limit, offset) = call.page();
    let list = List {
        columns: "name, description, created, config",
        // The emulator has no samples.
        from: "training_job_config WHERE project_id = ?1 AND name LIKE ?2 ESCAPE '\\' AND NOT ?3",
        parameters: &[&call.project, &anywhere(call.text("search_content")), &is_sample(call)],
        order: [key, "name"],
        descending: call.text("order") != "asc",
        limit,
        offset,
    };
    let total = list.count(call)?;
    let configs = list.read(call, total, summary)?;
    Ok(call.listed(configs, total, json!({"is_success": true})))
}

fn summary(row: &Row<'_>) -> rusqlite::Result<Value> {
    let config = config::show(&serde_json::from_str(&row.get::<_, String>(3)?).unwrap_or_default());
    let mut summary = json!({
        "config_name": row.get::<_, String>(0)?,
        "config_desc": row.get::<_, String>(1)?,
        "create_time": row.get::<_, i64>(2)?,
        "engine_type": null,
    });
    for field in ["engine_type", "engine_name", "engine_id", "engine_version", "user_image_url", "user_command"] {
        if let Some(value) = config.get(field) {
            summary[field] = value.clone();
        }
    }
    Ok(summary)
}

pub(super) fn show(call: &Call<'_>) -> Result<Outcome, Rejection> {
    let found = call
        .transaction
        .prepare_cached(
            "SELECT name, description, created, config FROM training_job_config WHERE project_id = ?1 AND name = ?2",
        )?
        .query_row([call.project, call.text("config_name")], |row| {
            let mut config = config::show(&serde_json::from_str(&row.get::<_, String>(3)?).unwrap_or_default());
            config.insert("is_success".to_owned(), json!(true));
            config.insert("config_name".to_owned(), json!(row.get::<_, String>(0)?));
            config.insert("config_desc".to_owned(), json!(row.get::<_, String>(1)?));
            config.insert("create_time".to_owned(), json!(row.get::<_, i64>(2)?));
            Ok(Value::Object(config))
        })
        .optional()?;
    Ok(found.filter(|_| !is_sample(call)).ok_or_else(|| unknown(call))?.into())
}

/// Replaces all parameters: those that are not given are removed.
pub(super) fn update(call: &Call<'_>) -> Result<Outcome, Rejection> {
    let changed = call
        .transaction
        .prepare_cached(
            "UPDATE training_job_config SET description = ?3, config = ?4 WHERE project_id = ?1 AND name = ?2",
        )?
        .execute(params![
            call.project,
            call.text("config_name"),
            text(call.body, "config_desc").unwrap_or_default(),
            config::accept(call.body)?.to_string(),
        ])?;
    if changed == 0 {
        return Err(unknown(call));
    }
    Ok(json!({"is_success": true}).into())
}

pub(super) fn delete(call: &Call<'_>) -> Result<Outcome, Rejection> {
    let deleted = call
        .transaction
        .prepare_cached("DELETE FROM training_job_config WHERE project_id = ?1 AND name = ?2")?
        .execute([call.project, call.text("config_name")])?;
    if deleted == 0 {
        return Err(unknown(call));
    }
    Ok(json!({"is_success": true}).into())
}

fn is_sample(call: &Call<'_>) -> bool {
    call.text("config_type") == "sample"
}

fn unknown(call: &Call<'_>) -> Rejection {
    Rejection::unknown("training job configuration", call.text("config_name"))
}
