//! How sure a connection must be of the server, by `sslmode` as PostgreSQL's own programs understand it.

use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, Error, SignatureScheme};
use rustls_platform_verifier::BuilderVerifierExt as _;
use tokio_postgres_rustls::MakeRustlsConnect;

use super::super::StoreError;

/// What `sslmode` says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mode {
    /// Without TLS.
    Disable,
    /// With TLS where the server has it, whoever it is.
    Prefer,
    /// With TLS, whoever the server is.
    Require,
    /// With TLS, and a certificate for the host's name from an authority that this machine trusts.
    VerifyFull,
}

/// Takes `sslmode` out of a URL: the client library knows fewer modes.
pub(super) fn without_mode(url: &str) -> Result<(String, Mode), StoreError> {
    let Some((before, query)) = url.split_once('?') else {
        return Ok((url.to_owned(), Mode::Prefer));
    };
    let mut mode = Mode::Prefer;
    let mut rest = Vec::new();
    for pair in query.split('&') {
        match pair.split_once('=') {
            Some(("sslmode", name)) => mode = read(name)?,
            Some(("sslrootcert" | "sslcert" | "sslkey" | "sslcrl" | "sslpassword", _)) => {
                return Err(StoreError::Address(
                    "files of certificates and keys are not taken; name the file of authorities to \
                     trust in the environment variable SSL_CERT_FILE"
                        .to_owned(),
                ));
            }
            _ => rest.push(pair),
        }
    }
    if rest.is_empty() {
        return Ok((before.to_owned(), mode));
    }
    Ok((format!("{before}?{}", rest.join("&")), mode))
}

fn read(name: &str) -> Result<Mode, StoreError> {
    match name {
        "disable" => Ok(Mode::Disable),
        "prefer" => Ok(Mode::Prefer),
        "require" => Ok(Mode::Require),
        "verify-full" => Ok(Mode::VerifyFull),
        _ => Err(StoreError::Address(format!(
            "sslmode={name} is not taken; use disable, prefer, require, or verify-full, which alone \
             makes sure of the server"
        ))),
    }
}

/// What connections are made with.
#[derive(Clone)]
pub(super) struct Tls(Arc<ClientConfig>);

impl Tls {
    pub(super) fn new(mode: Mode) -> Result<Self, StoreError> {
        let provider = Arc::new(ring::default_provider());
        let failed = |error: Error| StoreError::Address(format!("TLS: {error}"));
        let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .map_err(failed)?;
        let config = if mode == Mode::VerifyFull {
            builder.with_platform_verifier().map_err(failed)?
        } else {
            builder
                .dangerous()
                .with_custom_certificate_verifier(Arc::new(Anybody(provider)))
        };
        Ok(Self(Arc::new(config.with_no_client_auth())))
    }

    pub(super) fn connector(&self) -> MakeRustlsConnect {
        MakeRustlsConnect::new(ClientConfig::clone(&self.0))
    }
}

/// Takes every certificate, as `prefer` and `require` ask for: what is sent cannot be read by who only
/// listens. That the server has the certificate's key is checked all the same.
#[derive(Debug)]
struct Anybody(Arc<CryptoProvider>);

impl ServerCertVerifier for Anybody {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signed, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signed, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}

#[cfg(test)]
#[allow(
    clippy::unwrap_used,
    reason = "a test that meets something unexpected shall fail"
)]
mod tests {
    use super::*;

    #[test]
    fn the_mode_is_taken_out_of_the_url_and_the_rest_stays() {
        let both = without_mode("postgres://h/d?sslmode=require&options=-c%20a%3Db").unwrap();
        let rest = "postgres://h/d?options=-c%20a%3Db".to_owned();
        assert_eq!(both, (rest, Mode::Require));
        let alone = without_mode("postgres://h/d?sslmode=verify-full").unwrap();
        assert_eq!(alone, ("postgres://h/d".to_owned(), Mode::VerifyFull));
        assert_eq!(without_mode("postgres://h/d").unwrap().1, Mode::Prefer);
    }

    #[test]
    fn what_is_not_supported_is_refused_and_says_what_is() {
        for (query, says) in [
            ("sslmode=verify-ca", "verify-full"),
            ("sslmode=allow", "verify-full"),
            ("sslrootcert=ca.pem", "SSL_CERT_FILE"),
        ] {
            let error = without_mode(&format!("postgres://h/d?{query}")).unwrap_err();
            assert!(error.to_string().contains(says), "{error}");
        }
    }
}
