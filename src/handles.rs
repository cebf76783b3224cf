//! What the code of all handles repeats, as macros: setters of builders, calls that can be awaited, lists, and handles that
//! stand for their ids.

/// Methods of a builder that set an optional value: name, argument and the value to be kept.
macro_rules! setters {
    ($($(#[$attribute:meta])* $name:ident($argument:ident: $type:ty) = $value:expr;)+) => {$(
        $(#[$attribute])*
        pub fn $name(mut self, $argument: $type) -> Self {
            self.$name = Some($value);
            self
        }
    )+};
}
pub(crate) use setters;

/// Lets a builder be awaited instead of calling its method `send`.
macro_rules! awaitable {
    ($($builder:ty => $output:ty;)+) => {$(
        /// Sends the request, like `send`.
        impl std::future::IntoFuture for $builder {
            type Output = $output;
            type IntoFuture = std::pin::Pin<Box<dyn std::future::Future<Output = Self::Output> + Send>>;

            fn into_future(self) -> Self::IntoFuture {
                Box::pin(self.send())
            }
        }
    )+};
}
pub(crate) use awaitable;

/// Lets a handle, and an entry that holds one, stand for its id.
macro_rules! identified {
    ($($handle:ident.$field:ident => $id:ty;)+) => {$(
        impl From<&$handle> for $id {
            fn from(handle: &$handle) -> Self {
                Clone::clone(&handle.$field)
            }
        }

        impl From<&&$handle> for $id {
            fn from(handle: &&$handle) -> Self {
                (*handle).into()
            }
        }

        impl From<$handle> for $id {
            fn from(handle: $handle) -> Self {
                handle.$field
            }
        }

        impl<D> From<&crate::entry::Entry<$handle, D>> for $id {
            fn from(entry: &crate::entry::Entry<$handle, D>) -> Self {
                (&entry.handle).into()
            }
        }

        impl<D> From<&&crate::entry::Entry<$handle, D>> for $id {
            fn from(entry: &&crate::entry::Entry<$handle, D>) -> Self {
                (*entry).into()
            }
        }

        impl<D> From<crate::entry::Entry<$handle, D>> for $id {
            fn from(entry: crate::entry::Entry<$handle, D>) -> Self {
                entry.handle.into()
            }
        }

        /// Writes the id.
        impl std::fmt::Display for $handle {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.$field.fmt(f)
            }
        }
    )+};
}
pub(crate) use identified;

/// A list: what it holds, how a page is requested, and its filters.
///
/// `request` makes the request of a page, `batch` the page from the response. A filter has a setter with its argument, the
/// type and the value that are kept, and the change of the request.
macro_rules! lists {
    ($(
        $(#[$attribute:meta])*
        $query:ident { $($own:ident: $own_type:ty),* } of $entry:ty, $operation:path;
        id($item:ident) $id:expr;
        request($this:ident, $at:ident) $start:expr;
        batch($page:ident) $batch:expr;
        filters {$(
            $(#[$filter_attribute:meta])*
            $filter:ident($argument:ident: $type:ty): $kept:ty = $value:expr => |$request:ident| $change:expr;
        )*}
    )+) => {$(
        $(#[$attribute])*
        // Its methods are those of `List`, which has the documentation.
        #[doc(hidden)]
        #[derive(Clone, Debug)]
        pub struct $query {
            $($own: $own_type,)*
            $($filter: Option<$kept>,)*
        }

        impl $query {
            pub(super) fn list($($own: $own_type),*) -> crate::paging::List<Self> {
                crate::paging::List::new(Self { $($own,)* $($filter: None,)* })
            }
        }

        impl crate::paging::List<$query> {
            $(
                $(#[$filter_attribute])*
                pub fn $filter(mut self, $argument: $type) -> Self {
                    self.query().$filter = Some($value);
                    self
                }
            )*
        }

        impl crate::paging::Query for $query {
            type Entry = $entry;
            const OPERATION: &'static crate::api::Operation = &$operation;

            fn id($item: &Self::Entry) -> String {
                $id
            }

            async fn fetch(self, $at: crate::paging::Position) -> Result<crate::paging::Batch<Self::Entry>, Error> {
                let $this = self;
                let request = $start;
                $(
                    let request = match Clone::clone(&$this.$filter) {
                        None => request,
                        Some($argument) => {
                            let $request = request;
                            $change
                        }
                    };
                )*
                let $page = crate::api::call(Self::OPERATION, request.send()).await?;
                Ok($batch)
            }
        }
    )+};
}
pub(crate) use lists;
