//! Compiles the OpenAPI descriptions into clients: load, check, lower, generate.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::{env, fs, process};

use progenitor::{GenerationSettings, Generator, HooksMode, InterfaceStyle, TagStyle, TypeImpl};
use serde_json::Value;

#[path = "build/calls.rs"]
mod calls;
#[path = "src/spec/check/mod.rs"]
#[allow(dead_code, unreachable_pub, reason = "the build uses a part of what the crate uses")]
mod check;
#[path = "build/clouds.rs"]
mod clouds;
#[path = "src/spec/edition.rs"]
#[allow(dead_code, unreachable_pub, reason = "the build uses a part of what the crate uses")]
mod edition;
#[path = "build/guides.rs"]
mod guides;
#[path = "src/spec/list.rs"]
#[allow(dead_code, unreachable_pub, reason = "the build uses a part of what the crate uses")]
mod list;
#[path = "src/spec/load.rs"]
#[allow(dead_code, unreachable_pub, reason = "the build uses a part of what the crate uses")]
mod load;
#[path = "src/spec/lower/mod.rs"]
#[allow(dead_code, unreachable_pub, unused_imports, reason = "the build uses a part of what the crate uses")]
mod lower;
#[path = "src/spec/overlay.rs"]
#[allow(dead_code, unreachable_pub, reason = "the build uses a part of what the crate uses")]
mod overlay;
#[path = "src/spec/schema.rs"]
#[allow(dead_code, unreachable_pub, reason = "the build uses a part of what the crate uses")]
mod schema;
#[path = "src/shape.rs"]
#[allow(dead_code, unreachable_pub, reason = "the build uses a part of what the crate uses")]
mod shape;
#[path = "src/spec/states.rs"]
#[allow(dead_code, unreachable_pub, reason = "the build uses a part of what the crate uses")]
mod states;

const SERVICES: [&str; 3] = ["iam", "modelarts", "mrs"];
/// The files of error codes.
const FAMILIES: [&str; 4] = ["gateway", "iam", "modelarts", "mrs"];

fn main() {
    for rules in [
        "build.rs",
        "build",
        "src/shape.rs",
        "src/spec/check",
        "src/spec/edition.rs",
        "src/spec/list.rs",
        "src/spec/load.rs",
        "src/spec/lower",
        "src/spec/schema.rs",
        "src/spec/overlay.rs",
        "src/spec/states.rs",
    ] {
        println!("cargo::rerun-if-changed={rules}");
    }
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets OUT_DIR"));
    let mut generated = Vec::new();
    for service in SERVICES {
        let file = format!("openapi/{service}.yaml");
        println!("cargo::rerun-if-changed={file}");
        match compile(service, &file, &out.join(format!("{service}.rs"))) {
            Ok(names) => generated.push((service, names)),
            Err(message) => {
                println!("cargo::error={message}");
                process::exit(1);
            }
        }
    }
    if ["EMULATOR", "PUBLISH"].iter().any(|name| env::var_os(format!("CARGO_FEATURE_{name}")).is_some()) {
        println!("cargo::rerun-if-changed=openapi/emulator.yaml");
        if let Err(message) = read("openapi/emulator.yaml", &out.join("emulator.json")) {
            println!("cargo::error={message}");
            process::exit(1);
        }
    }
    if env::var_os("CARGO_FEATURE_PUBLISH").is_some() {
        println!("cargo::rerun-if-changed=tests/signing");
        if let Err(message) = signing_vectors(&out.join("signing.json")) {
            println!("cargo::error={message}");
            process::exit(1);
        }
    }
    if with_schemas() {
        fs::write(out.join("schemas.rs"), schemas(&generated)).expect("a build script may write into OUT_DIR");
    }
    println!("cargo::rerun-if-changed={}", clouds::FOLDER);
    if let Err(message) = clouds::write(&out) {
        println!("cargo::error={message}");
        process::exit(1);
    }
    if let Err(message) = guides::write(&out.join("guides")) {
        println!("cargo::error={message}");
        process::exit(1);
    }
    println!("cargo::rerun-if-changed=openapi/errors");
    if let Err(message) = error_codes(&out) {
        println!("cargo::error={message}");
        process::exit(1);
    }
}

