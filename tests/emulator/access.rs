//! Tests of the emulator's authentication: tokens, signatures in three layouts, projects, and the requests of a login.

#![cfg(feature = "emulator")]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on shall fail")]

use std::sync::LazyLock;
use std::time::{Duration, SystemTime};

use huaweicloud_jobs::emulator::{Emulator, EmulatorBuilder};
use huaweicloud_jobs::session::Secret;
use huaweicloud_jobs::session::credentials::{Context, Credentials};
use huaweicloud_jobs::session::signing::{Algorithm, Date, Request, SignedHeaders, Signer};
use huaweicloud_jobs::{ErrorKind, Session};
use reqwest::{Client, Method, StatusCode, header};
use serde_json::{Value, json};

const PROJECT: &str = "5a3314075bfa49b9ae360f4ecd333695";
const OTHER: &str = "0123456789abcdef0123456789abcdef";
const TOKEN: &str = "emulator-token-not-a-secret";
const KEY: &str = "EMULATORACCESSKEY01";
const SECRET: &str = "emulator-secret-key-not-a-secret";

/// A parsed response.
#[derive(Debug)]
struct Received {
    status: StatusCode,
    headers: header::HeaderMap,
    body: Value,
}

impl Received {
    fn header(&self, name: &str) -> &str {
        self.headers.get(name).map(|value| value.to_str().unwrap()).unwrap_or_default()
    }

    /// Returns the message of an error in any form.
    fn message(&self) -> &str {
        let body = &self.body;
        [&body["error_msg"], &body["error_message"], &body["error"]["message"]]
            .iter()
            .find_map(|message| message.as_str())
            .unwrap_or_else(|| panic!("{body}"))
    }

    fn rejected(&self, status: u16, code: &str, message: &str) {
        let said = self.body["error_code"].as_str();
        assert_eq!((self.status.as_u16(), said), (status, Some(code)), "{}", self.body);
        assert!(self.message().contains(message), "{}", self.body);
    }
}

async fn send(method: Method, url: String, headers: &[(&str, &str)], body: impl Into<Vec<u8>>) -> Received {
    // No connection outlives the runtime of its test.
    static CLIENT: LazyLock<Client> = LazyLock::new(|| {
        rustls::crypto::ring::default_provider().install_default().ok();
        Client::builder().no_proxy().pool_max_idle_per_host(0).build().unwrap()
    });
    let mut request = CLIENT.request(method, url);
    for (name, value) in headers {
        request = request.header(*name, header::HeaderValue::from_bytes(value.as_bytes()).unwrap());
    }
    let response = request.body(body.into()).send().await.unwrap();
    let (status, headers) = (response.status(), response.headers().clone());
    let bytes = response.bytes().await.unwrap();
    let body = if bytes.is_empty() { Value::Null } else { serde_json::from_slice(&bytes).unwrap() };
    Received { status, headers, body }
}

async fn get(emulator: &Emulator, path: &str, headers: &[(&str, &str)]) -> Received {
    send(Method::GET, emulator.endpoint() + path, headers, "").await
}

fn sign_in(user: &str, password: &str, scope: &Value) -> String {
    let domain = if user == "IAMUser" { "IAMDomain" } else { "emulator-domain" };
    let user = json!({"name": user, "password": password, "domain": {"name": domain}});
    let mut auth = json!({"identity": {"methods": ["password"], "password": {"user": user}}});
    if !scope.is_null() {
        auth["scope"] = scope.clone();
    }
    json!({"auth": auth}).to_string()
}

async fn token(emulator: &Emulator, scope: &Value) -> Received {
    let body = sign_in("emulator-user", "emulator-password-not-a-secret", scope);
    let headers = [("content-type", "application/json;charset=utf-8"), ("authorization", "SDK-HMAC-SHA256 nonsense")];
    send(Method::POST, emulator.endpoint() + "/v3/auth/tokens", &headers, body).await
}

fn now(shift: i64) -> Date {
    let now = Date::try_from(SystemTime::now()).unwrap();
    Date::from_unix_seconds(now.unix_seconds() + shift).unwrap()
}

/// A signed request, which a test can change before it is sent.
#[derive(Clone)]
struct Signed {
    method: Method,
    target: String,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

impl Signed {
    /// Signs the given headers, host and date with a signer.
    fn new(
        emulator: &Emulator,
        signer: Signer<'_>,
        method: Method,
        target: &str,
        headers: &[(&str, &str)],
        body: &str,
        date: Date,
    ) -> Self {
        let host = emulator.endpoint().replace("http://", "");
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let mut all = vec![("host", host.as_str()), ("x-sdk-date", date.as_str())];
        all.extend(headers);
        let request = Request { method: method.as_str(), path, query, headers: &all, body: body.as_bytes() };
        let signed = signer.sign(&request, &date).unwrap();
        all.push(("authorization", signed.authorization()));
        let headers = all.iter().skip(1).map(|(name, value)| (name.to_string(), value.to_string())).collect();
        Self { method, target: target.to_owned(), headers, body: body.into() }
    }

    async fn send(&self, emulator: &Emulator) -> Received {
        let headers: Vec<_> = self.headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        send(self.method.clone(), emulator.endpoint() + &self.target, &headers, self.body.clone()).await
    }

