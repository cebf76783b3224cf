//! The table: behaviours of the server, the commands, and the expected results.

use std::io::Write;
use std::sync::LazyLock;
use std::time::Duration;

use flate2::Compression;
use flate2::write::GzEncoder;
use huaweicloud_jobs::ErrorKind;
use serde_json::{Value, json};

use crate::call::{Call, ELSEWHERE};
use crate::common::{Arrived, PROJECT, TOKEN};
use crate::server::{Asked, Behaviour, Step};

/// The expected end of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// With a value.
    Done,
    /// With an error of this kind.
    Fails(ErrorKind),
    /// A bulk or a wait: it is carried out, and not everything went well.
    Partly,
}

/// A behaviour with its expected result.
#[derive(Clone, Copy)]
pub struct Row {
    pub name: &'static str,
    pub behaviour: Behaviour,
    pub call: Call,
    pub end: End,
    /// The end of the library's call, if it differs.
    pub in_library: Option<End>,
    /// The exit code of the contract runner: 0 honoured, 1 differs, 2 the run could not be made or ended early.
    pub contract: u8,
    /// Requests of one call at most.
    pub requests: usize,
    /// Megabytes at most, of the process of the command line.
    pub memory: u64,
    pub time: Duration,
}

impl Row {
    const fn new(name: &'static str, call: Call, behaviour: Behaviour, end: End) -> Self {
        Self {
            name,
            behaviour,
            call,
            end,
            in_library: None,
            contract: 1,
            requests: 4,
            memory: 100,
            time: Duration::from_secs(8),
        }
    }

    pub fn library(&self) -> End {
        self.in_library.unwrap_or(self.end)
    }

    const fn in_the_library(self, end: End) -> Self {
        Self { in_library: Some(end), ..self }
    }

    const fn contract(self, code: u8) -> Self {
        Self { contract: code, ..self }
    }

    const fn requests(self, most: usize) -> Self {
        Self { requests: most, ..self }
    }

    const fn seconds(self, most: u64) -> Self {
        Self { time: Duration::from_secs(most), ..self }
    }

    const fn memory(self, megabytes: u64) -> Self {
        Self { memory: megabytes, ..self }
    }
}

const fn fails(kind: ErrorKind) -> End {
    End::Fails(kind)
}

/// A head without its end.
fn head(status: &str, headers: &str) -> String {
    format!("HTTP/1.1 {status}\r\ncontent-type: application/json\r\nx-request-id: req-7\r\n{headers}")
}

fn send(text: impl Into<Vec<u8>>) -> Step {
    Step::Send(text.into())
}

/// A head that goes on like this.
fn raw(rest: &str) -> Vec<Step> {
    vec![send(head("200 OK", rest))]
}

/// The head that goes on like this, then the same bytes without end.
fn flood(status: &str, rest: &str, bytes: &str) -> Vec<Step> {
    vec![send(head(status, rest)), Step::Flood(bytes.into(), GIGABYTE / bytes.len() as u64)]
}

/// A whole response.
fn response(status: &str, headers: &str, body: impl AsRef<[u8]>) -> Vec<Step> {
    let body = body.as_ref();
    let mut bytes = format!("{}content-length: {}\r\n\r\n", head(status, headers), body.len()).into_bytes();
    bytes.extend_from_slice(body);
    vec![Step::Send(bytes), Step::Next]
}

fn ok(body: impl AsRef<[u8]>) -> Vec<Step> {
    response("200 OK", "", body)
}

fn failure(status: &str, headers: &str, message: &str) -> Vec<Step> {
    response(
        status,
        headers,
        json!({"error_code": "Hostile.0001", "error_msg": message, "is_success": false}).to_string(),
    )
}

fn list(items: &[Value]) -> Value {
    json!({"is_success": true, "job_total_count": items.len(), "jobs": items, "markers": {}})
}

/// A job of each list: a training job and an MRS job at once.
fn item(id: u64) -> Value {
    json!({"job_id": id, "job_name": "n", "version_id": id, "id": format!("job-{id}"), "name": "n", "type": "MapReduce"})
}

/// A list of 100,000 times the same item.
fn crowd(item: &str) -> Vec<Step> {
    let begins = r#"{"is_success":true,"job_total_count":1,"jobs":["#;
    let count = 99_999;
    let length = begins.len() + count * (item.len() + 1) + item.len() + 2;
    vec![
        send(format!("{}content-length: {length}\r\n\r\n{begins}", head("200 OK", ""))),
        Step::Flood(format!("{item},").into_bytes(), count as u64),
        send(format!("{item}]}}")),
        Step::Next,
    ]
}

/// Everything that steers a terminal: a title, colours, C1, the order of letters, line ends.
pub const ESCAPES: &str = "\u{1b}]0;owned\u{7}\u{1b}[2J\u{9b}31m\u{9d}0;t\u{9c}\u{202e}evil\u{2066}\r\nhwjobs: forged \
                           line\u{8}\u{b}\u{85}\u{2028}";

