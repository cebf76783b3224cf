//! The public interface of the library, one line an item, compared with `tests/public_api.txt`: a review sees what a change does
//! to callers. Of the generated part, `src/api/signature.txt` is the digest.
//!
//! The test reads the source, so it sees every feature at once. Calls of macros that make items are shown as they are
//! written, without documentation.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on shall fail")]

use std::fs;
use std::path::{Path, PathBuf};

use proc_macro2::{Delimiter, Spacing, TokenStream, TokenTree};
use quote::ToTokens;
use syn::{Attribute, Fields, ImplItem, Item, TraitItem, Visibility};

/// Modules that are for this crate's own programs.
const HIDDEN: [&str; 3] = ["fuzzing", "json", "guides"];

#[test]
fn the_public_interface_is_the_one_reviewed() {
    let mut lines = Vec::new();
    module(&root("src/lib.rs"), "", true, &mut lines);
    lines.sort();
    lines.dedup();
    assert!(lines.len() > 500, "{} lines", lines.len());
    expectorate::assert_contents(root("tests/public_api.txt"), &(lines.join("\n") + "\n"));
}

/// Two public types of one name would be mistaken for each other.
#[test]
fn no_two_types_share_a_name() {
    let text = fs::read_to_string(root("tests/public_api.txt")).unwrap();
    let generated = fs::read_to_string(root("src/api/signature.txt")).unwrap();
    let mut names: Vec<&str> = Vec::new();
    for line in text.lines() {
        // Those of two programs in one: the emulator's side of a call, and the contract runner's.
        if line.starts_with("emulator") || line.starts_with("contract") || line.starts_with("raw") {
            continue;
        }
        let declaration = ["struct ", "enum "].iter().find_map(|kind| line.split_once(&format!(": pub {kind}")));
        names.extend(declaration.map(|(_, rest)| rest.split(|c: char| !c.is_alphanumeric()).next().unwrap()));
        names.extend(line.split_once("lists! {").map(|_| ""));
    }
    names.extend(generated.lines().filter_map(|line| {
        let (_, rest) = ["struct ", "enum ", "open enum "].iter().find_map(|kind| {
            let rest = line.strip_prefix(kind)?;
            Some((kind, rest))
        })?;
        rest.split(|c: char| !c.is_alphanumeric()).next()
    }));
    names.retain(|name| !name.is_empty());
    names.sort_unstable();
    let twice: Vec<&str> = names.windows(2).filter(|pair| pair[0] == pair[1]).map(|pair| pair[0]).collect();
    assert!(names.len() > 150, "{}", names.len());
    assert!(twice.is_empty(), "{twice:?}");
}

fn root(file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(file)
}

/// Adds the items of a file. What a private module declares as public may be re-exported, so it counts.
fn module(file: &Path, path: &str, is_root: bool, lines: &mut Vec<String>) {
    let parsed = syn::parse_file(&fs::read_to_string(file).unwrap()).unwrap();
    let is_folder = is_root || file.file_name().is_some_and(|name| name == "mod.rs");
    let folder = if is_folder { file.parent().unwrap().to_owned() } else { file.with_extension("") };
    items(&parsed.items, path, &folder, lines);
}

