//! Lists training jobs with filters. The list requests its pages one by one.
//!
//! `cargo run --example list_jobs -- TEXT`

use huaweicloud_jobs::modelarts::types::TrainingJobSortKey;
use huaweicloud_jobs::paging::SortOrder;
use huaweicloud_jobs::{Error, Session};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let session = Session::from_environment().await?;
    let mut jobs = session.modelarts().training_jobs().list().per_page(100);
    jobs = jobs.sort_by(TrainingJobSortKey::CreateTime).order(SortOrder::Desc);
    if let Some(text) = std::env::args().nth(1) {
        jobs = jobs.search(text);
    }
    while let Some(job) = jobs.try_next().await? {
        let details = &job.details;
        let state = details.status.as_ref().map(|status| status.state());
        let created = details.create_time.as_ref().map(|time| time.timestamp().to_string()).unwrap_or_default();
        let took = details.duration.as_ref().map(|time| time.duration()).unwrap_or_default();
        println!("{:>8}  {:<30} {state:?}  {created}  {took:#}", job.id(), details.job_name);
    }
    Ok(())
}
