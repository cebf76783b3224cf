//! The addresses of services by region.

use super::Service;
use crate::error::Error;

/// The address that the documents give for a service in a region.
///
/// They print ModelArts' addresses for four regions, IAM's for fourteen and none for MRS, all of one form but for one
/// region; other regions are taken to have the same form.
pub(super) fn endpoint(service: Service, region: &str) -> Result<String, Error> {
    let plain = !region.is_empty() && region.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
    if !plain {
        return Err(Error::configuration("the region is not a name such as `cn-north-4`"));
    }
    Ok(match (service, region) {
        (Service::Iam, "eu-west-101") => "https://iam.myhuaweicloud.eu".to_owned(),
        _ => format!("https://{}.{region}.myhuaweicloud.com", service.name()),
    })
}
