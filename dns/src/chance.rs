use chacha20::ChaCha20Rng;
use chacha20::rand_core::{Rng, SeedableRng};

/// Chance that nobody outside can foresee, from a seed that the shell takes from the kernel: the ids, ports and letters by which a
/// forged answer is told from a true one (RFC 5452).
pub(crate) struct Chance(ChaCha20Rng);

/// The ports that questions are sent from: above those where services sit, and 2^15.58 of them.
const PORT_LEAST: u16 = 16_384;

impl Chance {
    pub(crate) fn new(seed: [u8; 32]) -> Self {
        Self(ChaCha20Rng::from_seed(seed))
    }

    pub(crate) fn word(&mut self) -> u64 {
        self.0.next_u64()
    }

    /// A number below `bound`. The bias of the remainder is below 2^-40 for what we ask.
    pub(crate) fn below(&mut self, bound: u32) -> u32 {
        let rest = self.word() % u64::from(bound.max(1));
        u32::try_from(rest).expect("a remainder of a 32-bit number has 32 bits")
    }

    pub(crate) fn id(&mut self) -> u16 {
        self.word().to_be_bytes().first_chunk().map_or(0, |octets| u16::from_be_bytes(*octets))
    }

    pub(crate) fn port(&mut self) -> u16 {
        let span = u32::from(u16::MAX - PORT_LEAST) + 1;
        PORT_LEAST + u16::try_from(self.below(span)).expect("the span has 16 bits")
    }

    /// Gives each letter of a name a case by chance (draft-vixie-dnsext-dns0x20).
    pub(crate) fn mix_case(&mut self, name: &mut [u8]) {
        let (mut bits, mut left) = (0, 0);
        for octet in name.iter_mut().filter(|octet| octet.is_ascii_alphabetic()) {
            if left == 0 {
                (bits, left) = (self.word(), 64);
            }
            *octet = if bits & 1 == 0 { octet.to_ascii_lowercase() } else { octet.to_ascii_uppercase() };
            bits >>= 1;
            left -= 1;
        }
    }
}

#[cfg(test)]
mod tests;
