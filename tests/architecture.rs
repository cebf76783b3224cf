//! Tests the floors of the library: a module imports only lower floors, and files form no import cycle.
//!
//! The test reads the source as text, so it sees every feature at once. Paths in expressions count as imports. Test
//! modules and re-exports of a module's own children do not.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on shall fail")]

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fs;
use std::path::{Path, PathBuf};

use syn::visit::{self, Visit};
use syn::{Attribute, Item, ItemMod, ItemUse, UseTree, Visibility};

/// The modules of the library from the ground up, floor by floor. A module may import the floors below it, and the modules
/// to its left on its own floor.
const FLOORS: &[&[&str]] = &[
    &["entry", "secret", "clock", "cloud", "json", "shape", "terminal"],
    &["error"],
    &["har", "transport"],
    &["api"],
    &["ids", "paging", "spec"],
    &["session"],
    &["waiting", "bulk", "handles", "mock"],
    &["modelarts", "mrs", "iam"],
    &["raw"],
    &["emulator", "contract"],
];

/// Returns the floor of a top-level module, counted from 1, and its place on it.
fn place(module: &str) -> Option<(usize, usize)> {
    FLOORS
        .iter()
        .enumerate()
        .find_map(|(floor, modules)| modules.iter().position(|name| *name == module).map(|place| (floor + 1, place)))
}

type ModulePath = Vec<String>;

/// One source file.
struct Source {
    file: PathBuf,
    module: ModulePath,
    /// The targets of its imported names.
    names: HashMap<String, ModulePath>,
    /// Each path that leaves the module, with its line.
    paths: Vec<(ModulePath, usize)>,
}

/// Reads all files below a crate's root file, test modules left out.
fn sources(root: &Path) -> BTreeMap<ModulePath, Source> {
    let mut sources = BTreeMap::new();
    read(root, Vec::new(), &mut sources);
    sources
}

fn read(file: &Path, module: ModulePath, sources: &mut BTreeMap<ModulePath, Source>) {
    let text = fs::read_to_string(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    let parsed = syn::parse_file(&text).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    let mut collector =
        Collector { module: module.clone(), names: HashMap::new(), paths: Vec::new(), children: Vec::new() };
    collector.visit_file(&parsed);
    let is_root = module.is_empty() || file.file_name().is_some_and(|name| name == "mod.rs");
    let folder = if is_root { file.parent().unwrap().to_owned() } else { file.with_extension("") };
    for child in collector.children {
        let name = child.last().unwrap();
        let candidates = [folder.join(format!("{name}.rs")), folder.join(name).join("mod.rs")];
        let file = candidates.iter().find(|file| file.exists());
        read(file.unwrap_or_else(|| panic!("{name}: no file in {}", folder.display())), child, sources);
    }
    let Collector { names, paths, .. } = collector;
    sources.insert(module.clone(), Source { file: file.to_owned(), module, names, paths });
}

/// Collects what one file imports.
struct Collector {
    module: ModulePath,
    names: HashMap<String, ModulePath>,
    paths: Vec<(ModulePath, usize)>,
    /// Modules in files of their own.
    children: Vec<ModulePath>,
}

impl Collector {
    /// A path as one from the crate's root; `None` where it begins elsewhere.
    fn absolute(&self, segments: &[String]) -> Option<ModulePath> {
        let mut base = match segments.first()?.as_str() {
            "crate" => Vec::new(),
            "self" => self.module.clone(),
            "super" => self.module.clone(),
            _ => return None,
        };
        let mut rest = segments;
        while let Some(first) = rest.first().filter(|first| matches!(first.as_str(), "crate" | "self" | "super")) {
            if first == "super" {
                base.pop();
            }
            rest = &rest[1..];
        }
        base.extend_from_slice(rest);
        Some(base)
    }

    fn note(&mut self, segments: &[String], line: usize) {
        if let Some(path) = self.absolute(segments) {
            self.paths.push((path, line));
        }
    }
}

fn leaves(tree: &UseTree, before: &[String], found: &mut Vec<(Vec<String>, String)>) {
    let with = |name: &syn::Ident| [before, &[name.to_string()]].concat();
    match tree {
        UseTree::Path(path) => leaves(&path.tree, &with(&path.ident), found),
        UseTree::Name(name) if name.ident == "self" => {
            found.push((before.to_vec(), before.last().cloned().unwrap_or_default()));
        }
        UseTree::Name(name) => found.push((with(&name.ident), name.ident.to_string())),
        UseTree::Rename(rename) if rename.ident == "self" => found.push((before.to_vec(), rename.rename.to_string())),
        UseTree::Rename(rename) => found.push((with(&rename.ident), rename.rename.to_string())),
        UseTree::Glob(_) => found.push((before.to_vec(), String::new())),
        UseTree::Group(group) => group.items.iter().for_each(|tree| leaves(tree, before, found)),
    }
}

fn is_test(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        attribute.path().is_ident("cfg")
            && matches!(&attribute.meta, syn::Meta::List(list) if matches!(list.tokens.to_string().as_str(), "test" | "fuzzing") || list.tokens.to_string().starts_with("all (doctest"))
    })
}

