//! The description as data: the OpenAPI documents, their operations, schemas and examples.
//!
//! The documents are hand-written and strict: they follow Huawei Cloud's documentation. The emulator enforces them and
//! the contract tests assert them. `build.rs` checks them, derives a tolerant view and generates the client from that
//! view.
//!
//! ```
//! use huaweicloud_jobs::spec;
//!
//! let (document, operation) = spec::operation("update_training_job").expect("it is described");
//! assert_eq!((operation.method, operation.path), ("put", "/v1/{project_id}/training-jobs/{job_id}"));
//! let example = &document.examples(operation)[0];
//! assert_eq!(example.request.unwrap()["job_desc"], "This is a ModelArts job");
//! ```

#[cfg(any(feature = "raw", feature = "contract"))]
mod address;
#[cfg(test)]
#[allow(unreachable_pub, reason = "build.rs uses them too")]
mod check;
pub mod clouds;
pub mod compat;
pub mod deviations;
pub mod differences;
mod document;
#[allow(unreachable_pub, reason = "build.rs uses it too")]
#[cfg_attr(not(feature = "emulator"), allow(dead_code, reason = "the emulator alone needs the rules"))]
mod edition;
pub mod errors;
mod json_schema;
mod list;
pub mod load;
#[cfg(test)]
#[allow(unreachable_pub, reason = "build.rs uses them too")]
pub(crate) mod lower;
pub mod overlay;
#[cfg(feature = "publish")]
pub mod publish;
#[cfg(all(test, feature = "schemars"))]
mod rust_types;
#[cfg(any(test, feature = "publish"))]
#[allow(unreachable_pub, reason = "build.rs uses it too")]
mod schema;
#[cfg(any(test, feature = "publish"))]
#[allow(unreachable_pub, reason = "build.rs uses it too")]
mod states;
#[cfg(test)]
mod tests;
#[cfg(any(feature = "emulator", feature = "contract"))]
mod undescribed;

use crate::shape;
pub use crate::shape::{ListShape, PageShape};
#[cfg(any(feature = "raw", feature = "contract"))]
pub(crate) use address::address;
#[cfg(any(feature = "emulator", feature = "publish"))]
pub(crate) use document::control;
pub use document::{Document, documents, documents_of, operation};
#[cfg(feature = "emulator")]
pub(crate) use document::{rules, rules_of};
pub use list::list;
pub use load::Example;
#[cfg(any(feature = "emulator", feature = "contract"))]
pub(crate) use undescribed::undescribed;

#[cfg(any(feature = "contract", feature = "publish"))]
/// Escapes a text for HTML, and formats `code` in backticks.
pub(crate) fn html(text: &str) -> String {
    let escaped = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;");
    escaped.split('`').enumerate().fold(String::new(), |page, (index, part)| {
        if index % 2 == 1 { page + "<code>" + part + "</code>" } else { page + part }
    })
}
