//! Counts the differences that several clauses have in common.

use std::collections::BTreeMap;

use super::super::verdict::{Check, Report};
use crate::terminal;

/// A difference that several clauses have in common.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct CommonDifference {
    /// The check that found it.
    pub check: Check,
    /// The number of clauses that have it.
    pub clauses: usize,
    /// The text of the first of these differences, on one line.
    pub text: String,
    /// The id of the first of these clauses.
    pub example: String,
}

impl Report {
    /// Returns the differences of the report, the most common first.
    ///
    /// Two texts are of the same difference if they have the same status, or are equal except for names in backticks, texts in
    /// quotes and numbers of four digits and more. Only the first difference of a clause counts.
    pub fn common_differences(&self) -> Vec<CommonDifference> {
        let mut found: BTreeMap<(Check, String), CommonDifference> = BTreeMap::new();
        for outcome in self.failures() {
            let Some(first) = outcome.differences.first() else { continue };
            let text = terminal::line(&first.text).into_owned();
            let common = found.entry((first.check, shape(&text))).or_insert_with(|| CommonDifference {
                check: first.check,
                clauses: 0,
                text,
                example: outcome.id.clone(),
            });
            common.clauses += 1;
        }
        let mut found: Vec<CommonDifference> = found.into_values().collect();
        found.sort_by_key(|common| std::cmp::Reverse(common.clauses));
        found
    }
}

/// Returns a text without its parts that differ from clause to clause. A text with the status of a response ends there, since
/// the body has the names of objects.
fn shape(text: &str) -> String {
    let is_status = |word: &&str| word.len() == 3 && word.parse().is_ok_and(|status| (100..600).contains(&status));
    let words: Vec<&str> = text.split(' ').collect();
    // A status after the name of a field is a value that the field has.
    let is_field = |word: &&str| word.contains('`');
    if let Some(at) = words.iter().position(is_status).filter(|at| !words[..*at].iter().any(is_field)) {
        let front = words[..at].iter().rposition(|word| word.ends_with(':')).map_or(0, |colon| colon + 1);
        return words[front..=at].join(" ");
    }
    let mut shape = String::new();
    let (mut quote, mut digits) = (None, 0);
    for c in text.chars() {
        match quote {
            Some(end) if c == end => quote = None,
            Some(_) => continue,
            None if c == '`' || c == '"' => quote = Some(c),
            None => {}
        }
        digits = if c.is_ascii_digit() { digits + 1 } else { 0 };
        if digits == 4 {
            shape.truncate(shape.len() - 3);
        }
        if digits < 4 {
            shape.push(c);
        }
    }
    shape
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_of_one_kind_have_one_shape() {
        assert_eq!(shape("`a` is 12345, documented is 200"), shape("`b/c` is 9999, documented is 200"));
        assert_ne!(shape("404 instead of 200"), shape("500 instead of 200"));
        assert_eq!(
            shape(r#"an unknown id: 500 {"error_msg":"one"}"#),
            shape(r#"500 {"error_msg":"two"} instead of 200"#)
        );
        assert_ne!(shape("a bad token: accepted with 200 {}"), shape("200 instead of 401"));
    }
}
