//! Creates an MRS job object, runs it on a cluster and waits until it is done.
//!
//! `cargo run --example mrs_job -- CLUSTER_ID s3a://bucket/program.jar s3a://bucket/in/ s3a://bucket/out/`

use std::time::Duration;

use huaweicloud_jobs::mrs::types::{DataSourceTypeForRequest, JobTypeForCreate};
use huaweicloud_jobs::{Error, Session};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let mut arguments = std::env::args().skip(1);
    let mut argument = |default: &str| arguments.next().unwrap_or_else(|| default.to_owned());
    let cluster = argument("e955a7a3-d334-4943-a39a-994976900d56");
    let (program, input, output) =
        (argument("s3a://bucket/program.jar"), argument("s3a://bucket/in/"), argument("s3a://bucket/out/"));
    let name = |what: &str| format!("example-{what}-{}", std::process::id());

    let mrs = Session::from_environment().await?.mrs();
    let binary = mrs.job_binaries().create(name("jar"), program, "the program").await?;
    let sources = mrs.data_sources();
    let input = sources.create(name("in"), input, DataSourceTypeForRequest::Obs).await?;
    let output = sources.create(name("out"), output, DataSourceTypeForRequest::Obs).await?;
    let job = mrs.jobs().create(name("job"), JobTypeForCreate::MapReduce).libs([&binary]).await?;
    println!("created job {}", job.id());

    let execution = job.execute(cluster, &input, &output).await?;
    let done = execution.wait().at_most(Duration::from_secs(3600)).every(Duration::from_millis(200)).for_completion();
    match done.await {
        Ok(_) => println!("execution {} is done", execution.id()),
        Err(error) => println!("execution {}: {error}", execution.id()),
    }
    Ok(())
}
