//! Makes untrusted text safe for a terminal.
//!
//! A response can contain control sequences that clear the screen, change the title of the window or type for the user,
//! characters that reverse the order of reading, and line breaks that forge a line. The functions of this module make
//! them visible: `\u{1b}` means the character ESC. This crate and `hwjobs` use them for all text that they print for
//! people.
//!
//! ```
//! use huaweicloud_jobs::terminal;
//!
//! assert_eq!(terminal::line("done\u{1b}[2J\nsu\u{202e}do"), r"done\u{1b}[2J su\u{202e}do");
//! assert_eq!(terminal::log("\u{1b}[31mred\u{1b}[0m\u{7}\n"), "\u{1b}[31mred\u{1b}[0m\\u{7}\n");
//! ```

use std::borrow::Cow;

/// Returns whether a terminal shows the character itself, in its place.
///
/// Control characters (C0, DEL, C1, line ends and tabs included), line and paragraph separators, characters that change
/// the direction of reading, and invisible characters are not shown.
pub fn is_shown(c: char) -> bool {
    let is_hidden = matches!(c,
        // The Arabic letter mark, spaces of no width, marks of direction.
        '\u{61c}' | '\u{180e}' | '\u{200b}' | '\u{200e}' | '\u{200f}'
        // Line and paragraph separators, embeddings, overrides, isolates, and other format characters.
        | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
        | '\u{feff}' | '\u{fff9}'..='\u{fffb}'
        // Musical format characters, tags.
        | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e007f}');
    !c.is_control() && !is_hidden
}

/// A text as one word of a shell: as it is if no character of it means anything to a shell, or else in quotation marks.
///
/// ```
/// use huaweicloud_jobs::terminal;
///
/// assert_eq!(terminal::word("a-b/c.txt"), "a-b/c.txt");
/// assert_eq!(terminal::word("it's"), r"'it'\''s'");
/// ```
pub fn word(text: &str) -> Cow<'_, str> {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_./:@,+%=".contains(c);
    if !text.is_empty() && text.chars().all(is_plain) {
        text.into()
    } else {
        format!("'{}'", text.replace('\'', r"'\''")).into()
    }
}

/// Returns a text on one line: line breaks and tabs become blanks, and other characters that are not [shown](is_shown)
/// become escapes such as `\u{1b}`.
pub fn line(text: &str) -> Cow<'_, str> {
    escaped(text, |c, out| match c {
        '\n' | '\r' | '\t' | '\u{85}' | '\u{2028}' | '\u{2029}' => out.push(' '),
        _ => out.extend(c.escape_unicode()),
    })
}

/// Returns a text with its lines and tabs. Other characters that are not [shown](is_shown) become escapes.
pub fn text(text: &str) -> Cow<'_, str> {
    escaped(text, keep_layout)
}

/// Returns a text with its lines and tabs, like [`text`], and its colours: the sequences `ESC [ … m`, except the one
/// that conceals text. A carriage return becomes a line break, so that no part of a line overwrites another.
pub fn log(text: &str) -> Cow<'_, str> {
    if text.chars().all(|c| is_shown(c) || c == '\n') {
        return text.into();
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let length = match c {
            '\u{1b}' => colour(rest),
            '\r' if rest.starts_with("\r\n") => Some(2),
            _ => None,
        };
        if let Some(length) = length {
            out.push_str(&rest[..length]);
            rest = &rest[length..];
            continue;
        }
        match c {
            '\r' => out.push('\n'),
            c if is_shown(c) => out.push(c),
            c => keep_layout(c, &mut out),
        }
        rest = &rest[c.len_utf8()..];
    }
    out.into()
}

fn keep_layout(c: char, out: &mut String) {
    match c {
        '\n' | '\t' => out.push(c),
        _ => out.extend(c.escape_unicode()),
    }
}

