//! What is changed in the generated code of calls, and what is left out of it.

use syn::visit_mut::{self, VisitMut};

/// Adapts the calls of a service. Without `builders`, builders of request and response types are left out.
pub(crate) fn trim(code: &mut syn::File, builders: bool) {
    WithoutVersion.visit_file_mut(code);
    Calls.visit_file_mut(code);
    if !builders {
        drop_builders_of_types(code);
        PlainBodies.visit_file_mut(code);
    }
}

/// Removes the header with the version of the description that the generator sends with every call; these APIs do not
/// have it.
struct WithoutVersion;

impl VisitMut for WithoutVersion {
    fn visit_block_mut(&mut self, block: &mut syn::Block) {
        let all = block.stmts.len();
        block.stmts.retain(|statement| {
            let syn::Stmt::Expr(syn::Expr::MethodCall(append), _) = statement else { return true };
            let Some(syn::Expr::Call(name)) = append.args.first() else { return true };
            !matches!(literal(name), Some(syn::Lit::Str(name)) if name.value() == "api-version")
        });
        if block.stmts.len() < all {
            for statement in &mut block.stmts {
                if let syn::Stmt::Local(syn::Local { pat, init: Some(init), .. }) = statement
                    && let syn::Pat::Ident(map) = pat
                    && let syn::Expr::Call(with_capacity) = &*init.expr
                    && matches!(literal(with_capacity), Some(syn::Lit::Int(headers)) if headers.base10_digits() == "1")
                {
                    // It was the only header: an empty map allocates no memory.
                    let map = &map.ident;
                    *statement = syn::parse_quote!(let #map = ::reqwest::header::HeaderMap::new(););
                }
            }
        }
        visit_mut::visit_block_mut(self, block);
    }
}

/// Returns the first argument of a call.
fn literal(call: &syn::ExprCall) -> Option<&syn::Lit> {
    match call.args.first()? {
        syn::Expr::Lit(literal) => Some(&literal.lit),
        _ => None,
    }
}

/// Changes the items of the module `types`.
pub(crate) fn types_of(code: &mut syn::File, change: impl Fn(&mut Vec<syn::Item>)) {
    for item in &mut code.items {
        if let syn::Item::Mod(module) = item
            && module.ident == "types"
            && let Some((_, items)) = &mut module.content
        {
            change(items);
        }
    }
}

/// Marks the builders of calls: the compiler warns where one is not sent, and the front of the documentation does not show
/// them.
struct Calls;

impl VisitMut for Calls {
    fn visit_item_mod_mut(&mut self, module: &mut syn::ItemMod) {
        if module.ident == "types" {
            return;
        }
        module.attrs.push(syn::parse_quote!(#[doc(hidden)]));
        for item in module.content.iter_mut().flat_map(|(_, items)| items).filter(|_| module.ident == "builder") {
            if let syn::Item::Struct(builder) = item {
                builder.attrs.push(syn::parse_quote!(#[must_use = "nothing is sent before `send`"]));
            }
        }
    }
}

/// Removes the builders of request and response types. They are more than half of the generated code, and structs with
/// public fields need none.
fn drop_builders_of_types(code: &mut syn::File) {
    let is_builder =
        |item: &syn::ImplItem| matches!(item, syn::ImplItem::Fn(function) if function.sig.ident == "builder");
    types_of(code, |items| {
        items.retain(|item| match item {
            syn::Item::Mod(module) => module.ident != "builder",
            syn::Item::Impl(block) => block.trait_.is_some() || !block.items.iter().all(is_builder),
            _ => true,
        });
    });
}

/// Lets calls take bodies as they are, without builders of types.
struct PlainBodies;

impl VisitMut for PlainBodies {
    fn visit_item_impl_mut(&mut self, block: &mut syn::ItemImpl) {
        block.items.retain(|item| !matches!(item, syn::ImplItem::Fn(function) if function.sig.ident == "body_map"));
        visit_mut::visit_item_impl_mut(self, block);
    }

    /// `types::builder::Body` becomes `types::Body`.
    fn visit_path_mut(&mut self, path: &mut syn::Path) {
        let mut names = path.segments.iter().map(|segment| segment.ident.to_string());
        if names.next().as_deref() == Some("types") && names.next().as_deref() == Some("builder") {
            path.segments = std::mem::take(&mut path.segments).into_iter().filter(|s| s.ident != "builder").collect();
        }
        visit_mut::visit_path_mut(self, path);
    }

    /// A body begins as missing, not as an empty builder.
    fn visit_field_value_mut(&mut self, field: &mut syn::FieldValue) {
        let is_builder = matches!(&field.expr, syn::Expr::Call(_));
        if is_builder && matches!(&field.member, syn::Member::Named(name) if name == "body") {
            field.expr = syn::parse_quote!(Err("body was not initialized".to_string()));
        }
        visit_mut::visit_field_value_mut(self, field);
    }

    /// `.map(From::from)` made a builder of a body, and `.and_then(..)` before `.map_err(..)` a body of a builder.
    fn visit_expr_method_call_mut(&mut self, call: &mut syn::ExprMethodCall) {
        if call.method == "map_err"
            && let syn::Expr::MethodCall(inner) = &*call.receiver
            && (inner.method == "and_then" || (inner.method == "map" && is_from(inner.args.first())))
        {
            call.receiver = inner.receiver.clone();
        }
        visit_mut::visit_expr_method_call_mut(self, call);
    }
}

/// Whether an argument is `From::from`.
fn is_from(argument: Option<&syn::Expr>) -> bool {
    let Some(syn::Expr::Path(path)) = argument else { return false };
    path.path.segments.iter().map(|segment| segment.ident.to_string()).eq(["From", "from"])
}
