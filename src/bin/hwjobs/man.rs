//! Manual pages.

use std::fs;
use std::io;
use std::path::Path;

use clap::Command;
use clap_mangen::Man;

use super::exit::Failure;
use super::files::{self, Output, Readers};

/// The first line of a page: a comment that identifies pages of an earlier version.
const MARK: &str = ".\\\" Written by `hwjobs man`; changes are lost.\n";

/// Writes a page for a command and each of its subcommands.
pub(super) fn write(command: Command, directory: &Path) -> Result<(), Failure> {
    fs::create_dir_all(directory).map_err(|error| files::named(directory, &error))?;
    let mut command = command.disable_help_subcommand(true);
    command.build();
    let mut pages = Vec::new();
    render(&command, &mut pages)?;
    // All targets are checked before the first page is written.
    let own = |page: &[u8]| page.starts_with(MARK.as_bytes());
    let open = |(name, page)| Ok((Output::open(&directory.join(name), Readers::Others, own)?, page));
    let pages = pages.into_iter().map(open).collect::<Result<Vec<_>, Failure>>()?;
    pages.into_iter().try_for_each(|(file, page): (_, Vec<u8>)| file.write(&page))
}

/// Makes the pages of a command and of all its subcommands, with the names of their files.
fn render(command: &Command, pages: &mut Vec<(String, Vec<u8>)>) -> io::Result<()> {
    let man = Man::new(command.clone());
    let mut page = MARK.as_bytes().to_vec();
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
    pages.push((man.get_filename(), page));
    below.try_for_each(|below| render(below, pages))
}

/// Formats a paragraph after the help as a section. Its lines are kept, so that they can be copied.
fn section(paragraph: &str) -> String {
    match paragraph.split_once('\n') {
        Some((head, lines)) if head.starts_with("Example") => format!(".SH EXAMPLES\n.EX\n{}.EE\n", roff(lines)),
        Some(("Exit codes:", lines)) => format!(".SH \"EXIT STATUS\"\n.EX\n{}.EE\n", roff(lines)),
        _ if paragraph.is_empty() => String::new(),
        _ => format!(".SH NOTES\n{}", roff(paragraph)),
    }
}

/// Escapes a text for the formatter.
fn roff(text: &str) -> String {
    let escaped = text.replace('\\', r"\e").replace('-', r"\-").replace('\'', r"\(aq").replace('`', r"\(ga");
    let shield = |line: &str| if line.starts_with('.') { format!(r"\&{line}") } else { line.to_owned() };
    escaped.lines().map(|line| shield(line) + "\n").collect()
}
