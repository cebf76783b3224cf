//! The arguments of a command, made from the description of its operation.

use clap::builder::{PossibleValuesParser, TypedValueParser, ValueParser};
use clap::{Arg, ArgAction, ArgMatches, Command};
use huaweicloud_jobs::spec::Document;
use huaweicloud_jobs::spec::load::{self, Operation};
use huaweicloud_jobs::{json, terminal};
use serde_json::{Map, Value};

use super::exit::{Failure, Usage, usage};
use super::files;

/// Fields whose name is that of a global option, with the name of their flag.
const RENAMED: [(&str, &str); 1] = [("output", "output-path")];

/// A parameter of an operation, or a field of its body.
pub(super) struct Field {
    /// The name on the wire.
    pub(super) name: &'static str,
    place: Place,
    required: bool,
    kind: Kind,
    help: String,
    /// Whether it holds a password.
    is_secret: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Path,
    Query,
    Body,
}

/// The type of a field's value.
#[derive(Clone)]
enum Kind {
    Text,
    Integer {
        low: Option<i64>,
        high: Option<i64>,
    },
    Boolean,
    Choice(Vec<String>),
    /// A list: repeated, or once as a JSON array.
    List(Box<Kind>),
    /// JSON: nested, or with several types.
    Json,
}

impl Kind {
    fn of(document: &'static Value, schema: &'static Value) -> Self {
        let schema = load::resolve_whole(document, schema);
        let number = |key: &str| schema[key].as_i64();
        if let Some(values) = schema["enum"].as_array() {
            return Self::Choice(
                values.iter().map(|value| value.as_str().map_or(value.to_string(), str::to_owned)).collect(),
            );
        }
        match schema["type"].as_str() {
            Some("string") => Self::Text,
            Some("boolean") => Self::Boolean,
            Some("integer") => Self::Integer { low: number("minimum"), high: number("maximum") },
            Some("array") => Self::List(Self::of(document, &schema["items"]).into()),
            _ => Self::Json,
        }
    }

    /// Parses the text of a flag into a value for the body.
    fn value(&self, text: &str) -> Result<Value, String> {
        match self {
            Self::Text => Ok(text.into()),
            Self::Integer { low, high } => {
                let number: i64 = text.parse().map_err(|_| "not a whole number".to_owned())?;
                match (low, high) {
                    (Some(low), _) if number < *low => Err(format!("less than {low}")),
                    (_, Some(high)) if number > *high => Err(format!("more than {high}")),
                    _ => Ok(number.into()),
                }
            }
            Self::Boolean => text.parse::<bool>().map(Value::from).map_err(|_| "neither true nor false".to_owned()),
            // A text that looks like a number and is one of the values is a number.
            Self::Choice(values) if values.iter().any(|value| value == text) => {
                let number = values.iter().all(|value| value.parse::<i64>().is_ok());
                Ok(text.parse::<i64>().ok().filter(|_| number).map_or_else(|| text.into(), Value::from))
            }
            Self::Choice(values) => Err(format!("not one of {}", values.join(", "))),
            Self::List(item) => match text.trim_start().starts_with('[') {
                true => json::parse(text.as_bytes()).map_err(|error| format!("not JSON: {error}")),
                false => item.value(text),
            },
            Self::Json => match json::parse(text.as_bytes()) {
                // `98.00` is not the number 98.
                Ok(value) if !value.is_number() || value.to_string().as_str() == text => Ok(value),
                Ok(_) => Ok(text.into()),
                Err(error) if text.trim_start().starts_with(['{', '[', '"']) => Err(format!("not JSON: {error}")),
                Err(_) => Ok(text.into()),
            },
        }
    }

    /// Returns whether a text is the canonical form of an id: another form would make two ids of one.
    fn check_id(&self, text: &str) -> Result<(), String> {
        if text.trim() != text {
            return Err(format!("`{text}` has blanks around it"));
        }
        match (self, text.parse::<i64>()) {
            (Self::Integer { .. }, Ok(number)) if number.to_string() != text => {
                Err(format!("`{text}` is another way to write {number}"))
            }
            _ => Ok(()),
        }
    }

