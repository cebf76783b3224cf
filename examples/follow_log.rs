//! Follows the log of a version until it is done.
//!
//! `cargo run --example follow_log -- JOB_ID VERSION_ID`

use huaweicloud_jobs::{Error, Session};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let mut arguments = std::env::args().skip(1);
    let job = arguments.next().unwrap_or_else(|| "10".to_owned());
    let version = arguments.next().unwrap_or_else(|| "10".to_owned());

    let session = Session::from_environment().await?;
    let version = session.modelarts().training_job(job)?.version(version)?;
    let files = version.log_files().await?;
    println!("log files: {files:?}");
    let Some(file) = files.into_iter().next() else { return Ok(()) };
    let mut lines = version.log_file(file).follow().tail(100);
    while let Some(line) = lines.try_next().await? {
        println!("{line}");
    }
    Ok(())
}