/// Replaces each character that is not shown.
fn escaped(text: &str, escape: impl Fn(char, &mut String)) -> Cow<'_, str> {
    let Some(first) = text.find(|c| !is_shown(c)) else { return text.into() };
    let mut out = String::with_capacity(text.len() + 8);
    out.push_str(&text[..first]);
    for c in text[first..].chars() {
        if is_shown(c) { out.push(c) } else { escape(c, &mut out) }
    }
    out.into()
}

/// Returns the length of a sequence at the beginning that sets colours.
fn colour(text: &str) -> Option<usize> {
    let parameters = text.strip_prefix("\u{1b}[")?;
    let end = parameters.find(|c: char| !(c.is_ascii_digit() || c == ';' || c == ':'))?;
    if !parameters[end..].starts_with('m') {
        return None;
    }
    let mut numbers = parameters[..end].split([';', ':']).map(|number| number.trim_start_matches('0'));
    while let Some(number) = numbers.next() {
        match number {
            "8" => return None,
            // The numbers of a colour: its index in a palette, or three parts.
            "38" | "48" | "58" => match numbers.next() {
                Some("5") => drop(numbers.next()),
                Some("2") => drop(numbers.nth(2)),
                _ => {}
            },
            _ => {}
        }
    }
    Some("\u{1b}[".len() + end + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One example of each kind of control or invisible character.
    const HOSTILE: [char; 22] = [
        '\0',
        '\u{7}',
        '\u{8}',
        '\t',
        '\n',
        '\u{b}',
        '\u{c}',
        '\r',
        '\u{e}',
        '\u{1b}',
        '\u{7f}',
        '\u{85}',
        '\u{90}',
        '\u{9b}',
        '\u{9d}',
        '\u{200b}',
        '\u{2028}',
        '\u{2029}',
        '\u{202e}',
        '\u{2066}',
        '\u{feff}',
        '\u{e0041}',
    ];

    #[test]
    fn a_line_stays_a_line_and_shows_everything() {
        for c in HOSTILE {
            assert!(!is_shown(c), "{c:?}");
            let shown = line(&format!("a{c}b")).into_owned();
            assert!(shown.chars().all(is_shown) && shown.starts_with('a') && shown.ends_with('b'), "{shown:?}");
            assert!(text(&format!("a{c}b")).chars().all(|c| is_shown(c) || c == '\n' || c == '\t'), "{c:?}");
            assert!(log(&format!("a{c}b")).chars().all(|c| is_shown(c) || c == '\n' || c == '\t'), "{c:?}");
        }
        for harmless in ["", "plain", "Übung 训练任务 🚀 👩‍🚀 é", "\u{644}\u{200c}\u{645}"] {
            assert!(matches!(line(harmless), Cow::Borrowed(same) if same == harmless), "{harmless}");
            assert_eq!(log(harmless), harmless);
        }
        assert_eq!(text("a\tb\r\nc"), "a\tb\\u{d}\nc");
    }

    #[test]
    fn a_log_keeps_colours_and_nothing_else() {
        let whole = ["\u{1b}[m", "\u{1b}[0m", "\u{1b}[1;31m", "\u{1b}[38;5;8m", "\u{1b}[48;2;8;8;8m", "\u{1b}[38:5:8m"];
        for colours in whole {
            assert_eq!(log(colours), colours);
        }
        let others = [
            "\u{1b}[2J",
            "\u{1b}[H",
            "\u{1b}]0;title\u{7}",
            "\u{1b}]52;c;YQ==\u{7}",
            "\u{1b}P$q\u{1b}\\",
            "\u{1b}[6n",
            "\u{1b}c",
            "\u{1b}[8m",
            "\u{1b}[1;08m",
            "\u{1b}[?25l",
            "\u{1b}[31",
            "\u{1b}",
            "\u{9b}31m",
            "\u{1b}[38;5;1;8m",
            "\u{1b}[>4;1m",
        ];
        for sequence in others {
            let shown = log(sequence);
            assert!(shown.chars().all(is_shown) && shown.starts_with("\\u{"), "{shown:?}");
        }
        assert_eq!(log("50%\r100%\r\nend"), "50%\n100%\r\nend");
    }
}