/// Returns a body that decompresses to a number of bytes; each layer is compressed once more.
fn bomb(layers: usize) -> Vec<u8> {
    static ZEROS: LazyLock<Vec<u8>> = LazyLock::new(|| compressed(&vec![0; 24 << 20]));
    (1..layers).fold(ZEROS.clone(), |inside, _| compressed(&inside))
}

fn compressed(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn encoded(encoding: &str, body: impl AsRef<[u8]>) -> Vec<Step> {
    response("200 OK", &format!("content-encoding: {encoding}\r\n"), body)
}

/// The received secrets of the caller.
pub fn sent_secrets(request: &Arrived) -> Vec<String> {
    let headers = ["x-auth-token", "authorization", "x-security-token"];
    let headers = headers.iter().filter_map(|name| request.header(name));
    let body: Value = serde_json::from_slice(&request.body).unwrap_or_default();
    let password = body.pointer("/auth/identity/password/user/password").and_then(Value::as_str);
    headers.chain(password).map(str::to_owned).collect()
}

fn secrets(asked: &Asked<'_>) -> Vec<String> {
    sent_secrets(asked.request)
}

fn percent(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

/// All letters as JSON escapes.
fn escaped(text: &str) -> String {
    text.encode_utf16().map(|unit| format!("\\u{unit:04x}")).collect()
}

fn project(asked: &Asked<'_>) -> bool {
    asked.request.target.contains("/v3/projects")
}

fn signs_in(asked: &Asked<'_>) -> bool {
    asked.request.target.contains("/v3/auth/tokens")
}

fn token() -> Vec<Step> {
    let body = json!({"token": {"expires_at": "2099-01-01T00:00:00.000000Z", "methods": ["password"],
        "user": {"id": "1", "name": "u", "domain": {"id": "2", "name": "d"}}}});
    response("201 Created", &format!("x-subject-token: {TOKEN}\r\n"), body.to_string())
}

use ErrorKind::{
    Authentication, Configuration, Conflict, Decode, InvalidRequest, Network, NotFound, Service, Throttled, Timeout,
};

/// All rows.
pub fn rows() -> impl Iterator<Item = &'static Row> {
    [
        CONNECTIONS,
        LENGTHS,
        FLOODS,
        HEADS,
        ENCODINGS,
        PROXIES,
        REDIRECTS,
        REJECTIONS,
        BODIES,
        DISGUISES,
        SECRETS,
        CONTROLS,
        LISTS,
        IDS,
        SIGN_IN,
        WAITING,
    ]
    .into_iter()
    .flatten()
}

/// Connections.
const CONNECTIONS: &[Row] = &[
    Row::new("closes without a word", Call::List, |_| vec![], fails(Network)),
    Row::new("resets", Call::List, |_| vec![Step::Reset], fails(Network)),
    Row::new("never answers", Call::List, |_| vec![Step::Hang], fails(Timeout)).requests(1).contract(2),
    Row::new("closes without a word on a POST", Call::Create, |_| vec![], fails(Network)).requests(1),
    Row::new("never answers a POST", Call::Create, |_| vec![Step::Hang], fails(Timeout)).requests(1).contract(2),
    Row::new(
        "head byte by byte",
        Call::List,
        |_| vec![Step::Drip(b"HTTP/1.1 200 OK\r\nx-a: b\r\n".to_vec())],
        fails(Timeout),
    )
    .requests(1)
    .contract(2),
    Row::new(
        "body byte by byte",
        Call::List,
        |_| vec![send(head("200 OK", "content-length: 100000\r\n\r\n")), Step::Drip(b"[".to_vec())],
        fails(Timeout),
    )
    .requests(1)
    .contract(2),
    Row::new(
        "answers before it has read, and closes",
        Call::Update,
        |_| vec![send(head("200 OK", "connection: close\r\ncontent-length: 19\r\n\r\n") + r#"{"is_success":true}"#)],
        End::Done,
    ),
    Row::new(
        "closes a kept connection",
        Call::Bulk,
        |_| vec![send(head("200 OK", "content-length: 19\r\n\r\n") + r#"{"is_success":true}"#)],
        End::Done,
    )
    .requests(4 * BULK),
];

/// Lengths.
const LENGTHS: &[Row] = &[
    Row::new("less than its length", Call::List, |_| raw("content-length: 1000\r\n\r\n{"), fails(Network)),
    Row::new(
        "less than its length, then silence",
        Call::List,
        |_| vec![send(head("200 OK", "content-length: 1000\r\n\r\n") + "{"), Step::Hang],
        fails(Timeout),
    )
    .requests(1)
    .contract(2),
    Row::new(
        "a second response behind the first",
        Call::Bulk,
        |asked| {
            let done = r#"{"is_success":true}"#;
            let smuggled = head("200 OK", "content-length: 19\r\n\r\n") + done;
            match asked.request.target.ends_with("/10") {
                true => vec![send(head("200 OK", "content-length: 19\r\n\r\n") + done + &smuggled), Step::Next],
                false => failure("404 Not Found", "", "no"),
            }
        },
        End::Partly,
    )
    .requests(4 * BULK),
    Row::new("two lengths", Call::List, |_| raw("content-length: 2\r\ncontent-length: 30\r\n\r\n{}"), fails(Network)),
    Row::new("a negative length", Call::List, |_| raw("content-length: -1\r\n\r\n{}"), fails(Network)),
    Row::new(
        "a length beyond all numbers",
        Call::List,
        |_| raw("content-length: 99999999999999999999999\r\n\r\n{}"),
        fails(Network),
    ),
    Row::new(
        "the largest length",
        Call::List,
        |_| raw("content-length: 18446744073709551615\r\n\r\n{}"),
        fails(Network),
    ),
    Row::new(
        "length and chunks",
        Call::List,
        |_| {
            let body = list(&[item(10)]).to_string();
            let head = head("200 OK", "content-length: 3\r\ntransfer-encoding: chunked\r\n\r\n");
            vec![send(format!("{head}{:x}\r\n{body}\r\n0\r\n\r\n", body.len()))]
        },
        End::Done,
    ),
    Row::new(
        "a chunk that is no number",
        Call::List,
        |_| raw("transfer-encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n"),
        fails(Network),
    ),
    Row::new(
        "a chunk beyond all numbers",
        Call::List,
        |_| raw("transfer-encoding: chunked\r\n\r\nfffffffffffffffff\r\n{}\r\n0\r\n\r\n"),
        fails(Network),
    ),
    Row::new(
        "an endless chunk extension",
        Call::List,
        |_| flood("200 OK", "transfer-encoding: chunked\r\n\r\n2;", "a"),
        fails(Network),
    ),
    Row::new(
        "endless trailers",
        Call::List,
        |_| flood("200 OK", "transfer-encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n", "x-a: b\r\n"),
        fails(Network),
    ),
    Row::new("an unknown transfer encoding", Call::List, |_| raw("transfer-encoding: gzip\r\n\r\n{}"), fails(Decode)),
];

/// Floods.
const FLOODS: &[Row] = &[
    Row::new(
        "endless chunks",
        Call::List,
        |_| {
            let chunk = format!("1000\r\n{}\r\n", " ".repeat(0x1000));
            flood("200 OK", "transfer-encoding: chunked\r\n\r\n", &chunk)
        },
        fails(Decode),
    )
    .requests(1),
    Row::new(
        "a terabyte",
        Call::List,
        |_| flood("200 OK", "content-length: 1000000000000\r\n\r\n{", " "),
        fails(Decode),
    )
    .requests(1),
    Row::new("bytes without end", Call::List, |_| flood("200 OK", "\r\n{", " "), fails(Decode)).requests(1),
    Row::new("a failure without end", Call::List, |_| flood("500 Oh", "\r\n{", " "), fails(Service))
        .seconds(15)
        .requests(1),
    Row::new("bytes of a POST without end", Call::Create, |_| flood("200 OK", "\r\n{", " "), fails(Decode)).requests(1),
    Row::new("a flood of headers", Call::List, |_| flood("200 OK", "", "x-a: b\r\n"), fails(Network)),
    Row::new("one header without end", Call::List, |_| flood("200 OK", "x-a: ", "b"), fails(Network)),
    Row::new(
        "a reason without end",
        Call::List,
        |_| vec![send("HTTP/1.1 200 "), Step::Flood(b"b".to_vec(), GIGABYTE)],
        fails(Network),
    ),
    Row::new(
        "line ends without end",
        Call::List,
        |_| vec![Step::Flood(b"\r\n".to_vec(), GIGABYTE / 2)],
        fails(Network),
    ),
    Row::new(
        "a hundred thousand times continue",
        Call::List,
        |_| vec![Step::Flood(b"HTTP/1.1 100 Continue\r\n\r\n".to_vec(), 100_000), Step::Hang],
        fails(Timeout),
    )
    .contract(2)
    .requests(1),
];

/// Heads.
const HEADS: &[Row] = &[
    Row::new("another protocol", Call::List, |_| vec![send("220 mail.example.com ESMTP\r\n")], fails(Network)),
    Row::new(
        "HTTP/2 unasked",
        Call::List,
        |_| vec![send("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\u{4}\0\0\0\0\0")],
        fails(Network),
    ),
    Row::new("a TLS alert", Call::List, |_| vec![Step::Send(vec![0x15, 3, 1, 0, 2, 2, 40])], fails(Network)),
    Row::new("a body without a head", Call::List, |_| vec![send("{}\r\n\r\n")], fails(Network)),
    Row::new("a status that is no number", Call::List, |_| vec![send("HTTP/1.1 20x OK\r\n\r\n")], fails(Network)),
    Row::new("a status of four digits", Call::List, |_| vec![send("HTTP/1.1 2000 OK\r\n\r\n")], fails(Network)),
    Row::new("status 999", Call::List, |_| failure("999 Odd", "", "odd"), fails(Service)),
    Row::new("a header without a name", Call::List, |_| raw(": b\r\n\r\n"), fails(Network)),
    Row::new("a header on two lines", Call::List, |_| raw("x-a: b\r\n c\r\n\r\n"), fails(Network)),
    Row::new("a header with a zero byte", Call::List, |_| raw("x-a: \0\r\n\r\n"), fails(Network)),
    Row::new(
        "early hints, then the response",
        Call::List,
        |_| {
            let mut steps = vec![send("HTTP/1.1 103 Early Hints\r\nlink: </style.css>\r\n\r\n")];
            steps.extend(ok(list(&[item(10)]).to_string()));
            steps
        },
        End::Done,
    ),
    Row::new(
        "another protocol, switched to",
        Call::List,
        |_| vec![send("HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n"), Step::Hang],
        fails(Service),
    ),
    Row::new(
        "no content for a list",
        Call::List,
        |_| vec![send(head("204 No Content", "\r\n")), Step::Next],
        fails(Decode),
    ),
    Row::new(
        "a part of the content",
        Call::List,
        |_| response("206 Partial Content", "content-range: bytes 0-1/2\r\n", "{}"),
        fails(Decode),
    ),
    Row::new(
        "not modified",
        Call::List,
        |_| vec![send(head("304 Not Modified", "\r\n")), Step::Next],
        fails(Configuration),
    ),
    Row::new(
        "a proxy that wants a password",
        Call::List,
        |_| failure("407 Proxy Authentication Required", "proxy-authenticate: basic\r\n", "who?"),
        fails(Configuration),
    ),
    Row::new(
        "a cookie",
        Call::Bulk,
        |_| response("200 OK", "set-cookie: a=b; path=/; domain=127.0.0.1\r\n", r#"{"is_success":true}"#),
        End::Done,
    )
    .requests(BULK),
];

/// Compressed bodies.
const ENCODINGS: &[Row] = &[
    Row::new("a body that grows beyond the limit", Call::List, |_| encoded("gzip", bomb(1)), fails(Decode)).requests(1),
    Row::new("a bomb in a bomb", Call::List, |_| encoded("gzip, gzip", bomb(2)), fails(Decode)).requests(1),
    Row::new("compressed a hundred times", Call::List, |_| encoded(&["gzip"; 100].join(","), bomb(1)), fails(Decode))
        .requests(1),
    Row::new(
        "a failure that grows beyond the limit",
        Call::List,
        |_| response("500 Oh", "content-encoding: gzip\r\n", bomb(1)),
        fails(Service),
    )
    .requests(1),
    Row::new(
        "half of a compressed body",
        Call::List,
        |_| encoded("gzip", &compressed(list(&[item(10)]).to_string().as_bytes())[..40]),
        fails(Decode),
    )
    .requests(1),
    Row::new("an encoding that nobody knows", Call::List, |_| encoded("\u{9b}x", "{}"), fails(Decode)).requests(1),
    Row::new(
        "a compressed body",
        Call::List,
        |_| encoded("gzip", compressed(list(&[item(10)]).to_string().as_bytes())),
        End::Done,
    )
    .requests(1),
];

/// Proxies.
const PROXIES: &[Row] = &[
    Row::new("a proxy that answers itself", Call::Proxied, |_| ok("<title>Blocked</title>"), fails(Decode)).requests(1),
    Row::new("a proxy that echoes the token", Call::Proxied, echo, fails(InvalidRequest)).requests(1),
    Row::new("a proxy that says nothing", Call::Proxied, |_| vec![Step::Hang], fails(Timeout)).requests(1).contract(2),
    Row::new("a tunnel that is refused", Call::Tunnelled, |_| failure("403 Forbidden", "", ESCAPES), fails(Network))
        .contract(2),
    Row::new("a tunnel without TLS", Call::Tunnelled, |_| raw("\r\nnothing but text"), fails(Network)).contract(2),
    Row::new("a tunnel behind endless headers", Call::Tunnelled, |_| flood("200 OK", "", "x-a: b\r\n"), fails(Network))
        .contract(2),
];

/// Redirects.
const REDIRECTS: &[Row] = &[
    Row::new(
        "a redirect to itself",
        Call::List,
        |asked| failure("302 Found", &format!("location: {}\r\n", asked.request.target), "elsewhere"),
        fails(Configuration),
    )
    .requests(1),
    Row::new(
        "a redirect to another host",
        Call::Update,
        |_| failure("307 Temporary Redirect", "location: http://127.0.0.2:9/stolen\r\n", "elsewhere"),
        fails(Configuration),
    )
    .requests(1),
    Row::new(
        "a redirect with the token and escapes in its address",
        Call::List,
        |asked| {
            let header = asked.request.header("x-auth-token").unwrap_or_default().to_owned();
            // Controls of one byte are no header; those of C1 are.
            let location = format!("location: http://a/?{header}&{}\u{9b}31m\u{202e}\r\n", percent(&header));
            vec![send(format!("HTTP/1.1 301 Moved\r\n{location}content-length: 0\r\n\r\n")), Step::Next]
        },
        fails(Configuration),
    )
    .requests(1),
];

/// Rejections.
const REJECTIONS: &[Row] = &[
    Row::new("401 to a token", Call::List, |_| failure("401 Unauthorized", "", "no"), fails(Authentication))
        .requests(1)
        .contract(2),
    Row::new("401 to a key", Call::Signed, |_| failure("401 Unauthorized", "", "no"), fails(Authentication))
        .requests(1)
        .contract(2),
    Row::new(
        "401 to every token that it gave",
        Call::SignIn,
        |asked| {
            if signs_in(asked) { token() } else { failure("401 Unauthorized", "", "no") }
        },
        fails(Authentication),
    )
    .contract(2),
    Row::new(
        "401 to the second half of many",
        Call::Bulk,
        |asked| match asked.number {
            ..4 => ok(r#"{"is_success":true}"#),
            _ => failure("401 Unauthorized", "", "no"),
        },
        fails(Authentication),
    )
    .requests(4 + 8),
    Row::new("404", Call::Update, |_| failure("404 Not Found", "", "no"), fails(NotFound)).requests(1),
    Row::new("409", Call::Update, |_| failure("409 Conflict", "", "no"), fails(Conflict)).requests(1),
    Row::new(
        "429 for three years",
        Call::List,
        |_| failure("429 Slow", "retry-after: 99999999\r\n", "slow"),
        fails(Throttled),
    )
    .contract(2)
    .requests(1),
    Row::new(
        "429 until the year 9999",
        Call::List,
        |_| failure("429 Slow", "retry-after: Fri, 31 Dec 9999 23:59:59 GMT\r\n", "slow"),
        fails(Throttled),
    )
    .contract(2)
    .requests(1),
    Row::new(
        "429 for longer than numbers go",
        Call::List,
        |_| failure("429 Slow", "retry-after: 99999999999999999999999999999999\r\n", "slow"),
        fails(Throttled),
    )
    .contract(2)
    .requests(1),
    Row::new(
        "429 for a time that is none",
        Call::List,
        |_| failure("429 Slow", "retry-after: -1e9\r\n", "slow"),
        fails(Throttled),
    )
    .contract(2),
    Row::new(
        "429 in many, for three years",
        Call::Bulk,
        |_| failure("429 Slow", "retry-after: 99999999\r\n", "slow"),
        fails(Throttled),
    )
    .in_the_library(End::Partly)
    .contract(2)
    .requests(2 * BULK),
    Row::new("503 without a pause", Call::List, |_| failure("503 Busy", "retry-after: 0\r\n", "busy"), fails(Service)),
    Row::new("500", Call::Create, |_| failure("500 Oh", "", "oh"), fails(Service)).requests(1),
];

/// Bodies that are not what they should be.
const BODIES: &[Row] = &[
    Row::new("a page to log in", Call::List, |_| ok("<!doctype html><title>Log in</title>"), fails(Decode)).requests(1),
    Row::new(
        "JSON that is called text",
        Call::List,
        |_| {
            let body = list(&[item(10)]).to_string();
            vec![send(format!(
                "HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: {}\r\n\r\n{body}",
                body.len()
            ))]
        },
        End::Done,
    ),
    Row::new("no body", Call::List, |_| ok(""), fails(Decode)).requests(1),
    Row::new("null", Call::List, |_| ok("null"), fails(Decode)).requests(1),
    Row::new("an array", Call::List, |_| ok("[]"), fails(Decode)).requests(1),
    Row::new("a number", Call::Show, |_| ok("1"), fails(Decode)).requests(1),
    Row::new("true", Call::Update, |_| ok("true"), fails(Decode)).requests(1),
    Row::new("half of the JSON", Call::List, |_| ok(r#"{"jobs":[{"job_id":"#), fails(Decode)).requests(1),
    Row::new("something behind the JSON", Call::List, |_| ok(format!("{} x", list(&[item(10)]))), fails(Decode))
        .requests(1),
    Row::new(
        "bytes that are no UTF-8",
        Call::List,
        |_| ok([&br#"{"jobs":[{"job_id":10,"job_name":""#[..], &[0xff, 0xfe], br#""}]}"#].concat()),
        fails(Decode),
    )
    .requests(1),
    Row::new(
        "UTF-16",
        Call::List,
        |_| ok(list(&[item(10)]).to_string().encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>()),
        fails(Decode),
    )
    .requests(1),
    Row::new(
        "half of a surrogate pair",
        Call::List,
        |_| ok(r#"{"jobs":[{"job_id":10,"version_id":1,"job_name":"\ud800"}]}"#),
        fails(Decode),
    )
    .requests(1),
    Row::new("a zero byte in the JSON", Call::List, |_| ok("{\"jobs\":[]\0}"), fails(Decode)).requests(1),
    Row::new("a byte order mark", Call::List, |_| ok(format!("\u{feff}{}", list(&[item(10)]))), End::Done).requests(1),
    Row::new(
        "depth where a list is expected",
        Call::List,
        |_| ok(format!(r#"{{"jobs":{}"#, "[".repeat(1 << 20))),
        fails(Decode),
    )
    .requests(1),
    Row::new(
        "depth in an unknown field",
        Call::List,
        |_| ok(format!(r#"{{"x":{}1{},"jobs":[]}}"#, r#"{"a":"#.repeat(1 << 13), "}".repeat(1 << 13))),
        fails(Decode),
    )
    .in_the_library(End::Done)
    .requests(1),
    Row::new("depth in a failure", Call::List, |_| response("400 Bad", "", "[".repeat(1 << 20)), fails(InvalidRequest))
        .requests(1),
    Row::new(
        "an id beyond all numbers",
        Call::List,
        |_| ok(r#"{"jobs":[{"job_id":1e999,"version_id":1,"job_name":"n"}]}"#),
        fails(Decode),
    )
    .requests(1),
    Row::new(
        "a number of 100,000 digits",
        Call::Show,
        |_| ok(format!(r#"{{"is_success":true,"job_id":{},"job_name":"n","status":7}}"#, "9".repeat(100_000))),
        fails(Decode),
    )
    .requests(1),
    Row::new("a text where the list is", Call::List, |_| ok(r#"{"is_success":true,"jobs":"none"}"#), fails(Decode))
        .requests(1),
    Row::new(
        "a negative count",
        Call::Pages,
        |_| ok(json!({"is_success": true, "job_total_count": -1, "jobs": [item(10)]}).to_string()),
        End::Done,
    ),
    // The last one counts, or none does; never a success that was none.
    Row::new(
        "a field twice, failure and success",
        Call::Update,
        |_| ok(r#"{"is_success":false,"error_code":"ModelArts.0102","is_success":true}"#),
        fails(NotFound),
    )
    .requests(1),
];

/// Failures in disguise.
const DISGUISES: &[Row] = &[
    Row::new("a failure under 200", Call::Update, |_| failure("200 OK", "", "not done"), fails(Service)).requests(1),
    Row::new(
        "a failure under 200, as text",
        Call::Update,
        |_| ok(r#"{"is_success":"false","error_code":"Hostile.0001","error_msg":"not done"}"#),
        fails(Service),
    )
    .requests(1),
    Row::new(
        "a nested failure under 200",
        Call::Create,
        |_| ok(r#"{"error":{"code":500,"message":"not done"}}"#),
        fails(Service),
    )
    .requests(1),
    Row::new("a failure that is an array", Call::List, |_| response("400 Bad", "", "[1,2]"), fails(InvalidRequest))
        .requests(1),
    Row::new(
        "a failure with objects for texts",
        Call::List,
        |_| {
            response(
                "500 Oh",
                "",
                r#"{"error_code":{"a":1},"error_msg":["b"],"request_id":true,"error":{"code":{},"message":[]}}"#,
            )
        },
        fails(Service),
    )
    .requests(1),
    Row::new(
        "a message of a megabyte",
        Call::List,
        |_| failure("400 Bad", "", &"m".repeat(1 << 20)),
        fails(InvalidRequest),
    )
    .requests(1)
    .memory(200),
    Row::new(
        "a code of 100 kilobytes",
        Call::List,
        |_| response("400 Bad", "", json!({"error_code": "c".repeat(100_000), "error_msg": "m"}).to_string()),
        fails(InvalidRequest),
    )
    .requests(1),
    Row::new(
        "a name of 300 kilobytes",
        Call::List,
        |_| {
            let name = "n".repeat(300_000);
            ok(json!({"is_success": true, "job_total_count": 0, "jobs": [], "id": "7", "name": name}).to_string())
        },
        End::Done,
    )
    .requests(1),
    Row::new(
        "a request id of 300 kilobytes",
        Call::List,
        |_| {
            let id = "i".repeat(300_000);
            vec![send(format!("HTTP/1.1 400 Bad\r\nx-request-id: {id}\r\ncontent-length: 0\r\n\r\n"))]
        },
        fails(InvalidRequest),
    )
    .requests(1),
];

/// Secrets that come back.
const SECRETS: &[Row] = &[
    Row::new("the token in a failure", Call::List, echo, fails(InvalidRequest)).requests(1),
    Row::new("the signature in a failure", Call::Signed, echo, fails(InvalidRequest)).requests(1),
    Row::new("the password in a failure", Call::SignIn, echo, fails(InvalidRequest)).contract(2).requests(1),
    Row::new("the password in a failure of iam token create", Call::Token, echo, fails(InvalidRequest)).requests(1),
    Row::new("the token in the id of a request", Call::List, |asked| {
        let token = secrets(asked).concat();
        vec![send(format!("HTTP/1.1 400 Bad\r\nx-request-id: {token}\r\ncontent-length: 0\r\n\r\n")), Step::Next]
    }, fails(InvalidRequest)).requests(1),
    Row::new("the token in every row of many", Call::Bulk, echo, End::Partly).requests(BULK),
    Row::new("the token where a number is expected", Call::Show, |asked| {
        ok(json!({"is_success": true, "job_id": secrets(asked).concat(), "job_name": 1, "status": secrets(asked).concat()}).to_string())
    }, fails(Decode)).requests(1),
];

/// Escapes.
const CONTROLS: &[Row] =
    &[
        Row::new(
            "escapes in a failure",
            Call::List,
            |_| {
                let fields = ["error_code", "error_msg", "request_id", "errorCode", "message", "title"];
                let body: Value = fields.iter().map(|name| ((*name).to_owned(), Value::from(ESCAPES))).collect();
                response("400 Bad", "", body.to_string())
            },
            fails(InvalidRequest),
        )
        .requests(1),
        Row::new(
            "escapes in a list",
            Call::List,
            |_| {
                ok(list(&[json!({"job_id": 10, "version_id": 1, "job_name": ESCAPES, "job_desc": ESCAPES})])
                    .to_string())
            },
            End::Done,
        ),
        Row::new(
            "escapes in names of fields",
            Call::Show,
            |_| {
                ok(json!({"is_success": true, "job_id": 10, "job_name": "n", "version_id": 20, "version_name": "V1", "status": 7, ESCAPES: ESCAPES}).to_string())
            },
            End::Done,
        ),
        Row::new(
            "escapes in many failures",
            Call::Bulk,
            |_| response("400 Bad", "", json!({"error_code": ESCAPES, "error_msg": ESCAPES}).to_string()),
            End::Partly,
        )
        .requests(BULK),
        Row::new(
            "escapes in where decoding stops",
            Call::List,
            |_| {
                ok(json!({"is_success": true, "jobs": [{"job_id": ESCAPES, "version_id": {ESCAPES: ESCAPES}}]})
                    .to_string())
            },
            End::Done,
        )
        .in_the_library(fails(Decode)),
        Row::new(
            "escapes in a project",
            Call::Lookup,
            |asked| {
                let name = if project(asked) { ESCAPES } else { "n" };
                let project = json!({"id": name, "name": name, "links": {}});
                ok(json!({"projects": [project, project], "links": {}}).to_string())
            },
            fails(Configuration),
        )
        .contract(2)
        .requests(2),
        Row::new(
            "escapes in a header that is shown",
            Call::Raw,
            |_| {
                let headers = "x-title: \u{9b}31mred\u{9d}0;t\u{9c}\r\nx-order: \u{202e}evil\r\n";
                response("200 OK", headers, r#"{"is_success":true}"#)
            },
            End::Done,
        ),
    ];

/// Lists.
const LISTS: &[Row] = &[
    Row::new(
        "no end of full pages",
        Call::PagesOfMany,
        |asked| {
            let jobs: Vec<Value> = (0..100).map(|index| item(asked.number as u64 * 100 + index)).collect();
            ok(json!({"is_success": true, "job_total_count": 1_000_000_000, "jobs": jobs}).to_string())
        },
        End::Done,
    )
    .requests(100_000),
    Row::new(
        "the same page again and again",
        Call::Pages,
        |_| {
            let jobs: Vec<Value> = (0..100).map(item).collect();
            ok(json!({"is_success": true, "job_total_count": 1_000_000, "jobs": jobs}).to_string())
        },
        fails(Service),
    )
    .requests(3),
    Row::new(
        "empty pages of a long list",
        Call::Pages,
        |_| ok(json!({"is_success": true, "job_total_count": 1_000_000, "jobs": []}).to_string()),
        End::Done,
    )
    .requests(101),
    Row::new(
        "markers in a circle",
        Call::Markers,
        |asked| {
            let next = ["a", "b", "c"][asked.number % 3];
            ok(json!({"jobs": [item(asked.number as u64 % 3)], "markers": {"next": next}}).to_string())
        },
        fails(Service),
    )
    .requests(7),
    Row::new(
        "a marker that leads to itself",
        Call::Markers,
        |_| ok(json!({"jobs": [item(10)], "markers": {"next": "a"}}).to_string()),
        fails(Service),
    )
    .requests(4),
    Row::new(
        "markers of empty pages without end",
        Call::Markers,
        |asked| ok(json!({"jobs": [], "markers": {"next": format!("m{}", asked.number)}}).to_string()),
        fails(Service),
    )
    .requests(101),
    Row::new(
        "a marker that leads elsewhere",
        Call::Markers,
        |asked| match asked.number {
            0 => ok(json!({"jobs": [item(1)], "markers": {"next": "../../v3/auth/tokens?x=#"}}).to_string()),
            number => ok(json!({"jobs": [item(number as u64 + 1)], "markers": {}}).to_string()),
        },
        End::Done,
    ),
    Row::new("a hundred thousand empty objects", Call::List, |_| crowd("{}"), End::Done)
        .in_the_library(fails(Decode))
        .requests(1)
        .memory(400),
    Row::new(
        "a hundred thousand columns",
        Call::Rows,
        |_| {
            let mut job = item(10);
            (0..100_000).for_each(|number| job[format!("column{number}")] = number.into());
            ok(list(&[job]).to_string())
        },
        End::Done,
    )
    .requests(1)
    .memory(400),
    Row::new("a hundred thousand zeros", Call::Rows, |_| crowd("0"), End::Done)
        .in_the_library(fails(Decode))
        .requests(1)
        .memory(400),
];

/// Ids that lead elsewhere.
const IDS: &[Row] = &[
    Row::new(
        "an id that leads up",
        Call::Markers,
        |_| {
            ok(json!({"jobs": [{"id": "..", "name": "..", "type": "MapReduce"}], "markers": {}, "id": "..", "job_id": "..",
            "job_binary": {"id": ".."}, "binaries": [{"id": "..", "name": ".."}]}).to_string())
        },
        End::Done,
    ).in_the_library(fails(Decode)),
    Row::new(
        "an id with slashes",
        Call::Markers,
        |_| {
            ok(json!({"jobs": [{"id": "a/../../b", "name": "n", "type": "MapReduce"}], "markers": {}, "id": "a/../../b",
            "job_binary": {"id": "%2e%2e/x"}}).to_string())
        },
        End::Done,
    ).in_the_library(fails(Decode)),
];

/// Signing in.
const SIGN_IN: &[Row] = &[
    Row::new(
        "no token in the response",
        Call::SignIn,
        |_| response("201 Created", "", r#"{"token":{}}"#),
        fails(Decode),
    )
    .requests(2)
    .contract(2),
    Row::new(
        "an empty token",
        Call::SignIn,
        |_| response("201 Created", "x-subject-token: \r\n", r#"{"token":{}}"#),
        fails(Decode),
    )
    .requests(2)
    .contract(2),
    Row::new(
        "a token that has expired",
        Call::SignIn,
        |asked| match signs_in(asked) {
            true => response(
                "201 Created",
                &format!("x-subject-token: {TOKEN}\r\n"),
                r#"{"token":{"expires_at":"1999-01-01T00:00:00.000000Z"}}"#,
            ),
            false => ok(list(&[item(10)]).to_string()),
        },
        End::Done,
    )
    .requests(3),
    Row::new(
        "a token of 300 kilobytes",
        Call::SignIn,
        |asked| match signs_in(asked) {
            true => {
                response("201 Created", &format!("x-subject-token: {}\r\n", "t".repeat(300_000)), r#"{"token":{}}"#)
            }
            false => ok(list(&[item(10)]).to_string()),
        },
        End::Done,
    )
    .requests(2),
    Row::new("signing in never ends", Call::SignIn, |_| vec![Step::Hang], fails(Timeout)).requests(1).contract(2),
    Row::new("projects without end", Call::Lookup, |_| flood("200 OK", "\r\n{", " "), fails(Decode))
        .contract(2)
        .requests(1),
];

/// Waiting and logs.
const WAITING: &[Row] = &[
    Row::new("a job that never ends", Call::Wait, |_| {
        ok(json!({"is_success": true, "job_id": 10, "job_name": "n", "version_id": 20, "version_name": "V1", "status": 8}).to_string())
    }, fails(Timeout)).requests(10_000),
    Row::new("silence while it is waited", Call::Wait, |_| vec![Step::Hang], fails(Timeout))
    .contract(2),
    Row::new("a log without end", Call::Follow, |asked| {
        ok(json!({"is_success": true, "content": "line\n", "lines": 1, "status": 8,
            "start_line": asked.number.to_string(), "end_line": (asked.number + 1).to_string()}).to_string())
    }, fails(Timeout)).in_the_library(End::Done).requests(100_000),
];

/// Rows of a bulk.
pub const BULK: usize = 24;
const GIGABYTE: u64 = 1 << 30;

/// A failure with what was sent in it: as it is, escaped for JSON and for addresses, in each text.
fn echo(asked: &Asked<'_>) -> Vec<Step> {
    if signs_in(asked) && !asked.request.body.is_empty() {
        // The request as a proxy shows it.
        let body = String::from_utf8_lossy(&asked.request.body).into_owned();
        let message = format!("bad request: {body} {}", percent(&secrets(asked).concat()));
        return response("400 Bad", "", json!({"error": {"code": 400, "message": message, "title": body}}).to_string());
    }
    let secret = secrets(asked).concat();
    // The inside of a JSON string.
    let plain = Value::from(secret.as_str()).to_string();
    let plain = plain.trim_matches('"');
    let message = format!("said: {plain} {} {}", escaped(&secret), percent(&secret));
    response("400 Bad", "", format!(r#"{{"error_code":"{plain}","error_msg":"{message}"}}"#))
}

/// Whether the program may send such a request.
pub fn is_own(request: &Arrived) -> bool {
    let target = &request.target;
    if request.method == "CONNECT" {
        return target == &format!("{ELSEWHERE}:443");
    }
    // A proxy is sent the whole address.
    let target = target.strip_prefix(&format!("http://{ELSEWHERE}")).unwrap_or(target);
    let path = target.split('?').next().unwrap_or_default();
    let inside =
        [format!("/v1/{PROJECT}/"), format!("/v1.1/{PROJECT}/"), "/v3/projects".to_owned(), "/v3/auth/".to_owned()];
    inside.iter().any(|own| path.starts_with(own.as_str())) && !path.to_lowercase().replace("%2e", ".").contains("..")
}
