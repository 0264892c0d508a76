//! Whom we trust: the system's certificate authorities and at most one private one.

use std::sync::Arc;

use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, InvalidDnsNameError, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore, crypto};

use super::settings::{Security, Settings};

/// Why no trust could be set up.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// The private CA is no PEM, or holds no certificate fit to be trusted.
    #[error("the private CA cannot be used: {0}")]
    PrivateCa(String),
    /// Neither the system nor the settings have a certificate authority.
    #[error("this system has no certificate authorities (on Debian: apt install ca-certificates){0}")]
    NoRoots(String),
}

/// The trust of one relay, loaded once and shared by all its connections, which also resume
/// each other's TLS sessions. TLS 1.2 and 1.3, aws-lc's algorithms, no client certificate.
#[derive(Clone)]
pub struct Tls {
    connector: TlsConnector,
}

impl Tls {
    /// Loads the system's roots and the private CA of the settings. With
    /// [`Security::ClearText`] nothing is read and nothing is trusted.
    pub fn for_settings(settings: &Settings) -> Result<Self, TlsError> {
        let mut roots = RootCertStore::empty();
        match settings.security {
            Security::ClearText(_) => {}
            Security::ImplicitTls | Security::StartTls => fill(&mut roots, settings.extra_roots_pem.as_deref())?,
        }
        let config = ClientConfig::builder_with_provider(Arc::new(crypto::aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()
            .expect("aws-lc's provider serves the default protocol versions")
            .with_root_certificates(roots)
            .with_no_client_auth();
        Ok(Self { connector: TlsConnector::from(Arc::new(config)) })
    }

    pub(super) fn connector(&self) -> &TlsConnector {
        &self.connector
    }
}

/// The name a certificate must carry.
pub(super) fn server_name(host: &str) -> Result<ServerName<'static>, InvalidDnsNameError> {
    ServerName::try_from(host.to_owned())
}

fn fill(roots: &mut RootCertStore, private_pem: Option<&[u8]>) -> Result<(), TlsError> {
    let system = rustls_native_certs::load_native_certs();
    // One unreadable file among the system's must not stop the mail.
    roots.add_parsable_certificates(system.certs);
    if let Some(pem) = private_pem {
        add_private(roots, pem)?;
    }
    if roots.is_empty() {
        let why: Vec<String> = system.errors.iter().map(|error| format!("; {error}")).collect();
        return Err(TlsError::NoRoots(why.concat()));
    }
    Ok(())
}

fn add_private(roots: &mut RootCertStore, pem: &[u8]) -> Result<(), TlsError> {
    let before = roots.len();
    for certificate in CertificateDer::pem_slice_iter(pem) {
        let certificate = certificate.map_err(|error| TlsError::PrivateCa(error.to_string()))?;
        roots.add(certificate).map_err(|error| TlsError::PrivateCa(error.to_string()))?;
    }
    if roots.len() == before {
        return Err(TlsError::PrivateCa("it holds no `BEGIN CERTIFICATE`".to_owned()));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_private_ca_that_is_none_is_an_error_and_no_silence() {
        let mut roots = RootCertStore::empty();
        for bad in ["", "hello", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"] {
            assert!(matches!(add_private(&mut roots, bad.as_bytes()), Err(TlsError::PrivateCa(_))), "{bad:?}");
        }
    }
}
