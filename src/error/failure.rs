//! Recognizes failed requests by their response bodies.
//!
//! The clouds use several forms: fields are missing, mistyped, nested or repeated. Each field is parsed by itself, so
//! that an unreadable one does not hide the others.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::Value;
use serde_json::value::RawValue;

/// Fields with an error code. `code` can contain one too, but not in every body with a field of this name.
const CODES: [&str; 3] = ["error_code", "errorCode", "errcode"];
const CODE: &str = "code";
/// Fields with the message of an error, the best one first.
const MESSAGES: [&str; 13] = [
    "error_msg",
    "error_message",
    "errorMsg",
    "errorMessage",
    "message",
    "msg",
    "detail",
    "error_description",
    "faultstring",
    "reason",
    "error",
    "title",
    "error_name",
];
/// Those fields that only an error of these services has.
const SURE_MESSAGES: usize = 4;
const REQUEST_IDS: [&str; 4] = ["request_id", "requestId", "RequestId", "RequestID"];
const AUTHORIZATION_MESSAGES: [&str; 2] = ["encoded_authorization_message", "encodedAuthorizationMessage"];
/// The longest body of an unknown form that becomes the message, in characters.
const SHORT: usize = 200;

/// Returns whether a body with a success status reports a failed request.
pub(crate) fn says_failure(body: &[u8]) -> bool {
    // Only an object can report it; the generated type parses all other bodies.
    serde_json::from_slice::<Envelope>(body).is_ok_and(|Envelope(failed)| failed)
}

/// Returns whether the outcome fields of an object report a failed request.
struct Envelope(bool);

impl<'de> Deserialize<'de> for Envelope {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(EnvelopeVisitor)
    }
}

struct EnvelopeVisitor;

