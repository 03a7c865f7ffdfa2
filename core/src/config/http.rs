//! `[http]`: at which port, and with which certificate.

use super::entry::Placed;
use super::mistake::{Findings, Mistake};
use super::read::Tables;
use super::value;
use std::ops::Range;

/// The HTTP server for nodes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Http {
    /// Its port.
    pub port: u16,
    /// HTTPS beside it, if there is to be any.
    pub tls: Option<Tls>,
}

/// HTTPS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tls {
    /// Its port.
    pub port: u16,
    /// The file of the server's certificate, and of those that lead to its authority.
    pub certificate: String,
    /// The file of its private key.
    pub key: String,
    /// Whether UEFI HTTP Boot is offered its boot file by it.
    pub is_offered: bool,
    /// Where the two files are named: what is wrong with them is found when they are read.
    spans: (Range<usize>, Range<usize>),
}

/// The same, with where its ports stand.
pub(super) struct HttpDraft {
    pub(super) http: Http,
    pub(super) ports: Vec<Placed<u32>>,
}

impl Tls {
    /// A mistake at the certificate's setting, in the text of the configuration.
    pub fn wrong_certificate(&self, text: &str, message: String, remedy: String) -> Mistake {
        Mistake::at(text, self.spans.0.clone(), message, remedy)
    }

    /// A mistake at the key's setting.
    pub fn wrong_key(&self, text: &str, message: String, remedy: String) -> Mistake {
        Mistake::at(text, self.spans.1.clone(), message, remedy)
    }
}

/// Port 443 alone needs no certificate: it is what stands in the sample.
const USUAL_TLS_PORT: u32 = 443;
/// Names are answered for at each address that HTTP is at, by TCP too (RFC 7766 5).
pub(super) const DNS_PORT: u32 = 53;

/// None: something was wrong.
pub(super) fn read(findings: &mut Findings<'_>, tables: &Tables<'_>) -> Option<HttpDraft> {
    let http = tables.one(findings, "http");
    let port = http.integer(findings, "port");
    let tls_port = http.integer(findings, "tls-port");
    let certificate = http.text(findings, "certificate", value::absolute_path);
    let key = http.text(findings, "key", value::absolute_path);
    let offer = http.word(findings, "offer", &[("http", false), ("https", true)]);
    let has_tls = http.has("certificate") || http.has("key");
    for (named, other) in [("certificate", "key"), ("key", "certificate")] {
        if http.has(named) && !http.has(other) {
            http.missing(findings, other);
        }
    }
    let (port, tls_port, offer) = (port?, tls_port?, offer?);
    let needs =
        [("tls-port", &tls_port.span, tls_port.value != USUAL_TLS_PORT), ("offer", &offer.span, offer.value)];
    for (name, span, _) in needs.into_iter().filter(|(.., needs)| *needs && !has_tls) {
        let remedy = "say also: certificate = \"/etc/heorot/tls/certificate.pem\" and key = \"/etc/heorot/tls/key.pem\"";
        findings.error(span, format!("{name} needs a certificate"), Some(remedy.into()));
    }
    if has_tls && tls_port.value == port.value {
        let message = "HTTP and HTTPS cannot have one port";
        findings.error(&tls_port.span, message, Some("give them two, as 80 and 443".into()));
    }
    let ports: Vec<_> =
        [Some(port.clone()), has_tls.then(|| tls_port.clone())].into_iter().flatten().collect();
    for port in ports.iter().filter(|port| port.value == DNS_PORT) {
        let message = format!("port {DNS_PORT} is that of our own DNS, on the same addresses");
        findings.error(&port.span, message, Some("give another one, as 80 and 443".into()));
    }
    let tls_port = u16::try_from(tls_port.value).ok()?;
    let tls = certificate.zip(key).map(|(certificate, key)| Tls {
        port: tls_port,
        certificate: certificate.value,
        key: key.value,
        is_offered: offer.value,
        spans: (certificate.span, key.span),
    });
    Some(HttpDraft { http: Http { port: u16::try_from(port.value).ok()?, tls }, ports })
}

