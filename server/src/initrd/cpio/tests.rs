use super::*;

/// Path, mode, device, content.
type Entry = (String, u32, (u32, u32), Vec<u8>);

fn read(mut bytes: &[u8]) -> Vec<Entry> {
    let mut entries = Vec::new();
    loop {
        assert_eq!(&bytes[..6], b"070701");
        let field = |index: usize| {
            let digits = &bytes[6 + index * 8..14 + index * 8];
            u32::from_str_radix(std::str::from_utf8(digits).expect("text"), 16).expect("digits")
        };
        let (mode, size, device, name_size) =
            (field(1), field(6) as usize, (field(9), field(10)), field(11) as usize);
        let name = String::from_utf8(bytes[110..110 + name_size - 1].to_vec()).expect("text");
        assert_eq!(bytes[110 + name_size - 1], 0);
        let content = (110 + name_size).next_multiple_of(4);
        if name == "TRAILER!!!" {
            assert!(bytes[content..].is_empty(), "nothing follows");
            return entries;
        }
        entries.push((name, mode, device, bytes[content..content + size].to_vec()));
        bytes = &bytes[(content + size).next_multiple_of(4)..];
    }
}

#[test]
fn what_goes_in_comes_out() {
    let mut archive = Archive::new();
    archive.directory("/dev");
    archive.character_device("dev/console", 5, 1);
    archive.file("init", 0o755, b"#!/bin/sh\n");
    archive.link("bin", "usr/bin");
    for length in 0..9 {
        archive.file(&format!("f{}", "x".repeat(length)), 0o644, &vec![7; length]);
    }
    let entries = read(&archive.finish());
    assert_eq!(entries[0], ("dev".to_owned(), 0o040_755, (0, 0), vec![]));
    assert_eq!(entries[1], ("dev/console".to_owned(), 0o020_600, (5, 1), vec![]));
    assert_eq!(entries[2], ("init".to_owned(), 0o100_755, (0, 0), b"#!/bin/sh\n".to_vec()));
    assert_eq!(entries[3], ("bin".to_owned(), 0o120_777, (0, 0), b"usr/bin".to_vec()));
    for length in 0..9 {
        assert_eq!(entries[4 + length].3, vec![7; length]);
    }
    assert_eq!(entries.len(), 13);
}
