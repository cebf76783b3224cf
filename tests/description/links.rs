//! Every link of the pages of the repository leads somewhere: to a file, to a heading of it, and in the published package
//! to a file that is in the package too.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on shall fail")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Component, Path, PathBuf};

use pulldown_cmark::{Event, Parser, Tag, TagEnd};

/// Links of pages in the package that lead to files which only the repository has.
const ONLY_IN_THE_REPOSITORY: [&str; 2] = ["python", "fuzz"];

/// Pages here are parts of other pages, which have their links.
const TEMPLATES: &str = "src";

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// All pages, by their path from the root.
fn pages() -> BTreeSet<String> {
    let mut pages = BTreeSet::new();
    let mut folders = vec![PathBuf::new()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(root().join(&folder)).unwrap() {
            let entry = entry.unwrap();
            let name = entry.file_name().into_string().unwrap();
            let path = folder.join(&name);
            let is_foreign = name.starts_with('.') || matches!(&*name, "target" | "node_modules" | "corpus" | "out");
            if entry.file_type().unwrap().is_dir() {
                if !is_foreign {
                    folders.push(path);
                }
            } else if name.ends_with(".md") && !path.starts_with(TEMPLATES) {
                pages.insert(path.to_str().unwrap().replace('\\', "/"));
            }
        }
    }
    pages
}

/// A heading as the anchor that GitHub and rustdoc make of it.
fn anchor(heading: &str) -> String {
    let lower = heading.to_lowercase();
    let kept = lower.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
    kept.map(|c| if c == ' ' { '-' } else { c }).collect()
}

/// The links and the anchors of a page.
fn read(page: &str) -> (Vec<String>, BTreeSet<String>) {
    let text = fs::read_to_string(root().join(page)).unwrap();
    let (mut links, mut anchors, mut heading) = (Vec::new(), BTreeSet::new(), None::<String>);
    for event in Parser::new_ext(&text, pulldown_cmark::Options::ENABLE_TABLES) {
        match event {
            Event::Start(Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. }) => links.push(dest_url.to_string()),
            Event::Start(Tag::Heading { .. }) => heading = Some(String::new()),
            Event::End(TagEnd::Heading(_)) => {
                let base = anchor(&heading.take().unwrap_or_default());
                let count = (0..).find(|count| !anchors.contains(&numbered(&base, *count))).unwrap();
                anchors.insert(numbered(&base, count));
            }
            Event::Text(text) | Event::Code(text) => heading.iter_mut().for_each(|heading| *heading += &text),
            _ => {}
        }
    }
    (links, anchors)
}

fn numbered(base: &str, count: u32) -> String {
    if count == 0 { base.to_owned() } else { format!("{base}-{count}") }
}

/// Whether a path is part of the published package: the list `include` of `Cargo.toml`.
fn is_packaged(path: &str, include: &[String]) -> bool {
    include.iter().any(|entry| path == entry || path.starts_with(&format!("{entry}/")))
}

#[test]
fn every_link_leads_somewhere() {
    let manifest = fs::read_to_string(root().join("Cargo.toml")).unwrap();
    let list = manifest.split_once("include = [").unwrap().1.split_once(']').unwrap().0;
    let include: Vec<String> = list
        .lines()
        .filter_map(|line| Some(line.trim().strip_prefix("\"/")?.trim_end_matches("\",").to_owned()))
        .collect();
    let pages = pages();
    assert!(pages.len() > 20 && pages.contains("docs/credentials.md"), "{pages:?}");
    let read: BTreeMap<&String, _> = pages.iter().map(|page| (page, read(page))).collect();
    let (mut broken, mut followed) = (Vec::new(), 0);
    for (page, (links, _)) in &read {
        for link in links.iter().filter(|link| !link.contains("://") && !link.starts_with("mailto:")) {
            followed += 1;
            let (path, fragment) =
                link.split_once('#').map_or((link.as_str(), None), |(path, part)| (path, Some(part)));
            let mut target = PathBuf::new();
            let whole =
                if path.is_empty() { PathBuf::from(page) } else { Path::new(page).parent().unwrap().join(path) };
            for part in whole.components() {
                match part {
                    Component::ParentDir => drop(target.pop()),
                    part => target.push(part),
                }
            }
            let target = target.to_str().unwrap().replace('\\', "/");
            if !root().join(&target).exists() {
                broken.push(format!("{page}: {link}: there is no {target}"));
                continue;
            }
            if is_packaged(page, &include)
                && !is_packaged(&target, &include)
                && !include.iter().any(|e| e.starts_with(&target))
                && !ONLY_IN_THE_REPOSITORY.iter().any(|known| target.starts_with(known))
            {
                broken.push(format!("{page}: {link}: {target} is not in the package"));
            }
            if let (Some(fragment), Some((_, anchors))) = (fragment, read.get(&target))
                && !anchors.contains(fragment)
            {
                broken.push(format!("{page}: {link}: {target} has no heading of that name"));
            }
        }
    }
    assert!(followed > 60, "{followed}");
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

/// The documentation of the crate links to a guide by its module.
#[test]
fn every_guide_is_a_page_of_the_documentation() {
    let modules = fs::read_to_string(root().join("src/guides.rs")).unwrap();
    let guides = pages().into_iter().filter_map(|page| Some(page.strip_prefix("docs/")?.replace('-', "_")));
    let missing: Vec<String> =
        guides.filter(|guide| !modules.contains(&format!(" {}: \"", guide.trim_end_matches(".md")))).collect();
    assert!(missing.is_empty(), "src/guides.rs has no module for {missing:?}");
}
