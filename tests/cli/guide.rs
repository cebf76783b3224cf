//! The page about the command line shows what the commands print.

use super::*;

/// The page shows the actual output of the commands.
#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn the_page_about_the_command_line_is_true() {
    let emulator = Emulator::start().await.unwrap();
    let user = User::new();
    let folder = Path::new(env!("CARGO_BIN_EXE_hwjobs")).parent().unwrap();
    let path = format!("{}:{}", folder.display(), std::env::var("PATH").unwrap());
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/cli.md");
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
    assert!(tried > 20, "{tried}");
    expectorate::assert_contents(file, &written);
}

/// Returns a text without the parts that differ in each run.
#[cfg(unix)]
fn steady(text: &str, emulator: &Emulator, user: &User) -> String {
    let text = text.replace(&emulator.endpoint(), "http://127.0.0.1:8080");
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
