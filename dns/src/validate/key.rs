//! Keys of zones, the digests by which a parent names them, and what is signed with them.

use crate::name::Name;
use ring::digest::{self, digest};
use ring::signature::{
    self, RsaParameters, RsaPublicKeyComponents, UnparsedPublicKey, VerificationAlgorithm,
};

/// A key of a zone (RFC 4034 2.1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Key {
    flags: u16,
    pub(super) algorithm: u8,
    pub(super) tag: u16,
    /// The record's data, whole: digests are of that.
    data: Vec<u8>,
}

/// What a parent, or an operator, says of a zone's key (RFC 4034 5.1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Digest {
    /// The key's tag.
    pub tag: u16,
    /// The key's algorithm.
    pub algorithm: u8,
    /// How the digest was made: 1 SHA-1, 2 SHA-256, 4 SHA-384.
    pub kind: u8,
    /// The digest.
    pub octets: Vec<u8>,
}

/// Octets of a DNSKEY before the key itself: flags, protocol, algorithm.
const KEY_AT: usize = 4;
/// RFC 4034 2.1.1: this key signs a zone.
const ZONE: u16 = 0x0100;
/// RFC 5011 2.1: its owner took it back.
const REVOKED: u16 = 0x0080;

impl Key {
    /// `None` if it is no key of DNSSEC.
    pub(super) fn read(data: &[u8]) -> Option<Self> {
        let [flags_high, flags_low, protocol, algorithm] = *data.first_chunk::<KEY_AT>()?;
        // RFC 4034 2.1.2
        (protocol == 3 && data.len() > KEY_AT).then(|| Self {
            flags: u16::from_be_bytes([flags_high, flags_low]),
            algorithm,
            tag: tag(data),
            data: data.to_vec(),
        })
    }

    pub(super) fn signs_a_zone(&self) -> bool {
        self.flags & ZONE != 0 && self.flags & REVOKED == 0
    }

    /// Whether it has signed this. Costs some ten to a hundred microseconds.
    pub(super) fn has_signed(&self, message: &[u8], signature: &[u8]) -> bool {
        let key = &self.data[KEY_AT..];
        match self.algorithm {
            5 | 7 => rsa(key, &signature::RSA_PKCS1_1024_8192_SHA1_FOR_LEGACY_USE_ONLY, message, signature),
            8 => rsa(key, &signature::RSA_PKCS1_1024_8192_SHA256_FOR_LEGACY_USE_ONLY, message, signature),
            10 => rsa(key, &signature::RSA_PKCS1_1024_8192_SHA512_FOR_LEGACY_USE_ONLY, message, signature),
            // RFC 6605 4: the point without the octet that says that it is not compressed.
            13 => curve(&signature::ECDSA_P256_SHA256_FIXED, &[&[4], key].concat(), message, signature),
            14 => curve(&signature::ECDSA_P384_SHA384_FIXED, &[&[4], key].concat(), message, signature),
            15 => curve(&signature::ED25519, key, message, signature),
            _ => false,
        }
    }
}

/// The algorithms that are checked (RFC 8624 3.1): RSA with SHA-1, SHA-256 and SHA-512, ECDSA with P-256 and P-384, Ed25519. A zone that has only
/// others is as good as unsigned (RFC 4035 5.2).
pub(super) fn knows_algorithm(algorithm: u8) -> bool {
    matches!(algorithm, 5 | 7 | 8 | 10 | 13 | 14 | 15)
}

impl Digest {
    pub(super) fn read(data: &[u8]) -> Option<Self> {
        let ([tag_high, tag_low, algorithm, kind], octets) = data.split_first_chunk::<4>()?;
        Some(Self {
            tag: u16::from_be_bytes([*tag_high, *tag_low]),
            algorithm: *algorithm,
            kind: *kind,
            octets: octets.to_vec(),
        })
    }

    /// Whether both its algorithms are known here.
    pub(super) fn is_known(&self) -> bool {
        knows_algorithm(self.algorithm) && self.method().is_some()
    }

    /// Whether it is of that key of this zone (RFC 4034 5.1.4).
    pub(super) fn is_of(&self, zone: &Name, key: &Key) -> bool {
        let same = (self.tag, self.algorithm) == (key.tag, key.algorithm);
        let Some(method) = self.method().filter(|_| same) else { return false };
        digest(method, &[zone.octets(), &key.data].concat()).as_ref() == self.octets
    }

    fn method(&self) -> Option<&'static digest::Algorithm> {
        match self.kind {
            1 => Some(&digest::SHA1_FOR_LEGACY_USE_ONLY),
            2 => Some(&digest::SHA256),
            4 => Some(&digest::SHA384),
            _ => None,
        }
    }
}

/// RFC 4034 B
fn tag(data: &[u8]) -> u16 {
    let sum: u32 = data
        .iter()
        .enumerate()
        .map(|(at, octet)| u32::from(*octet) << if at % 2 == 0 { 8 } else { 0 })
        .fold(0, u32::wrapping_add);
    let folded = sum.wrapping_add(sum >> 16) & 0xffff;
    u16::try_from(folded).expect("sixteen bits are left")
}

/// RFC 3110 2: length of the exponent, exponent, modulus.
fn rsa(key: &[u8], parameters: &'static RsaParameters, message: &[u8], signature: &[u8]) -> bool {
    let split = match key {
        [0, high, low, rest @ ..] => Some((usize::from(u16::from_be_bytes([*high, *low])), rest)),
        [octets, rest @ ..] => Some((usize::from(*octets), rest)),
        [] => None,
    };
    let Some((e, n)) = split.and_then(|(octets, rest)| rest.split_at_checked(octets)) else { return false };
    let (n, e) = (without_zeros(n), without_zeros(e));
    RsaPublicKeyComponents { n, e }.verify(parameters, message, signature).is_ok()
}

/// Numbers may be padded, which the library takes for a mistake.
fn without_zeros(number: &[u8]) -> &[u8] {
    let zeros = number.iter().take_while(|octet| **octet == 0).count();
    &number[zeros..]
}

fn curve(
    algorithm: &'static dyn VerificationAlgorithm,
    key: &[u8],
    message: &[u8],
    signature: &[u8],
) -> bool {
    UnparsedPublicKey::new(algorithm, key).verify(message, signature).is_ok()
}
