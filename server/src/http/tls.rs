//! The certificate and the key of HTTPS, as they are in their files.

use crate::plain_file;
use rustls::ServerConfig;
use rustls::crypto::ring::default_provider;
use rustls::pki_types::pem::{self, PemObject as _};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use std::io::ErrorKind;
use std::sync::Arc;

/// More than any chain of certificates has.
const FILE_OCTETS_MAX: u64 = 4 << 20;

/// What is wrong, with which of the two files, and what to do.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Wrong {
    Certificate(String, String),
    Key(String, String),
}

/// Reads them. TLS 1.2 and 1.3, which is what UEFI speaks; HTTP/1.1 and nothing else.
pub(crate) fn read(certificate: &str, key: &str) -> Result<Arc<ServerConfig>, Wrong> {
    let chain = chain(certificate)?;
    if chain.is_empty() {
        let message = format!("{certificate} has no certificate in it");
        let remedy = "it begins with -----BEGIN CERTIFICATE-----; the server's own comes first, then those that lead to its authority";
        return Err(Wrong::Certificate(message, remedy.into()));
    }
    let secret = plain_file::read(key, FILE_OCTETS_MAX)
        .map_err(pem::Error::Io)
        .and_then(|octets| PrivateKeyDer::from_pem_slice(&octets))
        .map_err(|error| unreadable("key", key, &error))
        .map_err(|(message, remedy)| Wrong::Key(message, remedy))?;
    let mut config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()
        .expect("ring has what TLS 1.2 and 1.3 need")
        .with_no_client_auth()
        .with_single_cert(chain, secret)
        .map_err(|error| {
            let message = format!("certificate and key do not go together: {error}");
            Wrong::Key(message, "give the key that the certificate was made for".into())
        })?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

/// The certificates of a file: the server's own, and those that lead to its authority.
pub(crate) fn chain(certificate: &str) -> Result<Vec<CertificateDer<'static>>, Wrong> {
    plain_file::read(certificate, FILE_OCTETS_MAX)
        .map_err(pem::Error::Io)
        .and_then(|octets| CertificateDer::pem_slice_iter(&octets).collect())
        .map_err(|error| unreadable("certificate", certificate, &error))
        .map_err(|(message, remedy)| Wrong::Certificate(message, remedy))
}

fn unreadable(setting: &str, path: &str, error: &pem::Error) -> (String, String) {
    let pem::Error::Io(io) = error else {
        let remedy = "it has to be in PEM: -----BEGIN CERTIFICATE-----, or -----BEGIN PRIVATE KEY-----";
        return (format!("{path} cannot be read: {error}"), remedy.into());
    };
    let remedy = match io.kind() == ErrorKind::NotFound {
        true => format!("make it there (docs/http.md says how), or correct {setting}"),
        false => format!("let the user that runs heorot read it: chgrp heorot {path} && chmod g+r {path}"),
    };
    (format!("{path} cannot be read: {io}"), remedy)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrong_with_the_files_is_said() {
        let directory = crate::testing::directory("https");
        let path = |name: &str| directory.path().join(name).to_str().unwrap().to_owned();
        let made = rcgen::generate_simple_self_signed(["heorot".to_owned()]).unwrap();
        let other = rcgen::generate_simple_self_signed(["heorot".to_owned()]).unwrap();
        std::fs::write(path("certificate"), made.cert.pem()).unwrap();
        std::fs::write(path("key"), made.signing_key.serialize_pem()).unwrap();
        std::fs::write(path("other"), other.signing_key.serialize_pem()).unwrap();
        std::fs::write(path("text"), "no key\n").unwrap();
        nix::unistd::mkfifo(path("pipe").as_str(), nix::sys::stat::Mode::S_IRWXU).unwrap();
        assert!(read(&path("certificate"), &path("key")).is_ok());
        for (certificate, key, expected) in [
            ("missing", "key", "or correct certificate"),
            ("text", "key", "has no certificate in it"),
            ("certificate", "missing", "or correct key"),
            ("pipe", "key", "it is a pipe"),
            ("certificate", "pipe", "it is a pipe"),
            ("certificate", "text", "BEGIN PRIVATE KEY"),
            ("certificate", "other", "do not go together"),
        ] {
            let problem = format!("{:?}", read(&path(certificate), &path(key)).unwrap_err());
            assert!(problem.contains(expected), "{certificate} and {key}: {problem}");
        }
    }
}
