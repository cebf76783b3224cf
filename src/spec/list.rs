//! The shape of a list: the extension `x-list` of an operation.

use serde_json::Value;

use super::load::Operation;
use super::shape::{ListShape, PageShape};

/// The keys of `x-list`.
#[cfg_attr(not(test), allow(dead_code, reason = "build.rs uses it"))]
#[allow(unreachable_pub, reason = "build.rs uses it too")]
pub const KEYS: [&str; 10] =
    ["items", "id", "total", "number", "first", "ambiguous", "marker", "next", "size", "default"];

/// Returns how an operation lists objects, or `None` if it does not list any.
///
/// ```
/// use huaweicloud_jobs::spec;
///
/// let (_, operation) = spec::operation("list_training_jobs").expect("it is described");
/// let shape = spec::list(operation).expect("it is a list");
/// assert_eq!((shape.items, shape.total), ("jobs", Some("job_total_count")));
/// ```
pub fn list(operation: Operation<'_>) -> Option<ListShape<'_>> {
    let list = operation.value.get("x-list")?;
    let text = |key: &str| list.get(key).and_then(Value::as_str);
    let number = |key: &str| list.get(key).and_then(Value::as_u64).and_then(|number| u32::try_from(number).ok());
    let size = text("size").unwrap_or_default();
    let pages = match (text("number"), text("marker")) {
        (Some(parameter), _) => PageShape::Numbered {
            parameter,
            first: number("first").unwrap_or(1),
            size,
            default: number("default"),
            ambiguous: list["ambiguous"] == true,
        },
        (None, Some(parameter)) => PageShape::Marked { parameter, next: text("next").unwrap_or_default(), size },
        (None, None) => PageShape::Whole,
    };
    Some(ListShape { items: text("items").unwrap_or_default(), id: text("id"), total: text("total"), pages })
}
