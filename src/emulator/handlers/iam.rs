//! IAM: tokens and projects.

use http::request::Parts;
use http::{HeaderName, HeaderValue, StatusCode};
use serde_json::{Value, json};

use super::call::{Call, Handler, Outcome};
use crate::emulator::access::{Access, Caller, Domain, Project, Scope, Token, id_of, timestamp};
use crate::emulator::check::text;
use crate::emulator::query::decode;
use crate::emulator::response::Rejection;
use crate::emulator::store::Store;
use crate::session::signing::encode;

pub(super) fn find(operation: &str) -> Option<Handler> {
    Some(match operation {
        "create_token" => create_token,
        "list_projects" => list_projects,
        "list_auth_projects" => list_auth_projects,
        _ => return None,
    })
}

fn create_token(call: &Call<'_>) -> Result<Outcome, Rejection> {
    let unauthenticated = |reason: String| Rejection::Unauthenticated { code: "401", reason };
    let auth = &call.body["auth"];
    let user = &auth["identity"]["password"]["user"];
    let given = |value, field| text(value, field).unwrap_or_default();
    let (domain, user) = call
        .access
        .sign_in(given(&user["domain"], "name"), given(user, "name"), given(user, "password"))
        .ok_or_else(|| unauthenticated("The username or password is wrong.".to_owned()))?;
    let is_own = |account: &Value| {
        text(account, "id").is_none_or(|id| id == domain.id)
            && text(account, "name").is_none_or(|name| name == domain.name)
    };
    let scope = match auth.get("scope").map(|scope| (scope.get("project"), scope.get("domain"))) {
        Some((Some(project), _)) => {
            let wanted = text(project, "id").or(text(project, "name")).unwrap_or_default();
            let found = domain
                .projects
                .iter()
                .find(|known| if project.get("id").is_some() { known.id == wanted } else { known.name == wanted });
            let found = found.filter(|_| project.get("domain").is_none_or(is_own));
            Scope::Project(found.ok_or_else(|| unauthenticated(format!("Could not find project: {wanted}.")))?)
        }
        Some((None, Some(account))) if is_own(account) => Scope::Account,
        Some((None, Some(_))) => return Err(unauthenticated("Could not find domain.".to_owned())),
        Some((None, None)) | None => Scope::Nothing,
    };
    let (token, facts) = Access::give_token(call.transaction, Caller { domain, user, scope }, call.now)?;
    let with_catalog = call.text("nocatalog").is_empty();
    Ok(show_token(&token, &facts, with_catalog.then_some(call.base)))
}

fn list_projects(call: &Call<'_>) -> Result<Outcome, Rejection> {
    let domain = call.caller.ok_or_else(|| Rejection::token("x-auth-token not found"))?.domain;
    let wanted = |key: &str, value: &str| {
        let filter = call.text(key);
        filter.is_empty() || filter == value
    };
    let is = |key: &str, value: bool| call.parameters.get(key).is_none_or(|wanted| *wanted == value);
    let found: Vec<_> = domain
        .projects
        .iter()
        .filter(|project| wanted("name", &project.name))
        .filter(|_| wanted("domain_id", &domain.id) && wanted("parent_id", &domain.id))
        .filter(|_| is("enabled", true) && is("is_domain", false))
        .collect();
    let given = |key: &str| call.parameters.get(key).and_then(Value::as_i64);
    let (number, per_page) = call.list.and_then(|list| list.pages.parameters()).unwrap_or_default();
    let (page, size) = match (given(number), given(per_page)) {
        (Some(page), Some(size)) => (page, size),
        _ => (1, i64::MAX),
    };
    let address = format!("{}/v3/projects", call.base);
    // The same request, for another page.
    let at = |page: i64| {
        let asked = ["domain_id", "enabled", "is_domain", "name", "parent_id", number, per_page].into_iter();
        let pairs: Vec<String> = asked
            .filter_map(|key| {
                let value = match call.parameters.get(key)? {
                    _ if key == number => page.to_string(),
                    Value::String(text) => encode(text),
                    value => value.to_string(),
                };
                Some(format!("{key}={value}"))
            })
            .collect();
        if pairs.is_empty() { address.clone() } else { format!("{address}?{}", pairs.join("&")) }
    };
    let (before, count) = ((page - 1).saturating_mul(size), i64::try_from(found.len()).unwrap_or(i64::MAX));
    let shown = found.into_iter().skip(usize::try_from(before).unwrap_or(usize::MAX));
    let projects: Vec<_> = shown
        .take(usize::try_from(size).unwrap_or(usize::MAX))
        .map(|project| show_project(domain, project, call.base))
        .collect();
    let links = json!({
        "next": (before.saturating_add(size) < count).then(|| at(page + 1)),
        "previous": (page > 1).then(|| at(page - 1)),
        "self": at(page),
    });
    Ok(call.listed(projects, count, json!({"links": links})))
}

