use super::*;

fn keys() -> Keys {
    Keys::new(b"sixteen octets..")
}

fn handle(path: &[u8]) -> Handle {
    let root = keys().root(b"/srv/root", 2, 7);
    Handle { root, place: keys().place(root, path), inode: 1234, birth: 5678 }
}

/// `d1/d2/…` of so many names.
fn deep(depth: usize) -> Vec<u8> {
    (1..=depth).map(|level| format!("d{level}")).collect::<Vec<_>>().join("/").into_bytes()
}

#[test]
fn what_is_sealed_is_opened_at_any_depth() {
    for depth in (0..=40).chain([100, 254, 255, 256, 1000]) {
        let handle = handle(&deep(depth));
        let sealed = keys().seal(&handle);
        assert!(
            sealed.octets().len() <= HANDLE_OCTETS_MAX && sealed.octets().len().is_multiple_of(4),
            "{depth}"
        );
        assert_eq!(keys().open(sealed.octets()), Some(handle), "{depth}");
    }
}

/// Octets that clients keep: they must not change from one version of the program to the next.
#[test]
fn a_handle_is_the_same_for_ever() {
    let told: Vec<String> = ["", "etc/passwd"]
        .map(|path| {
            keys().seal(&handle(path.as_bytes())).octets().iter().map(|o| format!("{o:02x}")).collect()
        })
        .into();
    assert_eq!(told, [ROOT, PASSWD]);
}

const ROOT: &str = "01000000162e0d14d5d76548e50374e7e90600000000000004d2000027fcc9166ee05f6b";
const PASSWD: &str = "01020000162e0d14d5d74fc7cee8199d587b00000000000004d2cd98587b0000fc2f8ff65cf5d460";

#[test]
fn nobody_else_makes_one() {
    let sealed = keys().seal(&handle(b"etc/passwd"));
    let octets = sealed.octets();
    assert_eq!(Keys::new(b"another secret..").open(octets), None, "another server's");
    for at in 0..octets.len() {
        for bit in 0..8 {
            let mut other = octets.to_vec();
            other[at] ^= 1 << bit;
            assert_eq!(keys().open(&other), None, "octet {at}, bit {bit}");
        }
    }
    for length in 0..octets.len() {
        assert_eq!(keys().open(&octets[..length]), None, "cut to {length}");
    }
    let longer = [octets, &[0; 4]].concat();
    assert_eq!(keys().open(&longer), None, "longer");
    assert_eq!(keys().open(&[octets, octets].concat()), None, "longer than any");
    assert_eq!(keys().open(&[0; 64]), None);
}

#[test]
fn a_trail_leads_to_its_end_and_next_to_nothing_else_does() {
    for depth in [1, 2, 7, 14, 15, 16, 29, 30, 31, 35, 254, 255, 300] {
        let end = handle(&deep(depth));
        let mut place = keys().top(end.root);
        for level in 1..=depth {
            place = keys().child(&place, format!("d{level}").as_bytes());
            assert!(place.may_lead_to(&end.place), "{level} of {depth}");
            assert_eq!(place.key == end.place.key, level == depth);
        }
    }
    let end = handle(&deep(6)).place;
    let top = keys().top(handle(b"").root);
    let fitting = |count: u32| {
        (0..count).filter(|n| keys().child(&top, format!("other{n}").as_bytes()).may_lead_to(&end)).count()
    };
    assert!(fitting(10_000) <= 3, "one in 65,536");
}

#[test]
fn places_and_roots_differ_by_all_that_they_are_made_of() {
    let root = |directory: &[u8], inode, birth| keys().root(directory, inode, birth);
    let first = root(b"/srv/a", 1, 1);
    assert_eq!(first, root(b"/srv/a", 1, 1));
    for other in [root(b"/srv/b", 1, 1), root(b"/srv/a", 2, 1), root(b"/srv/a", 1, 2)] {
        assert_ne!(first, other);
    }
    let key = |path: &[u8]| keys().place(first, path).key;
    assert_eq!(key(b"a/b"), key(b"a//b"));
    for (one, other) in [("a/b", "ab"), ("a/b", "b/a"), ("a", "a/a"), ("", "a")] {
        assert_ne!(key(one.as_bytes()), key(other.as_bytes()), "{one} {other}");
    }
    assert_ne!(keys().birth(1, 0), keys().birth(0, 1));
}
