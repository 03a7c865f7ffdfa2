//! Any head of a request to what reads it, before anybody has asked who speaks.

use crate::http::head::{Head, Method, read};
use crate::http::selection::{Selection, Version};
use heorot_core::limit::{HTTP_HEAD_OCTETS_MAX, POST_OCTETS_MAX};
use heorot_core::transfer::ImageIdentity;

/// Nothing panics; a head lies within what came and is the same whatever follows it; and what is selected lies within the file.
pub fn http_head(bytes: &[u8]) {
    for octets in [bytes.to_vec(), behind_line(bytes), as_conditions(bytes)] {
        let Ok(Some((head, length))) = read(&octets) else { continue };
        assert!(length <= octets.len() && length <= HTTP_HEAD_OCTETS_MAX);
        assert!(head.body_octets <= POST_OCTETS_MAX);
        assert!(head.path.starts_with('/') && !head.path.contains('\0'));
        assert_eq!(
            read(&octets[..length]).as_ref(),
            Ok(&Some((head.clone(), length))),
            "it ends where it ends"
        );
        assert_eq!(read(&octets[..length - 1]), Ok(None), "and not before");
        select(&head);
    }
}

fn select(head: &Head) {
    for size in [0, 1, 1000, u64::MAX] {
        let identity = ImageIdentity { file: 7, size, modified: 784_111_777_000_000_000 };
        // Just changed, and long ago.
        for now in [784_111_777, 1_800_000_000] {
            let version = Version::of(&identity, now);
            if let Selection::Part(part) = version.select(head.method, &head.conditions) {
                assert!(part.start < part.end && part.end <= size && head.method == Method::Get);
            }
        }
    }
}

/// The octets as what follows the first lines of a request that is right.
fn behind_line(bytes: &[u8]) -> Vec<u8> {
    [b"GET /boot.ipxe HTTP/1.1\r\nHost: 10.77.0.1\r\n", bytes, b"\r\n\r\n"].concat()
}

/// The octets as values of the fields that say what of a file is wanted.
fn as_conditions(bytes: &[u8]) -> Vec<u8> {
    let names = ["Range: bytes=", "If-Range: ", "If-None-Match: ", "If-Modified-Since: ", "If-Match: "];
    let mut octets = b"GET /vmlinuz HTTP/1.1\r\nHost: 10.77.0.1\r\n".to_vec();
    for (name, value) in names.into_iter().zip(bytes.split(|octet| *octet == b'\n')) {
        octets.extend(name.as_bytes());
        octets.extend(value);
        octets.extend(b"\r\n");
    }
    octets.extend(b"\r\n");
    octets
}
