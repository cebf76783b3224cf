//! From the method and the path of a request to its operation.

use std::str::FromStr;

use http::request::Parts;
use http::{Method, StatusCode};

use super::check::Checker;
use super::handlers;
use super::handlers::call::Handler;
use super::handlers::iam::Extra;
use super::response::Family;
use crate::api::{self, ListShape};
use crate::cloud::Cloud;
use crate::spec::{self, Document};

/// An operation with its handler.
pub(super) struct Route {
    pub(super) method: Method,
    pub(super) family: Family,
    pub(super) success: StatusCode,
    pub(super) authenticated: bool,
    pub(super) checker: Checker,
    pub(super) handler: Handler,
    pub(super) list: Option<ListShape<'static>>,
    /// The code with which all requests are rejected, because the clusters are of a version that does not serve them.
    pub(super) rejected: Option<&'static str>,
}

/// The described paths with their operations.
pub(super) struct Routes(matchit::Router<Vec<Route>>, Option<Cloud>);

/// A version of MRS: its numbers, the most significant first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct MrsVersion([u32; 3]);

impl FromStr for MrsVersion {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let numbers: Result<Vec<u32>, _> = text.split('.').map(str::parse).collect();
        match numbers.as_deref() {
            Ok([major]) => Ok(Self([*major, 0, 0])),
            Ok([major, minor]) => Ok(Self([*major, *minor, 0])),
            Ok([major, minor, patch]) => Ok(Self([*major, *minor, *patch])),
            _ => Err(format!("`{text}` is no version of MRS such as 3.1.0")),
        }
    }
}

/// Returns the code with which clusters of a version reject all operations of a document; none if they serve them.
fn rejection(document: &'static Document, version: Option<MrsVersion>) -> Option<&'static str> {
    let served = &document.value()["x-mrs-versions"];
    let before = served["before"].as_str()?.parse::<MrsVersion>().ok()?;
    if version? >= before { served["error"].as_str() } else { None }
}

impl Routes {
    /// Collects the operations that a cloud documents, or else all of the description, that have a handler.
    pub(super) fn new(cloud: Option<Cloud>, version: Option<MrsVersion>) -> Self {
        let mut by_path: Vec<(&'static str, Vec<Route>)> = Vec::new();
        for document in spec::rules_of(cloud) {
            let rejected = rejection(document, version);
            for operation in document.operations() {
                let Some(handler) = handlers::find(operation.id()) else { continue };
                let route = Route {
                    method: Method::from_bytes(operation.method.to_ascii_uppercase().as_bytes())
                        .expect("a method of OpenAPI"),
                    family: Family::of(operation.path),
                    success: document
                        .success_status(operation)
                        .and_then(|status| StatusCode::from_u16(status).ok())
                        .expect("checked by build.rs"),
                    authenticated: operation.value.get("security").is_none(),
                    checker: Checker::new(document, operation),
                    handler,
                    list: api::operation(operation.id()).and_then(|known| known.list),
                    rejected,
                };
                match by_path.iter_mut().find(|(path, _)| *path == operation.path) {
                    Some((_, routes)) => routes.push(route),
                    None => by_path.push((operation.path, vec![route])),
                }
            }
        }
        let mut router = matchit::Router::new();
        for (path, routes) in by_path {
            router.insert(path, routes).expect("the described paths do not collide");
        }
        Self(router, cloud)
    }
}

/// The route of a request.
pub(super) enum Found<'a> {
    /// An operation, with the values of its path as they were sent.
    Operation(&'a Route, Vec<(String, String)>),
    /// A request that clients send and the documents do not show.
    Extra(Extra<'a>),
    /// A path that has other methods.
    MethodNotAllowed(String),
    /// No operation.
    Unmatched,
}

impl Routes {
    /// Finds the operation of a request, or what there is in its place.
    pub(super) fn find<'a>(&'a self, parts: &'a Parts) -> Found<'a> {
        // HEAD is served as GET; hyper drops the body.
        let method = if parts.method == Method::HEAD { &Method::GET } else { &parts.method };
        let extra = match Extra::find(parts) {
            Some(extra) if method == Method::GET => return Found::Extra(extra),
            extra => extra.map(|_| Method::GET.as_str()),
        };
        let found = self.0.at(parts.uri.path()).ok();
        let routes = found.as_ref().map_or(&[][..], |found| found.value);
        if let (Some(route), Some(found)) = (routes.iter().find(|route| route.method == *method), &found) {
            let values = found.params.iter().map(|(name, value)| (name.to_owned(), value.to_owned()));
            return Found::Operation(route, values.collect());
        }
        let methods: Vec<&str> = routes.iter().map(|route| route.method.as_str()).chain(extra).collect();
        // The gateway of a cloud knows nothing of an operation that the cloud does not have.
        let is_missing =
            || self.1.is_some() && found.as_ref().is_some_and(|found| is_described(method, &found.params, parts));
        if methods.is_empty() || is_missing() { Found::Unmatched } else { Found::MethodNotAllowed(methods.join(", ")) }
    }
}

/// Whether the description of all editions together has an operation with this method and the path that was found.
fn is_described(method: &Method, values: &matchit::Params<'_, '_>, parts: &Parts) -> bool {
    let mut segments: Vec<String> = parts.uri.path().split('/').map(str::to_owned).collect();
    for (name, value) in values.iter() {
        if let Some(segment) = segments.iter_mut().find(|segment| *segment == value) {
            *segment = format!("{{{name}}}");
        }
    }
    let path = segments.join("/");
    let described = spec::rules().iter().flat_map(Document::operations);
    let mut same = described.filter(|operation| operation.path == path);
    same.any(|operation| operation.method.eq_ignore_ascii_case(method.as_str()))
}

impl Found<'_> {
    /// The family whose form a failure of this request has.
    pub(super) fn family(&self) -> Family {
        match self {
            Self::Operation(route, _) => route.family,
            Self::Extra(_) => Family::Identity,
            Self::MethodNotAllowed(_) | Self::Unmatched => Family::Job,
        }
    }
}