    fn with(mut self, name: &str, value: &str) -> Self {
        self.headers.retain(|(known, _)| known != name);
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }
}

fn jobs() -> String {
    format!("/v1/{PROJECT}/training-jobs")
}

#[tokio::test]
async fn a_token_says_who_and_where() {
    let emulator = Emulator::start().await.unwrap();
    let base = emulator.endpoint();
    for scope in [
        json!({"project": {"id": PROJECT}}),
        json!({"project": {"name": "emulator-1"}}),
        json!({"project": {"name": "emulator-1", "domain": {"name": "emulator-domain"}}}),
        json!({"project": {"name": "emulator-1"}, "domain": {"name": "emulator-domain"}}),
    ] {
        let response = token(&emulator, &scope).await;
        assert_eq!(response.status, 201, "{scope}: {}", response.body);
        let facts = &response.body["token"];
        assert_eq!((&facts["project"]["id"], &facts["project"]["name"]), (&json!(PROJECT), &json!("emulator-1")));
        assert_eq!((&facts["user"]["name"], &facts["domain"]), (&json!("emulator-user"), &Value::Null));
        let time = |field: &str| facts[field].as_str().unwrap().parse::<jiff::Timestamp>().unwrap();
        assert_eq!(time("expires_at").as_second() - time("issued_at").as_second(), 24 * 60 * 60);
        assert_eq!(facts["issued_at"].as_str().unwrap().len(), "2020-01-04T09:05:22.701000Z".len());
        for (kind, url) in [
            ("iam", format!("{base}/v3")),
            ("identity", format!("{base}/v3")),
            ("mrs", format!("{base}/v1.1/{PROJECT}")),
            ("modelartsv1", format!("{base}/v1/{PROJECT}")),
            ("data-processing", format!("{base}/v1.1/{PROJECT}")),
        ] {
            let services = facts["catalog"].as_array().unwrap();
            let service = services.iter().find(|service| service["type"] == kind).unwrap();
            let in_region = |endpoint: &&Value| endpoint["region"] == "emulator-1";
            let endpoint = service["endpoints"].as_array().unwrap().iter().find(in_region).unwrap();
            assert_eq!((&endpoint["url"], &endpoint["interface"]), (&json!(url), &json!("public")), "{kind}");
            assert_eq!(endpoint["region_id"], endpoint["region"]);
        }
        let given = response.header("x-subject-token");
        assert_eq!(get(&emulator, &jobs(), &[("x-auth-token", given)]).await.status, 200);
    }

    // A token for the domain, or without a scope, cannot access a project.
    for (scope, domain) in
        [(json!({"domain": {"name": "emulator-domain"}}), "emulator-domain"), (json!({}), ""), (Value::Null, "")]
    {
        let response = token(&emulator, &scope).await;
        let facts = &response.body["token"];
        assert_eq!((response.status.as_u16(), &facts["project"]), (201, &Value::Null), "{scope}");
        assert_eq!(facts["domain"]["name"].as_str().unwrap_or_default(), domain);
        let headers = [("x-auth-token", response.header("x-subject-token"))];
        get(&emulator, &jobs(), &headers).await.rejected(403, "ModelArts.0210", "");
        assert_eq!(get(&emulator, "/v3/auth/projects", &headers).await.status, 200);
    }

    let body = sign_in("emulator-user", "emulator-password-not-a-secret", &json!({"project": {"id": PROJECT}}));
    let short = send(Method::POST, format!("{base}/v3/auth/tokens?nocatalog=true"), &[], body).await;
    assert_eq!((short.status.as_u16(), &short.body["token"]["catalog"]), (201, &json!([])));
}

#[tokio::test]
async fn the_catalog_is_where_the_client_came_through() {
    let emulator = Emulator::builder().allow_host("emulator.example").start().await.unwrap();
    let body = sign_in("emulator-user", "emulator-password-not-a-secret", &json!({"project": {"id": PROJECT}}));
    let url = emulator.endpoint() + "/v3/auth/tokens";
    for (headers, base) in [
        (&[("host", "emulator.example:8443")][..], "http://emulator.example:8443"),
        (&[("host", "emulator.example"), ("x-forwarded-proto", "https")], "https://emulator.example"),
    ] {
        let response = send(Method::POST, url.clone(), headers, body.clone()).await;
        let catalog = response.body["token"]["catalog"].as_array().unwrap().clone();
        let service = catalog.iter().find(|service| service["type"] == "modelartsv1").unwrap();
        assert_eq!(service["endpoints"][0]["url"], format!("{base}/v1/{PROJECT}"));
    }
}

#[tokio::test]
async fn a_strict_emulator_takes_the_sign_ins_of_clients() {
    let emulator = Emulator::builder().strict(true).start().await.unwrap();
    let domain = get(&emulator, "/v3/auth/domains", &[("x-auth-token", TOKEN)]).await.body["domains"][0].clone();
    let project = |domain: Value| json!({"project": {"name": "emulator-1", "domain": domain}});
    for (scope, status) in [
        (project(json!({"name": "emulator-domain"})), 201),
        (project(json!({"id": domain["id"]})), 201),
        (json!({"project": {"id": PROJECT, "domain": {"id": domain["id"]}}}), 201),
        (project(json!({"name": "IAMDomain"})), 401),
        (project(json!({"id": "elsewhere"})), 401),
        (json!({"project": {"name": "emulator-1", "colour": "blue"}}), 400),
        (json!({"domain": {"name": "emulator-domain"}, "system": {"all": true}}), 400),
    ] {
        let response = token(&emulator, &scope).await;
        assert_eq!(response.status, status, "{scope}: {}", response.body);
    }
}

#[tokio::test]
async fn a_sign_in_that_fails_says_so_as_iam_does() {
    let emulator = Emulator::start().await.unwrap();
    let url = emulator.endpoint() + "/v3/auth/tokens";
    let scope = json!({"project": {"id": PROJECT}});
    let right = "emulator-password-not-a-secret";
    for (body, status) in [
        (sign_in("emulator-user", "wrong", &scope), 401),
        (sign_in("nobody", right, &scope), 401),
        (sign_in("emulator-user", right, &scope).replace("emulator-domain", "elsewhere"), 401),
        (sign_in("emulator-user", right, &json!({"project": {"name": "elsewhere"}})), 401),
        (sign_in("emulator-user", right, &json!({"project": {"name": "cn-north-1"}})), 401),
        (sign_in("emulator-user", right, &json!({"domain": {"name": "elsewhere"}})), 401),
        (sign_in("emulator-user", right, &json!({"project": {}})), 400),
        (json!({"auth": {"identity": {"methods": ["totp"], "password": {}}}}).to_string(), 400),
        ("{}".to_owned(), 400),
        ("not JSON".to_owned(), 400),
        (String::new(), 400),
    ] {
        let response = send(Method::POST, url.clone(), &[], body.clone()).await;
        let error = &response.body["error"];
        let title = if status == 401 { "Unauthorized" } else { "Bad Request" };
        assert_eq!((response.status.as_u16(), &error["code"]), (status, &json!(status)), "{body}: {}", response.body);
        assert_eq!(error["title"], title);
        assert!(error["message"].is_string() && !response.headers.contains_key("x-subject-token"));
    }
    // This locks no key.
    assert_eq!(token(&emulator, &scope).await.status, 201);
}

#[tokio::test]
async fn tokens_can_be_validated() {
    let emulator = Emulator::start().await.unwrap();
    let given = token(&emulator, &json!({"project": {"id": PROJECT}})).await;
    let subject = given.header("x-subject-token");
    let headers = [("x-auth-token", TOKEN), ("x-subject-token", subject)];
    let response = get(&emulator, "/v3/auth/tokens", &headers).await;
    assert_eq!((response.status.as_u16(), response.header("x-subject-token")), (200, subject));
    assert_eq!(response.body, given.body);
    let short = get(&emulator, "/v3/auth/tokens?nocatalog", &headers).await;
    assert_eq!(short.body["token"]["catalog"], json!([]));
    let head = send(Method::HEAD, emulator.endpoint() + "/v3/auth/tokens", &headers, "").await;
    assert_eq!((head.status.as_u16(), head.body), (200, Value::Null));
    // The token that does not expire is like others.
    let own = get(&emulator, "/v3/auth/tokens", &[("x-auth-token", subject), ("x-subject-token", TOKEN)]).await;
    assert_eq!(own.body["token"]["project"]["id"], PROJECT);
    // A key does too.
    let signer_secret = Secret::from(SECRET);
    let subject_header = [("x-subject-token", subject)];
    let signer = Signer::new(KEY, &signer_secret);
    let signed = Signed::new(&emulator, signer, Method::GET, "/v3/auth/tokens", &subject_header, "", now(0));
    assert_eq!(signed.send(&emulator).await.body, given.body);

    let unknown = get(&emulator, "/v3/auth/tokens", &[("x-auth-token", TOKEN), ("x-subject-token", "x")]).await;
    assert_eq!((unknown.status.as_u16(), &unknown.body["error"]["code"]), (404, &json!(404)));
    let nobody = get(&emulator, "/v3/auth/tokens", &[("x-subject-token", subject)]).await;
    assert_eq!((nobody.status.as_u16(), &nobody.body["error"]["code"]), (401, &json!(401)));
    // Without a subject token, the path has only the described method.
    let none = get(&emulator, "/v3/auth/tokens", &[("x-auth-token", TOKEN)]).await;
    assert_eq!((none.status.as_u16(), none.header("allow")), (405, "POST"));
}

#[tokio::test]
async fn tokens_end_by_the_emulators_clock() {
    let emulator = Emulator::start().await.unwrap();
    emulator.set_time_scale(0.0).unwrap();
    let response = token(&emulator, &json!({"project": {"id": PROJECT}})).await;
    let given = response.header("x-subject-token");
    let day = Duration::from_secs(24 * 60 * 60);
    emulator.advance_clock(day - Duration::from_secs(1)).unwrap();
    assert_eq!(get(&emulator, &jobs(), &[("x-auth-token", given)]).await.status, 200);
    emulator.advance_clock(Duration::from_secs(1)).unwrap();
    let late = get(&emulator, &jobs(), &[("x-auth-token", given)]).await;
    late.rejected(401, "APIG.0307", "The token must be updated");
    let expires_at = response.body["token"]["expires_at"].as_str().unwrap();
    assert!(late.message().contains(&format!("token expires, expires_at: {expires_at}")), "{}", late.body);
    let late = get(&emulator, "/v3/projects", &[("x-auth-token", given)]).await;
    assert_eq!((late.status.as_u16(), &late.body["error"]["code"]), (401, &json!(401)));
    // The token of the builder does not expire.
    assert_eq!(get(&emulator, &jobs(), &[("x-auth-token", TOKEN)]).await.status, 200);
}

#[tokio::test]
async fn nobody_comes_in_without_proof() {
    let emulator = Emulator::start().await.unwrap();
    let url = jobs();
    get(&emulator, &url, &[]).await.rejected(401, "APIG.0301", "x-auth-token not found");
    get(&emulator, &url, &[("x-auth-token", "x")]).await.rejected(401, "APIG.0301", "decrypt token fail");
    get(&emulator, &url, &[("x-auth-token", "ü")]).await.rejected(401, "APIG.0301", "decrypt token fail");
    // A token overrides a signature.
    let both = [("x-auth-token", TOKEN), ("authorization", "SDK-HMAC-SHA256 nonsense")];
    assert_eq!(get(&emulator, &url, &both).await.status, 200);
    get(&emulator, &url, &[("authorization", "Bearer x")]).await.rejected(401, "APIG.0301", "decrypt token fail");
    for authorization in ["Bearer", "SDK-HMAC-SHA256", "SDK-HMAC-SHA256 Access=, SignedHeaders=a, Signature=b", "ü"] {
        get(&emulator, &url, &[("authorization", authorization)]).await.rejected(401, "APIG.0301", "authorization");
    }
    let iam = get(&emulator, "/v3/projects", &[]).await;
    assert_eq!((iam.status.as_u16(), &iam.body["error"]["title"]), (401, &json!("Unauthorized")));
}

#[tokio::test]
async fn the_version_is_told_to_everyone() {
    let emulator = Emulator::start().await.unwrap();
    for path in ["/v3", "/v3/"] {
        let response = get(&emulator, path, &[("accept", "application/json")]).await;
        let version = &response.body["version"];
        assert_eq!((response.status.as_u16(), &version["status"]), (200, &json!("stable")));
        assert!(version["id"].as_str().unwrap().starts_with("v3."));
        assert_eq!(version["links"][0]["href"], emulator.endpoint() + "/v3/");
    }
    assert_eq!(send(Method::HEAD, emulator.endpoint() + "/v3", &[], "").await.status, 200);
}

#[tokio::test]
async fn projects_are_listed_and_filtered() {
    let emulator = Emulator::builder()
        .project(PROJECT, "emulator-1")
        .project(OTHER, "emulator-2")
        .project("b".repeat(32), "emulator-2_team")
        .start()
        .await
        .unwrap();
    let token = [("x-auth-token", TOKEN)];
    let all = get(&emulator, "/v3/projects", &token).await;
    let domain = all.body["projects"][0]["domain_id"].as_str().unwrap().to_owned();
    for (query, expected) in [
        ("", &["emulator-1", "emulator-2", "emulator-2_team"][..]),
        ("?name=emulator-2", &["emulator-2"]),
        ("?name=emulator", &[]),
        ("?name=cn-north-1", &[]),
        (
            &format!("?domain_id={domain}&enabled=true&is_domain=false"),
            &["emulator-1", "emulator-2", "emulator-2_team"],
        ),
        ("?domain_id=elsewhere", &[]),
        ("?enabled=false", &[]),
        ("?page=2&per_page=2", &["emulator-2_team"]),
        ("?page=3&per_page=2", &[]),
    ] {
        let response = get(&emulator, &format!("/v3/projects{query}"), &token).await;
        let projects = response.body["projects"].as_array().unwrap_or_else(|| panic!("{query}: {}", response.body));
        let names: Vec<_> = projects.iter().map(|project| project["name"].as_str().unwrap()).collect();
        assert_eq!(names, expected, "{query}");
    }
    // Links contain the parameters of the request, with another page.
    let base = emulator.endpoint() + "/v3/projects";
    let link = |query: &str| json!(format!("{base}{query}"));
    for (query, itself, previous, next) in [
        ("", "", Value::Null, Value::Null),
        ("?name=a%26b+c&verbose=1", "?name=a%26b%20c", Value::Null, Value::Null),
        ("?per_page=2&page=1", "?page=1&per_page=2", Value::Null, link("?page=2&per_page=2")),
        (
            "?enabled=true&page=2&per_page=1&is_domain=false",
            "?enabled=true&is_domain=false&page=2&per_page=1",
            link("?enabled=true&is_domain=false&page=1&per_page=1"),
            link("?enabled=true&is_domain=false&page=3&per_page=1"),
        ),
        ("?page=2&per_page=2", "?page=2&per_page=2", link("?page=1&per_page=2"), Value::Null),
    ] {
        let links = json!({"self": link(itself), "previous": previous, "next": next});
        assert_eq!(get(&emulator, &format!("/v3/projects{query}"), &token).await.body["links"], links, "{query}");
    }
    for alone in ["page", "per_page"] {
        let rejected = get(&emulator, &format!("/v3/projects?{alone}=1"), &token).await;
        assert_eq!(
            (rejected.status.as_u16(), &rejected.body["error"]["code"]),
            (400, &json!(400)),
            "{}",
            rejected.body
        );
        assert!(rejected.message().contains("per_page") && rejected.message().contains(" page"), "{}", rejected.body);
    }
    let own = get(&emulator, "/v3/auth/projects", &token).await.body;
    assert_eq!(own["projects"].as_array().unwrap().len(), 3);
    assert_eq!(own["projects"][1]["links"]["self"], format!("{}/v3/projects/{OTHER}", emulator.endpoint()));
    let wrong = get(&emulator, "/v3/projects?per_page=0", &token).await;
    assert_eq!((wrong.status.as_u16(), &wrong.body["error"]["code"]), (400, &json!(400)));
}

#[tokio::test]
async fn a_project_is_shown_by_its_id() {
    let emulator =
        Emulator::builder().project(PROJECT, "emulator-1").project(OTHER, "emulator-2").start().await.unwrap();
    let token = [("x-auth-token", TOKEN)];
    let listed = get(&emulator, "/v3/projects", &token).await.body["projects"][1].clone();
    let path = format!("/v3/projects/{OTHER}");
    let shown = get(&emulator, &path, &token).await;
    assert_eq!((shown.status.as_u16(), &shown.body), (200, &json!({"project": listed})));
    let encoded = get(&emulator, &format!("/v3/projects/%30{}", &OTHER[1..]), &token).await;
    assert_eq!(encoded.body["project"]["id"], OTHER);
    // A project of another domain is unknown.
    for (id, status) in [("nobody", 404), ("065a7c66da0010992ff7c0031e5a5e7d", 404)] {
        let rejected = get(&emulator, &format!("/v3/projects/{id}"), &token).await;
        let error = json!({"error": {"code": status, "message": format!("The project {id} does not exist."),
            "title": "Not Found"}});
        assert_eq!((rejected.status.as_u16(), &rejected.body), (status, &error));
    }
    get(&emulator, "/v3/projects/%ff", &token).await.rejected(400, "APIG.0201", "path");
    let nobody = get(&emulator, &path, &[]).await;
    assert_eq!((nobody.status.as_u16(), &nobody.body["error"]["code"]), (401, &json!(401)));
    get(&emulator, &format!("{path}/"), &token).await.rejected(404, "APIG.0101", "");
}

#[tokio::test]
async fn what_only_clients_ask_has_methods_like_what_is_described() {
    let emulator = Emulator::start().await.unwrap();
    let project = format!("/v3/projects/{PROJECT}");
    let (token, subject) = (("x-auth-token", TOKEN), ("x-subject-token", TOKEN));
    for (path, headers, allowed) in [
        ("/v3", &[][..], "GET"),
        ("/v3/", &[], "GET"),
        ("/v3/auth/domains", &[token], "GET"),
        (&project, &[token], "GET"),
        ("/v3/auth/tokens", &[token, subject], "POST, GET"),
        ("/v3/auth/tokens", &[token], "POST"),
    ] {
        for method in [Method::OPTIONS, Method::HEAD, Method::PUT, Method::DELETE, Method::PATCH, Method::TRACE] {
            let response = send(method.clone(), emulator.endpoint() + path, headers, "").await;
            let status = match method {
                Method::OPTIONS => 204,
                Method::HEAD if allowed.contains("GET") => 200,
                _ => 405,
            };
            assert_eq!(response.status, status, "{method} {path}");
            let allow = if status == 200 { "" } else { allowed };
            assert_eq!(response.header("allow"), allow, "{method} {path}");
            if status == 405 && method != Method::HEAD {
                response.rejected(405, "APIG.0101", "method");
            }
        }
    }
}

#[tokio::test]
async fn projects_do_not_see_each_other() {
    let emulator =
        Emulator::builder().project(PROJECT, "emulator-1").project(OTHER, "emulator-2").start().await.unwrap();
    let first = emulator.session().unwrap();
    let of_other = |credentials| {
        Session::builder().endpoint(emulator.endpoint()).project_id(OTHER).credentials(credentials).build().unwrap()
    };
    // With key and login, the other project is accessible and empty.
    for session in [of_other(emulator.access_key()), of_other(emulator.login())] {
        let error = session.modelarts().training_job(10).unwrap().update_description("x").await.unwrap_err();
        assert!(error.is_not_found(), "{error}");
    }
    first.modelarts().training_job(10).unwrap().update_description("x").await.unwrap();

    // The token is for one project.
    let error = of_other(Credentials::Token(TOKEN.into()));
    let error = error.modelarts().training_job(10).unwrap().update_description("x").await.unwrap_err();
    assert_eq!((error.status().unwrap().as_u16(), error.code()), (403, Some("ModelArts.0210")));
    get(&emulator, &format!("/v1.1/{OTHER}/jobs/10"), &[("x-auth-token", TOKEN)]).await.rejected(403, "APIG.0302", "");
    // A key cannot access an unknown project or one of the documented domain.
    for project in ["nowhere", "065a7c66da0010992ff7c0031e5a5e7d"] {
        let url = format!("/v1/{project}/training-jobs");
        let secret = Secret::from(SECRET);
        let signed = Signed::new(&emulator, Signer::new(KEY, &secret), Method::GET, &url, &[], "", now(0));
        signed.send(&emulator).await.rejected(403, "ModelArts.0210", "");
    }
    // A request with two different projects is rejected.
    let secret = Secret::from(SECRET);
    let other = [("x-project-id", OTHER)];
    let signed = Signed::new(&emulator, Signer::new(KEY, &secret), Method::GET, &jobs(), &other, "", now(0));
    signed.send(&emulator).await.rejected(403, "ModelArts.0210", "");
}

#[tokio::test]
async fn the_documented_user_can_sign_in() {
    let emulator = Emulator::start().await.unwrap();
    let url = emulator.endpoint() + "/v3/auth/tokens";
    let body = sign_in("IAMUser", "IAMPassword", &json!({"project": {"name": "cn-north-1"}}));
    let response = send(Method::POST, url.clone(), &[], body.clone()).await;
    assert_eq!((response.status.as_u16(), &response.body["token"]["project"]["name"]), (201, &json!("cn-north-1")));
    let headers = [("x-auth-token", response.header("x-subject-token"))];
    get(&emulator, &jobs(), &headers).await.rejected(403, "ModelArts.0210", "");
    let own = "/v1/065a7c66da0010992ff7c0031e5a5e7d/training-jobs";
    assert_eq!(get(&emulator, own, &headers).await.status, 200);

    let empty = Emulator::builder().empty().start().await.unwrap();
    assert_eq!(send(Method::POST, empty.endpoint() + "/v3/auth/tokens", &[], body).await.status, 401);
}

#[tokio::test]
async fn signatures_of_all_layouts_are_accepted() {
    let emulator = Emulator::start().await.unwrap();
    let secret = Secret::from(SECRET);
    let url = jobs();
    let search = format!("{url}?search_content=a%20b%2F%2B&order=asc&unknown=b&per_page=10&unknown=&unknown=a%20b");
    let project = ("x-project-id", PROJECT);
    let every: &[(&str, &str)] = &[("content-type", "application/json"), ("user-agent", "someone else/1.0"), project];
    let unsigned = ("x-sdk-content-sha256", "UNSIGNED-PAYLOAD");
    let update = format!("{url}/10");
    let text = r#"{"job_desc": "größer"}"#;
    for algorithm in [
        Algorithm::Plain,
        Algorithm::Derived { region: "emulator-1", service: "modelarts" },
        Algorithm::Legacy { region: "", service: "" },
    ] {
        for (method, target, headers, choice, body) in [
            (Method::GET, &url, &[][..], SignedHeaders::Usual, ""),
            (Method::GET, &search, &[project], SignedHeaders::Usual, ""),
            (Method::GET, &url, every, SignedHeaders::Every, ""),
            (Method::GET, &url, every, SignedHeaders::Named(&["x-sdk-date"]), ""),
            (Method::PUT, &update, every, SignedHeaders::Every, text),
            (Method::PUT, &update, &[("x-note", "größer  als"), ("x_under", "a")], SignedHeaders::Every, text),
            (Method::PUT, &update, &[unsigned], SignedHeaders::Usual, text),
        ] {
            for shift in [0, -14 * 60, 14 * 60] {
                let signer = Signer::new(KEY, &secret).algorithm(algorithm).headers(choice);
                let signed = Signed::new(&emulator, signer, method.clone(), target, headers, body, now(shift));
                let response = signed.send(&emulator).await;
                assert_eq!(response.status, 200, "{algorithm:?} {method} {target} {choice:?}: {}", response.body);
            }
        }
        let signer = Signer::new(KEY, &secret).algorithm(algorithm);
        let signed = Signed::new(&emulator, signer, Method::PUT, &update, &[unsigned], text, now(0));
        // The signature covers everything but the body.
        assert_eq!(
            Signed { body: r#"{"job_desc": "other"}"#.into(), ..signed.clone() }.send(&emulator).await.status,
            200
        );
        let job_9 = Signed { target: format!("{url}/9"), ..signed };
        job_9.send(&emulator).await.rejected(401, "APIG.0301", "verify aksk signature fail");
    }
}

#[tokio::test]
async fn what_spoils_a_signature_is_named() {
    let emulator = Emulator::start().await.unwrap();
    let secret = Secret::from(SECRET);
    let host = emulator.endpoint().replace("http://", "");
    let update = format!("{}/10", jobs());
    let body = r#"{"job_desc": "x"}"#;
    let signer = Signer::new(KEY, &secret).headers(SignedHeaders::Every);
    let headers = [("content-type", "application/json"), ("x-project-id", PROJECT), ("x-note", "y")];
    let sign = |body: &str, date| Signed::new(&emulator, signer, Method::PUT, &update, &headers, body, date);
    let good = sign(body, now(0));
    assert_eq!(good.send(&emulator).await.status, 200);

    let date = good.headers.iter().find(|(name, _)| name == "x-sdk-date").unwrap().1.clone();
    let (other_key, other_secret) = (Signer::new("NOBODY", &secret), Secret::from("another"));
    let key = |signer| Signed::new(&emulator, signer, Method::PUT, &update, &headers, body, now(0));
    for (spoiled, named) in [
        (key(other_key), "ak NOBODY not exist"),
        (key(Signer::new(KEY, &other_secret)), "the secret key or a line of the canonical request differs"),
        (good.clone().with("x-note", "z"), "the secret key or a line of the canonical request differs"),
        (good.clone().with("x-sdk-date", now(-60).as_str()), "the secret key or a line"),
        (good.clone().with("x-sdk-date", "yesterday"), "x-sdk-date"),
        (
            good.clone().with("content-type", "application/json;charset=utf-8"),
            "`content-type` was signed as `application/json`",
        ),
        (Signed { method: Method::POST, target: jobs(), ..good.clone() }, "verify aksk signature fail"),
        (Signed { target: format!("{update}?a=b"), ..good.clone() }, "the query was not signed"),
        (Signed { body: format!("{body}\n").into(), ..good.clone() }, "without the white space at its ends"),
        (sign("", now(0)), ""),
        (Signed { body: body.into(), ..sign("", now(0)) }, "the body was not signed"),
        (sign(body, now(-16 * 60)), "calc aksk signature fail:signature expired, signature time:20"),
        (sign(body, now(16 * 60)), "Z,server time:20"),
    ] {
        let response = spoiled.send(&emulator).await;
        if named.is_empty() {
            assert_eq!(response.status, 400, "no body: {}", response.body);
            continue;
        }
        response.rejected(401, "APIG.0301", "Incorrect IAM authentication information: ");
        assert!(response.message().contains(named), "{named}: {}", response.body);
        assert_eq!(response.body["request_id"], response.header("x-request-id"));
    }
    let missing = Signed { headers: good.headers[1..].to_vec(), ..good.clone() };
    missing.send(&emulator).await.rejected(401, "APIG.0301", "x-sdk-date");

    // The canonical request in the gateway's form.
    let spoiled = Signed { body: br#"{"job_desc": "y"}"#.into(), ..good };
    let response = spoiled.send(&emulator).await;
    let echo = format!(
        "canonicalRequest:PUT|{update}/||content-type:application/json|host:{host}|x-note:y|x-project-id:{PROJECT}|\
         x-sdk-date:{date}||content-type;host;x-note;x-project-id;x-sdk-date|"
    );
    assert!(response.message().contains(&echo), "{}", response.body);
    // The rejected requests had no effect: the job has the text of the valid request.
    let list = get(&emulator, &format!("{}?search_content=testModelArtsJob", jobs()), &[("x-auth-token", TOKEN)]).await;
    assert_eq!(list.body["jobs"][0]["job_desc"], "x");

    // Signed by hand, without the slash at the end of the path, and for a host without a port.
    for (edit, named) in [
        (Box::new(|text: &str| text.replacen("/10/\n", "/10\n", 1)) as Box<dyn Fn(&str) -> String>, "slash at its end"),
        (Box::new(|text: &str| text.replace(&host, "127.0.0.1")), "the header `host` was signed as `127.0.0.1`"),
        (Box::new(|text: &str| text.replacen("PUT", "POST", 1)), "the method differs"),
    ] {
        let by_hand = by_hand(&emulator, &update, body, edit);
        by_hand.send(&emulator).await.rejected(401, "APIG.0301", named);
    }
}

#[tokio::test]
async fn what_is_said_of_a_path_or_a_header_is_what_truly_differs() {
    let emulator = Emulator::start().await.unwrap();
    let path = format!("/v1/{PROJECT}/visualization-jobs/a%20b");
    for (signed, named) in [
        ("/a%20b", "the path was signed without the slash at its end"),
        ("/a%2520b/", "the path was signed with another encoding"),
        ("/a%2520b", "the path was signed with another encoding and without the slash at its end"),
        ("/a b/", "the path was signed with another encoding"),
        ("/a b", "the path was signed with another encoding and without the slash at its end"),
        ("/a+b/", "the secret key or a line of the canonical request differs"),
    ] {
        let by_hand = by_hand(&emulator, &path, "{}", |text| text.replacen("/a%20b/\n", &format!("{signed}\n"), 1));
        let said = format!("verify aksk signature fail, {named}, canonicalRequest:PUT|{path}/||");
        by_hand.send(&emulator).await.rejected(401, "APIG.0301", &said);
    }

    // A header that is not text cannot be signed; an unsigned one may have any bytes.
    let secret = Secret::from(SECRET);
    let note = [("x-note", "y")];
    for (signed, status) in [(SignedHeaders::Every, 401), (SignedHeaders::Usual, 200)] {
        let signer = Signer::new(KEY, &secret).headers(signed);
        let good = Signed::new(&emulator, signer, Method::GET, &jobs(), &note, "", now(0));
        assert_eq!(good.send(&emulator).await.status, 200);
        let client = Client::builder().no_proxy().build().unwrap();
        let mut request = client.get(emulator.endpoint() + &good.target);
        for (name, value) in &good.headers {
            let value: &[u8] = if name == "x-note" { b"\xff" } else { value.as_bytes() };
            request = request.header(name, header::HeaderValue::from_bytes(value).unwrap());
        }
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), status);
        if status == 401 {
            let body: Value = serde_json::from_slice(&response.bytes().await.unwrap()).unwrap();
            let message = body["error_msg"].as_str().unwrap();
            assert!(message.ends_with("verify aksk signature fail, the signed header `x-note` is not UTF-8"), "{body}");
        }
    }
}

/// Signs an edited canonical request with the documented algorithm.
fn by_hand(emulator: &Emulator, target: &str, body: &str, edit: impl Fn(&str) -> String) -> Signed {
    use hmac::{KeyInit, Mac};
    use sha2::{Digest, Sha256};

    let secret = Secret::from(SECRET);
    let mut signed = Signed::new(emulator, Signer::new(KEY, &secret), Method::PUT, target, &[], body, now(0));
    let date = signed.headers.iter().find(|(name, _)| name == "x-sdk-date").unwrap().1.clone();
    let host = emulator.endpoint().replace("http://", "");
    let hash = hex::encode(Sha256::digest(body));
    let canonical = format!("PUT\n{target}/\n\nhost:{host}\nx-sdk-date:{date}\n\nhost;x-sdk-date\n{hash}");
    let canonical = hex::encode(Sha256::digest(edit(&canonical)));
    let mut mac = hmac::Hmac::<Sha256>::new_from_slice(SECRET.as_bytes()).unwrap();
    mac.update(format!("SDK-HMAC-SHA256\n{date}\n{canonical}").as_bytes());
    let signature = hex::encode(mac.finalize().into_bytes());
    signed.headers.retain(|(name, _)| name != "authorization");
    signed.with(
        "authorization",
        &format!("SDK-HMAC-SHA256 Access={KEY}, SignedHeaders=host;x-sdk-date, Signature={signature}"),
    )
}

#[tokio::test]
async fn temporary_keys_carry_their_token() {
    let emulator = Emulator::builder()
        .temporary_key("TEMPORARYKEY", "not-a-secret", "security-token-not-a-secret")
        .key(KEY, SECRET)
        .start()
        .await
        .unwrap();
    let session = emulator.session_with(emulator.access_key()).unwrap();
    session.modelarts().training_job(10).unwrap().update_description("x").await.unwrap();
    let sign = |key, secret: &Secret, headers: &[(&str, &str)]| {
        Signed::new(&emulator, Signer::new(key, secret), Method::GET, &jobs(), headers, "", now(0))
    };
    let (temporary, permanent) = (Secret::from("not-a-secret"), Secret::from(SECRET));
    let wrong = [("x-security-token", "canary-not-a-secret")];
    for signed in
        [sign("TEMPORARYKEY", &temporary, &[]), sign("TEMPORARYKEY", &temporary, &wrong), sign(KEY, &permanent, &wrong)]
    {
        signed.send(&emulator).await.rejected(401, "APIG.0301", "x-security-token");
    }
    assert_eq!(sign(KEY, &permanent, &[]).send(&emulator).await.status, 200);
    // The token is not shown again.
    let spoiled = sign("TEMPORARYKEY", &temporary, &wrong).with("x-sdk-date", now(-30).as_str());
    let response = spoiled.send(&emulator).await;
    response.rejected(401, "APIG.0301", "x-security-token:***");
    assert!(!response.body.to_string().contains("canary"), "{}", response.body);
}

#[tokio::test]
async fn five_failures_lock_a_key_for_five_minutes() {
    let locking = Emulator::builder().lock_out(true).start().await.unwrap();
    let open = Emulator::start().await.unwrap();
    let (secret, wrong) = (Secret::from(SECRET), Secret::from("another"));
    for emulator in [&locking, &open] {
        emulator.set_time_scale(0.0).unwrap();
        let good = || Signed::new(emulator, Signer::new(KEY, &secret), Method::GET, &jobs(), &[], "", now(0));
        let bad = || Signed::new(emulator, Signer::new(KEY, &wrong), Method::GET, &jobs(), &[], "", now(0));
        // A success in between interrupts the row.
        for failures in [4, 5] {
            for _ in 0..failures {
                bad().send(emulator).await.rejected(401, "APIG.0301", "verify aksk signature fail");
            }
            if failures == 4 {
                assert_eq!(good().send(emulator).await.status, 200);
            }
        }
        let response = good().send(emulator).await;
        if std::ptr::eq(emulator, &open) {
            assert_eq!(response.status, 200);
            continue;
        }
        response.rejected(401, "APIG.0301", "AK access failed to reach the limit,forbidden.");
        emulator.advance_clock(Duration::from_secs(299)).unwrap();
        good().send(emulator).await.rejected(401, "APIG.0301", "forbidden");
        emulator.advance_clock(Duration::from_secs(1)).unwrap();
        assert_eq!(good().send(emulator).await.status, 200);
        bad().send(emulator).await.rejected(401, "APIG.0301", "verify aksk signature fail");
    }
}

#[tokio::test]
async fn dates_are_judged_by_the_real_clock() {
    let emulator = Emulator::start().await.unwrap();
    emulator.advance_clock(Duration::from_secs(365 * 24 * 60 * 60)).unwrap();
    let session = emulator.session_with(emulator.access_key()).unwrap();
    session.modelarts().training_job(10).unwrap().update_description("x").await.unwrap();
}

#[tokio::test]
async fn our_own_clients_come_in_by_the_environment() {
    let emulator = Emulator::builder().record(16).start().await.unwrap();
    let variables = emulator.environment();
    let names: Vec<_> = variables.iter().map(|(name, _)| *name).collect();
    assert_eq!(
        names,
        [
            "HWJOBS_ENDPOINT",
            "HUAWEICLOUD_SDK_AK",
            "HUAWEICLOUD_SDK_SK",
            "HUAWEICLOUD_SDK_PROJECT_ID",
            "HWJOBS_USER",
            "HWJOBS_PASSWORD",
            "HWJOBS_DOMAIN",
            "HWJOBS_PROJECT_NAME",
        ]
    );
    let without = |unset: &[&str]| {
        let variables = variables.clone();
        variables.into_iter().filter(|(name, _)| !unset.contains(name)).collect::<Vec<_>>()
    };
    for (variables, proof) in [
        (variables.clone(), "authorization"),
        (without(&["HWJOBS_USER", "HWJOBS_PASSWORD", "HWJOBS_DOMAIN"]), "authorization"),
        (without(&["HUAWEICLOUD_SDK_PROJECT_ID"]), "authorization"),
        (without(&["HWJOBS_PROJECT_NAME"]), "authorization"),
        (without(&["HUAWEICLOUD_SDK_AK", "HUAWEICLOUD_SDK_SK"]), "x-auth-token"),
        (without(&["HUAWEICLOUD_SDK_AK", "HUAWEICLOUD_SDK_SK", "HUAWEICLOUD_SDK_PROJECT_ID"]), "x-auth-token"),
    ] {
        let context = Context::empty().variables(variables);
        let session = Session::builder().context(context).connect().await.unwrap();
        assert_eq!(session.project_id().as_str(), PROJECT);
        session.modelarts().training_job(10).unwrap().update_description("x").await.unwrap();
        let exchanges = emulator.take_exchanges();
        assert!(exchanges.last().unwrap().headers.iter().any(|(name, _)| name == proof), "{exchanges:?}");
    }
    let nowhere = Context::empty().variables(without(&["HUAWEICLOUD_SDK_PROJECT_ID", "HWJOBS_PROJECT_NAME"]));
    let error = Session::builder().context(nowhere).connect().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Configuration);
}