/// The cases of `tests/signing` as one JSON array, ordered by file name.
fn signing_vectors(target: &Path) -> Result<(), String> {
    let folder = fs::read_dir("tests/signing").map_err(|error| format!("tests/signing: {error}"))?;
    let mut files: Vec<PathBuf> = folder.filter_map(|entry| Some(entry.ok()?.path())).collect();
    files.retain(|file| file.extension().is_some_and(|kind| kind == "json"));
    files.sort();
    let mut vectors = Vec::new();
    for file in files {
        let text = fs::read_to_string(&file).map_err(|error| format!("{}: {error}", file.display()))?;
        vectors.push(serde_json::from_str::<Value>(&text).map_err(|error| format!("{}: {error}", file.display()))?);
    }
    fs::write(target, format!("{:#}\n", Value::from(vectors))).map_err(|error| format!("{}: {error}", target.display()))
}

/// The names of the generated files.
struct Names {
    types: Vec<String>,
    open_enums: Vec<String>,
}

/// Returns whether the types derive `JsonSchema`: the feature `schemars`.
fn with_schemas() -> bool {
    env::var_os("CARGO_FEATURE_SCHEMARS").is_some()
}

/// Writes the code that `src/api/schema.rs` includes.
fn schemas(generated: &[(&str, Names)]) -> String {
    let mut enums = String::new();
    let mut arms = String::new();
    for (service, names) in generated {
        for name in &names.open_enums {
            enums += &format!("    super::{service}::open::{name}: {name:?};\n");
        }
        arms += &format!("        {service:?} => {{\n");
        for name in &names.types {
            arms += &format!("            generator.subschema_for::<super::{service}::types::{name}>();\n");
        }
        arms += "        }\n";
    }
    format!(
        "texts! {{\n{enums}}}\n\n/// Adds all types of a service.\n#[cfg(test)]\n\
         pub(crate) fn add(service: &str, generator: &mut SchemaGenerator) {{\n    match service {{\n{arms}        \
         _ => panic!(\"no service {{service}}\"),\n    }}\n}}\n"
    )
}

/// Writes the error codes of all families as one table, ordered by code, and each file as JSON.
fn error_codes(out: &Path) -> Result<(), String> {
    let mut rows = BTreeMap::new();
    let mut words = Vec::new();
    for family in FAMILIES {
        let file = format!("openapi/errors/{family}.yaml");
        let text = fs::read_to_string(&file).map_err(|error| format!("{file}: {error}"))?;
        let data: Value = serde_saphyr::from_str(&text)
            .map_err(|error| format!("{file}: {}", error.to_string().replace('\n', " ")))?;
        for (code, entry) in data["codes"].as_object().ok_or(format!("{file}: no `codes`"))? {
            let row = error_code(family, code, entry).map_err(|reason| format!("{file}: {code}: {reason}"))?;
            if rows.insert(code.clone(), row).is_some() {
                return Err(format!("{file}: {code} is in another file too"));
            }
        }
        words.extend(
            data["token_rejected"].as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned),
        );
        let json = out.join(format!("errors_{family}.json"));
        fs::write(&json, data.to_string()).map_err(|error| format!("{}: {error}", json.display()))?;
    }
    let rows: String = rows.into_values().collect();
    fs::write(
        out.join("error_codes.rs"),
        format!("static ALL: &[ErrorCode] = &[\n{rows}];\nstatic TOKEN_REJECTED: &[&str] = &{words:?};\n"),
    )
    .map_err(|error| format!("error_codes.rs: {error}"))
}

