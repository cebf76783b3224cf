//! Lists: pages, and how they are printed.

use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn pages_are_put_together() {
    let emulator = Emulator::start().await.unwrap();
    let user = User::of_emulator(&emulator);
    for list in [&["training-job", "list", "--per-page", "1"][..], &["visualization-job", "list", "--per-page", "2"]] {
        let whole = user.data(&list[..2]);
        let pages = user.data(&[list, &["--paginate"]].concat());
        assert_eq!(pages["jobs"], whole["jobs"], "{list:?}");
        assert!(pages["jobs"].as_array().unwrap().len() > 1);
    }
    // By marker, and by a number that the documents call an offset.
    for (list, items) in [
        (&["mrs", "job", "list", "--limit", "2"][..], "jobs"),
        (&["mrs", "job-execution", "list", "--limit", "7"], "job_executions"),
        (&["labeling-job", "list", "--limit", "1"], "jobs"),
    ] {
        let whole = user.data(&list[..list.len() - 2]);
        let pages = user.data(&[list, &["--paginate"]].concat());
        assert_eq!(pages[items], whole[items], "{list:?}");
    }
    let raw = user.data(&["api", "list_jobs", "--param", "limit=1", "--paginate"]);
    assert_eq!(raw["jobs"], user.data(&["mrs", "job", "list"])["jobs"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_offset_that_counts_items_loses_and_repeats_nothing() {
    let page = |ids: &[u32]| {
        let jobs: Vec<Value> = ids.iter().map(|id| json!({"id": id.to_string(), "name": "n"})).collect();
        response(200, &json!({"is_success": true, "job_total_count": 5, "jobs": jobs}))
    };
    // Two on a page; one of them is read again once the service is known to count items.
    let server = Server::acting([page(&[1, 2]), page(&[2, 3]), page(&[3, 4]), page(&[4, 5]), page(&[5])]).await;
    let user = User::of(&server.endpoint);
    let list = ["labeling-job", "list", "--limit", "2", "--paginate", "--query", "jobs[].id"];
    assert_eq!(user.says(&list), "1\n2\n3\n4\n5\n");
    let offsets: Vec<_> =
        server.arrived().iter().map(|request| request.target.split('?').nth(1).unwrap().to_owned()).collect();
    assert_eq!(offsets, [0, 1, 2, 3, 4].map(|offset| format!("offset={offset}&limit=2")));
}

/// Responses of an endless service, and the expected end of the command.
#[tokio::test(flavor = "multi_thread")]
async fn a_service_that_repeats_pages_has_failed() {
    let jobs = |next: &str, ids: &[&str]| {
        let jobs: Vec<Value> = ids.iter().map(|id| json!({"id": id, "name": "n"})).collect();
        response(200, &json!({"markers": {"prev": null, "next": next}, "jobs": jobs}))
    };
    let numbered = |ids: &[u32]| {
        let jobs: Vec<Value> = ids.iter().map(|id| json!({"job_id": id, "job_name": "n"})).collect();
        response(200, &json!({"is_success": true, "job_total_count": 5, "jobs": jobs}))
    };
    let circle = ["b", "c", "d", "b", "c", "d", "b", "c", "d", "b", "c", "d"].map(|next| jobs(next, &[next]));
    let empty: Vec<Act> = (0..500).map(|number: u32| jobs(&number.to_string(), &[])).collect();
    let by_marker = &["mrs", "job", "list", "--paginate"][..];
    let by_number = &["training-job", "list", "--per-page", "2", "--paginate"][..];
    for (what, command, acts, rows, most) in [
        ("its own marker", by_marker, vec![jobs("a", &["a"])], 1, 2),
        ("a circle of markers", by_marker, circle.to_vec(), 3, 12),
        ("empty pages", by_marker, empty, 0, 120),
        ("the same page", by_number, vec![numbered(&[1, 2])], 2, 3),
    ] {
        for format in ["jsonl", "csv", "json"] {
            let server = Server::acting(acts.clone()).await;
            let output = User::of(&server.endpoint).runs(&[command, &["-o", format]].concat());
            let place = format!("{what}, {format}: {}", stderr(&output));
            assert_eq!(output.status.code(), Some(8), "{place}");
            assert!(stderr(&output).contains("the service repeats pages"), "{place}");
            assert!(server.arrived().len() <= most, "{place}: {} requests", server.arrived().len());
            // Formats with single rows print the received ones.
            let header = usize::from(format == "csv" && rows > 0);
            let expected = if format == "json" { 0 } else { rows + header };
            assert_eq!(stdout(&output).lines().count(), expected, "{place}: {}", stdout(&output));
        }
    }
}

/// Each page is requested once, each row is printed once, and no more than some pages are held at a time.
#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread")]
async fn a_long_list_is_printed_page_by_page() {
    const JOBS: u32 = 20_000;
    const PAGE: u32 = 500;
    let emulator =
        Emulator::builder().empty().training_jobs(JOBS).check_responses(false).record(100).start().await.unwrap();
    let user = User::of_emulator(&emulator);
    for format in ["jsonl", "csv"] {
        let per_page = PAGE.to_string();
        let list = ["training-job", "list", "--per-page", &per_page, "--paginate", "-o", format];
        let mut child = user.command(&list).stdout(Stdio::piped()).stderr(Stdio::inherit()).spawn().unwrap();
        let status = format!("/proc/{}/status", child.id());
        // The peak memory in KiB; the program waits until its rows are read.
        let memory = || -> Option<u64> {
            let text = std::fs::read_to_string(&status).ok()?;
            text.lines().find_map(|line| line.strip_prefix("VmHWM:")?.trim().strip_suffix(" kB")?.trim().parse().ok())
        };
        let (mut rows, mut early, mut late) = (BTreeSet::new(), None, None);
        for line in std::io::BufReader::new(child.stdout.take().unwrap()).lines() {
            assert!(rows.insert(line.unwrap()), "{format}: a row comes twice");
            match rows.len() {
                2_000 => early = memory(),
                18_000 => late = memory(),
                _ => {}
            }
        }
        assert!(child.wait().unwrap().success());
        assert_eq!(rows.len(), JOBS as usize + usize::from(format == "csv"), "{format}");
        let requests = emulator.take_exchanges().len();
        assert!((JOBS.div_ceil(PAGE) as usize..=JOBS.div_ceil(PAGE) as usize + 1).contains(&requests), "{requests}");
        let (early, late) = (early.unwrap(), late.unwrap());
        assert!(late < early + 6 * 1024, "{format}: {early} KiB after 2,000 rows, {late} KiB after 18,000");
    }
}

/// Rows that are printed page by page equal those of the whole list.
#[tokio::test(flavor = "multi_thread")]
async fn rows_of_pages_are_those_of_the_whole() {
    let emulator = Emulator::builder().training_jobs(250).start().await.unwrap();
    let user = User::of_emulator(&emulator);
    for format in ["jsonl", "csv", "yaml", "table"] {
        let whole = user.says(&["training-job", "list", "--per-page", "1000", "-o", format]);
        let pages = user.says(&["training-job", "list", "--per-page", "7", "--paginate", "-o", format]);
        assert_eq!(pages, whole, "{format}");
        assert!(whole.lines().count() > 250, "{format}");
    }
}

/// One field is documented in seconds and the other in milliseconds; services print both in either.
#[tokio::test(flavor = "multi_thread")]
async fn tables_show_times_by_their_number_of_digits() {
    let show = ["mrs", "job-exe", "show", "a"];
    let submit = [
        &["mrs", "job", "submit", "--job-type", "1", "--job-name", "a", "--jar-path", "s3a://x/j.jar"][..],
        &["--cluster-id", "e955a7a3-d334-4943-a39a-994976900d56"],
    ]
    .concat();
    for printed in ["1496387588913", "1496387588", "\"1496387588913\""] {
        for (command, field) in [(&show[..], "create_at"), (&submit[..], "created_at")] {
            let body = format!(r#"{{"job_execution": {{"id": "a", "{field}": {printed}, "start_time": {printed}}}}}"#);
            let server = Server::json(200, &body).await;
            let table = User::of(&server.endpoint).says(command);
            assert_eq!(table.matches("2017-06-02T07:13:08Z").count(), 2, "{printed}: {table}");
        }
    }
}