#[tokio::test]
async fn users_keys_and_projects_are_the_ones_that_are_given() {
    let emulator = Emulator::builder()
        .domain("team")
        .project(OTHER, "region-9")
        .user("one", "pass word")
        .user("two", "another")
        .key("FIRSTKEY", "first")
        .key("SECONDKEY", "second")
        .token("the-token")
        .start()
        .await
        .unwrap();
    for credentials in [
        emulator.access_key(),
        emulator.login(),
        Credentials::access_key("SECONDKEY", "second"),
        Credentials::password("team", Some("two".to_owned()), "another"),
        Credentials::Token("the-token".into()),
    ] {
        let session = emulator.session_with(credentials.clone()).unwrap();
        let job = session.modelarts().training_job(10).unwrap();
        job.update_description("x").await.unwrap_or_else(|error| panic!("{credentials:?}: {error}"));
    }
    for credentials in [
        Credentials::access_key(KEY, SECRET),
        Credentials::access_key("SECONDKEY", "first"),
        Credentials::password("team", Some("two".to_owned()), "pass word"),
        Credentials::password("emulator-domain", Some("one".to_owned()), "pass word"),
        Credentials::Token(TOKEN.into()),
    ] {
        let session = emulator.session_with(credentials.clone()).unwrap();
        let error = session.modelarts().training_job(10).unwrap().update_description("x").await.unwrap_err();
        assert!(error.is_unauthenticated(), "{credentials:?}: {error}");
    }
}