    fn parser(&self) -> ValueParser {
        let kind = self.clone();
        match self {
            // The values serve suggestions and completions.
            Self::Choice(values) => {
                PossibleValuesParser::new(values.clone()).try_map(move |text| kind.value(&text)).into()
            }
            _ => ValueParser::from(move |text: &str| kind.value(text)),
        }
    }

    fn value_name(&self) -> &'static str {
        match self {
            Self::Text => "TEXT",
            Self::Integer { .. } => "NUMBER",
            Self::Boolean => "true|false",
            Self::Choice(_) => "VALUE",
            Self::List(item) => item.value_name(),
            Self::Json => "JSON",
        }
    }
}

impl Field {
    /// Collects all fields of an operation: path, query, body. The project is that of the session.
    pub(super) fn all(document: &'static Document, operation: Operation<'static>) -> Vec<Self> {
        let root = document.value();
        let parameters = document.parameters(operation).filter(|parameter| parameter["name"] != "project_id");
        let mut fields: Vec<Self> = parameters
            .map(|parameter| Self {
                name: parameter["name"].as_str().unwrap_or_default(),
                place: if parameter["in"] == "path" { Place::Path } else { Place::Query },
                required: parameter["required"] == true,
                kind: Kind::of(root, &parameter["schema"]),
                help: help(root, parameter, &parameter["schema"]),
                is_secret: false,
            })
            .collect();
        if let Some(schema) = document.request_schema(operation) {
            let schema = load::resolve_whole(root, schema);
            for (name, field) in schema["properties"].as_object().into_iter().flatten() {
                fields.push(Self {
                    name,
                    place: Place::Body,
                    required: schema["required"]
                        .as_array()
                        .is_some_and(|required| required.contains(&name.as_str().into())),
                    kind: Kind::of(root, field),
                    help: help(root, field, field),
                    is_secret: has_password(root, field),
                });
            }
        }
        fields
    }

    pub(super) fn is_in_path(&self) -> bool {
        self.place == Place::Path
    }

    pub(super) fn is_in_body(&self) -> bool {
        self.place == Place::Body
    }

    /// Returns the id of the argument, distinct from those of the global options.
    pub(super) fn id(&self) -> String {
        format!("field {}", self.name)
    }

    /// Makes a query parameter optional, for a command that finds its value itself.
    pub(super) fn make_optional_in_query(&mut self) {
        self.required &= self.is_in_path();
    }

    /// Returns the name of the field on the command line.
    pub(super) fn flag(&self) -> String {
        if let Some((_, renamed)) = RENAMED.iter().find(|(name, _)| *name == self.name) {
            return (*renamed).to_owned();
        }
        let mut flag = String::new();
        for letter in self.name.chars() {
            match letter {
                '_' => flag.push('-'),
                letter if letter.is_ascii_uppercase() => flag.extend(['-', letter.to_ascii_lowercase()]),
                letter => flag.push(letter),
            }
        }
        flag
    }

    /// Parses the text of a cell in a table of updates into a value for the request.
    pub(super) fn value(&self, text: &str) -> Result<Value, String> {
        self.kind.value(text).map(|value| match (&self.kind, value) {
            (Kind::List(_), value @ Value::Array(_)) => value,
            (Kind::List(_), item) => Value::Array(vec![item]),
            (_, value) => value,
        })
    }

    /// Validates the form of an id.
    pub(super) fn check_id(&self, text: &str) -> Result<(), String> {
        if !self.is_in_path() {
            return Ok(());
        }
        self.kind.check_id(text).map_err(|reason| format!("{}: {reason}", self.name))
    }

