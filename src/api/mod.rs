//! The generated clients, one module for each service, and their hand-written hooks and types.
//!
//! `build.rs` compiles `openapi/*.yaml` into these modules. The handles of [`crate::modelarts`] and [`crate::mrs`] are
//! the convenient way to use them. The clients are public for what a handle does not offer, see
//! [`crate::modelarts::ModelArts::client`] and [`crate::mrs::Mrs::client`]. Their futures end in
//! [`progenitor_client::Error`], which [`Error`] converts from without losing anything.

use std::future::Future;

use progenitor_client::{ClientHooks, ClientInfo, OperationInfo, ResponseValue};
use serde::de::DeserializeOwned;

use crate::error::Error;
use crate::transport::{self, Transport};

#[cfg(feature = "schemars")]
pub(crate) mod schema;
#[cfg(test)]
mod signature;
pub mod wire;

pub use crate::shape::{ListShape, PageShape};
pub use crate::transport::Operation;

/// Returns the operation with this id, of any service.
#[cfg(any(feature = "emulator", feature = "raw"))]
pub(crate) fn operation(id: &str) -> Option<&'static Operation> {
    let services = [iam::operations::ALL, modelarts::operations::ALL, mrs::operations::ALL];
    services.into_iter().flatten().find(|operation| operation.id == id)
}

macro_rules! service {
    ($name:ident, $title:literal) => {
        #[doc = concat!("Generated client of ", $title, ".")]
        #[allow(
            missing_docs,
            unreachable_pub,
            unused_imports,
            dead_code,
            irrefutable_let_patterns,
            clippy::all,
            clippy::allow_attributes_without_reason,
            clippy::unwrap_used,
            rustdoc::all,
            reason = "generated from the description; put right there or in spec/lower/"
        )]
        pub mod $name {
            include!(concat!(env!("OUT_DIR"), "/", stringify!($name), ".rs"));
        }

        /// Sends every request of the client. Without it the crate does not compile.
        impl ClientHooks<Transport> for $name::Client {
            async fn exec(
                &self,
                request: reqwest::Request,
                info: &OperationInfo,
            ) -> reqwest::Result<reqwest::Response> {
                let operation = $name::operations::ALL.iter().find(|operation| operation.id == info.operation_id);
                self.inner().exec(self.client(), request, operation).await
            }
        }
    };
}

service!(iam, "IAM v3: tokens and projects");
service!(modelarts, "ModelArts v1: training, visualization and labeling jobs");
service!(mrs, "MRS v1.1: the Sahara-compatible job objects");

/// Runs one generated call and returns the body of its response.
pub(crate) fn call<T: DeserializeOwned>(
    operation: &Operation,
    request: impl Future<Output = Result<ResponseValue<T>, progenitor_client::Error<()>>>,
) -> impl Future<Output = Result<T, Error>> {
    // Boxed because the future is large: each enclosing async layer would store its own copy.
    let request = Box::pin(request);
    async move { exchange(operation, request).await.map(ResponseValue::into_inner) }
}

/// Runs one generated call and converts its error to the crate's own.
pub(crate) async fn exchange<T: DeserializeOwned>(
    operation: &Operation,
    request: impl Future<Output = Result<ResponseValue<T>, progenitor_client::Error<()>>>,
) -> Result<ResponseValue<T>, Error> {
    let (outcome, info) = transport::observe(request).await;
    outcome.map_err(|error| match error {
        progenitor_client::Error::InvalidResponsePayload(body, error) => {
            // The generator's error has no place in the body: parse the body again to find it.
            let mut deserializer = serde_json::Deserializer::from_slice(&body);
            let (place, message) = match serde_path_to_error::deserialize::<_, T>(&mut deserializer) {
                Ok(_) => (".".to_owned(), error.to_string()),
                Err(error) => (error.path().to_string(), error.inner().to_string()),
            };
            Error::undecodable(place, message, &body, &info).with_operation(operation.id)
        }
        error => Error::from(error).or_operation(operation.id),
    })
}