fn list_auth_projects(call: &Call<'_>) -> Result<Outcome, Rejection> {
    let domain = call.caller.ok_or_else(|| Rejection::token("x-auth-token not found"))?.domain;
    let project = |project: &Project| {
        describe(domain, project, json!({"self": format!("{}/v3/projects/{}", call.base, project.id)}))
    };
    let projects: Vec<_> = domain.projects.iter().map(project).collect();
    let others = json!({"links": {"self": format!("{}/v3/auth/projects", call.base)}});
    Ok(call.listed(projects, domain.projects.len() as i64, others))
}

/// Describes a project, with the links that the page on `list_projects` prints.
fn show_project(domain: &Domain, project: &Project, base: &str) -> Value {
    let own = format!("{base}/v3/projects/{}", project.id);
    describe(domain, project, json!({"next": null, "previous": null, "self": own}))
}

fn describe(domain: &Domain, project: &Project, links: Value) -> Value {
    json!({
        "domain_id": domain.id,
        "is_domain": false,
        "parent_id": domain.id,
        "name": project.name,
        "description": "",
        "links": links,
        "id": project.id,
        "enabled": true,
    })
}

/// Describes a token. The catalog is empty where there is no base address for it.
fn show_token(token: &str, facts: &Token<'_>, base: Option<&str>) -> Outcome {
    let Caller { domain, user, scope } = facts.caller;
    let account = json!({"id": domain.id, "name": domain.name});
    let mut body = json!({
        "catalog": base.map(|base| catalog(base, scope)).unwrap_or_default(),
        "expires_at": timestamp(facts.expires),
        "issued_at": timestamp(facts.issued),
        "methods": ["password"],
        "roles": [{"id": "0", "name": "te_admin"}],
        "user": {"domain": account, "id": user.id, "name": user.name, "password_expires_at": ""},
    });
    match scope {
        Scope::Project(project) => {
            body["project"] = json!({"domain": account, "id": project.id, "name": project.name});
        }
        Scope::Account => body["domain"] = account,
        Scope::Nothing | Scope::Key => {}
    }
    let mut outcome = Outcome::from(json!({"token": body}));
    if let Ok(token) = HeaderValue::from_str(token) {
        outcome.headers.push((HeaderName::from_static("x-subject-token"), token));
    }
    outcome
}

/// Lists the services that a token gives access to, at the base address that the client used.
fn catalog(base: &str, scope: Scope<'_>) -> Vec<Value> {
    let identity = format!("{base}/v3");
    let service = |name: &str, kind: &str, regions: &[&str], url: &str| {
        let endpoint = |region: &&str| {
            json!({
                "id": id_of(&["endpoint", kind, region]),
                "interface": "public",
                "region": region,
                "region_id": region,
                "url": url,
            })
        };
        let endpoints: Vec<_> = regions.iter().map(endpoint).collect();
        json!({"endpoints": endpoints, "id": id_of(&["service", kind]), "name": name, "type": kind})
    };
    let Scope::Project(Project { id, name }) = scope else {
        return ["iam", "identity"].map(|kind| service("iam", kind, &["*"], &identity)).into();
    };
    // A project that a user created is called REGION_NAME.
    let region = name.split('_').next().unwrap_or(name);
    let (mrs, modelarts) = (format!("{base}/v1.1/{id}"), format!("{base}/v1/{id}"));
    vec![
        // Clients that look for their region do not find endpoints of all regions.
        service("iam", "iam", &["*", region], &identity),
        service("iam", "identity", &["*", region], &identity),
        service("mrs", "mrs", &[region], &mrs),
        service("modelarts", "modelartsv1", &[region], &modelarts),
        service("mrs", "data-processing", &[region], &mrs),
    ]
}