fn attributes(item: &Item) -> &[Attribute] {
    match item {
        Item::Fn(item) => &item.attrs,
        Item::Impl(item) => &item.attrs,
        Item::Mod(item) => &item.attrs,
        Item::Use(item) => &item.attrs,
        Item::Macro(item) => &item.attrs,
        Item::Struct(item) => &item.attrs,
        Item::Const(item) => &item.attrs,
        _ => &[],
    }
}

impl<'ast> Visit<'ast> for Collector {
    fn visit_item(&mut self, item: &'ast Item) {
        if !is_test(attributes(item)) {
            visit::visit_item(self, item);
        }
    }

    fn visit_item_mod(&mut self, item: &'ast ItemMod) {
        if item.content.is_none() {
            self.children.push([self.module.as_slice(), &[item.ident.to_string()]].concat());
        } else {
            // An inline module is part of its file; its `super` is not resolved.
            self.module.push(item.ident.to_string());
            visit::visit_item_mod(self, item);
            self.module.pop();
        }
    }

    fn visit_item_use(&mut self, item: &'ast ItemUse) {
        let mut found = Vec::new();
        leaves(&item.tree, &[], &mut found);
        for (mut path, name) in found {
            // `use child::Name` names a module of this one, if it is not another crate.
            let is_relative = !matches!(path[0].as_str(), "crate" | "self" | "super");
            if is_relative {
                path.insert(0, "self".to_owned());
            }
            let Some(path) = self.absolute(&path) else { continue };
            let is_facade = path.starts_with(&self.module) && !matches!(item.vis, Visibility::Inherited);
            if !is_facade {
                self.paths.push((path.clone(), item.use_token.span.start().line));
            }
            self.names.insert(name, path);
        }
    }

    /// `pub(super)` imports nothing.
    fn visit_visibility(&mut self, _: &'ast Visibility) {}

    fn visit_path(&mut self, path: &'ast syn::Path) {
        let segments: Vec<String> = path.segments.iter().map(|segment| segment.ident.to_string()).collect();
        let line = path.segments.first().map_or(0, |segment| segment.ident.span().start().line);
        if segments.len() > 1 && !matches!(segments[0].as_str(), "crate" | "self" | "super") {
            self.note(&[&["self".to_owned()], segments.as_slice()].concat(), line);
        } else {
            self.note(&segments, line);
        }
        visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, item: &'ast syn::Macro) {
        let text = item.tokens.to_string();
        let line = item.path.segments.first().map_or(0, |segment| segment.ident.span().start().line);
        for (start, _) in text.match_indices("crate ::").chain(text.match_indices("super ::")) {
            let path = text[start..].split("::").map(str::trim);
            let path: Vec<String> = path
                .map_while(|part| {
                    let end = part.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(part.len());
                    (end > 0).then(|| (part[..end].to_owned(), end == part.len()))
                })
                .scan(true, |goes_on, (part, whole)| std::mem::replace(goes_on, whole).then_some(part))
                .collect();
            self.note(&path, line);
        }
        visit::visit_macro(self, item);
    }
}

/// The module whose file defines what a path names; re-exports are followed.
fn owner<'a>(sources: &'a BTreeMap<ModulePath, Source>, path: &[String], hops: usize) -> Option<&'a Source> {
    let length = (0..=path.len()).rev().find(|length| sources.contains_key(&path[..*length]))?;
    let source = &sources[&path[..length]];
    match path.get(length).and_then(|name| source.names.get(name)) {
        Some(target) if hops < 8 && *target != path => {
            owner(sources, &[target.as_slice(), &path[length + 1..]].concat(), hops + 1)
        }
        _ => Some(source),
    }
}

