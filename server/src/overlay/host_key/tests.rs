use super::*;
use heorot_names::Pattern;
use std::net::Ipv4Addr;

/// RFC 4648 10.
#[test]
fn base64_as_the_rfc_has_it() {
    for (text, expected) in [
        ("", ""),
        ("f", "Zg=="),
        ("fo", "Zm8="),
        ("foo", "Zm9v"),
        ("foob", "Zm9vYg=="),
        ("fooba", "Zm9vYmE="),
        ("foobar", "Zm9vYmFy"),
    ] {
        assert_eq!(base64(text.as_bytes()), expected);
    }
}

/// The private key as `ssh-keygen` reads it: it tells the public one.
#[test]
fn openssh_reads_what_is_written() {
    let directory = crate::testing::directory("host-key");
    let keys = Keys::new(b"0123456789abcdef");
    // Comments of different lengths have another filling each.
    for (number, comment) in [(0, "node0.cluster"), (1, ""), (70_000, "n70000.a.long.zone.example.org")] {
        let [(path, private), (public_path, public)] = keys.entries(number, comment);
        assert_eq!((path.as_str(), public_path.as_str()), (PRIVATE, PUBLIC));
        assert_eq!((private.permissions, private.is_secret, public.permissions), (0o600, true, 0o644));
        let (Content::File(private), Content::File(public)) = (private.content, public.content) else {
            panic!("no files");
        };
        let place = directory.path().join(format!("key{number}"));
        std::fs::write(&place, private).unwrap();
        std::fs::set_permissions(&place, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
        let told = std::process::Command::new("ssh-keygen").arg("-y").arg("-f").arg(&place).output();
        let told = told.expect("ssh-keygen, of the package openssh-client");
        let told = String::from_utf8(told.stdout).unwrap();
        assert_eq!(told.trim_end(), String::from_utf8(public).unwrap().trim_end(), "{number}");
    }
}

#[test]
fn a_number_keeps_its_key_and_has_it_alone() {
    let public = |secret: &[u8; 16], number| Keys::new(secret).pair(number).1;
    let secret = b"0123456789abcdef";
    assert_eq!(public(secret, 23), public(secret, 23));
    assert_ne!(public(secret, 23), public(secret, 24));
    assert_ne!(public(secret, 23), public(b"0123456789abcdeg", 23));
}

#[test]
fn known_hosts_have_every_name_and_address_of_those_that_have_keys() {
    let mut directory = Directory::new("cluster", Pattern::parse("node{}").unwrap());
    let network = |first, suffix: &str| Numbering {
        numbers: heorot_names::NumberRange { lowest: 0, highest: 1 },
        first,
        first_ipv6: None,
        suffix: suffix.to_owned(),
    };
    directory.networks =
        vec![network(Ipv4Addr::new(10, 77, 1, 0), ""), network(Ipv4Addr::new(10, 78, 1, 0), "-ib")];
    directory.given_names.insert(1, "login".to_owned());
    let keys = Keys::new(b"0123456789abcdef");
    let all = directory.numbers();
    let text = keys.known_hosts(&directory, &all).unwrap();
    let lines: Vec<Vec<&str>> = text.lines().map(|line| line.split(' ').collect()).collect();
    assert_eq!(lines.len(), 2);
    assert_eq!(lines[0][0], "node0,node0.cluster,10.77.1.0,node0-ib,node0-ib.cluster,10.78.1.0");
    assert_eq!(
        lines[1][0],
        "login,login.cluster,node1,node1.cluster,10.77.1.1,login-ib,login-ib.cluster,node1-ib,node1-ib.cluster,10.78.1.1"
    );
    for (number, line) in lines.iter().enumerate() {
        let key = public_text(&keys.pair(number as u32).1);
        assert_eq!(format!("{} {}", line[1], line[2]), key);
    }
    let one = keys.known_hosts(&directory, &[1].into_iter().collect()).unwrap();
    assert_eq!(one, text.lines().skip(1).map(|line| format!("{line}\n")).collect::<String>());
    assert_eq!(keys.known_hosts(&directory, &NodeSet::default()).unwrap(), "");
    directory.networks[0].numbers.highest = 100_000;
    let all = directory.numbers();
    assert!(keys.known_hosts(&directory, &all).unwrap_err().contains("too long a list"));
    assert_eq!(keys.known_hosts(&directory, &[0, 1].into_iter().collect()).unwrap(), text);
}
