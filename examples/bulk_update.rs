//! Changes the descriptions of many training jobs, as fast as the service allows.
//!
//! Reads lines of `ID TEXT` from standard input, and prints failed updates to standard error.
//!
//! `cargo run --example bulk_update < updates.txt`

use std::io::{BufRead, BufReader};

use huaweicloud_jobs::{Session, TrainingJobId, bulk};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let session = Session::from_environment().await?;
    let lines = BufReader::new(std::io::stdin()).lines().map_while(Result::ok);
    let updates = lines.filter_map(|line| {
        let update =
            line.split_once(' ').and_then(|(id, text)| Some((id.parse::<TrainingJobId>().ok()?, text.to_owned())));
        if update.is_none() {
            eprintln!("not of the form ID TEXT: {line}");
        }
        update
    });
    let mut updates = session.modelarts().training_jobs().update_descriptions(bulk::iter(updates));
    let (mut changed, mut failed) = (0, 0);
    while let Some(done) = updates.next().await {
        match done.result {
            Ok(()) => changed += 1,
            Err(error) => {
                failed += 1;
                eprintln!("line {}: job {}: {error}", done.index + 1, done.id);
            }
        }
    }
    println!("{changed} changed, {failed} not; to go on, skip {} lines", updates.position());
    Ok(())
}