fn error_code(family: &str, code: &str, entry: &Value) -> Result<String, String> {
    let known = ["status", "retry", "kind", "rejects_token", "group", "meaning", "remedy"];
    let keys = entry.as_object().ok_or("is no mapping")?.keys();
    if let Some(key) = keys.into_iter().find(|key| !known.contains(&key.as_str())) {
        return Err(format!("unknown key `{key}`"));
    }
    let statuses = entry["status"].as_array().ok_or("no list `status`")?;
    let retry = match &entry["retry"] {
        Value::Bool(true) => "Yes",
        Value::Bool(false) => "No",
        Value::String(word) if word == "later" => "Later",
        other => return Err(format!("`retry` is {other}")),
    };
    let kind = match entry.get("kind").and_then(Value::as_str) {
        None => "None",
        Some("authentication") => "Some(ErrorKind::Authentication)",
        Some("configuration") => "Some(ErrorKind::Configuration)",
        Some("conflict") => "Some(ErrorKind::Conflict)",
        Some("invalid_request") => "Some(ErrorKind::InvalidRequest)",
        Some("not_found") => "Some(ErrorKind::NotFound)",
        Some("permission") => "Some(ErrorKind::Permission)",
        Some("service") => "Some(ErrorKind::Service)",
        Some("throttled") => "Some(ErrorKind::Throttled)",
        Some(other) => return Err(format!("unknown kind `{other}`")),
    };
    let rejects_token = match entry.get("rejects_token") {
        None => false,
        Some(value) => value.as_bool().ok_or("`rejects_token` is neither true nor false")?,
    };
    let text = |key: &str| format!("{:?}", entry.get(key).and_then(Value::as_str));
    Ok(format!(
        "ErrorCode {{ code: {code:?}, family: {family:?}, statuses: &{}, retry: Retry::{retry}, kind: {kind}, \
         rejects_token: {rejects_token}, group: {}, meaning: {}, remedy: {} }},\n",
        Value::from(statuses.clone()),
        text("group"),
        text("meaning"),
        text("remedy"),
    ))
}

/// Reads a document and writes it as JSON, so that the crate needs no YAML parser and starts fast.
fn read(file: &str, json: &Path) -> Result<Value, String> {
    let text = fs::read_to_string(file).map_err(|error| format!("{file}: {error}"))?;
    // A repeated key is an error; the parser does not drop one silently.
    let document: Value =
        serde_saphyr::from_str(&text).map_err(|error| format!("{file}: {}", error.to_string().replace('\n', " ")))?;
    fs::write(json, document.to_string()).map_err(|error| format!("{}: {error}", json.display()))?;
    Ok(document)
}

fn compile(service: &str, file: &str, target: &Path) -> Result<Names, String> {
    let document = read(file, &target.with_extension("json"))?;
    // The emulator validates requests with the first and returns the second.
    for (extension, text) in
        [("rules.json", edition::rules(&document).to_string()), ("responses.rs", responses(&document))]
    {
        let file = target.with_extension(extension);
        fs::write(&file, text).map_err(|error| format!("{}: {error}", file.display()))?;
    }
    let problems = check::check(&document);
    if !problems.is_empty() {
        for problem in &problems {
            println!("cargo::error={file}: {problem}");
        }
        return Err(format!("{file}: {} constructs would not survive generation", problems.len()));
    }
    let mut lowered = lower::lower(&document);
    tell_lifecycle(&mut lowered);
    let (code, names) = generate(service, &lowered).map_err(|error| format!("{file}: {error}"))?;
    if env::var_os("CARGO_FEATURE_MOCK").is_some() {
        let code = mock(service, &lowered).map_err(|error| format!("{file}: {error}"))?;
        let target = target.with_file_name(format!("{service}_mock.rs"));
        fs::write(&target, code).map_err(|error| format!("{}: {error}", target.display()))?;
    }
    let code = format!("{code}\n{}{}", operation_table(&document), state_tables(&document));
    if let Some(enums) = state_enum(&document) {
        let target = target.with_file_name(format!("{service}_states.rs"));
        fs::write(&target, enums).map_err(|error| format!("{}: {error}", target.display()))?;
    }
    fs::write(target, code).map_err(|error| format!("{}: {error}", target.display()))?;
    Ok(names)
}

