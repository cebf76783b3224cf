//! The public API of the generated code, one line for each item, compared with `signature.txt`.
//!
//! Generated code is not checked in; this file shows in a review how a change of the description affects callers.

use std::collections::BTreeMap;
use std::path::Path;

use syn::parse::{Parse, ParseStream};
use syn::visit::Visit;
use syn::{Expr, Fields, GenericArgument, Ident, ImplItem, Item, LitStr, PathArguments, ReturnType, Token, Type};

use super::{Operation, iam, modelarts, mrs};

#[test]
fn generated_surface_is_the_one_reviewed() {
    let digest = [
        service("iam", include_str!(concat!(env!("OUT_DIR"), "/iam.rs")), iam::operations::ALL),
        service("modelarts", include_str!(concat!(env!("OUT_DIR"), "/modelarts.rs")), modelarts::operations::ALL),
        service("mrs", include_str!(concat!(env!("OUT_DIR"), "/mrs.rs")), mrs::operations::ALL),
    ]
    .join("\n");
    // The test prints the difference, and the command to accept it.
    expectorate::assert_contents(Path::new(env!("CARGO_MANIFEST_DIR")).join("src/api/signature.txt"), &digest);
}

fn service(name: &str, code: &str, operations: &[Operation]) -> String {
    let file = syn::parse_file(code).expect("generated code is Rust");
    let mut lines: Vec<String> = calls(module(&file.items, "builder"), operations);
    lines.extend(types(module(&file.items, "types")));
    lines.extend(module(&file.items, "open").iter().map(open_enum));
    format!("# {name}\n\n{}\n", lines.join("\n"))
}

fn module<'a>(items: &'a [Item], name: &str) -> &'a [Item] {
    items
        .iter()
        .find_map(|item| match item {
            Item::Mod(module) if module.ident == name => Some(module.content.as_ref()?.1.as_slice()),
            _ => None,
        })
        .unwrap_or_else(|| panic!("no module {name}"))
}

/// `update_job(job_id: Segment, body: UpdateJobRequest) -> JobResponse, PATCH /jobs/{job_id}, idempotent`.
fn calls(builders: &[Item], operations: &[Operation]) -> Vec<String> {
    let mut settable = BTreeMap::new();
    let mut answers = BTreeMap::new();
    for item in builders {
        match item {
            Item::Struct(builder) => {
                let name = builder.ident.to_string();
                let fields =
                    builder.fields.iter().filter(|field| field.ident.as_ref().is_some_and(|name| name != "client"));
                let fields: Vec<String> = fields
                    .map(|field| {
                        let (name, ty) = (field.ident.as_ref().expect("it has names"), short(&field.ty));
                        let ty = ty.strip_prefix("Result<").and_then(|ty| ty.strip_suffix(", String>")).unwrap_or(&ty);
                        format!("{name}: {ty}")
                    })
                    .collect();
                settable.insert(name.to_lowercase(), fields.join(", "));
            }
            Item::Impl(block) => {
                for item in &block.items {
                    if let ImplItem::Fn(function) = item
                        && function.sig.ident == "send"
                        && let ReturnType::Type(_, ty) = &function.sig.output
                    {
                        let ty = short(ty);
                        let answer =
                            ty.strip_prefix("Result<ResponseValue<").and_then(|ty| ty.strip_suffix(">, Error<()>>"));
                        answers.insert(short(&block.self_ty).to_lowercase(), answer.expect("its type").to_owned());
                    }
                }
            }
            _ => {}
        }
    }
    assert_eq!(settable.len(), operations.len());
    let mut lines: Vec<String> = operations
        .iter()
        .map(|Operation { id, method, path, idempotent, authenticated, .. }| {
            let key = id.replace('_', "");
            let idempotent = if *idempotent { ", idempotent" } else { "" };
            let authenticated = if *authenticated { "" } else { ", without credentials" };
            format!("{id}({}) -> {}, {method} {path}{idempotent}{authenticated}", settable[&key], answers[&key])
        })
        .collect();
    lines.sort();
    lines
}

fn types(items: &[Item]) -> Vec<String> {
    let constraints = constraints(items);
    let mut lines: Vec<String> = items
        .iter()
        .filter_map(|item| match item {
            Item::Struct(item) => Some(match &item.fields {
                Fields::Unnamed(fields) => {
                    let inner: Vec<String> = fields.unnamed.iter().map(|field| short(&field.ty)).collect();
                    let limits = constraints.get(&item.ident.to_string()).map(String::as_str).unwrap_or_default();
                    format!("struct {}({}){limits}", item.ident, inner.join(", "))
                }
                fields => {
                    let fields: Vec<String> = fields
                        .iter()
                        .map(|field| {
                            let name = field.ident.as_ref().expect("it has names").to_string();
                            format!("{}: {}", wire_name(&field.attrs, name), short(&field.ty))
                        })
                        .collect();
                    format!("struct {} {{ {} }}", item.ident, fields.join(", "))
                }
            }),
            Item::Enum(item) => {
                let variants: Vec<String> = item
                    .variants
                    .iter()
                    .map(|variant| {
                        let name = variant.ident.to_string();
                        format!("{name} = {:?}", wire_name(&variant.attrs, name.clone()))
                    })
                    .collect();
                Some(format!("enum {} {{ {} }}", item.ident, variants.join(", ")))
            }
            Item::Type(item) => Some(format!("type {} = {}", item.ident, short(&item.ty))),
            _ => None,
        })
        .collect();
    lines.sort();
    lines
}