fn items(list: &[Item], path: &str, folder: &Path, lines: &mut Vec<String>) {
    let mut add = |text: String| lines.push(format!("{}: {text}", if path.is_empty() { "crate" } else { path }));
    let mut modules = Vec::new();
    for item in list {
        match item {
            Item::Mod(module) if !is_test(&module.attrs) && !HIDDEN.contains(&&*module.ident.to_string()) => {
                let name = module.ident.to_string();
                if is_public(&module.vis) {
                    add(format!("{}pub mod {name}", condition(&module.attrs)));
                }
                modules.push((name, module));
            }
            Item::Use(item) if is_public(&item.vis) => add(format!("{}{}", condition(&item.attrs), shown(item))),
            Item::Struct(item) if is_public(&item.vis) => {
                let mut item = item.clone();
                match &mut item.fields {
                    Fields::Named(fields) => {
                        fields.named =
                            std::mem::take(&mut fields.named).into_iter().filter(|f| is_public(&f.vis)).collect();
                    }
                    Fields::Unnamed(fields) => {
                        fields.unnamed =
                            std::mem::take(&mut fields.unnamed).into_iter().filter(|f| is_public(&f.vis)).collect();
                    }
                    Fields::Unit => {}
                }
                add(shown(&item));
            }
            Item::Enum(item) if is_public(&item.vis) => add(shown(item)),
            Item::Const(item) if is_public(&item.vis) => {
                add(format!("pub const {}: {}", item.ident, shown(&item.ty)));
            }
            Item::Type(item) if is_public(&item.vis) => add(shown(item)),
            Item::Fn(item) if is_public(&item.vis) => {
                add(format!("{}pub {}", condition(&item.attrs), shown(&item.sig)));
            }
            Item::Trait(item) if is_public(&item.vis) => {
                let name = item.ident.to_string();
                add(format!("pub trait {name}{}", shown(&item.generics)));
                for item in &item.items {
                    if let TraitItem::Fn(function) = item {
                        add(format!("{name}: {}", shown(&function.sig)));
                    }
                }
            }
            Item::Impl(block) => {
                let of = block.trait_.as_ref().map(|(path, _)| shown(path) + " for ").unwrap_or_default();
                let head = format!("impl{} {of}{}", shown(&block.generics), shown(&block.self_ty));
                if block.trait_.is_some() {
                    add(format!("{}{head}", condition(&block.attrs)));
                    continue;
                }
                for item in &block.items {
                    match item {
                        ImplItem::Fn(function) if is_public(&function.vis) => {
                            add(format!("{head} {}{}", condition(&function.attrs), shown(&function.sig)));
                        }
                        ImplItem::Const(item) if is_public(&item.vis) => {
                            add(format!("{head} const {}: {}", item.ident, shown(&item.ty)));
                        }
                        ImplItem::Macro(item) => add(format!("{head} {}", shown(&item.mac))),
                        _ => {}
                    }
                }
            }
            // A definition makes nothing by itself.
            Item::Macro(item) if item.ident.is_none() && !is_include(item) => add(shown(&item.mac)),
            _ => {}
        }
    }
    for (name, module_item) in modules {
        let path = if path.is_empty() { name.clone() } else { format!("{path}::{name}") };
        match &module_item.content {
            Some((_, content)) => items(content, &path, &folder.join(&name), lines),
            None => {
                let candidates = [folder.join(format!("{name}.rs")), folder.join(&name).join("mod.rs")];
                module(candidates.iter().find(|file| file.exists()).unwrap(), &path, false, lines);
            }
        }
    }
}

fn is_public(visibility: &Visibility) -> bool {
    matches!(visibility, Visibility::Public(_))
}

fn is_include(item: &syn::ItemMacro) -> bool {
    item.mac.path.is_ident("include")
}

fn is_test(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| attribute.path().is_ident("cfg") && shown(attribute).contains("test"))
}

/// The features that an item needs.
fn condition(attributes: &[Attribute]) -> String {
    let conditions = attributes.iter().filter(|attribute| attribute.path().is_ident("cfg"));
    conditions.map(|attribute| shown(attribute) + " ").collect()
}

/// An item as text, without documentation and without what is only for the compiler.
fn shown(item: &impl ToTokens) -> String {
    let mut text = String::new();
    write(item.to_token_stream(), &mut text);
    text.trim_end().to_owned()
}

fn write(tokens: TokenStream, text: &mut String) {
    let tokens: Vec<TokenTree> = tokens.into_iter().collect();
    let mut index = 0;
    while let Some(token) = tokens.get(index) {
        index += 1;
        match token {
            // `#[doc = ".."]` and the like.
            TokenTree::Punct(punct) if punct.as_char() == '#' => {
                if let Some(TokenTree::Group(group)) = tokens.get(index) {
                    index += 1;
                    let name = group.stream().into_iter().next().map(|token| token.to_string()).unwrap_or_default();
                    if !matches!(&*name, "doc" | "expect" | "allow" | "serde" | "diagnostic" | "error") {
                        *text += &format!("#[{}] ", shown(&group.stream()));
                    }
                }
            }
            TokenTree::Group(group) => {
                let (open, close) = match group.delimiter() {
                    Delimiter::Parenthesis => ("(", ")"),
                    Delimiter::Brace => ("{ ", "}"),
                    Delimiter::Bracket => ("[", "]"),
                    Delimiter::None => ("", ""),
                };
                *text += open;
                let before = text.len();
                write(group.stream(), text);
                if group.delimiter() != Delimiter::Brace {
                    text.truncate(before + text[before..].trim_end().len());
                }
                *text += close;
                *text += " ";
            }
            TokenTree::Punct(punct) => {
                let character = punct.as_char();
                if matches!(character, ',' | ';' | ':' | '>' | '.' | '?') || (character == '<' && text.ends_with(' ')) {
                    text.truncate(text.trim_end().len());
                }
                text.push(character);
                let glued = punct.spacing() == Spacing::Joint || matches!(character, '<' | '&' | '.' | '!' | '\'');
                let is_path = character == ':' && text.ends_with("::");
                if !glued && !is_path {
                    text.push(' ');
                }
            }
            TokenTree::Ident(_) | TokenTree::Literal(_) => {
                *text += &token.to_string();
                *text += " ";
            }
        }
    }
}
