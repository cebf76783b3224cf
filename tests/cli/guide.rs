//! The pages about the command line show what the commands print.

use super::*;

/// The pages show the actual output of the commands.
#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn the_pages_about_the_command_line_are_true() {
    for (page, commands) in [("cli.md", 20), ("sessions.md", 17)] {
        is_true(page, commands).await;
    }
}

/// Runs the commands of a page one after the other and compares their output with the page.
#[cfg(unix)]
async fn is_true(page: &str, commands: usize) {
    let emulator = Emulator::start().await.unwrap();
    let user = User::new();
    let folder = Path::new(env!("CARGO_BIN_EXE_hwjobs")).parent().unwrap();
    let path = format!("{}:{}", folder.display(), std::env::var("PATH").unwrap());
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs").join(page);
    let page = std::fs::read_to_string(&file).unwrap();
    let (mut written, mut in_block, mut tried) = (String::new(), false, 0);
    for line in page.lines() {
        match line {
            "```console" => in_block = true,
            "```" => in_block = false,
            // The output is replaced.
            _ if in_block && !line.starts_with("$ ") => continue,
            _ => {}
        }
        written += &format!("{line}\n");
        let Some(command) = line.strip_prefix("$ ").filter(|_| in_block) else { continue };
        let mut shell = Command::new("/bin/sh");
        shell
            .args(["-c", &format!("{{ {command}\n}} 2>&1")])
            .env_clear()
            .envs(emulator.environment())
            .env("PATH", &path);
        let output = shell.env("HOME", user.home.path()).current_dir(user.home.path()).output().unwrap();
        written += &steady(stdout(&output), &emulator, &user);
        tried += 1;
    }
    assert!(tried > commands, "{tried}");
    expectorate::assert_contents(file, &written);
}

/// Returns a text without the parts that differ in each run.
#[cfg(unix)]
fn steady(text: &str, emulator: &Emulator, user: &User) -> String {
    let text = text.replace(&emulator.endpoint(), "http://127.0.0.1:8080");
    let text = regex::Regex::new(r"requests in \d+\.\d s\b").unwrap().replace_all(&text, "requests in 1.0 s");
    let text = text.replace(user.home.path().to_str().unwrap(), "/home/me");
    let mut lines = String::new();
    for line in text.lines() {
        let line = match (line.split_once("x-sdk-date: "), line.split_once(" [request ")) {
            (Some((before, _)), _) => format!("{before}x-sdk-date: 20300101T000000Z"),
            (_, Some((before, rest))) => format!("{before} [request 0000...0001]{}", rest.split_once(']').unwrap().1),
            _ => line.to_owned(),
        };
        lines += &(line + "\n");
    }
    lines
}
