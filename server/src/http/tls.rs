//! The certificate and the key of HTTPS, as they are in their files.

use crate::plain_file;
use rustls::crypto::ring::default_provider;
use rustls::pki_types::pem::{self, PemObject as _};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{Error, ServerConfig};
use std::io::ErrorKind;
use std::path::Path;
use std::sync::Arc;

/// More than any chain of certificates has.
const FILE_OCTETS_MAX: u64 = 4 << 20;

/// What is wrong, with which of the two files, and what to do.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Wrong {
    Certificate(String, String),
    Key(String, String),
}

/// Reads them; `closed` says what is to be done where one may not be read. TLS 1.2 and 1.3, which is what UEFI speaks; HTTP/1.1 and nothing else.
pub(crate) fn read(
    certificate: &str,
    key: &str,
    closed: &dyn Fn(&Path) -> String,
) -> Result<Arc<ServerConfig>, Wrong> {
    let chain = chain(certificate, closed)?;
    if chain.is_empty() {
        let message = format!("{certificate} has no certificate in it");
        let remedy = "it begins with -----BEGIN CERTIFICATE-----; the server's own comes first, then those that lead to its authority";
        return Err(Wrong::Certificate(message, remedy.into()));
    }
    let secret = plain_file::read(key, FILE_OCTETS_MAX)
        .map_err(|error| unreadable("key", key, &pem::Error::Io(error), closed))
        .and_then(|octets| {
            PrivateKeyDer::from_pem_slice(&octets).map_err(|error| {
                locked(key, &octets).unwrap_or_else(|| unreadable("key", key, &error, closed))
            })
        })
        .map_err(|(message, remedy)| Wrong::Key(message, remedy))?;
    let mut config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()
        .expect("ring has what TLS 1.2 and 1.3 need")
        .with_no_client_auth()
        .with_single_cert(chain, secret)
        .map_err(|error| not_taken(certificate, key, &error))?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

/// A key that nobody but who knows its passphrase can read, and nobody is there to say that when the server starts. OpenSSL writes such a one with either of two first lines.
fn locked(key: &str, octets: &[u8]) -> Option<(String, String)> {
    let text = String::from_utf8_lossy(octets);
    let is_locked = text.contains("BEGIN ENCRYPTED PRIVATE KEY") || text.contains("Proc-Type: 4,ENCRYPTED");
    is_locked.then(|| {
        let message = format!("{key} is locked with a passphrase, and nobody says it at a start");
        let remedy = format!("write it without: openssl pkey -in {key} -out OTHER, and name that one");
        (message, remedy)
    })
}

/// Why the two, which can be read, cannot be used.
fn not_taken(certificate: &str, key: &str, error: &Error) -> Wrong {
    if matches!(error, Error::InconsistentKeys(_)) {
        let message = format!("certificate and key do not go together: {error}");
        return Wrong::Key(message, "give the key that the certificate was made for".into());
    }
    if matches!(error, Error::InvalidCertificate(_)) {
        let message = format!("{certificate} cannot be used: {error}");
        return Wrong::Certificate(message, "make another one: docs/http.md says how".into());
    }
    let message = format!(
        "{key} cannot be used: it is neither RSA of 2048 to 4096 bits, nor ECDSA by P-256 or P-384, nor Ed25519 ({error})"
    );
    let remedy = "`openssl pkey -noout -text -in FILE` says what it is; make another one, with its certificate: openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes … (docs/http.md)";
    Wrong::Key(message, remedy.into())
}

/// The certificates of a file: the server's own, and those that lead to its authority.
pub(crate) fn chain(
    certificate: &str,
    closed: &dyn Fn(&Path) -> String,
) -> Result<Vec<CertificateDer<'static>>, Wrong> {
    plain_file::read(certificate, FILE_OCTETS_MAX)
        .map_err(pem::Error::Io)
        .and_then(|octets| CertificateDer::pem_slice_iter(&octets).collect())
        .map_err(|error| unreadable("certificate", certificate, &error, closed))
        .map_err(|(message, remedy)| Wrong::Certificate(message, remedy))
}

