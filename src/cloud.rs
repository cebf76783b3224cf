//! The clouds whose editions of the documentation are known, as far as a client needs the facts at run time.
//!
//! `build.rs` reads them from `openapi/clouds/*.yaml`.

use std::fmt;
use std::str::FromStr;

include!(concat!(env!("OUT_DIR"), "/clouds.rs"));

/// A cloud that serves these operations: where it is, and which of them its documentation has.
///
/// ```
/// use huaweicloud_jobs::{Cloud, Documented};
///
/// let otc: Cloud = "otc".parse()?;
/// assert_eq!(otc.title(), "Open Telekom Cloud");
/// assert_eq!(otc.documents("create_job"), Documented::Yes);
/// assert_eq!(otc.documents("create_annotation_job"), Documented::No);
/// # Ok::<(), huaweicloud_jobs::UnknownCloud>(())
/// ```
#[derive(Clone, Copy)]
pub struct Cloud(&'static Facts);

/// What the build knows of a cloud.
struct Facts {
    name: &'static str,
    title: &'static str,
    /// What stands before the number in codes of its gateway.
    code_prefix: &'static str,
    /// Whether there may be regions that its description does not list.
    other_regions: bool,
    services: &'static [ServiceFacts],
    /// Ids of the operations that its documentation has.
    documented: &'static [&'static str],
    /// Ids of those of which it is not known.
    unknown: &'static [&'static str],
    /// Ids of those that it calls deprecated or not recommended.
    deprecated: &'static [&'static str],
}

/// Where a service of a cloud is.
struct ServiceFacts {
    name: &'static str,
    /// The address, with `{region}` in it.
    address: &'static str,
    regions: &'static [&'static str],
}

/// Whether the documentation of a cloud has an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Documented {
    /// It has a page.
    Yes,
    /// It has no page.
    No,
    /// The pages are not known completely.
    Unknown,
}

/// The error of a name that no cloud has.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no cloud of the name `{name}`; the clouds are {clouds}", name = .0, clouds = names())]
pub struct UnknownCloud(String);

impl Cloud {
    /// Returns all clouds, ordered by name.
    pub fn all() -> impl ExactSizeIterator<Item = Self> {
        CLOUDS.iter().map(Self)
    }

    /// The name in options, variables and profiles, for example `otc`.
    pub fn name(self) -> &'static str {
        self.0.name
    }

    /// The name that people use, for example `Open Telekom Cloud`.
    pub fn title(self) -> &'static str {
        self.0.title
    }

    /// What stands before the dot in codes of its gateway, for example `APIGW`. All prefixes are read alike.
    pub fn code_prefix(self) -> &'static str {
        self.0.code_prefix
    }

    /// The regions in which a service (`iam`, `modelarts`, `mrs`) is said to be; none where the service is not documented.
    pub fn regions(self, service: &str) -> &'static [&'static str] {
        self.service(service).map_or(&[], |service| service.regions)
    }

    /// Whether there may be regions besides those that are listed.
    pub fn has_other_regions(self) -> bool {
        self.0.other_regions
    }

    /// Whether its documentation has an operation.
    pub fn documents(self, operation: &str) -> Documented {
        if self.0.unknown.contains(&operation) {
            Documented::Unknown
        } else if self.0.documented.contains(&operation) {
            Documented::Yes
        } else {
            Documented::No
        }
    }

    /// Whether it calls an operation deprecated or not recommended.
    pub fn deprecates(self, operation: &str) -> bool {
        self.0.deprecated.contains(&operation)
    }

    /// The form of the addresses of a service, with `{region}` in it; none where the service is not documented.
    pub fn form(self, service: &str) -> Option<&'static str> {
        self.service(service).map(|service| service.address)
    }

    /// The address of a service in a region; none where the cloud is not known to have the service there.
    pub fn address(self, service: &str, region: &str) -> Option<String> {
        let service = self.service(service)?;
        let known = self.0.other_regions || service.regions.contains(&region);
        known.then(|| service.address.replace("{region}", region))
    }

    /// All regions of a cloud that lists them completely; none otherwise.
    pub(crate) fn all_regions(self) -> Option<Vec<&'static str>> {
        let mut regions: Vec<_> = self.0.services.iter().flat_map(|service| service.regions.iter().copied()).collect();
        regions.sort_unstable();
        regions.dedup();
        (!self.0.other_regions).then_some(regions)
    }

    fn service(self, name: &str) -> Option<&'static ServiceFacts> {
        self.0.services.iter().find(|service| service.name == name)
    }

    /// Its place among all clouds.
    #[cfg(any(test, feature = "spec"))]
    pub(crate) fn index(self) -> usize {
        CLOUDS.iter().position(|facts| std::ptr::eq(facts, self.0)).unwrap_or_default()
    }
}

fn names() -> String {
    Cloud::all().map(|cloud| cloud.name()).collect::<Vec<_>>().join(", ")
}

impl FromStr for Cloud {
    type Err = UnknownCloud;

    fn from_str(name: &str) -> Result<Self, UnknownCloud> {
        Self::all().find(|cloud| cloud.name() == name).ok_or_else(|| UnknownCloud(name.to_owned()))
    }
}

impl From<Cloud> for String {
    fn from(cloud: Cloud) -> Self {
        cloud.name().to_owned()
    }
}

impl fmt::Display for Cloud {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.title())
    }
}

impl fmt::Debug for Cloud {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Cloud").field(&self.name()).finish()
    }
}

impl PartialEq for Cloud {
    fn eq(&self, other: &Self) -> bool {
        self.name() == other.name()
    }
}

impl Eq for Cloud {}
