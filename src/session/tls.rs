//! The TLS settings of HTTP clients. No provider of cryptography is installed for the whole process: a program that has
//! chosen one keeps it, and any other one gets the provider of the feature `ring` for this crate's clients alone.

use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};
use rustls_platform_verifier::Verifier;

use crate::error::Error;
use crate::secret::Secret;

/// What a session was told about TLS.
#[derive(Clone)]
pub(super) struct Tls {
    /// Certificates in PEM to trust besides those of the system.
    pub(super) certificates: Vec<u8>,
    /// A certificate and its key in PEM, to authenticate with.
    pub(super) identity: Option<Secret>,
    /// Whether the certificates of servers are verified.
    pub(super) verify: bool,
}

impl Default for Tls {
    fn default() -> Self {
        Self { certificates: Vec::new(), identity: None, verify: true }
    }
}

impl Tls {
    /// Makes the settings of a client; `is_plain` if it sends nothing by TLS.
    pub(super) fn config(&self, is_plain: bool) -> Result<ClientConfig, Error> {
        let provider = provider()?;
        let failed = |error: rustls::Error| Error::configuration("TLS cannot be set up").with_source(error);
        let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .map_err(failed)?;
        let roots = self.roots()?;
        let builder = if is_plain && roots.is_empty() {
            // Reading the certificates of the system takes longer than a call.
            builder.with_root_certificates(RootCertStore::empty())
        } else if self.verify {
            let verifier = verifier(roots, provider).map_err(|error| {
                Error::configuration("the certificates of the system cannot be read, so no server can be verified")
                    .with_source(error)
            })?;
            builder.dangerous().with_custom_certificate_verifier(Arc::new(verifier))
        } else {
            builder.dangerous().with_custom_certificate_verifier(Arc::new(AnyCertificate(provider)))
        };
        let mut config = match self.client_certificate()? {
            None => builder.with_no_client_auth(),
            Some((certificates, key)) => builder
                .with_client_auth_cert(certificates, key)
                .map_err(|error| Error::configuration("the client certificate cannot be used").with_source(error))?,
        };
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(config)
    }

    fn roots(&self) -> Result<Vec<CertificateDer<'static>>, Error> {
        if self.certificates.is_empty() {
            return Ok(Vec::new());
        }
        let roots: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&self.certificates).collect();
        let roots =
            roots.map_err(|error| Error::configuration("the root certificates are not PEM").with_source(error))?;
        if roots.is_empty() {
            return Err(Error::configuration("the root certificates hold no certificate in PEM"));
        }
        Ok(roots)
    }

    fn client_certificate(&self) -> Result<Option<(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>)>, Error> {
        let Some(pem) = &self.identity else { return Ok(None) };
        let pem = pem.expose().as_bytes();
        let certificates: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
        let certificates = certificates
            .map_err(|error| Error::configuration("the client certificate is not PEM").with_source(error))?;
        if certificates.is_empty() {
            return Err(Error::configuration("the client certificate holds no certificate in PEM"));
        }
        // The error of the parser may repeat a part of the key.
        let key = PrivateKeyDer::from_pem_slice(pem)
            .map_err(|_| Error::configuration("the client certificate holds no private key in PEM"))?;
        Ok(Some((certificates, key)))
    }
}

#[cfg(any(windows, all(unix, not(target_os = "android"))))]
fn verifier(roots: Vec<CertificateDer<'static>>, provider: Arc<CryptoProvider>) -> Result<Verifier, rustls::Error> {
    match roots.is_empty() {
        true => Verifier::new(provider),
        false => Verifier::new_with_extra_roots(roots, provider),
    }
}

#[cfg(not(any(windows, all(unix, not(target_os = "android")))))]
fn verifier(roots: Vec<CertificateDer<'static>>, provider: Arc<CryptoProvider>) -> Result<Verifier, rustls::Error> {
    match roots.is_empty() {
        true => Verifier::new(provider),
        false => Err(rustls::Error::General("this system takes no further root certificates".to_owned())),
    }
}

/// The provider that the program has installed, else the one of this crate's feature.
fn provider() -> Result<Arc<CryptoProvider>, Error> {
    match CryptoProvider::get_default() {
        Some(installed) => Ok(Arc::clone(installed)),
        None => own_provider(),
    }
}

#[cfg(feature = "ring")]
fn own_provider() -> Result<Arc<CryptoProvider>, Error> {
    Ok(Arc::new(rustls::crypto::ring::default_provider()))
}

#[cfg(not(feature = "ring"))]
fn own_provider() -> Result<Arc<CryptoProvider>, Error> {
    Err(Error::configuration(
        "there is no provider of cryptography for TLS: enable the feature `ring`, or install a provider with \
         `rustls::crypto::CryptoProvider::install_default`",
    ))
}

/// Accepts any certificate, and checks only that the server has its key.
#[derive(Debug)]
struct AnyCertificate(Arc<CryptoProvider>);

impl ServerCertVerifier for AnyCertificate {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, certificate, signature, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, certificate, signature, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