impl<'de> Visitor<'de> for EnvelopeVisitor {
    type Value = Envelope;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<Envelope, A::Error> {
        // Only fields about the outcome are kept, since bodies can be large.
        let (mut about, mut count, mut last) = (Vec::new(), 0, None);
        while let Some(name) = fields.next_key::<String>()? {
            count += 1;
            let known = name.as_str();
            let is_sure = CODES.contains(&known) || MESSAGES[..SURE_MESSAGES].contains(&known);
            if is_sure || matches!(known, "is_success" | "message" | "error" | "errors" | CODE) {
                about.push((name, fields.next_value::<Value>()?));
            } else if count == 1 {
                last = Some(fields.next_value::<&'de RawValue>()?);
            } else {
                fields.next_value::<IgnoredAny>()?;
            }
        }
        // OpenStack wraps its errors: {"itemNotFound": {"code": 404, "message": ...}}.
        let wrapped = last.filter(|raw| count == 1 && raw.get().starts_with('{'));
        if let Some(inner) = wrapped.and_then(|raw| serde_json::from_str::<Wrapped>(raw.get()).ok()) {
            return Ok(Envelope(inner.code >= 400 && is_said(&inner.message)));
        }
        Ok(Envelope(is_failure(&about)))
    }
}

#[derive(serde::Deserialize)]
struct Wrapped {
    code: u32,
    message: Value,
}

/// Evaluates the outcome fields, each by itself; some may be repeated.
fn is_failure(fields: &[(String, Value)]) -> bool {
    let of = |wanted: &'static str| fields.iter().filter(move |(name, _)| name == wanted).map(|(_, value)| value);
    let outcomes: Vec<bool> = of("is_success").filter_map(truth).collect();
    let coded = CODES.iter().flat_map(|name| of(name)).any(|code| failing_code(code).is_some());
    if outcomes.contains(&false) || coded {
        return true;
    }
    let nested = of("error").chain(of("errors").filter_map(|errors| errors.get(0))).any(|error| match error {
        Value::Object(inner) => {
            let mut known = inner.iter().filter(|(name, _)| is_about_failure(name)).peekable();
            let unknown = known.peek().is_none() && !inner.is_empty();
            unknown || known.any(|(name, value)| says_failing(name, value))
        }
        _ => false,
    });
    if nested {
        return true;
    }
    // A successful response can have the following fields too, so an explicit success overrides them.
    let said = || MESSAGES[..SURE_MESSAGES].iter().chain(&["error"]).flat_map(|name| of(name)).any(is_said);
    let numbered = || of(CODE).any(|code| failing_code(code).is_some()) && of("message").any(is_said);
    !outcomes.contains(&true) && (said() || numbered())
}

fn is_about_failure(name: &str) -> bool {
    name == CODE || CODES.contains(&name) || MESSAGES.contains(&name)
}

/// Returns whether a field with the name of an error contains one.
fn says_failing(name: &str, value: &Value) -> bool {
    let is_code = name == CODE || CODES.contains(&name);
    if is_code { failing_code(value).is_some() } else { is_said(value) }
}

/// Parses a field that is a boolean in most services, and a number or a string in some.
fn truth(value: &Value) -> Option<bool> {
    match value {
        Value::Bool(truth) => Some(*truth),
        Value::Number(number) => Some(number.as_f64() != Some(0.0)),
        Value::String(text) => match text.trim().to_ascii_lowercase().as_str() {
            "true" | "1" | "yes" => Some(true),
            "false" | "0" | "no" => Some(false),
            _ => None,
        },
        _ => None,
    }
}

/// Returns the code, unless it means success: empty, zeros, a 2xx status, or a word.
fn failing_code(value: &Value) -> Option<String> {
    match value {
        Value::Number(number) => {
            let is_success = number.as_f64().is_some_and(|number| number == 0.0 || (200.0..300.0).contains(&number));
            (!is_success).then(|| number.to_string())
        }
        Value::String(text) => {
            let text = text.trim();
            let is_zero = text.bytes().all(|byte| byte == b'0');
            let is_status = matches!(text.as_bytes(), [b'2', b'0'..=b'9', b'0'..=b'9']);
            (!is_zero && !is_status && !is_word_for_success(text)).then(|| text.to_owned())
        }
        _ => None,
    }
}

fn is_word_for_success(text: &str) -> bool {
    ["success", "succeeded", "ok", "null", "none"].iter().any(|word| text.eq_ignore_ascii_case(word))
}

/// Returns whether a message reports more than success.
fn is_said(value: &Value) -> bool {
    value.as_str().is_some_and(|text| !text.trim().is_empty() && !is_word_for_success(text.trim()))
}

/// The fields of an error body.
#[derive(Default)]
pub(super) struct Failure {
    pub(super) code: Option<String>,
    pub(super) message: Option<String>,
    pub(super) request_id: Option<String>,
    pub(super) authorization_message: Option<String>,
    /// Whether the body has a known form, although it may contain little.
    pub(super) is_known: bool,
}

impl Failure {
    /// Parses the forms of the gateway, IAM, ModelArts, MRS, OpenStack and proxies.
    pub(super) fn read(body: &[u8]) -> Self {
        let text = String::from_utf8_lossy(body);
        let Ok(body) = serde_json::from_str::<Value>(&text) else {
            return Self { message: short(&plain_text(&text)), ..Self::default() };
        };
        // IAM nests its error, others list it, OpenStack wraps it under its name; other fields may be beside it.
        let mut scopes: Vec<&Value> = Vec::new();
        scopes.extend(Some(&body["error"]).filter(|error| error.is_object()));
        scopes.push(&body);
        let listed = body["errors"].as_array().or_else(|| body.as_array());
        scopes.extend(listed.into_iter().flatten());
        scopes.extend(body.as_object().filter(|fields| fields.len() == 1).and_then(|fields| fields.values().next()));
        let first = |names: &[&str], read: fn(&Value) -> Option<String>| {
            scopes.iter().find_map(|scope| names.iter().find_map(|name| read(&scope[*name])))
        };
        let codes: Vec<&str> = CODES.into_iter().chain([CODE]).collect();
        let listed = scopes.iter().find_map(|scope| said(scope));
        let code = first(&codes, failing_code);
        let is_known = code.is_some() || body.get("is_success").is_some();
        Self {
            message: first(&MESSAGES, said).or(listed).or_else(|| short(&text).filter(|_| !is_known)),
            request_id: first(&REQUEST_IDS, said),
            authorization_message: first(&AUTHORIZATION_MESSAGES, said),
            code,
            is_known,
        }
    }
}

/// Returns a string that is not blank.
fn said(value: &Value) -> Option<String> {
    value.as_str().filter(|text| !text.trim().is_empty()).map(str::to_owned)
}

/// Returns a short body of an unknown form as the message.
fn short(text: &str) -> Option<String> {
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    (!text.is_empty() && text.chars().count() <= SHORT).then_some(text)
}

/// Returns the title of an HTML page, otherwise its text; any other text unchanged.
fn plain_text(text: &str) -> Cow<'_, str> {
    let lower = text.to_ascii_lowercase();
    if !lower.trim_start().starts_with('<') {
        return text.into();
    }
    let title = lower.find("<title>").map(|at| at + "<title>".len());
    let title = title.and_then(|start| Some(text[start..start + lower[start..].find("</title")?].trim()));
    if let Some(title) = title.filter(|title| !title.is_empty()) {
        return title.into();
    }
    let (mut shown, mut rest) = (String::new(), text);
    while let Some(start) = rest.find('<') {
        shown += &rest[..start];
        shown.push(' ');
        rest = rest[start..].find('>').map_or("", |end| &rest[start + end + 1..]);
    }
    (shown + rest).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_field_is_judged_by_itself() {
        let failing_codes = [r#""ModelArts.0103""#, r#""0201""#, "12000002", r#""404""#, "400", r#"" x ""#];
        let neutral_codes = ["null", r#""""#, r#"" ""#, r#""0""#, "0", "0.0", r#""000000""#, r#""200""#, "200", "202"];
        let neutral_codes = neutral_codes.iter().chain(&[r#""success""#, r#""OK""#, "{}", "[]", "false"]);
        let no = ["false", r#""false""#, r#""False""#, "0", r#""0""#, r#"" FALSE ""#];
        let yes = ["true", r#""true""#, "1", r#""1""#, r#""True""#];
        let neutral = ["null", "{}", "[]", r#""""#, r#""perhaps""#];
        let judge = |outcome: &str, code: &str, message: &str| {
            let fields = format!(r#""is_success": {outcome}, "error_code": {code}, "error_message": {message}"#);
            let there = says_failure(format!("{{{fields}}}").as_bytes());
            // The order of fields, a repeated field and other fields change nothing.
            let more = format!("{{\"jobs\": [1, {{}}], {fields}, {fields}, \"x\": {{\"code\": 400}}}}");
            assert_eq!(says_failure(more.as_bytes()), there, "{more}");
            there
        };
        for message in ["null", r#""""#, r#""success""#] {
            for outcome in no.iter().chain(&yes).chain(&neutral) {
                for code in failing_codes {
                    assert!(judge(outcome, code, message), "{outcome} {code}");
                }
                for code in neutral_codes.clone() {
                    assert_eq!(judge(outcome, code, message), no.contains(outcome), "{outcome} {code}");
                }
            }
        }
        // A message without a code also reports an error, unless the body reports success explicitly.
        assert!(judge("null", "null", r#""Internal error""#));
        assert!(!judge("true", "null", r#""1 warning""#));
    }

    #[test]
    fn nested_failures_are_seen_and_data_is_not_one() {
        for body in [
            r#"{"error": {"code": 401, "message": "no"}}"#,
            r#"{"error": {"message": "no"}}"#,
            r#"{"error": {"x": 1}}"#,
            r#"{"error": "no", "is_success": "perhaps"}"#,
            r#"{"errors": [{"error_code": "ModelArts.0104"}]}"#,
            r#"{"itemNotFound": {"code": 404, "message": "no"}}"#,
            r#"{"errorCode": "X.1"}"#,
            r#"{"code": 500, "message": "no"}"#,
            r#"{"error_msg": "no"}"#,
        ] {
            assert!(says_failure(body.as_bytes()), "{body}");
        }
        for body in [
            "",
            "null",
            "[]",
            "{}",
            r#"{"error": null}"#,
            r#"{"error": {}}"#,
            r#"{"error": ""}"#,
            r#"{"error": {"code": 0, "message": ""}}"#,
            r#"{"error": {"code": "200", "message": "success"}}"#,
            r#"{"errors": []}"#,
            r#"{"job": {"code": "x", "message": "no"}}"#,
            r#"{"job": {"code": 500}}"#,
            r#"{"job": {"error_code": "X"}}"#,
            r#"{"code": 200, "message": "done"}"#,
            r#"{"code": 0, "message": "done"}"#,
            r#"{"message": "done"}"#,
        ] {
            assert!(!says_failure(body.as_bytes()), "{body}");
        }
    }

    #[test]
    fn an_unknown_form_is_its_own_message_where_it_is_short() {
        let message = |body: &str| Failure::read(body.as_bytes()).message;
        assert_eq!(message("upstream connect error\n").as_deref(), Some("upstream connect error"));
        assert_eq!(
            message("<html><head><title>502 Bad\n Gateway</title></head><h1>x</h1>").as_deref(),
            Some("502 Bad Gateway")
        );
        assert_eq!(message("<p>over <b>quota</b>").as_deref(), Some("over quota"));
        assert_eq!(message(r#"{"x": 1}"#).as_deref(), Some(r#"{"x": 1}"#));
        assert_eq!(message(r#""in words""#).as_deref(), Some("in words"));
        assert_eq!(message(&"x".repeat(201)), None);
        assert_eq!(message(" "), None);
    }
}
