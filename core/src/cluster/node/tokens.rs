//! Whose a token is. Who guesses one is to learn nothing from how long it takes to say no.

use super::{Node, Nodes};
use crate::mac::Mac;
use siphasher::sip128::{Hasher128, SipHasher24};
use std::collections::BTreeMap;
use std::hash::Hasher;

/// The machine of each token, by a hash of it under a key that nobody knows. A search takes longer the more of a key is right; but what of a hash is right says nothing of the token, and nobody can try
/// hashes: which token has which, only who knows the key could tell. What is found is compared whole all the same.
#[derive(Clone, Debug, Default)]
pub(super) struct Tokens {
    key: [u8; 16],
    machines: BTreeMap<u128, Mac>,
}

impl Tokens {
    pub(super) fn new(key: [u8; 16]) -> Self {
        Self { key, machines: BTreeMap::new() }
    }

    /// A machine has another token; nothing is none.
    pub(super) fn changes(&mut self, mac: Mac, before: &str, after: &str) {
        if !before.is_empty() {
            self.machines.remove(&self.hash(before));
        }
        if !after.is_empty() {
            self.machines.insert(self.hash(after), mac);
        }
    }

    fn machine(&self, token: &str) -> Option<Mac> {
        self.machines.get(&self.hash(token)).copied()
    }

    fn hash(&self, token: &str) -> u128 {
        let mut hasher = SipHasher24::new_with_key(&self.key);
        // Tokens are hashes under this key too, of something else.
        hasher.write(b"whose is ");
        hasher.write(token.as_bytes());
        hasher.finish128().as_u128()
    }
}

impl Nodes {
    /// None. Their tokens are found by a hash with this key.
    pub fn new(secret: [u8; 16]) -> Self {
        Self { tokens: Tokens::new(secret), ..Self::default() }
    }

    /// A machine has this token from now on; nothing is none.
    pub fn set_token(&mut self, mac: Mac, token: String) {
        let Some(place) = self.place(mac) else { return };
        let node = &mut self.nodes[place];
        self.tokens.changes(node.mac, &node.boot.token, &token);
        node.boot.token = token;
    }

    /// The machine whose present boot has this token.
    pub fn of_token(&self, token: &str) -> Option<&Node> {
        let node = self.get(self.tokens.machine(token)?)?;
        Some(node).filter(|node| node.has_token(token))
    }
}

impl Node {
    /// Whether this is the token of its present boot.
    pub fn has_token(&self, guess: &str) -> bool {
        !self.boot.token.is_empty() && is_equal(&self.boot.token, guess)
    }
}

/// Compares without telling by the time it takes how much was right.
fn is_equal(token: &str, guess: &str) -> bool {
    let differences = token.bytes().zip(guess.bytes()).fold(0, |sum, (a, b)| sum | (a ^ b));
    token.len() == guess.len() && differences == 0
}

#[cfg(test)]
mod tests;
