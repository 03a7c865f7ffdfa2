use super::*;
use crate::handle::{Handle, Keys, RootId};

fn call(version: u32, procedure: u32, arguments: &[u8]) -> Vec<u8> {
    [Call::write(7, PROGRAM, version, procedure, &[]), arguments.to_vec()].concat()
}

fn path(text: &[u8]) -> Vec<u8> {
    let mut writer = Writer::default();
    writer.opaque(text);
    writer.into_octets()
}

fn numbers(answer: Answer) -> Vec<u32> {
    let octets = answer.reply(7);
    octets.chunks(4).skip(5).map(|number| u32::from_be_bytes(number.try_into().unwrap())).collect()
}

#[test]
fn what_needs_nothing_is_answered() {
    let long = path(&[b'a'; PATH_OCTETS_MAX + 1]);
    let table: [(&str, Vec<u8>, &[u32]); 9] = [
        ("NULL", call(3, 0, &[]), &[0]),
        ("DUMP: nobody keeps a list", call(3, 2, &[]), &[0, 0]),
        ("UMNT", call(3, 3, &path(b"/srv/root")), &[0]),
        ("UMNT cut", call(3, 3, &[]), &[4]),
        ("UMNTALL", call(3, 4, &[]), &[0]),
        ("MNT cut", call(3, 1, &[0, 0, 0, 9]), &[4]),
        ("MNT of a path that is too long", call(3, 1, &long), &[4]),
        ("a procedure that is none", call(3, 6, &[]), &[3]),
        ("version 1", call(1, 0, &[]), &[2, 3, 3]),
    ];
    for (what, octets, expected) in table {
        let answer = asked(&Call::parse(&octets).unwrap()).unwrap_err();
        assert_eq!(numbers(answer), expected, "{what}");
    }
}

#[test]
fn the_rest_is_asked() {
    let mount = call(3, 1, &path(b"/srv/root"));
    assert_eq!(asked(&Call::parse(&mount).unwrap()), Ok(Mount::Mount(b"/srv/root")));
    assert_eq!(asked(&Call::parse(&call(3, 5, &[])).unwrap()), Ok(Mount::Exports));
}

#[test]
fn answers_are_written_as_the_standard_says() {
    let keys = Keys::new(&[0; 16]);
    let root = RootId(9);
    let sealed = keys.seal(&Handle { root, place: keys.top(root), inode: 2, birth: 3 });
    let told = numbers(mounted(Ok(sealed)));
    let words = sealed.octets().len() / 4;
    assert_eq!((told[1], told[2] as usize), (0, sealed.octets().len()));
    assert_eq!(told[3 + words..], [1, 1], "AUTH_SYS");
    assert_eq!(numbers(mounted(Err(Refusal::Access))), [0, 13]);
    let listed = numbers(exports(["/a", "/b"].into_iter(), &["10/8".into()]));
    let text = |text: &[u8; 4]| u32::from_be_bytes(*text);
    let network = [1, 4, text(b"10/8"), 0];
    let expected =
        [&[0, 1, 2, text(b"/a\0\0")], &network[..], &[1, 2, text(b"/b\0\0")], &network[..], &[0]].concat();
    assert_eq!(listed, expected);
}
