//! MRS v1.1: the Sahara-compatible job objects of MapReduce Service.

use crate::api::mrs::Client;
use crate::error::Error;
use crate::ids::JobId;
use crate::session::Session;

mod job;

pub use crate::api::mrs::{open, types};
pub use job::{CreateJob, Job, Jobs, JobsQuery, UpdateJob};

/// MapReduce Service in the project of a session.
#[derive(Clone, Debug)]
pub struct Mrs {
    session: Session,
}

impl Mrs {
    pub(crate) fn new(session: Session) -> Self {
        Self { session }
    }

    /// The generated client, for what the handles do not offer.
    pub fn client(&self) -> &Client {
        self.session.mrs_client()
    }

    /// All job objects of the project.
    pub fn jobs(&self) -> Jobs {
        Jobs::new(self.session.clone())
    }

    /// One job object by its id; nothing is sent.
    pub fn job<I>(&self, id: I) -> Result<Job, Error>
    where
        I: TryInto<JobId>,
        Error: From<I::Error>,
    {
        Ok(Job::new(self.session.clone(), id.try_into()?))
    }
}
