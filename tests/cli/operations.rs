//! Every operation, with the requests and responses of the documents.

use super::*;

/// Each documented response of each operation is printed, by the raw command and by that of the noun.
#[tokio::test(flavor = "multi_thread")]
async fn documented_answers_are_printed() {
    let mut printed = 0;
    for (operation, script, user) in examples_of_help("http://127.0.0.1:1") {
        let (document, described) = spec::operation(&operation).unwrap();
        if script.contains(" wait ") {
            continue;
        }
        for example in document.examples(described) {
            let Some((status, body)) = example.response.filter(|(status, _)| status.starts_with('2')) else { continue };
            let server = Server::json(status.parse().unwrap(), &body.to_string()).await;
            let script = format!("{} --yes -o json", script.replace("--follow", ""));
            let output = shell(&user, &script, &[("HWJOBS_ENDPOINT", server.endpoint.clone())]);
            assert!(output.status.success(), "{script}: {}", stderr(&output));
            let shown: Value = serde_json::from_slice(&output.stdout).unwrap_or_default();
            assert!(shown == *body || body.is_null(), "{script}: {shown}");
            printed += 1;
        }
    }
    assert!(printed >= 60, "{printed}");
}

/// Each command of an operation works with the documented objects of the emulator.
#[tokio::test(flavor = "multi_thread")]
async fn every_operation_runs_against_the_emulator() {
    let (mut ran, mut succeeded) = (BTreeSet::new(), 0);
    for (operation, script, mut user) in examples_of_help("http://127.0.0.1:1") {
        user.variables.clear();
        let emulator = Emulator::builder().transitions(Transitions::AtOnce).start().await.unwrap();
        let environment = emulator.environment();
        let environment: Vec<_> = environment.iter().map(|(name, value)| (*name, value.clone())).collect();
        // The documented visualization job never runs, so the wait may end with its time limit.
        let waits = script.contains(" wait ");
        let mut fine = vec![0];
        // Placeholders name no existing object, and some states do not allow the documented example.
        fine.extend(
            // The documented exe object has the final status of a failure: 1.
            [(1, waits), (5, script.contains("_ID")), (6, true), (10, waits)]
                .iter()
                .filter(|(_, may)| *may)
                .map(|(code, _)| *code),
        );
        let output = shell(&user, &format!("{} --yes", script.replace("30m", "1s")), &environment);
        let code = output.status.code().unwrap();
        assert!(fine.contains(&code), "{script}: {}{}", stdout(&output), stderr(&output));
        succeeded += usize::from(code == 0);
        ran.insert(operation);
    }
    let described = spec::documents().iter().flat_map(|document| document.operations());
    let described: BTreeSet<String> = described.map(|operation| operation.id().to_owned()).collect();
    assert_eq!(ran, described);
    assert!(succeeded > 45, "{succeeded}");
}