/// Returns the values that the conversions into a type reject: `, not longer than 256 characters`.
fn constraints(items: &[Item]) -> BTreeMap<String, String> {
    let mut constraints = BTreeMap::new();
    for item in items {
        if let Item::Impl(block) = item
            && let Some((path, _)) = &block.trait_
            && path.segments.last().is_some_and(|last| last.ident == "FromStr" || last.ident == "TryFrom")
        {
            let mut refusals = Refusals::default();
            refusals.visit_item_impl(block);
            constraints.entry(short(&block.self_ty)).or_insert_with(String::new).push_str(&refusals.0);
        }
    }
    constraints
}

#[derive(Default)]
struct Refusals(String);

impl<'a> Visit<'a> for Refusals {
    /// Strings have the reason in the message: `longer than 256 characters`.
    fn visit_lit_str(&mut self, text: &'a LitStr) {
        let text = text.value();
        if ["longer", "shorter", "doesn't match"].iter().any(|start| text.starts_with(start)) {
            self.0 += &format!(", not {text}").replace("not doesn't match", "matches");
        }
    }

    /// Numbers are compared with the allowed ones: `![0, 1].contains(&value)`.
    fn visit_expr_array(&mut self, array: &'a syn::ExprArray) {
        let values: Vec<String> = array.elems.iter().map(number).collect();
        self.0 += &format!(", one of {}", values.join(", "));
    }
}

struct OpenEnum {
    name: Ident,
    variants: Vec<(Ident, LitStr)>,
}

impl Parse for OpenEnum {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        input.call(syn::Attribute::parse_outer)?;
        let name = input.parse()?;
        let content;
        syn::braced!(content in input);
        let mut variants = Vec::new();
        while !content.is_empty() {
            let variant = content.parse()?;
            content.parse::<Token![=]>()?;
            variants.push((variant, content.parse()?));
            content.parse::<Token![,]>()?;
        }
        Ok(Self { name, variants })
    }
}

fn open_enum(item: &Item) -> String {
    let Item::Macro(item) = item else { panic!("something else than an open enum") };
    let OpenEnum { name, variants } = item.mac.parse_body().expect("an open enum");
    let variants: Vec<String> = variants.iter().map(|(name, text)| format!("{name} = {:?}", text.value())).collect();
    format!("open enum {name} {{ {} }}", variants.join(", "))
}

fn wire_name(attributes: &[syn::Attribute], own: String) -> String {
    let mut name = own;
    for attribute in attributes.iter().filter(|attribute| attribute.path().is_ident("serde")) {
        attribute
            .parse_nested_meta(|meta| {
                if meta.path.is_ident("rename") {
                    name = meta.value()?.parse::<LitStr>()?.value();
                } else if let Ok(value) = meta.value() {
                    value.parse::<Expr>()?;
                }
                Ok(())
            })
            .expect("serde's attribute");
    }
    name
}

/// Returns a type without module paths: `Option<Vec<String>>`.
fn short(ty: &Type) -> String {
    match ty {
        Type::Path(path) => {
            let last = path.path.segments.last().expect("a path has an end");
            match &last.arguments {
                PathArguments::AngleBracketed(arguments) => {
                    let arguments: Vec<String> = arguments
                        .args
                        .iter()
                        .filter_map(|argument| match argument {
                            GenericArgument::Type(ty) => Some(short(ty)),
                            GenericArgument::Const(value) => Some(number(value)),
                            _ => None,
                        })
                        .collect();
                    if arguments.is_empty() {
                        last.ident.to_string()
                    } else {
                        format!("{}<{}>", last.ident, arguments.join(", "))
                    }
                }
                _ => last.ident.to_string(),
            }
        }
        Type::Reference(reference) => format!("&{}", short(&reference.elem)),
        Type::Tuple(tuple) => {
            let parts: Vec<String> = tuple.elems.iter().map(short).collect();
            format!("({})", parts.join(", "))
        }
        _ => panic!("a kind of type that the generator did not use before"),
    }
}

fn number(value: &Expr) -> String {
    match value {
        Expr::Lit(literal) => match &literal.lit {
            syn::Lit::Int(number) => number.base10_digits().to_owned(),
            _ => panic!("no whole number"),
        },
        Expr::Unary(unary) => format!("-{}", number(&unary.expr)),
        _ => panic!("no whole number"),
    }
}
