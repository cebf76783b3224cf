//! What the lists of MRS have in common: markers, a limit, an order.

use super::types;
use super::{DataSource, Execution, Job, JobBinary};
use crate::api::mrs::operations;
use crate::api::wire::{bounded, checked};
use crate::api::{Operation, call};
use crate::entry::Entry;
use crate::error::Error;
use crate::paging::{Batch, List, Position, Query};
use crate::session::Session;

macro_rules! lists {
    ($(
        $(#[$attribute:meta])*
        $query:ident: $what:literal, $operation:ident $method:ident($marker:ident, $sort_by:ident),
        $field:ident -> $handle:ident, $details:ident;
    )+) => {$(
        $(#[$attribute])*
        #[derive(Clone, Debug)]
        pub struct $query {
            session: Session,
            limit: Option<u32>,
            sort_by: Option<String>,
        }

        impl $query {
            pub(super) fn list(session: &Session) -> List<Self> {
                List::new(Self { session: session.clone(), limit: None, sort_by: None })
            }
        }

        impl List<$query> {
            #[doc = concat!($what, " on a page, 1 to 1073741822; what the service chooses by default.")]
            pub fn limit(mut self, limit: u32) -> Self {
                self.query().limit = Some(limit);
                self
            }

            /// Name of the field to sort by; with `-` before it, downwards.
            pub fn sort_by(mut self, field: impl Into<String>) -> Self {
                self.query().sort_by = Some(field.into());
                self
            }
        }

        impl Query for $query {
            type Entry = Entry<$handle, types::$details>;
            const OPERATION: &'static Operation = &operations::$operation;

            fn id(entry: &Self::Entry) -> String {
                entry.id().to_string()
            }

            async fn fetch(self, at: Position) -> Result<Batch<Self::Entry>, Error> {
                let Self { session, limit, sort_by } = self;
                let mut request = session.mrs_client().$method().project_id(session.project_id());
                if let Some(marker) = at.marker()? {
                    request = request.marker(checked::<types::$marker>("marker", marker)?);
                }
                if let Some(limit) = limit {
                    request = request.limit(bounded("limit", limit)?);
                }
                if let Some(field) = sort_by {
                    request = request.sort_by(checked::<types::$sort_by>("sort_by", field)?);
                }
                let page = call(Self::OPERATION, request.send()).await?;
                let entry = |details: types::$details| {
                    Ok(Entry::new($handle::new(session.clone(), Self::OPERATION.read_id(concat!(stringify!($field), "[].id"), &details.id)?), details))
                };
                let entries = page.$field.into_iter().map(entry).collect::<Result<_, Error>>()?;
                Ok(Batch::marked(entries, page.markers.and_then(|markers| markers.next)))
            }
        }
    )+};
}

lists! {
    /// Job objects, see [`Jobs::list`](super::Jobs::list).
    JobsQuery: "Jobs", LIST_JOBS list_jobs(ListJobsMarker, ListJobsSortBy), jobs -> Job, Job;
    /// Job binaries, see [`JobBinaries::list`](super::JobBinaries::list).
    JobBinariesQuery: "Job binaries",
        LIST_JOB_BINARIES list_job_binaries(ListJobBinariesMarker, ListJobBinariesSortBy),
        binaries -> JobBinary, JobBinary;
    /// Data sources, see [`DataSources::list`](super::DataSources::list).
    DataSourcesQuery: "Data sources",
        LIST_DATA_SOURCES list_data_sources(ListDataSourcesMarker, ListDataSourcesSortBy),
        data_sources -> DataSource, DataSource;
    /// Executions of job objects, see [`Executions::list`](super::Executions::list).
    ExecutionsQuery: "Executions",
        LIST_JOB_EXECUTIONS list_job_executions(ListJobExecutionsMarker, ListJobExecutionsSortBy),
        job_executions -> Execution, JobExecution;
}
