//! The settings that a session needs.

/// A setting without which no session can be built, see [`Error::missing`](super::Error::missing).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Setting {
    /// The id of the project.
    ProjectId,
    /// The addresses of the services: a region or an endpoint.
    Endpoint,
    /// The credentials.
    Credentials,
}

impl Setting {
    /// The name of the method of [`SessionBuilder`](crate::session::SessionBuilder) that sets it, for example `project_id`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ProjectId => "project_id",
            Self::Endpoint => "endpoint",
            Self::Credentials => "credentials",
        }
    }
}
