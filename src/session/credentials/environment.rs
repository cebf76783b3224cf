//! Credentials and settings in variables.

use super::given::{Field, Given, Names};
use super::{Context, Outcome, Provider, Providing, Settings, broken, settings};
use crate::error::Error;

/// The prefix of the variables for a service's endpoint in a region.
const REGION_PREFIX: &str = "HUAWEICLOUD_SDK_REGION_";

/// The variables `HUAWEICLOUD_SDK_*`, which the vendor's SDKs use too, and `HWJOBS_*`.
#[derive(Clone, Copy, Debug, Default)]
pub struct Environment;

const CREDENTIALS: &Names = &[
    (Field::AccessKey, "HUAWEICLOUD_SDK_AK"),
    (Field::SecretKey, "HUAWEICLOUD_SDK_SK"),
    (Field::SecurityToken, "HUAWEICLOUD_SDK_SECURITY_TOKEN"),
    (Field::Domain, "HWJOBS_DOMAIN"),
    (Field::User, "HWJOBS_USER"),
    (Field::Password, "HWJOBS_PASSWORD"),
    (Field::Token, "HWJOBS_TOKEN"),
];

/// The settings of `HWJOBS_*` variables.
const OVERRIDES: &Names = &[
    (Field::ProjectName, "HWJOBS_PROJECT_NAME"),
    (Field::Cloud, "HWJOBS_CLOUD"),
    (Field::Region, "HWJOBS_REGION"),
    (Field::Endpoint, "HWJOBS_ENDPOINT"),
    (Field::ModelArtsEndpoint, "HWJOBS_MODELARTS_ENDPOINT"),
    (Field::MrsEndpoint, "HWJOBS_MRS_ENDPOINT"),
    (Field::IamEndpoint, "HWJOBS_IAM_ENDPOINT"),
];

/// The settings of `HUAWEICLOUD_SDK_*` variables.
const DEFAULTS: &Names = &[
    (Field::ProjectId, "HUAWEICLOUD_SDK_PROJECT_ID"),
    (Field::DomainId, "HUAWEICLOUD_SDK_DOMAIN_ID"),
    (Field::IamEndpoint, "HUAWEICLOUD_SDK_IAM_ENDPOINT"),
];

impl Provider for Environment {
    fn name(&self) -> &'static str {
        "environment"
    }

    fn provide<'a>(&'a self, context: &'a Context) -> Providing<'a> {
        Box::pin(async { self.look(context) })
    }
}

impl Environment {
    fn look(&self, context: &Context) -> Result<Outcome, Error> {
        if let Some((_, by)) = context.asked_profile()? {
            return Ok(Outcome::Absent(format!("passed over, since {by} names a profile")));
        }
        let found = given(context, CREDENTIALS)?.keys_before_login().found(self.name(), None, context.now())?;
        let Some(mut found) = found else {
            let reason = "none of HUAWEICLOUD_SDK_AK, HWJOBS_USER, HWJOBS_DOMAIN and HWJOBS_TOKEN is set";
            return Ok(Outcome::Absent(reason.to_owned()));
        };
        found.settings = Settings::environment(context)?;
        Ok(Outcome::Found(found))
    }
}

impl Settings {
    /// The settings of the variables, for credentials of other sources.
    ///
    /// # Errors
    ///
    /// [`Configuration`](crate::ErrorKind::Configuration), with the name of the malformed variable.
    pub fn environment(context: &Context) -> Result<Self, Error> {
        around(Self::default(), context)
    }
}

/// Puts the variables around the settings that came with credentials: those for this tool count before them, those for all
/// tools after them.
pub(super) fn around(found: Settings, context: &Context) -> Result<Settings, Error> {
    let (mut overrides, mut defaults) = (overrides(context)?, defaults(context)?);
    if context.asked_profile()?.is_some() {
        // These belong to the keys in the environment, which the profile displaces.
        defaults.project_id = None;
        defaults.domain_id = None;
    }
    if overrides.project_name.is_some() {
        // Id and name are of one project, and with the id the name need not be looked up.
        overrides.project_id = defaults.project_id.take();
    }
    Ok(Settings::layered([overrides, found, defaults]))
}

/// The settings that override those of a file.
fn overrides(context: &Context) -> Result<Settings, Error> {
    given(context, OVERRIDES)?.settings()
}

/// The settings that apply if a file has none.
fn defaults(context: &Context) -> Result<Settings, Error> {
    let mut settings = given(context, DEFAULTS)?.settings()?;
    for name in context.variables_with(REGION_PREFIX) {
        // The vendor allows several addresses, separated by commas; the first one is used.
        let value = context.variable(name)?;
        if let Some(first) = value.as_deref().and_then(|value| value.split(',').next()) {
            let endpoint = settings::endpoint(first.trim()).map_err(|reason| broken(name, reason))?;
            settings.region_endpoints.insert(name[REGION_PREFIX.len()..].to_owned(), endpoint);
        }
    }
    Ok(settings)
}

fn given(context: &Context, names: &'static Names) -> Result<Given, Error> {
    let mut given = Given::new(names);
    for (key, name) in names {
        // White space may be part of a password.
        let value = if *key == Field::Password { context.raw_variable(name)? } else { context.variable(name)? };
        given.add(*key, value.unwrap_or_default(), *name);
    }
    Ok(given)
}
