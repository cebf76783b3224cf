//! The settings of a source: project, region and endpoints.

use std::collections::BTreeMap;

use reqwest::Url;

use crate::api::{Operation, iam, modelarts, mrs};
use crate::cloud::{Cloud, UnknownCloud};
use crate::error::Error;

/// A service with its own endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Service {
    /// ModelArts.
    ModelArts,
    /// MapReduce Service.
    Mrs,
    /// Identity and Access Management.
    Iam,
}

impl Service {
    /// Returns the name in addresses: `modelarts`, `mrs`, `iam`.
    pub fn name(self) -> &'static str {
        match self {
            Self::ModelArts => "modelarts",
            Self::Mrs => "mrs",
            Self::Iam => "iam",
        }
    }

    /// Returns the description of its operations.
    fn operations(self) -> &'static [Operation] {
        match self {
            Self::ModelArts => modelarts::operations::ALL,
            Self::Mrs => mrs::operations::ALL,
            Self::Iam => iam::operations::ALL,
        }
    }

    /// Returns the error of a call to the service if its address is unknown.
    pub(in crate::session) fn without_address(self) -> Error {
        let (name, variable) = (self.name(), self.variable());
        Error::configuration(format!(
            "the address of {self:?} is not known; call `SessionBuilder::endpoint_of(Service::{self:?}, ..)` or `region`, \
             set HWJOBS_{variable}_ENDPOINT or HWJOBS_REGION, write {name}_endpoint or region into the profile, or give \
             --endpoint or --region"
        ))
    }

    /// Returns the name in variables.
    fn variable(self) -> String {
        self.name().to_ascii_uppercase()
    }
}

/// Project, region and endpoints of a source. It contains no secrets.
///
/// Endpoints begin with `http://` or `https://` and have no slash at the end.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Settings {
    /// Id of the project.
    pub project_id: Option<String>,
    /// The name of the project, if there is no id.
    pub project_name: Option<String>,
    /// The id of the domain.
    pub domain_id: Option<String>,
    /// Name of the cloud, for example `otc`; Huawei Cloud without one.
    pub cloud: Option<String>,
    /// Id of the region, for example `cn-north-4`.
    pub region: Option<String>,
    /// The address of every service without its own one below.
    pub endpoint: Option<String>,
    /// The address of ModelArts.
    pub modelarts_endpoint: Option<String>,
    /// The address of MapReduce Service.
    pub mrs_endpoint: Option<String>,
    /// The address of the identity service.
    pub iam_endpoint: Option<String>,
    /// Addresses by service and region; the key is the part of the variable's name after `HUAWEICLOUD_SDK_REGION_`. Use
    /// [`endpoint_of`](Self::endpoint_of).
    pub region_endpoints: BTreeMap<String, String>,
}

impl Settings {
    /// Returns the address of a service: its own, otherwise the one for all services, otherwise the one for the service
    /// in the region.
    pub fn endpoint_of(&self, service: Service, region: Option<&str>) -> Option<&str> {
        let own = match service {
            Service::ModelArts => &self.modelarts_endpoint,
            Service::Mrs => &self.mrs_endpoint,
            Service::Iam => &self.iam_endpoint,
        };
        let in_region = || {
            let region = region.or(self.region.as_deref())?.to_ascii_uppercase().replace('-', "_");
            self.region_endpoints.get(&format!("{}_{region}", service.variable()))
        };
        own.as_ref().or(self.endpoint.as_ref()).or_else(in_region).map(String::as_str)
    }

    /// The cloud that is named.
    ///
    /// # Errors
    ///
    /// Fails if no cloud has the name.
    pub fn known_cloud(&self) -> Result<Option<Cloud>, Error> {
        let cloud = self.cloud.as_deref().map(str::parse).transpose();
        cloud.map_err(|error: UnknownCloud| Error::configuration(error.to_string()))
    }

    /// The region that is said, or else the one whose name begins the name of the project, as in `eu-de_team`; the latter
    /// only in a cloud that lists all of its regions.
    pub(in crate::session) fn known_region(&self, cloud: Option<Cloud>) -> Option<&str> {
        let of_project = || {
            let (region, name) = (cloud?.all_regions()?, self.project_name.as_deref()?);
            let begins =
                |region: &&str| name.strip_prefix(*region).is_some_and(|rest| rest.is_empty() || rest.starts_with('_'));
            region.into_iter().find(begins)
        };
        self.region.as_deref().or_else(of_project)
    }

    /// Reports a value that is empty or only white space. [`endpoint`] validates endpoints.
    pub(in crate::session) fn validate(&self) -> Result<(), Error> {
        let Self { project_id, project_name, domain_id, region, cloud, .. } = self;
        let values = [
            ("project_id", project_id),
            ("project_name", project_name),
            ("domain_id", domain_id),
            ("region", region),
            ("cloud", cloud),
        ];
        for (name, value) in values {
            if value.as_deref().is_some_and(|value| value.trim().is_empty()) {
                return Err(Error::blank(name));
            }
        }
        Ok(())
    }

    /// Returns the own address of a service, to be set.
    pub(in crate::session) fn own_endpoint(&mut self, service: Service) -> &mut Option<String> {
        match service {
            Service::ModelArts => &mut self.modelarts_endpoint,
            Service::Mrs => &mut self.mrs_endpoint,
            Service::Iam => &mut self.iam_endpoint,
        }
    }

