//! The common parts of MRS lists: markers, a limit, an order.

/// Defines the queries of lists by marker. The paths are whole, since they are resolved where the macro is invoked.
macro_rules! lists {
    (
        $(#[$attribute:meta])*
        $query:ident: $what:literal, $operation:ident $method:ident($marker:ident, $sort_by:ident),
        $field:ident -> $handle:ident, $details:ident;
    ) => {
        $(#[$attribute])*
        #[derive(Clone, Debug)]
        pub struct $query {
            session: crate::session::Session,
            limit: Option<u32>,
            sort_by: Option<String>,
        }

        impl $query {
            pub(super) fn list(session: &crate::session::Session) -> crate::paging::List<Self> {
                crate::paging::List::new(Self { session: session.clone(), limit: None, sort_by: None })
            }
        }

        impl crate::paging::List<$query> {
            #[doc = concat!($what, " on a page, 1 to 1073741822; what the service chooses by default.")]
            pub fn limit(mut self, limit: u32) -> Self {
                self.query().limit = Some(limit);
                self
            }

            /// Name of the field to sort by; with `-` before it, downwards.
            pub fn sort_by(mut self, field: impl Into<String>) -> Self {
                self.query().sort_by = Some(field.into());
                self
            }
        }

        impl crate::paging::Query for $query {
            type Entry = crate::entry::Entry<$handle, crate::api::mrs::types::$details>;
            const OPERATION: &'static crate::api::Operation =
                &crate::api::mrs::operations::$operation;

            fn id(entry: &Self::Entry) -> String {
                entry.id().to_string()
            }

            async fn fetch(self, at: crate::paging::Position) -> Result<crate::paging::Batch<Self::Entry>, crate::error::Error> {
                let Self { session, limit, sort_by } = self;
                let mut request = session.mrs_client().$method().project_id(session.project_id());
                if let Some(marker) = at.marker()? {
                    request = request.marker(crate::api::wire::checked::<crate::api::mrs::types::$marker>("marker", marker)?);
                }
                if let Some(limit) = limit {
                    request = request.limit(crate::api::wire::bounded("limit", limit)?);
                }
                if let Some(field) = sort_by {
                    request = request.sort_by(crate::api::wire::checked::<crate::api::mrs::types::$sort_by>("sort_by", field)?);
                }
                let page = crate::api::call(Self::OPERATION, request.send()).await?;
                let entry = |details: crate::api::mrs::types::$details| {
                    Ok(crate::entry::Entry::new($handle::new(session.clone(), Self::OPERATION.read_id(concat!(stringify!($field), "[].id"), &details.id)?), details))
                };
                let entries = page.$field.into_iter().map(entry).collect::<Result<_, crate::error::Error>>()?;
                Ok(crate::paging::Batch::marked(entries, page.markers.and_then(|markers| markers.next)))
            }
        }
    };
}

pub(super) use lists;
