//! The patterns of the description: what texts of requests may hold, checked without a regular expression and explained
//! in words.

/// What a text must match; the patterns of the description implement it.
pub trait Pattern {
    /// The regular expression as the description has it.
    const PATTERN: &'static str;

    /// Whether a text matches.
    fn matches(text: &str) -> bool;
}

/// Any text.
#[derive(Clone, Copy, Debug)]
pub enum Any {}

impl Pattern for Any {
    const PATTERN: &'static str = "";

    fn matches(_: &str) -> bool {
        true
    }
}

/// Patterns with a type: name, regular expression, words, and how a text is checked.
macro_rules! patterns {
    ($($(#[$attribute:meta])* $name:ident $pattern:literal $words:literal |$text:ident| $matches:expr;)+) => {
        $(
            $(#[$attribute])*
            #[derive(Clone, Copy, Debug)]
            pub enum $name {}

            impl Pattern for $name {
                const PATTERN: &'static str = $pattern;

                fn matches($text: &str) -> bool {
                    $matches
                }
            }
        )+

        /// The words for each pattern with a type.
        const TYPED: &[(&str, &str)] = &[$(($pattern, $words),)+];

        /// Whether a text matches the type of this name, with the pattern of that type.
        #[cfg(test)]
        fn typed(name: &str, text: &str) -> Option<(&'static str, bool)> {
            match name {
                $(stringify!($name) => Some(($pattern, $name::matches(text))),)+
                _ => None,
            }
        }
    };
}

patterns! {
    /// Letters, digits, `-` and `_`.
    Word r"^[A-Za-z0-9_-]*$" r#"may have letters, digits, "-" and "_" only"#
    |text| text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
    /// A text without the special characters of a shell.
    NoShell r"^[^;|&><'$]*$" r"may not have any of ; | & > < ' $"
    |text| has_no_special(text);
    /// A path in OBS or HDFS.
    Path r"^(s3a://|/)" r#"must begin with "s3a://" or "/""#
    |text| is_path(text);
    /// A path in OBS or HDFS without the special characters of a shell.
    PlainPath r"^(s3a://|/)[^;|&><'$]*$" r#"must begin with "s3a://" or "/", and may not have any of ; | & > < ' $"#
    |text| is_path(text) && has_no_special(text);
    /// The same, or the empty text.
    PlainPathOrEmpty r"^((s3a://|/)[^;|&><'$]*)?$"
    r#"must begin with "s3a://" or "/", and may not have any of ; | & > < ' $"#
    |text| text.is_empty() || is_path(text) && has_no_special(text);
    /// A path of an SQL script in OBS or HDFS without the special characters of a shell, or the empty text.
    ScriptPathOrEmpty r"^((s3a://|/)[^;|&><'$]*\.[sS][qQ][lL])?$"
    r#"must begin with "s3a://" or "/", end in ".sql", and may not have any of ; | & > < ' $"#
    |text| text.is_empty() || is_path(text) && has_no_special(text) && text.to_ascii_lowercase().ends_with(".sql");
    /// The code of a documented state of jobs.
    StateCode r"^([0-9]|1[0-9]|2[0-2])$" "must be a number from 0 to 22"
    |text| text.parse::<u8>().is_ok_and(|code| code <= 22 && code.to_string() == text);
}

fn is_path(text: &str) -> bool {
    text.starts_with("s3a://") || text.starts_with('/')
}

fn has_no_special(text: &str) -> bool {
    !text.contains([';', '|', '&', '>', '<', '\'', '$'])
}

/// Further patterns of requests, which types of their own or rules between fields check. A test compares all with the
/// description.
const OTHERS: [(&str, &str); 7] = [
    (r"^s3a://", r#"must begin with "s3a://""#),
    (r"^/", r#"must begin with "/""#),
    (r"\.[jJ][aA][rR]$", r#"must end in ".jar""#),
    (r"\.[sS][qQ][lL]$", r#"must end in ".sql""#),
    (r"^-?[0-9]+$", "must be a whole number"),
    (
        r"^(100(\.00?)?|[0-9]{1,2}(\.[0-9]{1,2})?)$",
        "must be a number from 0 to 100 with at most two digits behind the point",
    ),
    (r"^[1-7]$", "must be a number from 1 to 7"),
];

/// The longest part of a value in a message, in characters.
const SHOWN: usize = 40;

/// Returns the message for a value that does not match a pattern, for example `"a b" may have letters only`.
pub(crate) fn mismatch(value: &str, pattern: &str) -> String {
    let known = TYPED.iter().chain(&OTHERS).find(|(known, _)| *known == pattern);
    let words = known.map_or_else(|| format!("must match the pattern {pattern}"), |(_, words)| (*words).to_owned());
    let mut shown: String = value.chars().take(SHOWN).collect();
    if shown.len() < value.len() {
        shown.push_str("...");
    }
    format!("{shown:?} {words}")
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::spec;
    use crate::spec::lower::TEXT_PATTERNS;

    /// Collects all patterns of a description.
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
        let is_known = |pattern: &String| TYPED.iter().chain(&OTHERS).any(|(known, _)| known == pattern);
        // A schema includes all others of its document, also those of responses.
        let response_only = ["^API", "^ModelArts", "^(-1|[1-5])$", "^[0-3]$"];
        let unknown: Vec<_> = found
            .iter()
            .filter(|pattern| !is_known(pattern) && !response_only.iter().any(|start| pattern.starts_with(start)))
            .collect();
        assert!(unknown.is_empty(), "{unknown:?}");
    }

    #[test]
    fn types_accept_what_their_patterns_accept() {
        let parts =
            ["", "a", "Z", "9", "-", "_", " ", "é", ";", "'", "$", "s3a://", "S3A://", "/", ".sql", ".SQL", "\n"];
        let mut texts: Vec<String> = (0..=30).map(|number| number.to_string()).collect();
        texts.extend(["007".to_owned(), "+1".to_owned(), "1 ".to_owned(), "-1".to_owned(), "256".to_owned()]);
        for one in parts {
            for other in parts {
                texts.extend(parts.iter().map(|last| [one, other, last].concat()));
            }
        }
        for (pattern, name) in TEXT_PATTERNS {
            let validator = jsonschema::validator_for(&json!({"type": "string", "pattern": pattern})).unwrap();
            let mut accepted = 0;
            for text in &texts {
                let (own, matches) = typed(name, text).unwrap_or_else(|| panic!("no pattern of the name {name}"));
                assert_eq!(own, *pattern);
                assert_eq!(matches, validator.is_valid(&json!(text)), "{name}: {text:?}");
                accepted += usize::from(matches);
            }
            assert!(accepted > 0 && accepted < texts.len(), "{name} accepts {accepted}");
        }
        assert_eq!(TEXT_PATTERNS.len(), TYPED.len());
    }

    #[test]
    fn a_mismatch_shows_the_value() {
        let said = mismatch("a b", r"^[A-Za-z0-9_-]*$");
        assert_eq!(said, r#""a b" may have letters, digits, "-" and "_" only"#);
        assert_eq!(mismatch(&"é".repeat(50), "x"), format!("\"{}...\" must match the pattern x", "é".repeat(40)));
    }
}
