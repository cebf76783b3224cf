//! What the service offers for training: built-in algorithms, sizes of machines, engines.

use super::types;
use crate::api::modelarts::operations;
use crate::api::wire::bounded;
use crate::api::{Operation, call};
use crate::error::Error;
use crate::paging::{Batch, List, Numbered, Position, Query};
use crate::session::Session;

/// Built-in algorithms, see [`built_in_algorithms`](super::ModelArts::built_in_algorithms).
#[derive(Clone, Debug)]
pub struct BuiltInAlgorithmsQuery {
    session: Session,
    per_page: Option<u32>,
    search: Option<String>,
    sort_by: Option<types::BuiltInAlgorithmSortKey>,
    order: Option<types::SortOrder>,
}

impl BuiltInAlgorithmsQuery {
    pub(super) fn list(session: Session) -> List<Self> {
        List::new(Self { session, per_page: None, search: None, sort_by: None, order: None })
    }
}

impl List<BuiltInAlgorithmsQuery> {
    /// Algorithms on a page, 1 to 100; 10 by default.
    pub fn per_page(mut self, per_page: u32) -> Self {
        self.query().per_page = Some(per_page);
        self
    }

    /// Only algorithms whose name contains the text.
    pub fn search(mut self, text: impl Into<String>) -> Self {
        self.query().search = Some(text.into());
        self
    }

    /// What they are sorted by.
    pub fn sort_by(mut self, key: types::BuiltInAlgorithmSortKey) -> Self {
        self.query().sort_by = Some(key);
        self
    }

    /// Whether they are sorted upwards or downwards; downwards by default.
    pub fn order(mut self, order: types::SortOrder) -> Self {
        self.query().order = Some(order);
        self
    }
}

impl Query for BuiltInAlgorithmsQuery {
    type Entry = types::BuiltInAlgorithm;
    const OPERATION: &'static Operation = &operations::LIST_BUILT_IN_ALGORITHMS;

    fn id(entry: &Self::Entry) -> String {
        // Without an id, nothing but the whole tells it from others.
        entry.model_id.map_or_else(|| format!("{entry:?}"), |id| id.to_string())
    }

    async fn fetch(self, at: Position) -> Result<Batch<Self::Entry>, Error> {
        let Self { session, per_page, search, sort_by, order } = self;
        let request = session.modelarts_client().list_built_in_algorithms().project_id(session.project_id());
        let mut request = request.page(bounded("page", at.number(Self::OPERATION)?)?);
        if let Some(per_page) = per_page {
            request = request.per_page(bounded("per_page", per_page)?);
        }
        if let Some(text) = search {
            request = request.search_content(text);
        }
        if let Some(key) = sort_by {
            request = request.sort_by(key);
        }
        if let Some(order) = order {
            request = request.order(order);
        }
        let page = call(Self::OPERATION, request.send()).await?;
        Ok(Batch::numbered(page.models, page.model_total_count, per_page))
    }
}

impl Numbered for BuiltInAlgorithmsQuery {}

/// Sizes of machines, see [`resource_specs`](super::ModelArts::resource_specs).
#[derive(Clone, Debug)]
pub struct ResourceSpecsQuery {
    session: Session,
    job_type: Option<types::ResourceJobType>,
    engine_id: Option<i64>,
    project_type: Option<i32>,
}

impl ResourceSpecsQuery {
    pub(super) fn list(session: Session) -> List<Self> {
        List::new(Self { session, job_type: None, engine_id: None, project_type: None })
    }
}

impl List<ResourceSpecsQuery> {
    /// Only those for this kind of job.
    pub fn job_type(mut self, job_type: types::ResourceJobType) -> Self {
        self.query().job_type = Some(job_type);
        self
    }

    /// Only those on which this engine runs; 0, the default, stands for all.
    pub fn engine_id(mut self, engine_id: impl Into<i64>) -> Self {
        self.query().engine_id = Some(engine_id.into());
        self
    }

    /// Only those for this kind of project: 0, the default, for one without automatic learning, else 1 image
    /// classification, 2 object detection, 3 predictive analysis.
    pub fn project_type(mut self, project_type: i32) -> Self {
        self.query().project_type = Some(project_type);
        self
    }
}

impl Query for ResourceSpecsQuery {
    type Entry = types::ResourceSpec;
    const OPERATION: &'static Operation = &operations::LIST_JOB_RESOURCE_SPECS;

    fn id(entry: &Self::Entry) -> String {
        entry.spec_id.map_or_else(|| format!("{entry:?}"), |id| id.to_string())
    }

    async fn fetch(self, _: Position) -> Result<Batch<Self::Entry>, Error> {
        let Self { session, job_type, engine_id, project_type } = self;
        let mut request = session.modelarts_client().list_job_resource_specs().project_id(session.project_id());
        if let Some(job_type) = job_type {
            request = request.job_type(job_type);
        }
        if let Some(engine_id) = engine_id {
            request = request.engine_id(engine_id);
        }
        if let Some(project_type) = project_type {
            let project_type = types::ProjectType::try_from(project_type)
                .map_err(|_| Error::invalid_field("project_type", format!("is 0, 1, 2 or 3, not {project_type}")))?;
            request = request.project_type(project_type);
        }
        Ok(Batch::whole(call(Self::OPERATION, request.send()).await?.specs))
    }
}

/// Engines, see [`engines`](super::ModelArts::engines).
#[derive(Clone, Debug)]
pub struct EnginesQuery {
    session: Session,
    job_type: Option<types::ResourceJobType>,
}

impl EnginesQuery {
    pub(super) fn list(session: Session) -> List<Self> {
        List::new(Self { session, job_type: None })
    }
}

impl List<EnginesQuery> {
    /// Only those for this kind of job.
    pub fn job_type(mut self, job_type: types::ResourceJobType) -> Self {
        self.query().job_type = Some(job_type);
        self
    }
}

impl Query for EnginesQuery {
    type Entry = types::AiEngine;
    const OPERATION: &'static Operation = &operations::LIST_JOB_AI_ENGINES;

    fn id(entry: &Self::Entry) -> String {
        entry.engine_id.map_or_else(|| format!("{entry:?}"), |id| id.to_string())
    }

    async fn fetch(self, _: Position) -> Result<Batch<Self::Entry>, Error> {
        let Self { session, job_type } = self;
        let mut request = session.modelarts_client().list_job_ai_engines().project_id(session.project_id());
        if let Some(job_type) = job_type {
            request = request.job_type(job_type);
        }
        Ok(Batch::whole(call(Self::OPERATION, request.send()).await?.engines))
    }
}
