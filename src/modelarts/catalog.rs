//! The catalog of the service for trainings: built-in algorithms, resource specifications, engines.

use super::types;
use crate::api::modelarts::operations;
use crate::api::wire::{EngineId, bounded};
use crate::error::Error;
use crate::handles::lists;
use crate::ids::given;
use crate::paging::{Batch, Numbered, SortOrder};
use crate::session::Session;

lists! {
    /// Built-in algorithms, see [`built_in_algorithms`](super::ModelArts::built_in_algorithms).
    BuiltInAlgorithmsQuery { session: Session } of types::BuiltInAlgorithm, operations::LIST_BUILT_IN_ALGORITHMS;
    // Without an id, only the whole entry distinguishes it from others.
    id(entry) entry.model_id.map_or_else(|| format!("{entry:?}"), |id| id.to_string());
    request(query, at) {
        let client = query.session.modelarts_client();
        let request = client.list_built_in_algorithms().project_id(query.session.project_id());
        request.page(bounded("page", at.number(Self::OPERATION)?)?)
    };
    batch(page) Batch::numbered(page.models, page.model_total_count, query.per_page);
    filters {
    /// Sets the number of algorithms on a page, 1 to 100; 10 by default.
    per_page(per_page: u32): u32 = per_page => |request| request.per_page(bounded("per_page", per_page)?);
    /// Returns only algorithms whose name contains the text.
    search(text: impl Into<String>): String = text.into() => |request| request.search_content(text);
    /// Sorts the algorithms by this key.
    sort_by(key: types::BuiltInAlgorithmSortKey): types::BuiltInAlgorithmSortKey = key => |request| request.sort_by(key);
    /// Sorts upwards or downwards; downwards by default.
    order(order: SortOrder): SortOrder = order => |request| request.order(order);
    }

    /// Resource specifications, see [`resource_specs`](super::ModelArts::resource_specs).
    ResourceSpecsQuery { session: Session } of types::ResourceSpec, operations::LIST_JOB_RESOURCE_SPECS;
    id(entry) entry.spec_id.map_or_else(|| format!("{entry:?}"), |id| id.to_string());
    request(query, _at) query.session.modelarts_client().list_job_resource_specs().project_id(query.session.project_id());
    batch(page) Batch::whole(page.specs);
    filters {
    /// Returns only specifications for this kind of job.
    job_type(job_type: types::ResourceJobType): types::ResourceJobType = job_type => |request| request.job_type(job_type);
    /// Returns only specifications for this kind of project: 0, the default, for one without automatic learning, 1 image
    /// classification, 2 object detection, 3 predictive analysis.
    project_type(project_type: i32): i32 = project_type => |request| {
        let project_type = types::ProjectType::try_from(project_type)
            .map_err(|_| Error::invalid_field("project_type", format!("is 0, 1, 2 or 3, not {project_type}")))?;
        request.project_type(project_type)
    };
    /// Returns only specifications on which this engine runs; 0, the default, stands for all.
    engine_id(engine_id: impl TryInto<EngineId, Error: Into<Error>>): Result<EngineId, Error> = given(engine_id)
        => |request| request.engine_id(engine_id?);
    }

    /// Engines, see [`engines`](super::ModelArts::engines).
    EnginesQuery { session: Session } of types::AiEngine, operations::LIST_JOB_AI_ENGINES;
    id(entry) entry.engine_id.map_or_else(|| format!("{entry:?}"), |id| id.to_string());
    request(query, _at) query.session.modelarts_client().list_job_ai_engines().project_id(query.session.project_id());
    batch(page) Batch::whole(page.engines);
    filters {
    /// Returns only engines for this kind of job.
    job_type(job_type: types::ResourceJobType): types::ResourceJobType = job_type => |request| request.job_type(job_type);
    }
}

impl Numbered for BuiltInAlgorithmsQuery {}
