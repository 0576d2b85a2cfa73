//! The certificate authority of this simulator and its certificate for loopback. Connections live in `server.rs`.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Arc;

use rcgen::{
    BasicConstraints, CertificateParams, CidrSubnet, DistinguishedName, DnType,
    ExtendedKeyUsagePurpose, GeneralSubtree, IsCa, Issuer, KeyPair, KeyUsagePurpose,
    NameConstraints, SanType,
};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use time::{Duration, OffsetDateTime};

use crate::Error;

/// The authority as it is kept in the data directory.
pub(crate) struct Authority {
    pub(crate) certificate_pem: String,
    pub(crate) key_pem: String,
}

impl Authority {
    pub(crate) fn generate() -> Result<Authority, Error> {
        let key = KeyPair::generate().map_err(certificate)?;
        let mut params = params()?;
        let now = OffsetDateTime::now_utc();
        params.not_before = now - Duration::days(1);
        params.not_after = now + Duration::days(3650);
        let made = params.self_signed(&key).map_err(certificate)?;
        Ok(Authority {
            certificate_pem: made.pem(),
            key_pem: key.serialize_pem(),
        })
    }

    /// A server configuration with a fresh certificate for loopback, signed by this authority.
    pub(crate) fn server(&self) -> Result<rustls::ServerConfig, Error> {
        let issuer = Issuer::new(
            params()?,
            KeyPair::from_pem(&self.key_pem).map_err(certificate)?,
        );
        let key = KeyPair::generate().map_err(certificate)?;
        let mut leaf = CertificateParams::new(vec!["localhost".to_owned()]).map_err(certificate)?;
        leaf.subject_alt_names.extend([
            SanType::IpAddress(IpAddr::V4(Ipv4Addr::LOCALHOST)),
            SanType::IpAddress(IpAddr::V6(Ipv6Addr::LOCALHOST)),
        ]);
        leaf.distinguished_name = named("Slipway simulator");
        leaf.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        leaf.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        leaf.use_authority_key_identifier_extension = true;
        let now = OffsetDateTime::now_utc();
        leaf.not_before = now - Duration::days(1);
        leaf.not_after = now + Duration::days(397);
        let leaf = leaf.signed_by(&key, &issuer).map_err(certificate)?;
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut server = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(certificate)?
            .with_no_client_auth()
            .with_single_cert(vec![leaf.der().clone()], key)
            .map_err(certificate)?;
        server.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(server)
    }
}

/// The same every time, because leaves are signed against them after a restart. The authority can vouch for loopback only, so trusting it gives nothing else away.
fn params() -> Result<CertificateParams, Error> {
    let mut params = CertificateParams::new(Vec::new()).map_err(certificate)?;
    params.distinguished_name = named("Slipway simulator authority");
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params.name_constraints = Some(NameConstraints {
        permitted_subtrees: vec![
            GeneralSubtree::DnsName("localhost".to_owned()),
            GeneralSubtree::IpAddress(CidrSubnet::from_v4_prefix([127, 0, 0, 0], 8)),
            GeneralSubtree::IpAddress(CidrSubnet::from_v6_prefix(
                Ipv6Addr::LOCALHOST.octets(),
                128,
            )),
        ],
        excluded_subtrees: Vec::new(),
    });
    Ok(params)
}

fn named(common_name: &str) -> DistinguishedName {
    let mut name = DistinguishedName::new();
    name.push(DnType::CommonName, common_name);
    name
}

fn certificate(error: impl std::fmt::Display) -> Error {
    Error::Certificate(error.to_string())
}
