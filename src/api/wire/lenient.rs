//! Deserializes fields of responses in every form that services print. `build.rs` uses these functions in the generated
//! types.

use std::fmt;

use serde::de::{self, DeserializeOwned, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::{Number, Value};

use super::Boolean;

/// A string that may be printed as a number or as a boolean.
struct AnyText(String);

impl<'de> Deserialize<'de> for AnyText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct TextVisitor;
        impl Visitor<'_> for TextVisitor {
            type Value = AnyText;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<AnyText, E> {
                Ok(AnyText(text.to_owned()))
            }

            fn visit_string<E: de::Error>(self, text: String) -> Result<AnyText, E> {
                Ok(AnyText(text))
            }

            fn visit_bool<E: de::Error>(self, value: bool) -> Result<AnyText, E> {
                Ok(AnyText(value.to_string()))
            }

            fn visit_i64<E: de::Error>(self, number: i64) -> Result<AnyText, E> {
                Ok(AnyText(number.to_string()))
            }

            fn visit_u64<E: de::Error>(self, number: u64) -> Result<AnyText, E> {
                Ok(AnyText(number.to_string()))
            }

            fn visit_f64<E: de::Error>(self, number: f64) -> Result<AnyText, E> {
                let number = Number::from_f64(number).ok_or_else(|| E::custom("the number is not finite"))?;
                Ok(AnyText(number.to_string()))
            }
        }
        deserializer.deserialize_any(TextVisitor)
    }
}

/// Reads a text.
pub(crate) fn text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    AnyText::deserialize(deserializer).map(|AnyText(text)| text)
}

/// Reads a text that may be null.
pub(crate) fn optional_text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    Ok(Option::deserialize(deserializer)?.map(|AnyText(text)| text))
}

/// Reads a text; null is the empty one.
pub(crate) fn text_or_empty<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    optional_text(deserializer).map(Option::unwrap_or_default)
}

/// Reads a list of texts; null is the empty one.
pub(crate) fn texts<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    optional_texts(deserializer).map(Option::unwrap_or_default)
}

/// Reads a list of texts that may be null.
pub(crate) fn optional_texts<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Vec<String>>, D::Error> {
    let texts: Option<Vec<AnyText>> = Option::deserialize(deserializer)?;
    Ok(texts.map(|texts| texts.into_iter().map(|AnyText(text)| text).collect()))
}

/// Reads a truth value.
pub(crate) fn truth<'de, D: Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    Boolean::deserialize(deserializer).map(Boolean::get)
}

/// Reads a truth value that may be null or the empty text.
pub(crate) fn optional_truth<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<bool>, D::Error> {
    Ok(optional_scalar::<Boolean, D>(deserializer)?.map(Boolean::get))
}

/// Reads a truth value; null is `true`.
pub(crate) fn truth_or_yes<'de, D: Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    optional_truth(deserializer).map(|value| value.unwrap_or(true))
}

/// Returns the value of a field that a successful response leaves out.
pub(crate) fn yes() -> bool {
    true
}

/// Reads a number, a time or a truth value that may be null or the empty text.
pub(crate) fn optional_scalar<'de, T: DeserializeOwned, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<T>, D::Error> {
    match Value::deserialize(deserializer)? {
        Value::Null => Ok(None),
        Value::String(text) if text.is_empty() => Ok(None),
        value => T::deserialize(value).map(Some).map_err(de::Error::custom),
    }
}

/// Reads a value; null is the empty one.
pub(crate) fn or_default<'de, T: Deserialize<'de> + Default, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<T, D::Error> {
    Option::deserialize(deserializer).map(Option::unwrap_or_default)
}
