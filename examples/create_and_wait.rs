//! Creates a training job and waits until it is done.
//!
//! `cargo run --example create_and_wait -- my-job`

use std::time::Duration;

use huaweicloud_jobs::modelarts::{Code, Data, Resources, Training};
use huaweicloud_jobs::{Error, Session};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let name = std::env::args().nth(1).unwrap_or_else(|| format!("example-{}", std::process::id()));
    let session = Session::from_environment().await?;
    let training = Training::new(
        Code::own("/bucket/src/", "/bucket/src/boot.py").engine(1),
        Data::obs("/bucket/data/"),
        Resources::spec(1),
    )
    .parameter("learning_rate", 0.01)
    .train_url("/bucket/output/")
    .log_url("/bucket/log/");
    let job = session.modelarts().training_jobs().create(name, training).await?;
    println!("created job {}", job.id());

    let done = job
        .wait()
        .at_most(Duration::from_secs(3600))
        .every(Duration::from_millis(200))
        .observe(|progress| println!("{} after {:.1} s", progress.state, progress.elapsed.as_secs_f64()))
        .await;
    match done {
        Ok(details) => println!("{} is done, with {} version(s)", details.job_name, details.versions.len()),
        Err(error) if error.is_failure() => println!("it ended as {:?}", error.state()),
        Err(error) => return Err(error.into()),
    }
    Ok(())
}
