//! The addresses of services by region.

use super::Service;
use crate::cloud::Cloud;
use crate::error::Error;

/// The cloud of a session that names none.
const DEFAULT: &str = "huawei";

/// The address that the documents give for a service in a region of a cloud; none where the cloud does not have the service
/// there.
///
/// The pages of Huawei Cloud print ModelArts' addresses for four regions, IAM's for fourteen and none for MRS, all of one
/// form but for one region; other regions are taken to have the same form.
pub(super) fn endpoint(service: Service, region: &str, cloud: Option<Cloud>) -> Result<Option<String>, Error> {
    let plain = !region.is_empty() && region.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
    if !plain {
        return Err(Error::configuration("the region is not a name such as `cn-north-4`"));
    }
    let cloud = match cloud {
        Some(cloud) => cloud,
        None => DEFAULT.parse().map_err(|error| Error::configuration(format!("{error}")))?,
    };
    if let Some(regions) = cloud.all_regions().filter(|regions| !regions.contains(&region)) {
        return Err(Error::configuration(format!(
            "{cloud} has no region {region}; it has {}. Give the addresses of the services for another one",
            regions.join(", ")
        )));
    }
    if (service, region, cloud.name()) == (Service::Iam, "eu-west-101", DEFAULT) {
        return Ok(Some("https://iam.myhuaweicloud.eu".to_owned()));
    }
    Ok(cloud.address(service.name(), region))
}
