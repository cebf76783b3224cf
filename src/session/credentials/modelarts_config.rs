//! Credentials in the configuration of the ModelArts Python SDK.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;
use serde_json::error::Category;

use super::given::{Field, Given, Names};
use super::{Context, Outcome, Provider, Providing, broken};
use crate::error::Error;

/// The file `~/.modelarts/config.json` of the ModelArts Python SDK.
///
/// The fields are at the top level, or in contexts under `contexts`. The context with the name of the selected profile
/// is used if the profile file has no such profile, otherwise `default`.
#[derive(Clone, Copy, Debug, Default)]
pub struct ModelArtsConfig;

const FILE: &str = ".modelarts/config.json";
const DEFAULT: &str = "default";

const NAMES: &Names = &[
    (Field::AccessKey, "access_key"),
    (Field::SecretKey, "secret_key"),
    (Field::SecurityToken, "security_token"),
    (Field::Domain, "account"),
    (Field::User, "username"),
    (Field::Password, "password"),
    (Field::ProjectId, "project_id"),
    (Field::Region, "region_name"),
    (Field::ModelArtsEndpoint, "modelarts_endpoint"),
    (Field::IamEndpoint, "iam_endpoint"),
];

/// The relevant arguments of the SDK's `Session`.
#[derive(Deserialize, PartialEq, Default)]
struct Fields {
    access_key: Option<String>,
    secret_key: Option<String>,
    security_token: Option<String>,
    account: Option<String>,
    username: Option<String>,
    password: Option<String>,
    project_id: Option<String>,
    region_name: Option<String>,
    modelarts_endpoint: Option<String>,
    iam_endpoint: Option<String>,
}

#[derive(Deserialize)]
struct Contexts {
    contexts: Option<BTreeMap<String, Fields>>,
}

impl Fields {
    fn given(self, place: &str) -> Given {
        // All fields are named, so that a new one is not forgotten here.
        let Self {
            access_key,
            secret_key,
            security_token,
            account,
            username,
            password,
            project_id,
            region_name,
            modelarts_endpoint,
            iam_endpoint,
        } = self;
        // In the order of the names.
        let values = [
            access_key,
            secret_key,
            security_token,
            account,
            username,
            password,
            project_id,
            region_name,
            modelarts_endpoint,
            iam_endpoint,
        ];
        let mut given = Given::new(NAMES);
        for ((key, name), value) in NAMES.iter().zip(values) {
            let value = value.unwrap_or_default();
            // White space may be part of a password.
            let value = if *key == Field::Password { &value } else { value.trim() };
            given.add(*key, value, format!("{place}: {name}"));
        }
        given
    }
}

impl Provider for ModelArtsConfig {
    fn name(&self) -> &'static str {
        "ModelArts SDK configuration"
    }

    fn provide<'a>(&'a self, context: &'a Context) -> Providing<'a> {
        Box::pin(async { self.look(context) })
    }
}

impl ModelArtsConfig {
    fn look(&self, context: &Context) -> Result<Outcome, Error> {
        let asked = context.asked_profile()?;
        let name = asked.as_ref().map_or(DEFAULT, |(name, _)| name);
        let Some(path) = context.at_home(FILE) else {
            return Ok(Outcome::Absent("there is no home folder".to_owned()));
        };
        let Some(text) = context.read(&path)? else {
            return Ok(Outcome::Absent(format!("{} does not exist", path.display())));
        };
        let shown = path.display();
        let Some((fields, place)) = fields(&path, &text, name)? else {
            return Ok(Outcome::Absent(format!("{shown} has no context `{}`", name.escape_debug())));
        };
        match fields.given(&place).found(self.name(), Some(place.clone()), context.now())? {
            Some(found) => Ok(Outcome::Found(found)),
            None if asked.is_some() => Err(broken(place, "holds neither keys nor a password")),
            None => Ok(Outcome::Absent(format!("{place} holds neither keys nor a password"))),
        }
    }
}

/// Returns whether the file has a context of this name.
pub(super) fn has(context: &Context, name: &str) -> Result<bool, Error> {
    let Some(path) = context.at_home(FILE) else { return Ok(false) };
    let Some(text) = context.read(&path)? else { return Ok(false) };
    Ok(fields(&path, &text, name)?.is_some())
}

/// Returns the fields of a context, and their place. The top level is the default context.
fn fields(path: &Path, text: &str, name: &str) -> Result<Option<(Fields, String)>, Error> {
    let shown = path.display();
    if let Some(fields) = parse::<Contexts>(path, text)?.contexts.and_then(|mut contexts| contexts.remove(name)) {
        return Ok(Some((fields, format!("{shown}, context `{}`", name.escape_debug()))));
    }
    let top: Fields = parse(path, text)?;
    let is_default = name == DEFAULT && top != Fields::default();
    Ok(is_default.then(|| (top, shown.to_string())))
}

/// Parses JSON. An error contains the place, but no value.
fn parse<'a, T: Deserialize<'a>>(path: &Path, text: &'a str) -> Result<T, Error> {
    serde_json::from_str(text).map_err(|error| {
        let reason = match error.classify() {
            Category::Data => "is not what the ModelArts SDK expects: an object with texts",
            Category::Eof => "ends too early for JSON",
            Category::Syntax | Category::Io => "is not JSON",
        };
        broken(format_args!("{}, line {}", path.display(), error.line()), reason)
    })
}