#[tokio::test]
async fn what_is_given_twice_is_rejected() {
    let rejected = async |builder: EmulatorBuilder, named: &str| {
        let error = builder.start().await.unwrap_err();
        assert!(error.to_string().contains(named), "{error}");
    };
    rejected(Emulator::builder().project("a", "x").project("a", "y"), "project y").await;
    rejected(Emulator::builder().project("a", "x").project("b", "x"), "project x").await;
    rejected(Emulator::builder().project("a/b", "x"), "slash").await;
    rejected(Emulator::builder().user("u", "p").user("u", "q"), "user u").await;
    rejected(Emulator::builder().key("K", "p").temporary_key("K", "q", "t"), "access key K").await;
}

#[tokio::test]
async fn tokens_come_and_go_with_the_state() {
    let emulator = Emulator::start().await.unwrap();
    let given = token(&emulator, &json!({"project": {"id": PROJECT}})).await.header("x-subject-token").to_owned();
    let headers = [("x-auth-token", given.as_str())];
    assert_eq!(get(&emulator, &jobs(), &headers).await.status, 200);
    let snapshot = emulator.snapshot().unwrap();
    assert!(!snapshot.to_string().contains(&given));
    emulator.reset().unwrap();
    get(&emulator, &jobs(), &headers).await.rejected(401, "APIG.0301", "decrypt token fail");
    emulator.load(&snapshot).unwrap();
    assert_eq!(get(&emulator, &jobs(), &headers).await.status, 200);
}

