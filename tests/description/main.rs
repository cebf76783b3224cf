//! The description: the documents, what is made of them, the guides and their links.

#[cfg(feature = "spec")]
#[path = "../fixtures/mod.rs"]
mod fixtures;

mod coverage;
mod doc_tables;
mod documents;
mod guide_code;
mod guide_spans;
mod links;
mod publication;