/// Puts what the operations say of their life span and of permissions into their descriptions, for rustdoc.
fn tell_lifecycle(document: &mut Value) {
    let told: Vec<(String, String, String)> = load::operations(document)
        .map(|operation| {
            let sentences = load::lifecycle(operation.value).join("\n\n");
            (operation.path.to_owned(), operation.method.to_owned(), sentences)
        })
        .collect();
    for (path, method, sentences) in told.into_iter().filter(|(.., sentences)| !sentences.is_empty()) {
        let description = &mut document["paths"][path][method]["description"];
        *description = format!("{}\n\n{sentences}", description.as_str().unwrap_or_default()).into();
    }
}

/// Returns the documented response to the first documented request of each operation, as a Rust expression.
fn responses(document: &Value) -> String {
    let rows = load::operations(document).filter_map(|operation| {
        let (_, response) = operation.examples(document).first()?.response?;
        Some(format!("    ({:?}, {:?}),\n", operation.id(), response.to_string()))
    });
    format!("&[\n{}]\n", rows.collect::<String>())
}

/// Returns the generator's settings for a service, and its open enums.
fn settings(service: &str, document: &Value) -> Result<(GenerationSettings, BTreeMap<String, Vec<String>>), String> {
    let mut settings = GenerationSettings::default();
    settings
        .with_interface(InterfaceStyle::Builder)
        .with_tag(TagStyle::Merged)
        .with_hooks(HooksMode::Expected)
        .with_inner_type("crate::session::Transport".parse().map_err(|_| "inner type")?)
        .with_derive("PartialEq");
    let schemas = document["components"]["schemas"].as_object();
    for name in schemas.into_iter().flatten().map(|(name, _)| name) {
        let impls = [TypeImpl::Display, TypeImpl::FromStr].into_iter();
        if let Some((_, path)) = lower::WIRE_TYPES.iter().find(|(wire, _)| wire == name) {
            settings.with_replacement(name, path, impls);
        } else if let Some(limited) = lower::limited_type(&schemas.expect("it holds this one")[name]) {
            settings.with_replacement(name, limited?, impls);
        } else if let Some((low, high)) = lower::bounds_of(name) {
            settings.with_replacement(name, format!("crate::api::wire::Bounded<{low}, {high}>"), impls);
        }
    }
    let enums = lower::open_enums(document);
    for name in enums.keys() {
        settings.with_replacement(
            name,
            format!("crate::api::{service}::open::{name}"),
            [TypeImpl::Display, TypeImpl::FromStr].into_iter(),
        );
    }
    Ok((settings, enums))
}

/// Writes the typed mocks of a service.
fn mock(service: &str, document: &Value) -> Result<String, String> {
    let (settings, _) = settings(service, document)?;
    let openapi = serde_json::from_value(document.clone()).map_err(|error| error.to_string())?;
    let path = format!("crate::api::{service}");
    let tokens = Generator::new(&settings).httpmock(&openapi, &path).map_err(|error| error.to_string())?;
    Ok(prettyplease::unparse(&syn::parse2(tokens).map_err(|error| error.to_string())?))
}

