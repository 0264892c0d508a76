//! The sink's authority and its certificate, good or flawed, made afresh for each sink.

use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair, date_time_ymd};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::{ServerConfig, crypto};

use super::script::Certificate;

pub(super) struct Identity {
    pub(super) acceptor: TlsAcceptor,
    pub(super) ca_pem: Vec<u8>,
}

impl Identity {
    pub(super) fn make(wanted: Certificate) -> Self {
        let mut ca = CertificateParams::new(Vec::new()).unwrap();
        ca.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let ca_key = KeyPair::generate().unwrap();
        let ca_pem = ca.self_signed(&ca_key).unwrap().pem().into_bytes();
        let issuer = Issuer::new(ca, ca_key);

        let key = KeyPair::generate().unwrap();
        let leaf = leaf(wanted);
        let certificate = match wanted {
            Certificate::SelfSigned => leaf.self_signed(&key),
            Certificate::Good | Certificate::WrongName | Certificate::Expired => leaf.signed_by(&key, &issuer),
        };
        Self { acceptor: acceptor(certificate.unwrap().der().clone(), &key), ca_pem }
    }
}

fn leaf(wanted: Certificate) -> CertificateParams {
    let names = match wanted {
        Certificate::WrongName => vec!["elsewhere.example".to_owned()],
        Certificate::Good | Certificate::Expired | Certificate::SelfSigned => {
            vec!["localhost".to_owned(), "127.0.0.1".to_owned()]
        }
    };
    let mut params = CertificateParams::new(names).unwrap();
    if wanted == Certificate::Expired {
        params.not_before = date_time_ymd(2000, 1, 1);
        params.not_after = date_time_ymd(2001, 1, 1);
    }
    params
}

fn acceptor(certificate: CertificateDer<'static>, key: &KeyPair) -> TlsAcceptor {
    let key = PrivateKeyDer::Pkcs8(key.serialize_der().into());
    let config = ServerConfig::builder_with_provider(Arc::new(crypto::aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .unwrap();
    TlsAcceptor::from(Arc::new(config))
}
