//! The pages of the repository as pages of the documentation: `src/guides.rs` includes them.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Component, Path, PathBuf};

/// Pages of the repository besides those in `docs`, with the names of their modules.
const PAGES: [(&str, &str); 6] = [
    ("README.md", "readme"),
    ("ARCHITECTURE.md", "architecture"),
    ("CONTRIBUTING.md", "contributing"),
    ("SECURITY.md", "security"),
    ("COVERAGE.md", "coverage"),
    ("openapi/README.md", "openapi"),
];

/// Writes what `src/guides.rs` includes: the guides, with links between them that lead to their modules.
pub(crate) fn write(target: &Path) -> Result<(), String> {
    fs::create_dir_all(target).map_err(|error| format!("{}: {error}", target.display()))?;
    let mut pages: BTreeMap<String, String> =
        PAGES.into_iter().map(|(file, name)| (file.to_owned(), name.to_owned())).collect();
    println!("cargo::rerun-if-changed=docs");
    for entry in fs::read_dir("docs").map_err(|error| format!("docs: {error}"))? {
        let file = entry.map_err(|error| format!("docs: {error}"))?.file_name();
        if let Some((name, "md")) = file.to_str().and_then(|file| file.rsplit_once('.')) {
            pages.insert(format!("docs/{name}.md"), name.replace('-', "_"));
        }
    }
    for (file, name) in &pages {
        println!("cargo::rerun-if-changed={file}");
        let text = fs::read_to_string(file).map_err(|error| format!("{file}: {error}"))?;
        let target = target.join(format!("{name}.md"));
        fs::write(&target, with_links(&text, file, &pages))
            .map_err(|error| format!("{}: {error}", target.display()))?;
    }
    Ok(())
}

/// Replaces each relative link of a page: by the module of the page that it leads to, else by its text and the path.
fn with_links(text: &str, file: &str, pages: &BTreeMap<String, String>) -> String {
    let mut rest = text;
    let mut linked = String::new();
    while let Some((before, after)) = rest.split_once("](") {
        let Some((link, behind)) = after.split_once(')') else { break };
        rest = behind;
        let (path, fragment) = link.split_once('#').map_or((link, ""), |(path, fragment)| (path, fragment));
        let folder = Path::new(file).parent().unwrap_or(Path::new(""));
        let mut whole = PathBuf::new();
        for part in folder.join(path).components() {
            match part {
                Component::ParentDir => drop(whole.pop()),
                part => whole.push(part),
            }
        }
        let whole = whole.to_string_lossy().replace('\\', "/");
        match (pages.get(&whole), before.rfind('[')) {
            _ if path.is_empty() || path.contains(':') => linked += &format!("{before}]({link})"),
            (Some(page), _) => {
                let fragment = if fragment.is_empty() { String::new() } else { format!("#{fragment}") };
                linked += &format!("{before}](crate::guides::{page}{fragment})");
            }
            // Not in the documentation: the text stays.
            (None, Some(begin)) => linked += &format!("{}{} (`{whole}`)", &before[..begin], &before[begin + 1..]),
            (None, None) => linked += before,
        }
    }
    linked + rest
}