#[tokio::test]
async fn tokens_stay_with_the_file_and_are_not_in_it() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("state.db");
    let emulator = Emulator::builder().data(&file).start().await.unwrap();
    let given = token(&emulator, &json!({"project": {"id": PROJECT}})).await.header("x-subject-token").to_owned();
    emulator.stop().await;
    let emulator = Emulator::builder().data(&file).start().await.unwrap();
    assert_eq!(get(&emulator, &jobs(), &[("x-auth-token", &given)]).await.status, 200);
    emulator.stop().await;
    for entry in std::fs::read_dir(folder.path()).unwrap() {
        let bytes = std::fs::read(entry.unwrap().path()).unwrap();
        assert!(!bytes.windows(given.len()).any(|window| window == given.as_bytes()));
    }
}

#[cfg(feature = "cli")]
#[tokio::test]
async fn our_command_line_reads_the_canonical_request_of_a_rejection() {
    let emulator = Emulator::start().await.unwrap();
    let (wrong, url) = (Secret::from("another"), jobs());
    let signed = Signed::new(&emulator, Signer::new(KEY, &wrong), Method::GET, &url, &[], "", now(0));
    let response = signed.send(&emulator).await;
    let date = &signed.headers.iter().find(|(name, _)| name == "x-sdk-date").unwrap().1;
    for (method, equal) in [("GET", true), ("PUT", false)] {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_hwjobs"));
        command.args(["sign", "explain", "--method", method, "--url", &(emulator.endpoint() + &url)]);
        command.args(["--ak", KEY, "--sk", SECRET, "--date", date, "--compare", &response.body.to_string()]);
        let output = command.env_clear().output().unwrap();
        assert_eq!(output.status.success(), equal, "{}", String::from_utf8_lossy(&output.stdout));
    }
}
