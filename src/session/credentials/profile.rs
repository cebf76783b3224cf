//! Credentials in the vendor's INI file, with named profiles.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use ini_roundtrip::{Item, Parser};

use super::given::{Field, Given, Names};
use super::{Context, Found, Outcome, Provider, Providing, broken, modelarts_config};
use crate::error::Error;

/// The file `~/.huaweicloud/credentials`, or the one that `HUAWEICLOUD_SDK_CREDENTIALS_FILE` names.
///
/// Its sections are profiles: `[profile NAME]` or `[NAME]`. Without a selected profile, the first of `[default]` and
/// the vendor's `[basic]` and `[global]` that has credentials is used. `profile = NAME` in `[default]` selects another
/// one.
#[derive(Clone, Copy, Debug, Default)]
pub struct Profile;

const FILE: &str = ".huaweicloud/credentials";
const FILE_VARIABLE: &str = "HUAWEICLOUD_SDK_CREDENTIALS_FILE";

/// The sections that are used if no profile is selected.
const UNNAMED: [&str; 3] = ["default", "basic", "global"];

/// The key in `[default]` that selects a profile.
const DEFAULT: &str = "profile";

const NAMES: &Names = &[
    (Field::AccessKey, "ak"),
    (Field::SecretKey, "sk"),
    (Field::SecurityToken, "security_token"),
    (Field::ExpiresAt, "expires_at"),
    (Field::Domain, "domain"),
    (Field::User, "user"),
    (Field::Password, "password"),
    (Field::Token, "token"),
    (Field::ProjectId, "project_id"),
    (Field::ProjectName, "project_name"),
    (Field::DomainId, "domain_id"),
    (Field::Cloud, "cloud"),
    (Field::Region, "region"),
    (Field::Endpoint, "endpoint"),
    (Field::ModelArtsEndpoint, "modelarts_endpoint"),
    (Field::MrsEndpoint, "mrs_endpoint"),
    (Field::IamEndpoint, "iam_endpoint"),
];

impl Provider for Profile {
    fn name(&self) -> &'static str {
        "profile file"
    }

    fn provide<'a>(&'a self, context: &'a Context) -> Providing<'a> {
        Box::pin(async { self.look(context) })
    }
}

impl Profile {
    /// Returns the path of the file, whether it exists or not, or `None` without a home folder.
    ///
    /// # Errors
    ///
    /// The variable that names it cannot be read.
    pub fn file(&self, context: &Context) -> Result<Option<PathBuf>, Error> {
        Ok(path(context)?.map(|(path, _)| path))
    }

    /// Returns the names of the profiles in the order of the file, without sections that only select another profile.
    ///
    /// # Errors
    ///
    /// The file is unreadable or malformed, or a variable names a file that does not exist.
    pub fn names(&self, context: &Context) -> Result<Vec<String>, Error> {
        let Some((path, named)) = path(context)? else { return Ok(Vec::new()) };
        let Some(text) = context.read(&path)? else {
            return if named { Err(no_such_file(&path)) } else { Ok(Vec::new()) };
        };
        let sections = sections(&path, &text)?;
        let own = sections.iter().filter(|section| !section.entries.contains_key(DEFAULT));
        Ok(own.map(|section| section.profile().to_owned()).collect())
    }

    fn look(&self, context: &Context) -> Result<Outcome, Error> {
        let asked = context.asked_profile()?;
        let Some((path, named)) = path(context)? else {
            return match asked {
                Some((name, by)) => elsewhere(context, &name, by, "there is no home folder to look in"),
                None => Ok(Outcome::Absent("there is no home folder".to_owned())),
            };
        };
        let Some(text) = context.read(&path)? else {
            let shown = path.display();
            return match asked {
                _ if named => Err(no_such_file(&path)),
                Some((name, by)) => elsewhere(context, &name, by, &format!("{shown} does not exist")),
                None => Ok(Outcome::Absent(format!("{shown} does not exist"))),
            };
        };
        let sections = sections(&path, &text)?;
        match asked {
            Some((name, by)) => self.named(context, &path, &sections, &name, by),
            None => self.unnamed(context, &path, &sections),
        }
    }

