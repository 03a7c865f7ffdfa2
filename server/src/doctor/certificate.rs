//! The certificate of HTTPS: firmware that does not take it says so to nobody but to us, and boots nothing.

use super::{Finding, Grade};
use crate::http::{calendar, tls};
use crate::settings;
use heorot_core::config::Config;
use rustls::client::{verify_server_cert_signed_by_trust_anchor, verify_server_name};
use rustls::crypto::ring::default_provider;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, Error, RootCertStore};
use std::net::IpAddr;
use std::time::Duration;

/// How long before its end a certificate is warned of.
const SOON_SECONDS: u64 = 30 * 86_400;

/// When it is valid, and for which addresses. One that cannot be read was refused with the configuration.
pub(super) fn findings(config: &Config, now: u64) -> Vec<Finding> {
    let Some(wanted) = &config.http.tls else { return Vec::new() };
    let Ok(chain) = tls::chain(&wanted.certificate, &|_| String::new()) else { return Vec::new() };
    let subject = format!("http.certificate {}", wanted.certificate);
    // What is not offered to firmware can be had by HTTPS by whoever asks for it.
    let grade = if wanted.is_offered { Grade::Fault } else { Grade::Warning };
    let Some(Ok(own)) = chain.first().map(ParsedCertificate::try_from) else { return Vec::new() };
    let mut findings = Vec::new();
    if let Some(said) = dates(&own, &chain, now, "is over since") {
        findings.push(Finding::new(
            grade,
            subject.clone(),
            format!("{said}\n  make a new one, and: systemctl reload heorot"),
        ));
    } else if let Some(said) = dates(&own, &chain, now + SOON_SECONDS, "ends at") {
        let said = format!("{said}\n  make a new one, and: systemctl reload heorot");
        findings.push(Finding::new(Grade::Warning, subject.clone(), said));
    }
    for address in settings::own_addresses(config) {
        if verify_server_name(&own, &ServerName::IpAddress(IpAddr::V4(address).into())).is_err() {
            let said = format!(
                "is not for {address}, which is what the URL names: firmware there refuses it\n  make one with subjectAltName=IP:{address} (docs/http.md), or boot by plain HTTP: offer = \"http\""
            );
            findings.push(Finding::new(grade, subject.clone(), said));
        }
    }
    if findings.is_empty() {
        findings.push(Finding::new(Grade::Ok, subject, "is valid, and for the addresses of the server"));
    }
    findings
}

/// What is wrong with a certificate's dates at a moment. They are looked at before anything else is, so that it does not matter who is trusted.
fn dates(own: &ParsedCertificate<'_>, chain: &[CertificateDer<'_>], at: u64, ends: &str) -> Option<String> {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(chain.last().map(|last| last.clone().into_owned()));
    let at = UnixTime::since_unix_epoch(Duration::from_secs(at));
    let known = default_provider().signature_verification_algorithms.all;
    let further = chain.get(1..).unwrap_or_default();
    match verify_server_cert_signed_by_trust_anchor(own, &roots, further, at, known) {
        Err(Error::InvalidCertificate(CertificateError::ExpiredContext { not_after, .. })) => {
            Some(format!("{ends} {}", calendar::written(not_after.as_secs())))
        }
        Err(Error::InvalidCertificate(CertificateError::NotValidYetContext { not_before, .. })) => {
            Some(format!("is not valid before {}", calendar::written(not_before.as_secs())))
        }
        Ok(()) | Err(_) => None,
    }
}

#[cfg(test)]
mod tests;
