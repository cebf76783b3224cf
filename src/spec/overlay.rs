//! Overlays: changes to a description, written as data.
//!
//! The format is the OpenAPI Overlay Specification 1.0. It leaves open what happens where a value of an update meets one of
//! another kind; as version 1.1 says, lists are joined, objects are merged, and other pairs are an error.

use std::fmt;

use serde_json::Value;
use serde_json_path::{JsonPath, PathElement};

/// A parsed overlay.
#[derive(Clone, Debug)]
pub struct Overlay {
    actions: Vec<Action>,
}

/// One change.
#[derive(Clone, Debug)]
struct Action {
    target: JsonPath,
    change: Change,
}

#[derive(Clone, Debug)]
enum Change {
    Update(Value),
    Remove,
}

/// Why an overlay cannot be read or applied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OverlayError {
    /// The place of the action in the list, counted from 0; none where the overlay as a whole is wrong.
    pub action: Option<usize>,
    /// What is wrong with it.
    pub reason: String,
}

impl fmt::Display for OverlayError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.action {
            Some(index) => write!(f, "actions[{index}]: {}", self.reason),
            None => f.write_str(&self.reason),
        }
    }
}

impl std::error::Error for OverlayError {}

impl Overlay {
    /// Reads an overlay.
    ///
    /// # Errors
    ///
    /// Fails if a required field is missing, a field is of another type or unknown, the version is not 1.0, or a target is
    /// not a JSONPath expression of RFC 9535.
    pub fn parse(overlay: &Value) -> Result<Self, OverlayError> {
        let whole = |reason: String| OverlayError { action: None, reason };
        only(overlay, &["overlay", "info", "extends", "actions"]).map_err(whole)?;
        match overlay["overlay"].as_str() {
            Some(version) if version == "1.0" || version.starts_with("1.0.") => {}
            Some(version) => return Err(whole(format!("the version is {version}; only 1.0 is supported"))),
            None => return Err(whole("`overlay` is missing or not a text".to_owned())),
        }
        only(&overlay["info"], &["title", "version"]).map_err(|reason| whole(format!("info: {reason}")))?;
        for key in ["title", "version"] {
            if !overlay["info"][key].is_string() {
                return Err(whole(format!("info: `{key}` is missing or not a text")));
            }
        }
        if overlay.get("extends").is_some_and(|extends| !extends.is_string()) {
            return Err(whole("`extends` is not a text".to_owned()));
        }
        let actions = overlay["actions"].as_array().filter(|actions| !actions.is_empty());
        let actions = actions.ok_or_else(|| whole("`actions` is missing, empty or not a list".to_owned()))?;
        let actions = actions.iter().enumerate().map(|(index, action)| {
            Action::parse(action).map_err(|reason| OverlayError { action: Some(index), reason })
        });
        Ok(Self { actions: actions.collect::<Result<_, _>>()? })
    }

    /// Applies the actions in their order and returns how many nodes each of them selected.
    ///
    /// # Errors
    ///
    /// Fails if an update does not fit the selected node. The document is then changed in part.
    pub fn apply(&self, document: &mut Value) -> Result<Vec<usize>, OverlayError> {
        let mut counts = Vec::with_capacity(self.actions.len());
        for (index, action) in self.actions.iter().enumerate() {
            let count = action.apply(document).map_err(|reason| OverlayError { action: Some(index), reason })?;
            counts.push(count);
        }
        Ok(counts)
    }
}

impl Action {
    fn parse(action: &Value) -> Result<Self, String> {
        only(action, &["target", "description", "update", "remove"])?;
        if action.get("description").is_some_and(|description| !description.is_string()) {
            return Err("`description` is not a text".to_owned());
        }
        let target = action["target"].as_str().ok_or("`target` is missing or not a text")?;
        let target = JsonPath::parse(target).map_err(|error| format!("`target` is not a JSONPath: {error}"))?;
        let remove = match action.get("remove") {
            None => false,
            Some(remove) => remove.as_bool().ok_or("`remove` is neither true nor false")?,
        };
        let change = match (remove, action.get("update")) {
            (true, _) => Change::Remove,
            (false, Some(update)) => Change::Update(update.clone()),
            (false, None) => return Err("it has neither `update` nor `remove`".to_owned()),
        };
        Ok(Self { target, change })
    }

    fn apply(&self, document: &mut Value) -> Result<usize, String> {
        let nodes = self.target.query_located(document);
        let mut places: Vec<Vec<Step>> = nodes.locations().map(|place| place.iter().map(Step::of).collect()).collect();
        // What lies inside or behind another selected node is changed first, so that its place is still right.
        places.sort_by(|one, other| other.cmp(one));
        places.dedup();
        for place in &places {
            match &self.change {
                Change::Remove => remove(document, place)?,
                Change::Update(update) => {
                    let node = node(document, place).ok_or("a selected node has gone")?;
                    match node {
                        Value::Object(_) => merge(node, update)?,
                        Value::Array(items) => items.push(update.clone()),
                        _ => return Err(format!("it selects {node}, which is neither an object nor a list")),
                    }
                }
            }
        }
        Ok(places.len())
    }
}

/// A step on the way to a node. The order is that of the items of a list; names have any order.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Step {
    Name(String),
    Index(usize),
}

impl Step {
    fn of(element: &PathElement<'_>) -> Self {
        match element {
            PathElement::Name(name) => Self::Name((*name).to_owned()),
            PathElement::Index(index) => Self::Index(*index),
        }
    }
}

fn node<'a>(document: &'a mut Value, place: &[Step]) -> Option<&'a mut Value> {
    place.iter().try_fold(document, |node, step| match step {
        Step::Name(name) => node.get_mut(name),
        Step::Index(index) => node.get_mut(index),
    })
}

fn remove(document: &mut Value, place: &[Step]) -> Result<(), String> {
    let Some((last, parents)) = place.split_last() else {
        return Err("it removes the whole document".to_owned());
    };
    match (node(document, parents), last) {
        (Some(Value::Object(fields)), Step::Name(name)) => drop(fields.shift_remove(name)),
        (Some(Value::Array(items)), Step::Index(index)) if *index < items.len() => drop(items.remove(*index)),
        _ => {}
    }
    Ok(())
}

/// Merges an update into an object.
fn merge(target: &mut Value, update: &Value) -> Result<(), String> {
    match (target, update) {
        (Value::Object(target), Value::Object(update)) => {
            for (name, value) in update {
                match target.get_mut(name) {
                    Some(old) => merge(old, value).map_err(|reason| format!("{name}: {reason}"))?,
                    None => drop(target.insert(name.clone(), value.clone())),
                }
            }
        }
        (Value::Array(target), Value::Array(update)) => target.extend(update.iter().cloned()),
        (Value::Object(_) | Value::Array(_), _) | (_, Value::Object(_) | Value::Array(_)) => {
            return Err("the update is of another kind than what is there".to_owned());
        }
        (target, update) => *target = update.clone(),
    }
    Ok(())
}

/// Whether a value is an object that has no other fields than these and extensions.
fn only(value: &Value, known: &[&str]) -> Result<(), String> {
    let fields = value.as_object().ok_or("is not an object")?;
    match fields.keys().find(|key| !known.contains(&key.as_str()) && !key.starts_with("x-")) {
        Some(key) => Err(format!("the field `{key}` is unknown")),
        None => Ok(()),
    }
}