    /// Returns the profile of this name.
    fn named(
        &self,
        context: &Context,
        path: &Path,
        sections: &[Section<'_>],
        name: &str,
        by: &str,
    ) -> Result<Outcome, Error> {
        let Some(section) = section(path, sections, name)? else {
            let names: Vec<_> = sections.iter().map(|section| section.profile()).collect();
            let known = if names.is_empty() { "none".to_owned() } else { names.join(", ") };
            return elsewhere(context, name, by, &format!("{} has {known}", path.display()));
        };
        match self.found(context, path, section)? {
            Some(found) => Ok(Outcome::Found(found)),
            None => Err(broken(section.at(path), "holds neither keys nor a password nor a token")),
        }
    }

    /// Returns the first of the default sections.
    fn unnamed(&self, context: &Context, path: &Path, sections: &[Section<'_>]) -> Result<Outcome, Error> {
        if let Some(default) = section(path, sections, UNNAMED[0])?
            && let Some((name, line)) = default.entries.get(DEFAULT)
        {
            let at = format!("{}, line {line}: {DEFAULT}", path.display());
            if self.found(context, path, default)?.is_some() {
                return Err(broken(
                    at,
                    "names another profile, and its own section holds credentials: keep one of them",
                ));
            }
            return self.named(context, path, sections, name, &at);
        }
        for name in UNNAMED {
            if let Some(section) = section(path, sections, name)?
                && let Some(found) = self.found(context, path, section)?
            {
                return Ok(Outcome::Found(found));
            }
        }
        let path = path.display();
        Ok(Outcome::Absent(format!(
            "{path} holds neither keys nor a password nor a token in [default], [basic], [global]"
        )))
    }

    fn found(&self, context: &Context, path: &Path, section: &Section<'_>) -> Result<Option<Found>, Error> {
        let mut given = Given::new(NAMES);
        for (key, name) in NAMES {
            if let Some((value, line)) = section.entries.get(*name) {
                given.add(*key, *value, format!("{}, line {line}: {name}", path.display()));
            }
        }
        given.found(self.name(), Some(section.at(path)), context.now())
    }
}

/// Returns the path of the file, and whether a variable names it.
fn path(context: &Context) -> Result<Option<(PathBuf, bool)>, Error> {
    let named = context.variable(FILE_VARIABLE)?;
    Ok(match named {
        Some(path) => Some((path.into(), true)),
        None => context.at_home(FILE).map(|path| (path, false)),
    })
}

fn no_such_file(path: &Path) -> Error {
    broken(FILE_VARIABLE, format_args!("names {}, which does not exist", path.display()))
}

/// A profile that the file does not have may be a context of the ModelArts SDK; otherwise it is unknown.
fn elsewhere(context: &Context, name: &str, by: &str, reason: &str) -> Result<Outcome, Error> {
    if modelarts_config::has(context, name)? {
        return Ok(Outcome::Absent(reason.to_owned()));
    }
    Err(broken(by, format_args!("asks for the profile `{}`: {reason}", name.escape_debug())))
}

struct Section<'a> {
    name: &'a str,
    line: usize,
    /// Values with their lines, by the lower-case name of the key.
    entries: BTreeMap<String, (&'a str, usize)>,
}

impl Section<'_> {
    /// Returns the name of the profile: `[profile NAME]` and `[NAME]` are the same.
    fn profile(&self) -> &str {
        match self.name.split_once(char::is_whitespace) {
            Some(("profile", name)) => name.trim(),
            _ => self.name,
        }
    }

    fn at(&self, path: &Path) -> String {
        format!("{}, line {}: [{}]", path.display(), self.line, self.name)
    }
}

fn section<'a, 'b>(path: &Path, sections: &'b [Section<'a>], name: &str) -> Result<Option<&'b Section<'a>>, Error> {
    let mut matching = sections.iter().filter(|section| section.profile() == name);
    let first = matching.next();
    match matching.next() {
        // Both spellings name the same profile.
        Some(second) => Err(broken(
            second.at(path),
            format_args!("is the same profile as the section in line {}", first.map_or(0, |first| first.line)),
        )),
        None => Ok(first),
    }
}

/// Parses the file. The syntax is that of the vendor's SDKs: `key = value` or `key: value`, comments on separate lines,
/// no quotation marks, no escapes, no interpolation.
fn sections<'a>(path: &Path, text: &'a str) -> Result<Vec<Section<'a>>, Error> {
    let malformed = |line: usize, reason: &str| broken(format_args!("{}, line {line}", path.display()), reason);
    let mut sections: Vec<Section<'_>> = Vec::new();
    for (line, text) in text.lines().enumerate() {
        let line = line + 1;
        // Parsed line by line, so that white space before a section or a comment is allowed.
        for item in Parser::new(text.trim()) {
            match item {
                Item::Section { name, .. } => {
                    if sections.iter().any(|section| section.name == name) {
                        return Err(malformed(line, "begins a section that was there before"));
                    }
                    sections.push(Section { name, line, entries: BTreeMap::new() });
                }
                Item::Property { key, val, raw } => {
                    let colon = key.contains(':').then(|| raw.split_once(':')).flatten();
                    let (key, value) = match (colon, val) {
                        (Some((key, value)), _) => (key.trim(), value.trim()),
                        (None, Some(value)) => (key, value),
                        (None, None) => {
                            return Err(malformed(line, "is neither a section nor a comment nor `key = value`"));
                        }
                    };
                    let section =
                        sections.last_mut().ok_or_else(|| malformed(line, "stands before the first section"))?;
                    if section.entries.insert(key.to_lowercase(), (value, line)).is_some() {
                        return Err(malformed(line, "gives a key a second time in its section"));
                    }
                }
                Item::Error(_) => return Err(malformed(line, "is a section without its closing bracket at the end")),
                Item::Blank { .. } | Item::Comment { .. } | Item::SectionEnd => {}
            }
        }
    }
    Ok(sections)
}
