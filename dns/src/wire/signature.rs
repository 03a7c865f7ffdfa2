//! Messages that are signed with a secret that both sides know (RFC 8945).

use super::Target;
use crate::settings::{self, Settings, Updates};
use domain::base::iana::{Rcode, TsigRcode};
use domain::base::message_builder::AdditionalBuilder;
use domain::base::name::ToName;
use domain::base::{Message, MessageBuilder, StaticCompressor};
use domain::rdata::tsig::Time48;
use domain::tsig::{Algorithm, Key, KeyName, KeyStore, ServerSequence};
use std::sync::Arc;

/// The keys of a configuration.
#[derive(Default)]
pub(crate) struct Keys(Vec<Known>);

/// A key, and what it is good for.
#[derive(Clone)]
pub(crate) struct Known {
    key: Arc<Key>,
    may_transfer: bool,
    updates: Option<Arc<Updates>>,
}

/// Who signed a message, and how its answers are signed.
pub(crate) struct Signature(ServerSequence<Known>);

impl Keys {
    /// Those of the settings. None: a name in them is none, or a secret cannot be one.
    pub(crate) fn new(settings: &Settings) -> Option<Self> {
        let key = |key: &settings::Key| {
            let name: KeyName = key.name.parse().ok()?;
            let algorithm = match key.algorithm {
                settings::Algorithm::Sha256 => Algorithm::Sha256,
                settings::Algorithm::Sha384 => Algorithm::Sha384,
                settings::Algorithm::Sha512 => Algorithm::Sha512,
            };
            // RFC 8945 5.2.2.1: no signature that is cut is taken, and none is sent.
            let made = Key::new(algorithm, &key.secret, name, None, None).ok()?;
            let updates = key.updates.clone().map(Arc::new);
            Some(Known { key: Arc::new(made), may_transfer: key.may_transfer, updates })
        };
        settings.keys.iter().map(key).collect::<Option<_>>().map(Self)
    }

    /// Whether copies of zones have to be signed for.
    pub(crate) fn guard_transfers(&self) -> bool {
        self.0.iter().any(|known| known.may_transfer)
    }

    /// Who signed this message, if it is signed.
    ///
    /// # Errors
    /// It is signed wrong, too long ago, or with a key that nobody knows: the message that says so (RFC 8945 5.2).
    pub(crate) fn check(&self, payload: &[u8], wall_seconds: u64) -> Result<Option<Signature>, Vec<u8>> {
        // What signs is taken away and looked at, the rest is looked at without it.
        let Ok(mut message) = Message::from_octets(payload.to_vec()) else { return Ok(None) };
        let sequence = ServerSequence::request(self, &mut message, Time48::from_u64(wall_seconds));
        sequence.map(|sequence| sequence.map(Signature)).map_err(|error| {
            let is_wrong = error.error() == TsigRcode::FORMERR;
            let asked = Message::from_slice(payload).expect("it was long enough before");
            let target = StaticCompressor::new(Vec::with_capacity(512));
            let builder = MessageBuilder::from_target(target).expect("a Vec has room for a header");
            let reply = error.build_message(asked, builder).expect("a question and a signature have room");
            let is_not_auth = reply.header().rcode() == Rcode::NOTAUTH;
            let mut reply = reply.finish().into_target();
            // RFC 8945 5.2.2: BADSIG, 16, for which the library says FORMERR. The reason and an empty rest are the end of an unsigned record (4.2).
            if is_wrong
                && is_not_auth
                && let Some(reason) = reply.len().checked_sub(4).and_then(|at| reply.get_mut(at..at + 2))
            {
                reason.copy_from_slice(&16_u16.to_be_bytes());
            }
            reply
        })
    }
}

impl Signature {
    pub(crate) fn may_transfer(&self) -> bool {
        self.0.wrapped_key().may_transfer
    }

    /// What may be updated with the key, if anything.
    pub(crate) fn updates(&self) -> Option<Arc<Updates>> {
        self.0.wrapped_key().updates.clone()
    }

    /// The name of the key.
    pub(crate) fn key_name(&self) -> String {
        self.0.key().name().to_string()
    }

    /// Octets that it takes at the end of a message.
    pub(crate) fn octets(&self) -> usize {
        // The whole record, from its name on (RFC 8945 4.2).
        usize::from(self.0.key().compose_len())
    }

    /// Signs the next answer.
    pub(crate) fn sign(&mut self, message: &mut AdditionalBuilder<Target>, wall_seconds: u64) {
        let signed = self.0.answer(message, Time48::from_u64(wall_seconds));
        signed.expect("room was kept for the signature");
    }
}

impl KeyStore for Keys {
    type Key = Known;

    fn get_key<N: ToName>(&self, name: &N, algorithm: Algorithm) -> Option<Known> {
        let is_meant = |known: &&Known| known.key.name() == name && known.key.algorithm() == algorithm;
        self.0.iter().find(is_meant).cloned()
    }
}

impl AsRef<Key> for Known {
    fn as_ref(&self) -> &Key {
        &self.key
    }
}

#[cfg(test)]
mod tests;
