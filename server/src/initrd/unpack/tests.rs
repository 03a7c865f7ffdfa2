use super::*;

/// `hello`, as xz, zstd and gzip compress it.
const XZ: &str = "fd377a585a000004e6d6b4460200210116000000742fe5a301000468656c6c6f00000000b137b9dbe5da1e9b00011d05b82d80af1fb6f37d010000000004595a";
const ZSTD: &str = "28b52ffd045829000068656c6c6fa36d9f88";
const GZIP: &str = "1f8b0800000000000003cb48cdc9c9070086a6103605000000";

fn octets(digits: &str) -> Vec<u8> {
    let pairs = digits.as_bytes().chunks(2).map(|pair| std::str::from_utf8(pair).expect("digits"));
    pairs.map(|pair| u8::from_str_radix(pair, 16).expect("digits")).collect()
}

#[test]
fn what_is_compressed_is_unpacked_by_its_ending() {
    for (digits, ending) in [(XZ, "xz"), (ZSTD, "zst"), (GZIP, "gz")] {
        let content = octets(digits);
        assert_eq!(unpacked(&content, ending).expect(ending), b"hello", "{ending}");
        assert!(unpacked(&content[..content.len() / 2], ending).is_err(), "half of {ending}");
        assert!(unpacked(b"hello", ending).is_err(), "no {ending}");
        assert_eq!(unpacked(&content, "ko").expect("as it is"), content);
    }
}
