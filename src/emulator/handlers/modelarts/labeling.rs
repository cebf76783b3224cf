//! Labeling jobs.

use rusqlite::{OptionalExtension, Row, params};
use serde_json::{Map, Value, json};

use crate::emulator::check::text;
use crate::emulator::handlers::call::{Call, Outcome, anywhere};
use crate::emulator::handlers::list::List;
use crate::emulator::response::Rejection;
use crate::emulator::store::{next, next_id, taken};

/// The number of images of a labeling job, all of them with a label.
const IMAGES: usize = 4;

pub(super) fn create(call: &Call<'_>) -> Result<Outcome, Rejection> {
    let name = text(call.body, "name").unwrap_or_default();
    if taken(call.transaction, "labeling_job", call.project, name)? {
        return Err(Rejection::Taken(name.to_owned()));
    }
    call.within_quota("labeling_job")?;
    let (id, number) = (next_id(call.transaction)?, next(call.transaction, "labeling_job")?);
    let from_obs = call.body["data_type"] == "OBS";
    call.transaction
        .prepare_cached("INSERT INTO labeling_job VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, NULL, NULL)")?
        .execute(params![
            call.project,
            id,
            number,
            name,
            text(call.body, "description"),
            text(call.body, "data_type"),
            // Each field has an effect for one source of the images only.
            text(call.body, "path").filter(|_| from_obs),
            text(call.body, "filter_id").filter(|_| !from_obs),
            text(call.body, "type"),
            call.now,
        ])?;
    Ok(json!({"job_id": id, "dls_prj_id": number}).into())
}

pub(super) fn list(call: &Call<'_>) -> Result<Outcome, Rejection> {
    let (limit, offset) = call.page();
    let list = List {
        columns: "id, name, description, data_type, path, filter_id, type, created, number",
        from: "labeling_job WHERE project_id = ?1 AND name LIKE ?2 ESCAPE '\\'",
        parameters: &[&call.project, &anywhere(call.text("search_content"))],
        order: [if call.text("sort_by") == "create_time" { "created" } else { "name" }, "id"],
        descending: call.text("order") == "desc",
        limit,
        offset,
    };
    let total = list.count(call)?;
    let jobs = list.read(call, total, job)?;
    Ok(call.listed(jobs, total, json!({"manual_annotation_count_limit": call.left("labeling_job")?})))
}

pub(super) fn update(call: &Call<'_>) -> Result<Outcome, Rejection> {
    let (id, name) = (call.text("job_id"), text(call.body, "name").unwrap_or_default());
    let taken = call
        .transaction
        // An unknown job is reported before a name that is taken.
        .prepare_cached(
            "SELECT 1 FROM labeling_job WHERE project_id = ?1 AND name = ?2 AND id <> ?3
             AND EXISTS (SELECT 1 FROM labeling_job WHERE project_id = ?1 AND id = ?3)",
        )?
        .exists([call.project, name, id])?;
    if taken {
        return Err(Rejection::Taken(name.to_owned()));
    }
    let changed = call
        .transaction
        .prepare_cached(
            "UPDATE labeling_job SET name = ?3, description = coalesce(?4, description) WHERE project_id = ?1 AND id = ?2",
        )?
        .execute(params![call.project, id, name, text(call.body, "description")])?;
    done(call, changed)
}

pub(super) fn delete(call: &Call<'_>) -> Result<Outcome, Rejection> {
    let deleted = call
        .transaction
        .prepare_cached("DELETE FROM labeling_job WHERE project_id = ?1 AND id = ?2")?
        .execute([call.project, call.text("job_id")])?;
    done(call, deleted)
}

pub(super) fn show_validation(call: &Call<'_>) -> Result<Outcome, Rejection> {
    let id = call.text("job_id");
    let found = call
        .transaction
        .prepare_cached("SELECT path, type, pass_rate, validated FROM labeling_job WHERE project_id = ?1 AND id = ?2")?
        .query_row([call.project, id], |row| {
            let path = row.get::<_, Option<String>>(0)?.unwrap_or_default();
            let kind: String = row.get(1)?;
            let images: Vec<Value> = (1..=IMAGES).map(|number| image(id, &path, &kind, number)).collect();
            let mut validation = json!({"image_count": images.len(), "images": images});
            if let Some(rate) = row.get::<_, Option<f64>>(2)? {
                validation["last_pass_rate"] = json!(rate);
                validation["last_validation_time"] = json!(row.get::<_, Option<i64>>(3)?.map(date_time));
            }
            Ok(validation)
        })
        .optional()?;
    Ok(found.ok_or_else(|| unknown(call))?.into())
}

pub(super) fn save_validation(call: &Call<'_>) -> Result<Outcome, Rejection> {
    let rate = &call.body["pass_rate"];
    // A number or a string, with two decimals.
    let rate = rate.as_f64().or_else(|| rate.as_str()?.parse().ok()).map(|rate| (rate * 100.0).round() / 100.0);
    let changed = call
        .transaction
        .prepare_cached("UPDATE labeling_job SET pass_rate = ?3, validated = ?4 WHERE project_id = ?1 AND id = ?2")?
        .execute(params![call.project, call.text("job_id"), rate, call.now])?;
    done(call, changed)
}

/// Returns the id of the changed job; rejects an unknown one.
fn done(call: &Call<'_>, changed: usize) -> Result<Outcome, Rejection> {
    if changed == 0 {
        return Err(unknown(call));
    }
    Ok(json!({"job_id": call.text("job_id")}).into())
}

fn unknown(call: &Call<'_>) -> Rejection {
    Rejection::unknown("labeling job", call.text("job_id"))
}

/// Describes an image of a job. The documents do not describe tags.
fn image(id: &str, path: &str, kind: &str, number: usize) -> Value {
    let tag = if number.is_multiple_of(2) { "cat" } else { "dog" };
    let tag = if kind == "Manual Object detection" {
        json!({"name": tag, "box": [10, 10, 90, 90]})
    } else {
        json!({"name": tag})
    };
    json!({"image_id": format!("{id}-{number}"), "url": format!("{path}{number}.jpg"), "tags": [tag]})
}

/// Formats milliseconds since the Unix epoch as the documented type Datetime. It has no documented value, so the form
/// is RFC 3339.
fn date_time(milliseconds: i64) -> String {
    jiff::Timestamp::from_millisecond(milliseconds).unwrap_or_default().strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

fn job(row: &Row<'_>) -> rusqlite::Result<Value> {
    let mut job = Map::new();
    for (index, name) in
        ["id", "name", "description", "data_type", "path", "filter_name", "type"].into_iter().enumerate()
    {
        if let Some(text) = row.get::<_, Option<String>>(index)? {
            job.insert(name.to_owned(), json!(text));
        }
    }
    job.insert("create_time".to_owned(), json!(date_time(row.get(7)?)));
    job.insert("dls_prj_id".to_owned(), json!(row.get::<_, i64>(8)?));
    job.insert("progress".to_owned(), json!("100%"));
    let (all, none) = (IMAGES.to_string(), "0");
    let detail = json!({"total_count": all, "has_tag_count": all, "not_tag_count": none});
    job.insert("progress_detail".to_owned(), detail);
    Ok(Value::Object(job))
}
