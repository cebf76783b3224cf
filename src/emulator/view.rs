//! Responses to `GET` requests that leave no trace, for the console.

use http::Request;
use serde_json::Value;

use super::handlers::LIFECYCLES;
use super::handlers::call::Call;
use super::lifecycle::Lifecycles;
use super::query::{decode, pairs};
use super::response::{Family, Rejection, Response};
use super::routes::Found;
use super::server::finish;
use super::state::State;
use super::store::Transaction;

impl State {
    /// Returns the response to a `GET` of a path and query in any project.
    ///
    /// The request is not authenticated and not recorded, hits no fault, and does not count as a read of a job. Its transaction
    /// is rolled back.
    pub(super) fn view(&self, target: &str, request_id: &str) -> Result<Response, (Family, Rejection)> {
        let rejected = |rejection| (Family::of(target), rejection);
        let invalid = |problem: &str| rejected(Rejection::Invalid(format!("The address {problem}.")));
        let (parts, ()) = Request::get(target).body(()).map_err(|_| invalid("is no path with a query"))?.into_parts();
        let (route, path) = match self.routes.find(&parts) {
            Found::Operation(route, path) if path.iter().any(|(name, _)| name == "project_id") => (route, path),
            _ => return Err(rejected(Rejection::unknown("operation", format!("GET {target}")))),
        };
        let path: Vec<(String, String)> = path
            .into_iter()
            .map(|(name, value)| Ok((name, decode(&value)?)))
            .collect::<Result<_, &str>>()
            .map_err(invalid)?;
        let query = pairs(parts.uri.query().unwrap_or_default()).map_err(invalid)?;
        let project = path.iter().find(|(name, _)| name == "project_id").map_or("", |(_, id)| id);
        let parameters = route.checker.parameters(&path, &query, &parts.headers).map_err(rejected)?;
        let (now, transitions) = (self.clock.now(), *self.transitions.lock());
        let respond = |transaction: &Transaction<'_>| {
            Lifecycles { transaction, transitions, now }.advance(&LIFECYCLES)?;
            (route.handler)(&Call {
                transaction,
                project,
                caller: None,
                access: &self.access,
                base: &self.endpoint,
                parameters: &parameters,
                body: &Value::Null,
                now,
                transitions,
                quota: self.quota,
                list: route.list,
            })
        };
        let mut outcome = self.store.peek(respond).map_err(rejected)?;
        if let Some(printed) = &self.printed {
            outcome.body = outcome.body.map(|body| printed.imitate(route.checker.id(), body));
        }
        Ok(finish(route.success, outcome, request_id))
    }
}