    /// Combines the settings of several sources. A source counts before those that follow it, which supply what it leaves open:
    ///
    /// - their project, where neither the id nor the name of a project is given, and the region is not another one,
    /// - their endpoints, where no endpoint for all services is given,
    /// - their region, project and endpoints, where the cloud is not another one.
    ///
    /// ```
    /// use huaweicloud_jobs::session::credentials::Settings;
    ///
    /// let (mut option, mut profile) = (Settings::default(), Settings::default());
    /// option.region = Some("cn-north-1".to_owned());
    /// (profile.region, profile.project_id) = (Some("cn-north-4".to_owned()), Some("a-project-of-cn-north-4".to_owned()));
    /// let settings = Settings::layered([option, profile]);
    /// assert_eq!((settings.region.as_deref(), settings.project_id), (Some("cn-north-1"), None));
    /// ```
    pub fn layered(layers: impl IntoIterator<Item = Self>) -> Self {
        layers.into_iter().reduce(Self::or).unwrap_or_default()
    }

    fn or(self, lower: Self) -> Self {
        let differ = |here: &Option<String>, below: &Option<String>| here.is_some() && below.is_some() && here != below;
        let other_cloud = differ(&self.cloud, &lower.cloud);
        let other_region = differ(&self.region, &lower.region);
        let own_project = self.project_id.is_some() || self.project_name.is_some();
        let keep_project = !own_project && !other_region && !other_cloud;
        let keep_endpoints = self.endpoint.is_none() && !other_cloud;
        let mut region_endpoints = lower.region_endpoints;
        region_endpoints.extend(self.region_endpoints);
        Self {
            project_id: self.project_id.or(lower.project_id.filter(|_| keep_project)),
            project_name: self.project_name.or(lower.project_name.filter(|_| keep_project)),
            domain_id: self.domain_id.or(lower.domain_id),
            cloud: self.cloud.or(lower.cloud),
            region: self.region.or(lower.region.filter(|_| !other_cloud)),
            endpoint: self.endpoint.or(lower.endpoint.filter(|_| !other_cloud)),
            modelarts_endpoint: self.modelarts_endpoint.or(lower.modelarts_endpoint.filter(|_| keep_endpoints)),
            mrs_endpoint: self.mrs_endpoint.or(lower.mrs_endpoint.filter(|_| keep_endpoints)),
            iam_endpoint: self.iam_endpoint.or(lower.iam_endpoint.filter(|_| keep_endpoints)),
            region_endpoints,
        }
    }
}

/// Normalizes a base address: no final slash, and `https` without a scheme. An error does not contain the address.
pub(in crate::session) fn endpoint(text: &str) -> Result<String, &'static str> {
    let whole = if text.contains("://") { text.to_owned() } else { format!("https://{text}") };
    let url = Url::parse(&whole).map_err(|_| "is not an address")?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err("is neither http nor https");
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err("holds a user name or a password");
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err("holds a query or a fragment");
    }
    Ok(url.as_str().trim_end_matches('/').to_owned())
}

/// Removes the version of the service's paths from the end of its address: `/v3` for the identity service as in
/// `OS_AUTH_URL`, `/v1/{project_id}` as in a catalog. The paths of requests contain it already.
pub(in crate::session) fn base(service: Service, address: &str, project_id: Option<&str>) -> String {
    let Ok(mut url) = Url::parse(address) else { return address.to_owned() };
    let path = url.path().trim_end_matches('/');
    let begins = |operation: &Operation| {
        let whole = operation.path.replace("{project_id}", project_id.unwrap_or("{project_id}"));
        let ends = whole.match_indices('/').map(|(at, _)| at).chain([whole.len()]);
        ends.filter(|end| path.ends_with(&whole[..*end])).max()
    };
    let longest = service.operations().iter().filter_map(begins).max().unwrap_or_default();
    let base = path[..path.len() - longest].to_owned();
    url.set_path(&base);
    url.as_str().trim_end_matches('/').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_may_end_as_the_paths_of_its_service_begin() {
        for (service, endings) in [
            (Service::Iam, &["", "/v3", "/v3/auth", "/v3/auth/tokens", "/v3/projects"][..]),
            (Service::ModelArts, &["", "/v1", "/v1/the-project", "/v1/the-project/training-jobs"]),
            (Service::Mrs, &["", "/v1.1", "/v1.1/the-project", "/v1.1/the-project/jobs"]),
        ] {
            for host in ["https://service.example", "http://v3", "http://v1:8080", "https://[::1]/gateway/v9"] {
                for ending in endings {
                    for slashes in ["", "/", "//"] {
                        let address = endpoint(&format!("{host}{ending}{slashes}")).unwrap();
                        assert_eq!(base(service, &address, Some("the-project")), host, "{address}");
                    }
                }
            }
        }
        let other = |service, address: &str| assert_eq!(base(service, address, None), address);
        other(Service::Iam, "https://service.example/v1");
        other(Service::Iam, "https://service.example/v30");
        other(Service::Iam, "https://service.example/xv3");
        other(Service::ModelArts, "https://service.example/v1.1");
        other(Service::ModelArts, "https://service.example/v1/the-project");
    }
}
