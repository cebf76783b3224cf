//! Reads ids of objects out of requests and responses.

use serde_json::Value;

use super::compare::plain;
use super::model::Object;
use crate::api::wire::{Segment, checked};
use crate::error::Error;

/// The longest id that is used, in bytes: it is part of an address.
const LONGEST_ID: usize = 512;

/// Returns the object in a response that wraps it in one field.
pub(super) fn unwrapped(reply: &Value) -> &Value {
    let inner = reply.as_object().and_then(|fields| fields.values().find(|value| value.get("id").is_some()));
    inner.unwrap_or(reply)
}

/// Returns the id of a new object: from the response or, where the name is the id, from the request.
///
/// # Errors
///
/// The id in the response would change the path of a request.
pub(super) fn id_of(described: &Object, reply: &Value, request: Option<&Value>) -> Result<Option<String>, Error> {
    let parameter = described.parameter;
    let own = unwrapped(reply);
    let ids = [reply.get(parameter), own.get("id"), request.and_then(|request| request.get(parameter))];
    let id = ids.into_iter().flatten().find_map(plain).filter(|id| !id.is_empty());
    id.map(|id| usable_id(parameter, id)).transpose()
}

/// Returns an id of a response, if it can be a segment of a path.
pub(super) fn usable_id(parameter: &'static str, id: String) -> Result<String, Error> {
    if id.len() > LONGEST_ID {
        return Err(Error::invalid_field(parameter, format!("has {} bytes; ids have up to {LONGEST_ID}", id.len())));
    }
    checked::<Segment>(parameter, &id)?;
    Ok(id)
}

/// Returns the id of an item of a list.
pub(super) fn item_id(described: &Object, item: &Value) -> Option<String> {
    item.get(described.parameter).or_else(|| item.get("id")).and_then(plain)
}
