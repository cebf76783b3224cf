//! The Rust that guides show within their sentences and tables: it compiles. `tests/description/guide_code.rs` finds it there.

#![cfg(all(feature = "emulator", feature = "contract"))]
#![allow(dead_code, unused, clippy::all, clippy::allow_attributes_without_reason, reason = "nothing here is run")]

use huaweicloud_jobs::bulk::Bulk;
use huaweicloud_jobs::contract::Report;
use huaweicloud_jobs::emulator::Emulator;
use huaweicloud_jobs::modelarts::types::{self, LabelingDataType, LabelingJobType};
use huaweicloud_jobs::modelarts::{
    Code, Data, LabelingJob, Resources, Training, TrainingJob, TrainingJobConfig, TrainingJobVersion, VisualizationJob,
};
use huaweicloud_jobs::session::credentials::{Context, Credentials, Service};
use huaweicloud_jobs::{Entry, Error, Session, TrainingJobId};

type Outcome = Result<(), Box<dyn std::error::Error>>;

/// A value that a guide assumes.
fn given<T>() -> T {
    unreachable!("nothing here is run")
}

include!("../guides/spans.txt");