fn generate(service: &str, document: &Value) -> Result<(String, Names), String> {
    let (settings, enums) = settings(service, document)?;
    let openapi = serde_json::from_value(document.clone()).map_err(|error| error.to_string())?;
    let tokens = Generator::new(&settings).generate_tokens(&openapi).map_err(|error| error.to_string())?;
    let mut code: syn::File = syn::parse2(tokens).map_err(|error| error.to_string())?;
    restore_documented_order(&mut code, document);
    read_leniently(&mut code, document)?;
    deprecate(&mut code, document);
    calls::trim(&mut code, env::var_os("CARGO_FEATURE_BUILDERS").is_some());
    let aliases = names_of_limited_texts(document)?;
    calls::types_of(&mut code, |types| types.extend(aliases.clone()));
    let mut types = Vec::new();
    for item in types_in(&mut code) {
        let (name, attributes) = match item {
            syn::Item::Struct(item) => (item.ident.to_string(), &mut item.attrs),
            syn::Item::Enum(item) => (item.ident.to_string(), &mut item.attrs),
            _ => continue,
        };
        if with_schemas() {
            // The generator's own option would also implement the trait of an older version.
            attributes.push(syn::parse_quote!(#[derive(::schemars::JsonSchema)]));
        }
        types.push(name);
    }
    let names = Names { types, open_enums: enums.keys().cloned().collect() };
    // The generator's own samples do not compile; as text they are not listed as ignored tests.
    let code = prettyplease::unparse(&code).replace("```ignore", "```text");
    Ok((format!("{code}\n{}", open_enums(&enums, document)), names))
}

/// Marks the methods of the client for operations that no cloud documents any more.
fn deprecate(code: &mut syn::File, document: &Value) {
    let notes: BTreeMap<&str, String> = load::operations(document)
        .filter_map(|operation| {
            let day = operation.value["x-sunset"].as_str()?;
            Some((operation.id(), format!("no cloud documents it since {day}")))
        })
        .collect();
    for item in &mut code.items {
        let syn::Item::Impl(client) = item else { continue };
        if client.trait_.is_some() {
            continue;
        }
        for item in &mut client.items {
            if let syn::ImplItem::Fn(method) = item
                && let Some(note) = notes.get(method.sig.ident.to_string().as_str())
            {
                method.attrs.push(syn::parse_quote!(#[deprecated(note = #note)]));
            }
        }
    }
}

/// Returns the items of the module `types`.
fn types_in(code: &mut syn::File) -> impl Iterator<Item = &mut syn::Item> {
    let modules = code.items.iter_mut().filter_map(|item| match item {
        syn::Item::Mod(module) if module.ident == "types" => module.content.as_mut(),
        _ => None,
    });
    modules.flat_map(|(_, items)| items)
}

/// Names for the texts with limits, as the generator would call types of its own.
fn names_of_limited_texts(document: &Value) -> Result<Vec<syn::Item>, String> {
    let schemas = document["components"]["schemas"].as_object();
    let limited = schemas.into_iter().flatten().filter_map(|(name, schema)| Some((name, lower::limited_type(schema)?)));
    limited
        .map(|(name, path)| {
            let documentation = format!("Text of a request: `{name}` in the description.");
            let alias = format!("#[doc = {documentation:?}] pub type {name} = {};", path?);
            syn::parse_str(&alias).map_err(|error| format!("{alias}: {error}"))
        })
        .collect()
}

/// Restores the documented order of fields in requests; the generator sorts the fields of a struct by name.
fn restore_documented_order(code: &mut syn::File, document: &Value) {
    for item in types_in(code) {
        let syn::Item::Struct(item) = item else { continue };
        let Some(properties) = document["components"]["schemas"][item.ident.to_string()]["properties"].as_object()
        else {
            continue;
        };
        let syn::Fields::Named(fields) = &mut item.fields else { continue };
        let mut sorted: Vec<syn::Field> = fields.named.iter().cloned().collect();
        sorted.sort_by_key(|field| {
            let name = wire_name(field);
            properties.keys().position(|property| *property == name)
        });
        fields.named = sorted.into_iter().collect();
    }
}

/// Makes fields of responses accept every form that services print, by the functions of `api::wire::lenient`.
fn read_leniently(code: &mut syn::File, document: &Value) -> Result<(), String> {
    let responses =
        &lower::reachable(document, lower::Side::Response) - &lower::reachable(document, lower::Side::Request);
    let enums = lower::open_enums(document);
    for item in types_in(code) {
        let syn::Item::Struct(item) = item else { continue };
        let name = item.ident.to_string();
        let syn::Fields::Named(fields) = &mut item.fields else { continue };
        if !responses.contains(&name) {
            continue;
        }
        // A later version of the crate may describe more fields.
        item.attrs.push(syn::parse_quote!(#[non_exhaustive]));
        let or_default = document["components"]["schemas"][&name][lower::OR_DEFAULT].as_array();
        for field in &mut fields.named {
            // A required nullable field is null if it is missing, since a client need not insist on it.
            for attribute in &mut field.attrs {
                insist_on_nothing(attribute)?;
            }
            let wire = wire_name(field);
            let or_default = or_default.is_some_and(|names| names.iter().any(|name| *name == wire));
            // The empty string is not a number or a time, but it is a string.
            let is_scalar = |name: &str| {
                let is_number = document["components"]["schemas"][name].pointer("/allOf/0/$ref").is_some();
                let is_wire_type = lower::WIRE_TYPES.iter().any(|(_, path)| path.rsplit("::").next() == Some(name));
                is_number || (is_wire_type && !matches!(name, "Text" | "ZonelessTime" | "Secret"))
            };
            let types = nested(&field.ty);
            let types: Vec<&str> = types.iter().map(String::as_str).collect();
            let by = match types[..] {
                ["Option", "String"] => "optional_text",
                ["Option", "bool"] => "optional_truth",
                ["Option", "Vec", "String"] => "optional_texts",
                ["Option", scalar] if is_scalar(scalar) => "optional_scalar",
                ["String"] if or_default => "text_or_empty",
                ["String"] => "text",
                ["bool"] if or_default => "truth_or_yes",
                ["bool"] => "truth",
                ["Vec", "String"] => "texts",
                ["Vec", _] => "or_default",
                [name] if or_default && enums.contains_key(name) => "or_default",
                _ if or_default => return Err(format!("{name}.{wire} has no default")),
                _ => continue,
            };
            let has_default = field.attrs.iter().any(|attribute| match &attribute.meta {
                syn::Meta::List(list) => list.path.is_ident("serde") && list.tokens.to_string().contains("default"),
                _ => false,
            });
            let by = format!("crate::api::wire::lenient::{by}");
            field.attrs.push(syn::parse_quote!(#[serde(deserialize_with = #by)]));
            match types[0] {
                "bool" if or_default => {
                    field.attrs.push(syn::parse_quote!(#[serde(default = "crate::api::wire::lenient::yes")]));
                }
                // A field with its own function must be marked as optional explicitly.
                "Option" if !has_default => field.attrs.push(syn::parse_quote!(#[serde(default)])),
                _ if or_default => field.attrs.push(syn::parse_quote!(#[serde(default)])),
                _ => {}
            }
        }
    }
    Ok(())
}

/// Replaces the generator's `deserialize_with`, which requires a nullable field, with `default`.
fn insist_on_nothing(attribute: &mut syn::Attribute) -> Result<(), String> {
    let syn::Meta::List(list) = &mut attribute.meta else { return Ok(()) };
    let text = list.tokens.to_string();
    let insists = r#"deserialize_with = "::std::option::Option::deserialize""#;
    if list.path.is_ident("serde") && text.contains(insists) {
        list.tokens = text.replace(insists, "default").parse().map_err(|_| format!("serde({text})"))?;
    }
    Ok(())
}

/// Returns a type with its type arguments: `Option`, `Vec`, `String`.
fn nested(ty: &syn::Type) -> Vec<String> {
    let syn::Type::Path(path) = ty else { return Vec::new() };
    let Some(segment) = path.path.segments.last() else { return Vec::new() };
    let mut names = vec![segment.ident.to_string()];
    if let syn::PathArguments::AngleBracketed(arguments) = &segment.arguments
        && let Some(syn::GenericArgument::Type(inner)) = arguments.args.first()
    {
        names.extend(nested(inner));
    }
    names
}

/// Returns the name of a field in JSON: its `serde(rename)`, otherwise its own name.
fn wire_name(field: &syn::Field) -> String {
    let mut name = field.ident.as_ref().map(ToString::to_string).unwrap_or_default();
    for attribute in field.attrs.iter().filter(|attribute| attribute.path().is_ident("serde")) {
        // Other keys of the attribute do not matter here, so unparsable ones are skipped.
        let _ = attribute.parse_nested_meta(|meta| {
            if meta.path.is_ident("rename") {
                name = meta.value()?.parse::<syn::LitStr>()?.value();
            } else if let Ok(value) = meta.value() {
                value.parse::<syn::Expr>()?;
            }
            Ok(())
        });
    }
    name.trim_start_matches("r#").to_owned()
}

/// Writes open enums for documented strings of responses, in a module beside the generated types.
fn open_enums(enums: &BTreeMap<String, Vec<String>>, document: &Value) -> String {
    let mut code = String::from(
        "/// Values of responses that may grow: each has an `Unknown` besides the documented ones.\npub mod open {\n",
    );
    for (name, values) in enums {
        let description = document["components"]["schemas"][name]["description"].as_str().unwrap_or_default();
        code += &format!("    crate::api::wire::open_enum! {{\n        /// {description}\n        {name} {{\n");
        for value in values {
            code += &format!("            {} = {value:?},\n", variant(value));
        }
        code += "        }\n    }\n";
    }
    code + "}\n"
}

/// Returns the variant of a value: `SparkScript` for `SparkScript`, `Hql` for `hql`, `ManualImageClassify` for `Manual
/// Image classify`.
fn variant(value: &str) -> String {
    value
        .split(|c: char| !c.is_ascii_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(|word| {
            let shout = word.len() > 1 && word.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit());
            let (first, rest) = word.split_at(1);
            first.to_ascii_uppercase() + &if shout { rest.to_ascii_lowercase() } else { rest.to_owned() }
        })
        .collect()
}

/// Writes the properties of each operation that the session needs.
fn operation_table(document: &Value) -> String {
    let mut constants = String::new();
    let mut names = String::new();
    for operation in load::operations(document) {
        let id = operation.id();
        let name = id.to_ascii_uppercase();
        let authenticated = operation
            .value
            .get("security")
            .is_none_or(|security| security.as_array().is_none_or(|list| !list.is_empty()));
        constants += &format!(
            "    /// {}.\n    pub const {name}: Operation = Operation {{ id: {id:?}, method: {:?}, path: {:?}, idempotent: {}, authenticated: {authenticated}, secrets: &{:?}, acknowledgement: {:?}, billed: {}, list: {:?} }};\n",
            operation.value["summary"].as_str().unwrap_or(id),
            operation.method.to_ascii_uppercase(),
            operation.path,
            operation.value["x-idempotent"] == true,
            operation.secrets(document),
            operation.acknowledgement(document),
            operation.value["x-billed"] == true,
            list::list(operation),
        );
        names += &format!("{name}, ");
    }
    format!(
        "/// What is known of each operation besides its types.\npub mod operations {{\n    use crate::api::{{ListShape, Operation, PageShape::*}};\n\n{constants}\n    \
         /// All of them, as the description orders them.\n    pub const ALL: &[Operation] = &[{names}];\n}}\n"
    )
}

/// Returns the schemas of codes with their documented states.
fn state_schemas(document: &Value) -> impl Iterator<Item = (&String, &Value)> {
    let schemas = document["components"]["schemas"].as_object();
    schemas.into_iter().flatten().filter(|(_, schema)| schema.get("x-states").is_some())
}

/// Writes a table of states for each schema of a code: `JobExeState` is `states::JOB_EXE_STATE`.
fn state_tables(document: &Value) -> String {
    let mut tables = String::new();
    for (name, schema) in state_schemas(document) {
        let constant: String = name
            .chars()
            .enumerate()
            .flat_map(|(index, c)| {
                let gap = (index > 0 && c.is_ascii_uppercase()).then_some('_');
                gap.into_iter().chain([c.to_ascii_uppercase()])
            })
            .collect();
        let rows: String = states::states(schema)
            .map(|state| {
                format!(
                    "State {{ code: {}, name: {:?}, phase: Phase::{} }}, ",
                    state.code,
                    state.name,
                    variant(state.phase)
                )
            })
            .collect();
        tables += &format!("    pub(crate) const {constant}: &[State] = &[{rows}];\n");
    }
    format!("/// States of jobs.\npub(crate) mod states {{\n    use crate::shape::{{Phase, State}};\n\n{tables}}}\n")
}

/// Writes the states of an enum, which `src/api/wire/job_status.rs` includes.
fn state_enum(document: &Value) -> Option<String> {
    let rows: String = state_schemas(document)
        .flat_map(|(_, schema)| states::states(schema))
        .filter_map(|state| {
            let name = state.variant?;
            Some(format!("    {} {:?} {name} {} {:?},\n", state.code, state.name, variant(state.phase), state.meaning))
        })
        .collect();
    (!rows.is_empty()).then(|| format!("states! {{\n{rows}}}\n"))
}