    /// Reads the value of a field with a password, from its argument or the standard input.
    fn secret(&self, matches: &ArgMatches) -> Result<Option<Value>, Failure> {
        let text = match matches.get_one::<String>(&self.id()) {
            None => return Ok(None),
            Some(text) if text == "-" => {
                if matches.get_one::<String>("body").is_some_and(|body| body == "-") {
                    let flag = self.flag();
                    return Ok(usage(format!("--{flag} - and --body - both read the standard input"))?);
                }
                files::text("-")?
            }
            Some(text) => text.clone(),
        };
        // The error names the place in the text, but not its content.
        let value = json::parse(text.as_bytes()).map_err(|error| {
            let (flag, line, column) = (self.flag(), error.line(), error.column());
            Usage(format!("--{flag}: not JSON, or a field of it comes twice: line {line}, column {column}"))
        });
        Ok(Some(value?))
    }

    /// Returns the argument. `many` allows several ids for the last one of a path; `elsewhere` are the arguments that
    /// can replace this one.
    fn argument(&self, many: bool, elsewhere: &[&'static str]) -> Arg {
        let mark = if self.required && !self.is_in_path() { " (required)" } else { "" };
        let argument = Arg::new(self.id()).help(format!("{}{mark}", self.help)).allow_negative_numbers(true);
        let argument = match (&self.place, &self.kind) {
            (Place::Path, kind) => {
                let kind = kind.clone();
                let parser = move |text: &str| kind.check_id(text).map(|()| text.to_owned());
                let argument = argument.value_name(self.name.to_uppercase()).value_parser(parser);
                if many { argument.num_args(1..) } else { argument }
            }
            // Parsed later, because the parser of the command line repeats invalid values in its errors.
            (_, kind) if self.is_secret => argument.long(self.flag()).value_name(kind.value_name()).help(format!(
                "{}; - reads it from the standard input. A password that is written here is visible to others: in the \
                 list of processes and in the history of the shell{mark}",
                self.help
            )),
            (_, kind) => {
                let argument = argument.long(self.flag()).value_name(kind.value_name()).value_parser(kind.parser());
                if matches!(kind, Kind::List(_)) { argument.action(ArgAction::Append) } else { argument }
            }
        };
        match (self.required, elsewhere) {
            (true, []) => argument.required(true),
            (true, elsewhere) => argument.required_unless_present_any(elsewhere.iter().copied()),
            (false, _) => argument,
        }
    }

    fn given(&self, matches: &ArgMatches) -> Option<Value> {
        let mut values = matches.get_many::<Value>(&self.id())?.cloned();
        match &self.kind {
            Kind::List(_) => Some(Value::Array(
                values
                    .flat_map(|value| match value {
                        Value::Array(items) => items,
                        item => vec![item],
                    })
                    .collect(),
            )),
            _ => values.next(),
        }
    }
}

/// Returns whether a described value holds a password.
fn has_password(root: &'static Value, schema: &'static Value) -> bool {
    let schema = load::resolve_whole(root, schema);
    let parts = ["allOf", "anyOf", "oneOf"].into_iter().filter_map(|key| schema[key].as_array()).flatten();
    let fields = schema["properties"].as_object().into_iter().flatten().map(|(_, field)| field);
    schema["format"] == "password"
        || parts.chain(fields).chain(schema.get("items")).any(|part| has_password(root, part))
}

/// Returns the help of a field: its description, and the default of the service.
fn help(root: &'static Value, described: &Value, schema: &'static Value) -> String {
    let schema = load::resolve(root, schema);
    let text = described["description"].as_str().or_else(|| load::resolve_whole(root, schema)["description"].as_str());
    let text = text.unwrap_or_default().trim_end_matches('.').to_owned();
    match &schema["default"] {
        Value::Null => text,
        Value::String(default) if default.is_empty() => text,
        Value::String(default) => format!("{text} [default of the service: {default}]"),
        default => format!("{text} [default of the service: {default}]"),
    }
}

/// Adds the arguments of an operation to a command. `many` allows several ids for the last one; `from` replaces all of
/// them.
pub(super) fn add(command: Command, fields: &[Field], many: bool, from: bool) -> Command {
    let last = fields.iter().rposition(Field::is_in_path);
    let (file, body): (&[_], &[_]) = if from { (&["from"], &["body", "from"]) } else { (&[], &["body"]) };
    let mut command = command;
    for (index, field) in fields.iter().enumerate() {
        let elsewhere = if field.is_in_body() { body } else { file };
        command = command.arg(field.argument(many && Some(index) == last, elsewhere));
    }
    if fields.iter().any(Field::is_in_body) {
        let whole = Arg::new("body").long("body").value_name("FILE");
        let help = "File with the whole body as JSON, - for standard input; flags override its fields";
        command = command.arg(whole.help(help));
    }
    command
}

/// Returns the given values of path and query by name; of several ids the first.
pub(super) fn parameters(fields: &[Field], matches: &ArgMatches) -> Vec<(&'static str, String)> {
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    fields
        .iter()
        .filter(|field| !field.is_in_body())
        .filter_map(|field| match field.place {
            Place::Path => Some((field.name, matches.get_one::<String>(&field.id())?.clone())),
            _ => Some((field.name, text(&field.given(matches)?))),
        })
        .collect()
}

/// Builds the body from the file, then the flags. It may be `empty` where the rows of a table supply the rest.
pub(super) fn body(fields: &[Field], matches: &ArgMatches, empty: bool) -> Result<Option<Value>, Failure> {
    if !fields.iter().any(Field::is_in_body) {
        return Ok(None);
    }
    let mut body = match matches.get_one::<String>("body") {
        Some(file) => files::json(file)?,
        None => Value::Object(Map::new()),
    };
    for field in fields.iter().filter(|field| field.is_in_body()) {
        let value = if field.is_secret { field.secret(matches)? } else { field.given(matches) };
        if let Some(value) = value {
            let Some(body) = body.as_object_mut() else {
                return Ok(usage("--body: the JSON is no object, so flags cannot be put over it")?);
            };
            body.insert(field.name.to_owned(), value);
        }
    }
    if !empty && body.as_object().is_some_and(Map::is_empty) && !matches.contains_id("body") {
        let flags: Vec<_> =
            fields.iter().filter(|field| field.is_in_body()).map(|field| format!("--{}", field.flag())).collect();
        return Ok(usage(format!("nothing is given: use --body or some of {}", flags.join(", ")))?);
    }
    Ok(Some(body))
}

/// Makes an example of the command from the example of the documents.
pub(super) fn example(
    words: &str,
    document: &'static Document,
    operation: Operation<'static>,
    fields: &[Field],
    more: &str,
) -> String {
    let documented = document.examples(operation).into_iter().find(|example| example.parameters.is_some());
    let (mut lines, mut line) = (Vec::new(), format!("hwjobs {words}"));
    let mut say = |text: String| {
        // Lines fit a terminal of 80 columns, so that they can be copied.
        if line.len() + text.len() > 74 {
            lines.push(std::mem::take(&mut line) + " \\");
            line.push_str("   ");
        }
        line.push(' ');
        line.push_str(&text);
    };
    let request = documented.and_then(|example| example.request);
    let small = request.is_none_or(|request| {
        request.as_object().is_some_and(|fields| fields.len() <= 4 && fields.values().all(|value| !value.is_object()))
    });
    for field in fields {
        let from = if field.is_in_body() {
            request.filter(|_| small).and_then(|request| request.get(field.name))
        } else {
            documented.and_then(|example| example.parameters?.get(field.name))
        };
        match from {
            Some(value) if field.is_in_path() => say(word(value)),
            Some(Value::Array(items)) if items.is_empty() => say(format!("--{} '[]'", field.flag())),
            Some(Value::Array(items)) => {
                items.iter().for_each(|item| say(format!("--{} {}", field.flag(), word(item))))
            }
            Some(value) => say(format!("--{} {}", field.flag(), word(value))),
            None if field.is_in_path() => say(field.name.to_uppercase()),
            None => {}
        }
    }
    if !small {
        say("--body body.json".to_owned());
    }
    if !more.is_empty() {
        say(more.to_owned());
    }
    lines.push(line);
    lines.join("\n  ")
}

/// A value as one word of a shell.
fn word(value: &Value) -> String {
    let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    terminal::word(&text).into_owned()
}
