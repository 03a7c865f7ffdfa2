//! Connections that break off; and machines that end TLS before it has begun, of which nothing else would be known anywhere.

use super::Worker;
use super::delivering::End;
use crate::ask::Ask;
use crate::clock;
use crate::streams::Stream as _;
use rustix::event::epoll::EventFlags;
use rustls::AlertDescription;
use std::io;
use std::time::Instant;

/// The alerts by which a client refuses a certificate, as the standard calls them (RFC 8446 6.2), and what they mean.
const OF_CERTIFICATES: [(AlertDescription, &str); 7] = [
    (AlertDescription::UnknownCA, "it does not know the authority of the certificate (unknown_ca)"),
    (
        AlertDescription::CertificateExpired,
        "the certificate is over, or not valid yet, by its clock (certificate_expired)",
    ),
    // As when the authority was made anew.
    (AlertDescription::DecryptError, "it knows another authority of the same name (decrypt_error)"),
    (AlertDescription::BadCertificate, "it does not take the certificate (bad_certificate)"),
    (AlertDescription::CertificateUnknown, "it does not take the certificate (certificate_unknown)"),
    (AlertDescription::UnsupportedCertificate, "it cannot read the certificate (unsupported_certificate)"),
    (AlertDescription::CertificateRevoked, "the certificate was revoked (certificate_revoked)"),
];

impl Worker {
    /// Lets a connection do what it can do now. What breaks it ends it.
    pub(super) fn go_on(&mut self, key: u64, flags: EventFlags, now: Instant) {
        let is_broken = flags.intersects(EventFlags::ERR | EventFlags::HUP);
        let went = if is_broken { self.hear_last_words(key) } else { self.converse(key, flags, now) };
        if is_broken || went.is_err() {
            self.tell_distrust(key, went.as_ref().err());
            self.tell_disagreement(key, went.as_ref().err());
            let pending = || self.streams.get_mut(key)?.socket().take_error().ok().flatten();
            let error = went.err().or_else(pending);
            self.remove(key, End::Broken(error), now);
        }
    }

    /// A connection is broken: what its peer said before may say why.
    fn hear_last_words(&mut self, key: u64) -> io::Result<()> {
        match self.streams.get_mut(key) {
            Some(connection) if connection.is_handshaking() => connection.receive(&mut self.buffer),
            Some(_) | None => Ok(()),
        }
    }

    /// Tells the loop if TLS ends because we do not understand the peer, or have nothing in common with it: versions, ciphers. A stranger who speaks something else is none of its nodes.
    fn tell_disagreement(&mut self, key: u64, error: Option<&io::Error>) {
        let why = match error.and_then(io::Error::get_ref).and_then(|error| error.downcast_ref()) {
            None | Some(rustls::Error::AlertReceived(_)) => return,
            Some(error) => format!("TLS: {error}"),
        };
        self.counts.refused += 1;
        self.tell_misunderstood(key, why);
    }

    /// Tells the loop who is not understood, each once a second and so many in all: whoever cannot boot tries again, and a flood is counted.
    pub(super) fn tell_misunderstood(&mut self, key: u64, why: String) {
        /// That are told in a second: all nodes of a large cluster may fail at once.
        const PEERS_MAX: usize = 1024;
        let Some(connection) = self.streams.get_mut(key) else { return };
        let second = u64::from(clock::calendar_seconds());
        let (told_in, told) = &mut self.misunderstood;
        if *told_in != second {
            *told_in = second;
            told.clear();
        }
        let from = connection.peer;
        let is_told = told.len() >= PEERS_MAX || told.contains(&from);
        // If the line is full, its next attempt tells.
        if !is_told && self.asks.try_say(Ask::Misunderstood { from, why }).is_ok() {
            told.insert(from);
        }
    }

    /// Tells the loop if a peer has ended TLS before it had begun. If the line is full, the next one tells: whoever cannot boot tries again.
    pub(super) fn tell_distrust(&mut self, key: u64, error: Option<&io::Error>) {
        let Some(connection) = self.streams.get_mut(key).filter(|connection| connection.is_handshaking())
        else {
            return;
        };
        let alert = match error.and_then(io::Error::get_ref).and_then(|error| error.downcast_ref()) {
            Some(rustls::Error::AlertReceived(alert)) => Some(*alert),
            Some(_) => return,
            None => None,
        };
        let is_reset = error.is_some_and(|error| error.kind() == io::ErrorKind::ConnectionReset);
        let why = match alert {
            Some(alert) => alert_said(alert),
            None if connection.has_left() || is_reset => {
                "it read the certificate and broke off without a word".into()
            }
            None => return,
        };
        let _ = self.asks.try_say(Ask::Distrusts { from: connection.peer, why });
    }
}

fn alert_said(alert: AlertDescription) -> String {
    let known = OF_CERTIFICATES.iter().find(|(known, _)| *known == alert);
    known.map_or_else(
        || format!("it refuses to speak TLS with us ({alert:?})"),
        |(_, said)| (*said).to_owned(),
    )
}
