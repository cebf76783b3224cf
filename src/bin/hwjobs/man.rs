//! Manual pages.

use std::fs;
use std::io;
use std::path::Path;

use clap::Command;
use clap_mangen::Man;

/// Writes a page for a command and each one below it.
pub(super) fn write(command: Command, directory: &Path) -> io::Result<()> {
    fs::create_dir_all(directory)?;
    let mut command = command.disable_help_subcommand(true);
    command.build();
    write_built(&command, directory)
}

fn write_built(command: &Command, directory: &Path) -> io::Result<()> {
    let man = Man::new(command.clone());
    let mut page = Vec::new();
    man.render_title(&mut page)?;
    man.render_name_section(&mut page)?;
    man.render_synopsis_section(&mut page)?;
    man.render_description_section(&mut page)?;
    man.render_options_section(&mut page)?;
    let mut below = command.get_subcommands().filter(|below| !below.is_hide_set()).peekable();
    if below.peek().is_some() {
        man.render_subcommands_section(&mut page)?;
    }
    let more = command.get_after_help().map(ToString::to_string).unwrap_or_default();
    page.extend(more.split("\n\n").map(section).collect::<String>().bytes());
    fs::write(directory.join(man.get_filename()), page)?;
    below.try_for_each(|below| write_built(below, directory))
}

/// A paragraph after the help as a section. Lines below a head stay lines: they are to be copied.
fn section(paragraph: &str) -> String {
    match paragraph.split_once('\n') {
        Some((head, lines)) if head.starts_with("Example") => format!(".SH EXAMPLES\n.EX\n{}.EE\n", roff(lines)),
        Some(("Exit codes:", lines)) => format!(".SH \"EXIT STATUS\"\n.EX\n{}.EE\n", roff(lines)),
        _ if paragraph.is_empty() => String::new(),
        _ => format!(".SH NOTES\n{}", roff(paragraph)),
    }
}

/// A text without what means something to the formatter.
fn roff(text: &str) -> String {
    let escaped = text.replace('\\', r"\e").replace('-', r"\-").replace('\'', r"\(aq").replace('`', r"\(ga");
    let shield = |line: &str| if line.starts_with('.') { format!(r"\&{line}") } else { line.to_owned() };
    escaped.lines().map(|line| shield(line) + "\n").collect()
}