/// Requests of Keystone clients besides the described operations.
pub(in crate::emulator) enum Extra<'a> {
    /// The version of the identity API, without authentication.
    Version,
    /// The domain of the caller.
    Domains,
    /// A project by the id in the path.
    Project(&'a str),
    /// The validation of a token.
    Validation(&'a [u8]),
}

impl<'a> Extra<'a> {
    /// Finds the request that `GET` makes at an address.
    ///
    /// The validation of a token needs `X-Subject-Token`; without it, only the described login exists.
    pub(in crate::emulator) fn find(parts: &'a Parts) -> Option<Self> {
        match parts.uri.path() {
            "/v3" | "/v3/" => Some(Self::Version),
            "/v3/auth/domains" => Some(Self::Domains),
            "/v3/auth/tokens" => Some(Self::Validation(parts.headers.get("x-subject-token")?.as_bytes())),
            path => {
                let id = path.strip_prefix("/v3/projects/")?;
                (!id.is_empty() && !id.contains('/')).then_some(Self::Project(id))
            }
        }
    }

    /// Serves the request. The status is 200.
    pub(in crate::emulator) fn respond(
        &self,
        access: &Access,
        store: &Store,
        parts: &Parts,
        body: &[u8],
        now: i64,
        base: &str,
    ) -> Result<Outcome, Rejection> {
        match self {
            Self::Version => Ok(json!({"version": {
                "id": "v3.6",
                "status": "stable",
                "updated": "2016-04-04T00:00:00Z",
                "links": [{"rel": "self", "href": format!("{base}/v3/")}],
                "media-types": [{"base": "application/json", "type": "application/vnd.openstack.identity-v3+json"}],
            }})
            .into()),
            Self::Domains => {
                let Domain { id, name, .. } = access.caller(store, parts, body, now)?.domain;
                let domain = json!({
                    "id": id,
                    "name": name,
                    "description": "",
                    "enabled": true,
                    "links": {"self": format!("{base}/v3/domains/{id}")},
                });
                let links = json!({"self": format!("{base}/v3/auth/domains"), "previous": null, "next": null});
                Ok(json!({"domains": [domain], "links": links}).into())
            }
            Self::Project(id) => {
                let domain = access.caller(store, parts, body, now)?.domain;
                let id = decode(id).map_err(|problem| {
                    Rejection::malformed(StatusCode::BAD_REQUEST, format!("The path of the request {problem}."))
                })?;
                let project = domain.projects.iter().find(|project| project.id == id);
                let project = project.ok_or_else(|| Rejection::unknown("project", id))?;
                Ok(json!({"project": show_project(domain, project, base)}).into())
            }
            Self::Validation(subject) => {
                let caller = access.caller(store, parts, body, now)?;
                let unknown = || Rejection::unknown("token", "of X-Subject-Token");
                let facts = access.live_token(store, subject, now).map_err(|_| unknown())?;
                // A token of another domain is not disclosed.
                if facts.caller.domain.id != caller.domain.id {
                    return Err(unknown());
                }
                let nocatalog = parts.uri.query().is_some_and(|query| query.contains("nocatalog"));
                let subject = String::from_utf8_lossy(subject);
                Ok(show_token(&subject, &facts, (!nocatalog).then_some(base)))
            }
        }
    }
}
