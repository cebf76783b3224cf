//! What the patterns of the description allow, in words.

/// Each pattern of a request with what a value must be. A test compares them with the description.
const PATTERNS: [(&str, &str); 14] = [
    (r"^[A-Za-z0-9_-]*$", r#"may have letters, digits, "-" and "_" only"#),
    (r"^[^;|&><'$]*$", r"may not have any of ; | & > < ' $"),
    (r"^(s3a://|/)", r#"must begin with "s3a://" or "/""#),
    (r"^(s3a://|/)[^;|&><'$]*$", r#"must begin with "s3a://" or "/", and may not have any of ; | & > < ' $"#),
    (r"^((s3a://|/)[^;|&><'$]*)?$", r#"must begin with "s3a://" or "/", and may not have any of ; | & > < ' $"#),
    (
        r"^((s3a://|/)[^;|&><'$]*\.[sS][qQ][lL])?$",
        r#"must begin with "s3a://" or "/", end in ".sql", and may not have any of ; | & > < ' $"#,
    ),
    (r"^s3a://", r#"must begin with "s3a://""#),
    (r"^/", r#"must begin with "/""#),
    (r"\.[jJ][aA][rR]$", r#"must end in ".jar""#),
    (r"\.[sS][qQ][lL]$", r#"must end in ".sql""#),
    (r"^-?[0-9]+$", "must be a whole number"),
    (r"^([0-9]|1[0-9]|2[0-2])$", "must be a number from 0 to 22"),
    (
        r"^(100(\.00?)?|[0-9]{1,2}(\.[0-9]{1,2})?)$",
        "must be a number from 0 to 100 with at most two digits behind the point",
    ),
    (r"^[1-7]$", "must be a number from 1 to 7"),
];
/// The most characters of a value that a message repeats.
const SHOWN: usize = 40;

/// Returns the message for a value that does not match a pattern, for example `"a b" may have letters only`.
pub(crate) fn mismatch(value: &str, pattern: &str) -> String {
    let known = PATTERNS.iter().find(|(known, _)| *known == pattern);
    let words = known.map_or_else(|| format!("must match the pattern {pattern}"), |(_, words)| (*words).to_owned());
    let mut shown: String = value.chars().take(SHOWN).collect();
    if shown.len() < value.len() {
        shown.push_str("...");
    }
    format!("{shown:?} {words}")
}

/// The pattern that a generated type names in its reason for a rejection, if it is that.
pub(super) fn broken(reason: &str) -> Option<&str> {
    reason.strip_prefix("doesn't match pattern \"")?.strip_suffix('"')
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::spec;

    /// All patterns of a description, but those of codes, which only responses have.
    fn collect(value: &Value, found: &mut Vec<String>) {
        match value {
            Value::Object(fields) => {
                if let Some(pattern) = fields.get("pattern").and_then(Value::as_str) {
                    found.push(pattern.to_owned());
                }
                fields.values().for_each(|value| collect(value, found));
            }
            Value::Array(items) => items.iter().for_each(|item| collect(item, found)),
            _ => {}
        }
    }

    #[test]
    fn patterns_of_requests_have_words() {
        let mut found = Vec::new();
        for document in spec::documents() {
            for operation in document.operations() {
                document
                    .parameters(operation)
                    .for_each(|parameter| collect(&document.json_schema(&parameter["schema"]), &mut found));
                if let Some(schema) = document.request_schema(operation) {
                    collect(&document.json_schema(schema), &mut found);
                }
            }
        }
        found.sort();
        found.dedup();
        let is_known = |pattern: &String| PATTERNS.iter().any(|(known, _)| known == pattern);
        // A schema brings along all others of its document, those of responses too.
        let response_only = ["^API", "^ModelArts", "^(-1|[1-5])$", "^[0-3]$"];
        let unknown: Vec<_> = found
            .iter()
            .filter(|pattern| !is_known(pattern) && !response_only.iter().any(|start| pattern.starts_with(start)))
            .collect();
        assert!(unknown.is_empty(), "{unknown:?}");
    }

    #[test]
    fn a_mismatch_shows_the_value() {
        let said = mismatch("a b", r"^[A-Za-z0-9_-]*$");
        assert_eq!(said, r#""a b" may have letters, digits, "-" and "_" only"#);
        assert_eq!(mismatch(&"é".repeat(50), "x"), format!("\"{}...\" must match the pattern x", "é".repeat(40)));
        assert_eq!(broken(r#"doesn't match pattern "^a\.b"c$""#), Some(r#"^a\.b"c$"#));
        assert_eq!(broken("longer than 4 characters"), None);
    }
}