/// From file to file, with the first line that says so.
fn imports(sources: &BTreeMap<ModulePath, Source>) -> BTreeMap<(ModulePath, ModulePath), usize> {
    let mut imports = BTreeMap::new();
    for source in sources.values() {
        for (path, line) in &source.paths {
            // A relative path whose first segment is neither a module nor a name of this file is another crate's.
            let Some(target) = owner(sources, path, 0) else { continue };
            if target.module != source.module {
                imports.entry((source.module.clone(), target.module.clone())).or_insert(*line);
            }
        }
    }
    imports
}

/// Groups of files that import each other, directly or through others.
fn cycles(imports: &BTreeMap<(ModulePath, ModulePath), usize>) -> Vec<BTreeSet<ModulePath>> {
    let mut next: BTreeMap<&ModulePath, Vec<&ModulePath>> = BTreeMap::new();
    for (from, to) in imports.keys() {
        next.entry(from).or_default().push(to);
    }
    let reach = |start: &ModulePath| {
        let (mut seen, mut open) = (BTreeSet::new(), vec![start.clone()]);
        while let Some(module) = open.pop() {
            for target in next.get(&module).into_iter().flatten() {
                if seen.insert((*target).clone()) {
                    open.push((*target).clone());
                }
            }
        }
        seen
    };
    let reached: BTreeMap<&ModulePath, BTreeSet<ModulePath>> = next.keys().map(|from| (*from, reach(from))).collect();
    let groups: BTreeSet<BTreeSet<ModulePath>> = reached
        .iter()
        .filter(|(module, set)| set.contains(**module))
        .map(|(module, set)| {
            set.iter().filter(|other| reached.get(other).is_some_and(|back| back.contains(*module))).cloned().collect()
        })
        .collect();
    groups.into_iter().collect()
}

fn root(file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(file)
}

#[test]
fn modules_import_only_what_lies_below_them() {
    let sources = sources(&root("src/lib.rs"));
    let mut upward = Vec::new();
    for ((from, to), line) in imports(&sources) {
        let (Some(above), Some(below)) = (from.first(), to.first()) else { continue };
        let floor =
            |module: &str| place(module).unwrap_or_else(|| panic!("{module} stands on no floor: add it to FLOORS"));
        if above != below && floor(above) <= floor(below) {
            upward.push(format!(
                "{}:{line} (floor {}) imports {} (floor {})",
                relative(&sources[&from].file),
                floor(above).0,
                relative(&sources[&to].file),
                floor(below).0,
            ));
        }
    }
    assert!(upward.is_empty(), "{} upward imports:\n{}", upward.len(), upward.join("\n"));
}

#[test]
fn files_form_no_import_cycle() {
    let mut found = Vec::new();
    for crate_root in ["src/lib.rs", "src/bin/hwjobs/main.rs"] {
        let sources = sources(&root(crate_root));
        let imports = imports(&sources);
        for cycle in cycles(&imports) {
            let edges = imports.iter().filter(|((from, to), _)| cycle.contains(from) && cycle.contains(to));
            let edges = edges.map(|((from, to), line)| {
                format!("  {}:{line} imports {}", relative(&sources[from].file), relative(&sources[to].file))
            });
            found.push(format!("{} files import each other:\n{}", cycle.len(), edges.collect::<Vec<_>>().join("\n")));
        }
    }
    assert!(found.is_empty(), "{} cycles\n{}", found.len(), found.join("\n"));
}

fn relative(file: &Path) -> String {
    file.strip_prefix(env!("CARGO_MANIFEST_DIR")).unwrap_or(file).display().to_string()
}

