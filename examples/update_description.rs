//! Changes the description of a training job.
//!
//! `cargo run --example update_description -- 182626 "a new description"`
//!
//! Credentials are found in the environment, see `docs/credentials.md`. `hwjobs emulator` prints its own.

use huaweicloud_jobs::{Error, Session};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let mut arguments = std::env::args().skip(1);
    let id = arguments.next().unwrap_or_else(|| "10".to_owned());
    let description = arguments.next().unwrap_or_else(|| "This is a ModelArts job".to_owned());

    let session = Session::from_environment().await?;
    let job = session.modelarts().training_job(&id)?;
    match job.update_description(&description).await {
        Ok(()) => println!("job {id}: {:?}", job.show().await?.job_desc),
        Err(error) if error.is_not_found() => println!("this project has no job {id}"),
        Err(error) => return Err(error),
    }
    Ok(())
}
