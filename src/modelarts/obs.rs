//! Paths of the object storage OBS in the form of ModelArts: `/bucket/dir/` and `/bucket/dir/file.py`.

use crate::error::Error;

/// Validates a path to a directory or a file. The error is the reason.
pub(crate) fn path(field: &'static str, text: String) -> Result<String, Error> {
    let refuse = |reason: &str| Err(Error::invalid_field(field, format!("{reason}: {text:?}")));
    if text.contains("://") {
        return refuse("is written `/bucket/dir/` here, without a scheme");
    }
    let Some(path) = text.strip_prefix('/') else { return refuse("is written `/bucket/dir/`, with a slash before it") };
    let (bucket, rest) = path.split_once('/').unwrap_or((path, ""));
    if bucket.is_empty() {
        return refuse("names no bucket; it is written `/bucket/dir/`");
    }
    let mut segments = rest.strip_suffix('/').unwrap_or(rest).split('/');
    match (rest, segments.find(|segment| matches!(*segment, "" | "." | ".."))) {
        ("", _) | (_, None) if !text.contains(char::is_control) => Ok(text),
        _ => refuse("holds a part that is empty, `.` or `..`, or a control character"),
    }
}

/// Validates a path to a directory.
pub(crate) fn directory(field: &'static str, text: String) -> Result<String, Error> {
    let path = path(field, text)?;
    match path.ends_with('/') {
        true => Ok(path),
        false => Err(Error::invalid_field(field, format!("is a directory, which ends with a slash: {path:?}"))),
    }
}

/// Validates a path to a file.
pub(crate) fn file(field: &'static str, text: String) -> Result<String, Error> {
    let path = path(field, text)?;
    match path.ends_with('/') || !path[1..].contains('/') {
        false => Ok(path),
        true => Err(Error::invalid_field(field, format!("is a file in a bucket, `/bucket/dir/file`: {path:?}"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_as_documented() {
        for good in ["/usr/app/", "/bucket/", "/b/dir/sub dir/", "/obs/描述/"] {
            assert_eq!(directory("train_url", good.to_owned()).unwrap(), good);
        }
        assert!(file("boot_file_url", "/usr/app/boot.py".to_owned()).is_ok());
        for (bad, reason) in [
            ("obs://usr/app/", "without a scheme"),
            ("s3://usr/app/", "without a scheme"),
            ("usr/app/", "slash before"),
            ("", "slash before"),
            ("/", "no bucket"),
            ("//app/", "no bucket"),
            ("/usr//app/", "empty"),
            ("/usr//", "empty"),
            ("/usr/../app/", "`..`"),
            ("/usr/a\npp/", "control"),
            ("/usr/app", "ends with a slash"),
        ] {
            let error = directory("train_url", bad.to_owned()).unwrap_err();
            assert_eq!(error.field(), Some("train_url"));
            assert!(error.message().contains(reason), "{bad}: {error}");
        }
        for bad in ["/usr/app/", "/boot.py", "boot.py"] {
            assert!(file("boot_file_url", bad.to_owned()).is_err(), "{bad}");
        }
    }
}