/// All Rust files below a folder.
fn rust_files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display())) {
        let path = entry.unwrap().path();
        if path.is_dir() {
            rust_files(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

/// The text of the files below a folder of the source, by file, without comments.
fn code_below(folder: &str) -> BTreeMap<String, String> {
    let mut files = Vec::new();
    rust_files(&root(folder), &mut files);
    let code = |file: PathBuf| {
        let text = fs::read_to_string(&file).unwrap();
        let lines: Vec<&str> = text.lines().filter(|line| !line.trim_start().starts_with("//")).collect();
        (relative(&file), lines.join("\n"))
    };
    files.into_iter().map(code).collect()
}

/// The values of a key anywhere below a value.
fn values_of<'a>(value: &'a serde_json::Value, key: &str, found: &mut Vec<&'a serde_json::Value>) {
    match value {
        serde_json::Value::Object(fields) => {
            found.extend(fields.get(key));
            fields.values().for_each(|field| values_of(field, key, found));
        }
        serde_json::Value::Array(items) => items.iter().for_each(|item| values_of(item, key, found)),
        _ => {}
    }
}

fn descriptions() -> Vec<serde_json::Value> {
    ["iam", "modelarts", "mrs"]
        .map(|name| {
            let text = fs::read_to_string(root(&format!("openapi/{name}.yaml"))).unwrap();
            serde_saphyr::from_str(&text).unwrap_or_else(|error| panic!("{name}: {error}"))
        })
        .into()
}

/// Only the description names the total of a list, the parameters of its pages and the place of its marker.
#[test]
fn the_shape_of_a_list_is_in_the_description_alone() {
    let code = code_below("src");
    let mut facts = BTreeSet::new();
    for description in &descriptions() {
        let mut lists = Vec::new();
        values_of(description, "x-list", &mut lists);
        for list in lists {
            facts.extend(
                ["total", "next", "number", "size"].iter().filter_map(|key| list[*key].as_str()).map(str::to_owned),
            );
        }
    }
    assert!(facts.contains("job_total_count") && facts.contains("/markers/next"), "{facts:?}");
    let mut found = Vec::new();
    for fact in &facts {
        for (file, text) in &code {
            // The typed lists name a parameter where a value of theirs is out of bounds, and the tables of the command line
            // the number of versions, which is a field of a job too.
            let is_handle = ["src/modelarts/", "src/mrs/", "src/paging/"].iter().any(|folder| file.starts_with(folder));
            let is_exempt = is_handle || fact == "version_count" || (fact == "limit" || fact == "offset");
            if !is_exempt && text.contains(&format!("\"{fact}\"")) && !file.contains("/tests/") {
                found.push(format!("{file} names {fact}"));
            }
        }
    }
    assert!(found.is_empty(), "these belong into `x-list`, see `spec::list`:\n{}", found.join("\n"));
}

/// Only the description contains the final states of jobs.
#[test]
fn the_final_states_are_in_the_description_alone() {
    let mut names = BTreeSet::new();
    for description in &descriptions() {
        let mut tables = Vec::new();
        values_of(description, "x-states", &mut tables);
        for row in tables.iter().flat_map(|table| table.as_array().unwrap()) {
            names.insert(row["name"].as_str().unwrap().to_owned());
        }
    }
    assert!(names.contains("JOBSTAT_COMPLETED"), "{names:?}");
    let names_states = |text: &str| names.iter().filter(|name| text.contains(&format!("\"{name}\""))).count() > 1;
    let named: Vec<String> =
        code_below("src").into_iter().filter(|(_, text)| names_states(text)).map(|(file, _)| file).collect();
    // The emulator leads jobs through some of the states; which of them are final it asks the table.
    // `failure.rs` names words of failures that are words of states, too.
    let known =
        ["src/emulator/handlers/modelarts/state.rs", "src/emulator/handlers/mrs/run.rs", "src/error/failure.rs"];
    assert_eq!(named, known, "states of jobs belong into `x-states`, see `shape::state`");
}

/// Files and folders that a document names in backticks, relative to the root of the repository.
fn named_files(document: &str) -> BTreeSet<String> {
    let text = fs::read_to_string(root(document)).unwrap();
    let inside = text.split('`').skip(1).step_by(2);
    let folders = ["src/", "tests/", "openapi/", "docs/", "tools/", "benches/", "fuzz/", "examples/"];
    let is_file =
        |text: &&str| folders.iter().any(|folder| text.starts_with(folder)) && !text.contains(['*', ' ', '\n', '{']);
    inside.filter(is_file).map(str::to_owned).collect()
}

#[test]
fn files_that_the_documents_name_exist() {
    let named = named_files("ARCHITECTURE.md");
    assert!(named.len() > 50, "{named:?}");
    for document in ["ARCHITECTURE.md", "CONTRIBUTING.md"] {
        let missing: Vec<String> = named_files(document).into_iter().filter(|file| !root(file).exists()).collect();
        assert!(missing.is_empty(), "{document} names files that do not exist: {missing:?}");
    }
}

/// Larger files do several jobs.
#[test]
fn no_source_file_is_too_long() {
    let mut files = Vec::new();
    rust_files(&root("src"), &mut files);
    let lines = |file: &PathBuf| fs::read_to_string(file).unwrap().lines().count();
    files.sort();
    let long: Vec<String> = files.iter().filter(|file| lines(file) > 700).map(|file| relative(file)).collect();
    assert!(long.is_empty(), "split these by what they do: {long:?}");
}