fn unreadable(
    setting: &str,
    path: &str,
    error: &pem::Error,
    closed: &dyn Fn(&Path) -> String,
) -> (String, String) {
    let pem::Error::Io(io) = error else {
        let remedy = "it has to be in PEM: -----BEGIN CERTIFICATE-----, or -----BEGIN PRIVATE KEY-----";
        return (format!("{path} cannot be read: {error}"), remedy.into());
    };
    let remedy = if io.kind() == ErrorKind::PermissionDenied {
        closed(Path::new(path))
    } else {
        format!("make it there (docs/http.md says how), or correct {setting}")
    };
    (format!("{path} cannot be read: {io}"), remedy)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -aes128`
    const LOCKED: &str = "-----BEGIN ENCRYPTED PRIVATE KEY-----
MIHsMFcGCSqGSIb3DQEFDTBKMCkGCSqGSIb3DQEFDDAcBAieAHirEwSi+AICCAAw
DAYIKoZIhvcNAgkFADAdBglghkgBZQMEAQIEEBvo3lx432L9nUKek0Z1LkcEgZDC
tUqViqNq7lrkKsZ+BrBA+8U6tYR+ZGuPjin3qchpwPIcDYOwb84Pv7sr32xLSOed
yo5X2xd7amVpiByVX8S4pZvijZZBaE52f+JwRXP+Vd10DnSSsKxuQWs2JSEVliHY
85LXYvVErX9/I9SVWM8GJMKjQTP6TTJ6hPyKux3c9FE2I/vCEnWxe89BKizPCxI=
-----END ENCRYPTED PRIVATE KEY-----
";
    /// `openssl ec -aes128`, of a key of P-256.
    const LOCKED_AS_OF_OLD: &str = "-----BEGIN EC PRIVATE KEY-----
Proc-Type: 4,ENCRYPTED
DEK-Info: AES-128-CBC,94B9D0B26BE9CB7F5B53A48433A1C40A

tk8jN6ZxJ9MLapEgVS022CwUputOzNPJJJtdsvCZr7aPClcd32GfDndxMNt83HTH
3CU/K7ud0HzMf66v82i6lUmKIJxgXhWohVA7N7lCKmRYtx31d26RMhtuceUq9uyy
59Dsg0CwGKW7ZZwJZt98mvaht6JlD8NeMGThokuiACU=
-----END EC PRIVATE KEY-----
";
    /// `openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:1024`: too short for TLS.
    const SHORT: &str = "-----BEGIN PRIVATE KEY-----
MIICeQIBADANBgkqhkiG9w0BAQEFAASCAmMwggJfAgEAAoGBAM8MzD/cxWRsdsuL
a0AefcjkgyQR5/+L+tnPvkcXbHGI8QolkHwFPhP2QqnYLYgWg/lLz4CUHN+pdYeg
iUlCZxZiTUQPJJoTrpOevoGTkCcIREtP6HO92XxJVyaCiVidiUvXkw33qlPW0xjz
MX8HrmUKs/kF8Fp4kyFNGTGV4LoXAgMBAAECgYEAykHiNHBhkxwxX9ytxFEE5v3y
7YVgcE45mhRJ+AB1uuLfM95GKiCk57Mko+29bLcx7JGV/jCxk/tiCD9WXO406/Gb
ycFu1OIMLxVds6/Vq/ZX2OQCCtRcbBuYZYzBzMALAmPMqNZ3YiOnggKDqz73LFEM
IF2DjMZk6+6WWkxckKECQQD5NbXMYblzxjTDpGoH4P4yo26q1tDZlLr1SkggTv73
F7d1YKXk2T57tKuDaugfW6Koccw1lyWZqYdnadODHGLVAkEA1LEDqMJO8EtX0+7a
cEeDQRFLOATsx2qlPbQHImT8ocISnvMgtRGzaAlGg0A9jISuvbdVMdadOvkTNIwY
TumnOwJBAMlmYrn98EZkVJgX86jSaBy8f9+JI9fznvRFR+z0apF+lUFDDk7YUure
pA3dBCLzh4ziCsr0j+qTW15z4//9nNECQQDQzN58xBTezfhw9KG5bFsse5/OZPdW
ZhnGU4BVgbKJ0o6ZQLGxUKlBzylMHLrPwkoRsXOPs9MzW+ZAxe/vOG6VAkEA3LSY
YGLqZuz6+Lpl6M8OwHJ/OGctg48Cr1HyCc2a5B8fmy8eIwgibgw50JW3yptelK3L
i/cftVM54FBkEonwyQ==
-----END PRIVATE KEY-----
";
    /// `openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-521`: a curve that is not spoken here.
    const OTHER_CURVE: &str = "-----BEGIN PRIVATE KEY-----
MIHuAgEAMBAGByqGSM49AgEGBSuBBAAjBIHWMIHTAgEBBEIAesOMYK/ma3PFpz0D
6vn8NP+T7JJ/cw1vYM1aGiszVNH7XWgEhma51BWfm6R2nptp3Qp0csYeL85d9s+3
sIPP9NShgYkDgYYABAEKfkRxK8Av57WxrhtJNjaaVXW282C5estw8Kbif5LVxWTM
5CV6MqmegbIlYlyqpQGbz66fhQrWtgMoax+Lhq2jDwG5cTbt68IsDr5n8WIwWp36
n6gYmVGbUMt8CliBBLlO/rLUKLe2/qUk1hw9HH6Sg39L5SM3X26EZKscLT6s2Wxq
mQ==
-----END PRIVATE KEY-----
";

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
        std::fs::write(path("locked"), LOCKED).unwrap();
        std::fs::write(path("locked-as-of-old"), LOCKED_AS_OF_OLD).unwrap();
        std::fs::write(path("short"), SHORT).unwrap();
        std::fs::write(path("other-curve"), OTHER_CURVE).unwrap();
        let nothing =
            made.cert.pem().replace("-----BEGIN CERTIFICATE-----", "-----BEGIN CERTIFICATE-----\nAAAA");
        std::fs::write(path("no-certificate"), nothing).unwrap();
        let read = |certificate: &str, key: &str| read(certificate, key, &|_| String::new());
        assert!(read(&path("certificate"), &path("key")).is_ok());
        for (certificate, key, expected) in [
            ("missing", "key", "or correct certificate"),
            ("text", "key", "has no certificate in it"),
            ("certificate", "missing", "or correct key"),
            ("pipe", "key", "it is a pipe"),
            ("certificate", "pipe", "it is a pipe"),
            ("certificate", "text", "BEGIN PRIVATE KEY"),
            ("certificate", "other", "do not go together"),
            ("certificate", "locked", "locked with a passphrase"),
            ("certificate", "locked-as-of-old", "locked with a passphrase"),
            ("certificate", "short", "RSA of 2048 to 4096 bits"),
            ("certificate", "other-curve", "nor ECDSA by P-256 or P-384"),
            ("no-certificate", "key", "no-certificate cannot be used"),
        ] {
            let problem = format!("{:?}", read(&path(certificate), &path(key)).unwrap_err());
            assert!(problem.contains(expected), "{certificate} and {key}: {problem}");
        }
    }
}
