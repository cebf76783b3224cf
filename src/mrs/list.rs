//! The common parts of MRS lists: markers, a limit, an order.

use crate::paging::SortOrder;

/// Returns the sort key as a request has it: with `-` before it, the service sorts downwards.
pub(super) fn sort_key(field: &str, order: Option<SortOrder>) -> String {
    match order {
        None => field.to_owned(),
        Some(SortOrder::Asc) => field.trim_start_matches('-').to_owned(),
        Some(SortOrder::Desc) => format!("-{}", field.trim_start_matches('-')),
    }
}

/// Defines the query of a list by marker. The paths are whole, since they are resolved where the macro is invoked.
macro_rules! marked_list {
    (
        $(#[$attribute:meta])*
        $query:ident: $what:literal, $operation:ident $method:ident($marker:ident), $field:ident -> $handle:ident, $details:ident;
    ) => {crate::handles::lists! {
        $(#[$attribute])*
        $query { session: Session } of Entry<$handle, types::$details>, operations::$operation;
        id(entry) entry.id().to_string();
        request(query, at) {
            if query.order.is_some() && query.sort_by.is_none() {
                return Err(Error::invalid_field("order", "needs a key to sort by: call `.sort_by(..)` too"));
            }
            let request = query.session.mrs_client().$method().project_id(query.session.project_id());
            match at.marker()? {
                None => request,
                Some(marker) => request.marker(checked::<types::$marker>("marker", marker)?),
            }
        };
        batch(page) {
            let entry = |details: types::$details| {
                let id = Self::OPERATION.read_id(concat!(stringify!($field), "[].id"), &details.id)?;
                Ok(Entry::new($handle::new(query.session.clone(), id), details))
            };
            let entries = page.$field.into_iter().map(entry).collect::<Result<_, Error>>()?;
            crate::paging::Batch::marked(entries, page.markers.and_then(|markers| markers.next))
        };
        filters {
            #[doc = concat!("Sets the number of ", $what, " on a page, 1 to 1073741822; by default the service chooses it.")]
            #[doc(alias = "limit")]
            per_page(per_page: u32): u32 = per_page
                => |request| request.limit(crate::api::wire::bounded("limit", per_page)?);
            /// Sorts by the field of this name. With `-` before it, or with [`order`](Self::order), downwards.
            sort_by(field: impl Into<String>): String = field.into() => |request| {
                let key = super::list::sort_key(&field, query.order);
                request.sort_by(checked::<types::SortBy>("sort_by", key)?)
            };
            /// Sorts upwards or downwards.
            order(order: crate::paging::SortOrder): crate::paging::SortOrder = order => |request| {
                // It is a part of the key.
                let _ = order;
                request
            };
        }
    }};
}
pub(super) use marked_list;
