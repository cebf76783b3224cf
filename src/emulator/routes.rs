//! From the method and the path of a request to its operation.

use http::request::Parts;
use http::{Method, StatusCode};

use super::answer::Family;
use super::check::Checker;
use super::handlers;
use super::handlers::call::Handler;
use super::handlers::iam::Extra;
use crate::api::{self, ListShape};
use crate::spec;

/// An operation with its handler.
pub(super) struct Route {
    pub(super) method: Method,
    pub(super) family: Family,
    pub(super) success: StatusCode,
    pub(super) authenticated: bool,
    pub(super) checker: Checker,
    pub(super) handler: Handler,
    pub(super) list: Option<ListShape<'static>>,
}

/// The described paths with their operations.
pub(super) struct Routes(matchit::Router<Vec<Route>>);

impl Routes {
    /// Collects all operations of the description that have a handler.
    pub(super) fn new() -> Self {
        let mut by_path: Vec<(&'static str, Vec<Route>)> = Vec::new();
        for document in spec::rules() {
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
        Self(router)
    }
}

/// The route of a request.
pub(super) enum Found<'a> {
    /// An operation, with the values of its path as they were sent.
    Operation(&'a Route, Vec<(String, String)>),
    /// A request that clients send and the documents do not show.
    Extra(Extra<'a>),
    /// A path that has other methods.
    OtherMethod(String),
    /// No operation.
    Nowhere,
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
        if methods.is_empty() { Found::Nowhere } else { Found::OtherMethod(methods.join(", ")) }
    }
}

impl Found<'_> {
    /// The family whose form a failure of this request has.
    pub(super) fn family(&self) -> Family {
        match self {
            Self::Operation(route, _) => route.family,
            Self::Extra(_) => Family::Identity,
            Self::OtherMethod(_) | Self::Nowhere => Family::Job,
        }
    }
}
