//! The address of a request: base, path and query.

use progenitor_client::encode_path;
use reqwest::Url;

/// Builds the address of an operation from its path, the values of the path's parameters, and a query.
///
/// The values are percent-encoded. The caller ensures that none is empty, `.` or `..`, which would change the path.
pub(crate) fn address<'a>(
    base: &str,
    path: &str,
    values: impl IntoIterator<Item = (&'a str, &'a str)>,
    query: impl IntoIterator<Item = (&'a str, &'a str)>,
) -> Result<Url, String> {
    let values = values.into_iter();
    let path =
        values.fold(path.to_owned(), |path, (name, value)| path.replace(&format!("{{{name}}}"), &encode_path(value)));
    let mut url = Url::parse(&format!("{base}{path}")).map_err(|error| error.to_string())?;
    let mut query = query.into_iter().peekable();
    if query.peek().is_some() {
        url.query_pairs_mut().extend_pairs(query);
    }
    Ok(url)
}