#[cfg(test)]
mod tests {
    use super::super::{Config, Interface};

    const REST: &str = "[[network]]\ninterface = \"eth1\"\naddress = \"10.77.0.1/16\"\nnumbers = \"0-9\"\n\
        first = \"10.77.1.0\"\ntemporary = \"10.77.2.1-10.77.2.9\"\n";

    fn parse(text: &str) -> Result<Config, Vec<super::Mistake>> {
        let addresses = vec![([10, 77, 0, 1].into(), 16)];
        Config::parse(text, &[Interface { name: "eth1".into(), addresses }]).map(|(config, _)| config)
    }

    #[test]
    fn https() {
        let both = "certificate = \"/c.pem\"\nkey = \"/k.pem\"\n";
        for (text, expected) in [
            (String::new(), Ok(None)),
            ("offer = \"http\"\n".into(), Ok(None)),
            (both.into(), Ok(Some((443, false)))),
            (format!("{both}tls-port = 8443\noffer = \"https\"\n"), Ok(Some((8443, true)))),
            ("certificate = \"/c.pem\"\n".into(), Err("key")),
            ("key = \"/k.pem\"\n".into(), Err("certificate")),
            ("certificate = \"c.pem\"\nkey = \"/k.pem\"\n".into(), Err("c.pem")),
            ("tls-port = 443\n".into(), Ok(None)),
            ("tls-port = 8443\n".into(), Err("tls-port needs a certificate")),
            ("offer = \"https\"\n".into(), Err("offer needs a certificate")),
            (format!("{both}tls-port = 80\n"), Err("cannot have one port")),
            ("port = 53\n".into(), Err("port 53 is that of our own DNS")),
            (format!("{both}tls-port = 53\n"), Err("port 53 is that of our own DNS")),
            ("port = 2049\n".into(), Ok(None)),
            (
                "port = 2049\n[nfs]\ndirectories = [\"/srv/root\"]\n".into(),
                Err("HTTP and NFS cannot both have port 2049"),
            ),
            (
                format!("{both}[nfs]\nport = 443\ndirectories = [\"/srv/root\"]\n"),
                Err("HTTP and NFS cannot both have port 443"),
            ),
            (
                "[profile.default]\nroot = \"nfs:/srv/root\"\n[nfs]\nport = 80\n".into(),
                Err("HTTP and NFS cannot both have port 80"),
            ),
            (
                "[nfs]\nport = 53\ndirectories = [\"/srv/root\"]\n".into(),
                Err("port 53 is that of our own DNS"),
            ),
            // Nothing is served by NFS.
            ("[nfs]\nport = 80\n".into(), Ok(None)),
        ] {
            let result = parse(&format!("[http]\n{text}{REST}"));
            match (result, expected) {
                (Ok(config), Ok(expected)) => {
                    let tls = config.http.tls.map(|tls| (tls.port, tls.is_offered));
                    assert_eq!(tls, expected, "{text}");
                }
                (Err(mistakes), Err(expected)) => {
                    assert!(
                        mistakes.iter().any(|mistake| mistake.message.contains(expected)),
                        "{mistakes:?}"
                    );
                }
                (result, _) => panic!("{text}: {result:?}"),
            }
        }
    }

    #[test]
    fn a_mistake_in_a_file_is_one_of_the_line_that_names_it() {
        let text = format!("[http]\ncertificate = \"/c.pem\"\n  key = \"/k.pem\"\n{REST}");
        let tls = parse(&text).unwrap().http.tls.unwrap();
        let mistake = tls.wrong_key(&text, "it is none".into(), "give one".into());
        assert_eq!((mistake.line, mistake.column, &text[mistake.span]), (3, 9, "\"/k.pem\""));
        assert_eq!(tls.wrong_certificate(&text, String::new(), String::new()).line, 2);
    }
}
