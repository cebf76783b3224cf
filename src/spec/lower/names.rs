//! Which schemas become types, what those are called, and which numbers of responses become ids.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::super::load;
use super::walk::{INTEGER, Side, components, placeholder, reachable, refer_to};

/// The numbers of responses that identify an object, with the component of its id.
const RESPONSE_IDS: [(&str, &str); 7] = [
    ("job_id", "TrainingJobId"),
    ("version_id", "TrainingJobVersionId"),
    ("pre_version_id", "TrainingJobVersionId"),
    ("engine_id", "EngineId"),
    ("spec_id", "SpecId"),
    ("model_id", "ModelId"),
    ("retrain_model_id", "ModelId"),
];
/// In components with this part in their name, `job_id` identifies a visualization job.
const VISUALIZATION: &str = "VisualizationJob";

/// What the types of a service are called, where the description's name is the name of a handle or says what the type was
/// made for instead of what it is: the beginning of the document's title, then old and new names.
const RENAMED: &[(&str, &[(&str, &str)])] = &[
    (
        "ModelArts",
        &[
            ("TrainingJob", "TrainingJobSummary"),
            ("TrainingJobVersion", "TrainingJobVersionSummary"),
            ("TrainingJobConfig", "TrainingJobSettings"),
            ("TrainingJobVersionConfig", "TrainingJobVersionSettings"),
            ("ListTrainingJobVersionsResponse", "TrainingJobDetails"),
            ("ShowTrainingJobVersionResponse", "TrainingJobVersionDetails"),
            ("ShowTrainingJobConfigResponse", "TrainingJobConfigDetails"),
            ("VisualizationJob", "VisualizationJobSummary"),
            ("ShowVisualizationJobResponse", "VisualizationJobDetails"),
            ("LabelingJob", "LabelingJobSummary"),
            ("DataSource", "TrainingDataSource"),
            ("Volume", "MountedVolume"),
        ],
    ),
    (
        "MRS",
        &[
            ("Job", "JobDetails"),
            ("JobBinary", "JobBinaryDetails"),
            ("DataSource", "DataSourceDetails"),
            ("JobExe", "JobExeDetails"),
            ("JobExecution", "JobExecutionDetails"),
        ],
    ),
];

pub(super) fn name_types_apart(document: &mut Value) {
    let title = document["info"]["title"].as_str().unwrap_or_default().to_owned();
    let names = RENAMED.iter().filter(|(start, _)| title.starts_with(start)).flat_map(|(_, names)| *names);
    let new: BTreeMap<&str, &str> = names.copied().collect();
    if let Some(schemas) = components(document, "schemas") {
        let old = std::mem::take(schemas);
        schemas.extend(old.into_iter().map(|(name, schema)| {
            let name = new.get(name.as_str()).map_or(name.clone(), |new| (*new).to_owned());
            (name, schema)
        }));
    }
    rename_references(document, &new);
}

fn rename_references(value: &mut Value, new: &BTreeMap<&str, &str>) {
    match value {
        Value::Object(map) => {
            for (key, value) in map {
                if let ("$ref", Value::String(reference)) = (key.as_str(), &mut *value)
                    && let Some(new) = load::schema_name(reference).and_then(|name| new.get(name))
                {
                    *reference = format!("#/components/schemas/{new}");
                }
                rename_references(value, new);
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| rename_references(item, new)),
        _ => {}
    }
}

pub(super) fn type_response_ids(document: &mut Value) {
    let names = &reachable(document, Side::Response) - &reachable(document, Side::Request);
    let is_number = |schema: &Value| {
        schema["type"] == "integer"
            || schema.pointer("/allOf/0/$ref").and_then(Value::as_str).and_then(load::schema_name) == Some(INTEGER)
    };
    let mut used = BTreeSet::new();
    for (name, schema) in
        components(document, "schemas").into_iter().flatten().filter(|(name, _)| names.contains(*name))
    {
        for (field, property) in schema.get_mut("properties").and_then(Value::as_object_mut).into_iter().flatten() {
            let Some((_, id)) = RESPONSE_IDS.iter().find(|(known, _)| known == field) else { continue };
            let id = if field == "job_id" && name.contains(VISUALIZATION) { "VisualizationJobId" } else { id };
            if is_number(property)
                && let Some(property) = property.as_object_mut()
            {
                refer_to(property, id);
                used.insert(id);
            }
        }
    }
    for name in used {
        document["components"]["schemas"][name] = placeholder();
    }
}
