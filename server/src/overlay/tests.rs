use super::*;
use crate::testing;
use heorot_core::config::{OverlayNetwork, OverlayValues, Overlays as Names, Values};
use heorot_core::limit::OVERLAY_ARCHIVES_OCTETS_MAX;
use heorot_names::file::Place;
use heorot_names::{Directory, Numbering, Pattern};
use std::io::Read;
use std::net::Ipv4Addr;
use std::os::unix::fs::PermissionsExt;

pub(crate) fn wanted(open: &[&str], secret: &[&str], ssh_host_key: bool) -> NodeFiles {
    let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    let address = Ipv4Addr::new(10, 77, 1, 23);
    let mut directory = Directory::new("cluster", Pattern::parse("node{}").unwrap());
    directory.networks = vec![Numbering {
        numbers: heorot_names::NumberRange { lowest: 23, highest: 24 },
        first: address,
        first_ipv6: None,
        suffix: String::new(),
    }];
    let values = Values {
        node_name: Some("node23".into()),
        node_number: Some(23),
        node_mac: "52:54:00:00:00:17".into(),
        node_address: address,
        node_attributes: BTreeMap::from([("rack".into(), "a7".into())]),
        cluster_name: "cluster".into(),
        server_address: Ipv4Addr::new(10, 77, 0, 1),
    };
    let network = OverlayNetwork {
        name: "node23".into(),
        address,
        prefix: 16,
        gateway: String::new(),
        server: Ipv4Addr::new(10, 77, 0, 1),
    };
    NodeFiles {
        mac: "52:54:00:00:00:17".parse().unwrap(),
        number: 23,
        overlays: Names { open: names(open), secret: names(secret), ssh_host_key },
        values: OverlayValues { values, networks: vec![network], profile: "default".into() },
        host_keys: Arc::new(directory.numbers()),
        directory: Arc::new(directory),
        place: Place::default(),
        given: None,
    }
}

fn overlays(directory: &testing::Directory) -> Overlays {
    Overlays::new(directory.path().to_str().unwrap(), b"0123456789abcdef")
}

fn write(directory: &testing::Directory, path: &str, text: &str) {
    let path = directory.path().join(path);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
}

fn close(directory: &testing::Directory, name: &str) {
    std::fs::set_permissions(directory.path().join(name), std::fs::Permissions::from_mode(0o750)).unwrap();
}

#[test]
fn an_archive_has_all_files_and_its_room_is_free_again() {
    let directory = testing::directory("overlay");
    write(&directory, "base/etc/hostname.j2", "{{ node.name }}.{{ cluster.name }}\n");
    let wanted = wanted(&["base"], &[], true);
    let overlays = overlays(&directory);
    let made = overlays.archive(&wanted).unwrap();
    let mut octets = Vec::new();
    // As it is sent: by places.
    io::Seek::rewind(&mut &made.file).unwrap();
    (&made.file).read_to_end(&mut octets).unwrap();
    assert_eq!(octets.len() as u64, made.identity.size);
    let text = String::from_utf8_lossy(&octets);
    assert!(text.starts_with("070701") && text.trim_end_matches('\0').ends_with("TRAILER!!!"));
    let parts =
        ["etc\0", "etc/hostname\0", "node23.cluster\n", "etc/ssh/ssh_host_ed25519_key\0", "BEGIN OPENSSH"];
    let places: Vec<_> = parts.iter().map(|part| text.find(part)).collect();
    assert!(places.iter().all(Option::is_some) && places.is_sorted(), "{places:?}");
    assert_eq!(overlays.octets.load(Ordering::Relaxed), made.identity.size);
    drop(made);
    assert_eq!(overlays.octets.load(Ordering::Relaxed), 0);

    overlays.octets.store(OVERLAY_ARCHIVES_OCTETS_MAX - 10, Ordering::Relaxed);
    assert_eq!(overlays.archive(&wanted).unwrap_err(), NotMade::Busy);
    assert_eq!(overlays.octets.load(Ordering::Relaxed), OVERLAY_ARCHIVES_OCTETS_MAX - 10);
}

#[test]
fn operators_see_all_but_secrets() {
    let directory = testing::directory("overlay");
    write(&directory, "base/etc/motd.j2", "rack {{ node.attributes.rack }}\n");
    write(&directory, "keys/etc/munge/munge.key", "sesame");
    write(&directory, "base/blob", "\0");
    std::fs::write(directory.path().join("base/blob"), [0xff]).unwrap();
    close(&directory, "keys");
    let wanted = wanted(&["base"], &["keys"], true);
    let overlays = overlays(&directory);
    let Ok(Shown::List(list)) = overlays.shown(&wanted, None) else { panic!("no list") };
    let views: Vec<NodeFileView> = serde_json::from_str(&list).unwrap();
    let told: Vec<_> =
        views.iter().map(|view| format!("{} {} {}", view.path, view.overlay, view.secret)).collect();
    assert_eq!(
        told,
        [
            "/blob base false",
            "/etc keys true",
            "/etc/motd base false",
            "/etc/munge keys true",
            "/etc/munge/munge.key keys true",
            "/etc/ssh/ssh_host_ed25519_key ssh-host-key true",
            "/etc/ssh/ssh_host_ed25519_key.pub ssh-host-key false",
        ]
    );
    assert!(!list.contains("sesame"));
    assert_eq!(overlays.shown(&wanted, Some("/etc/motd")), Ok(Shown::Content("rack a7\n".into())));
    for path in ["/etc/munge/munge.key", "etc/ssh/ssh_host_ed25519_key", "/blob", "/etc"] {
        let refused = overlays.shown(&wanted, Some(path));
        assert!(matches!(refused, Err(Unshown::Refused(_))), "{path}: {refused:?}");
    }
    assert!(matches!(overlays.shown(&wanted, Some("/none")), Err(Unshown::Missing(_))));
    let (directory, one) = (Arc::clone(&wanted.directory), Arc::new([24].into_iter().collect()));
    let known = overlays.all_known_hosts(&HostKeys { directory, numbers: one }).unwrap();
    assert!(known.starts_with("node24,node24.cluster,10.77.1.24 ssh-ed25519 "), "{known}");
    assert_eq!(known.lines().count(), 1);
}

/// Ten thousand names are written once, and not for each of ten thousand nodes.
#[test]
fn what_names_files_have_in_common_is_written_once() {
    use heorot_names::file::{Me, write};
    use std::os::unix::fs::FileExt;
    let names = |zone: &str| Arc::new(Directory::new(zone, Pattern::parse("node{}").unwrap()));
    let (one, other) = (names("cluster"), names("other"));
    let overlays = Overlays::new("/nowhere", &[7; 16]);
    let place = |number| Place { me: Some(Me::Node(number)), ..Place::default() };
    let written: Vec<_> = [(&one, 23), (&one, 24), (&other, 23)]
        .map(|(directory, number)| overlays.names_file((directory, &place(number))).unwrap())
        .into();
    assert!(Arc::ptr_eq(&written[0].1, &written[1].1) && !Arc::ptr_eq(&written[0].1, &written[2].1));
    for ((directory, number), (first, rest)) in [(&one, 23), (&one, 24), (&other, 23)].iter().zip(&written) {
        let mut octets = vec![0; rest.identity.size as usize];
        rest.file.read_exact_at(&mut octets, 0).unwrap();
        assert_eq!(first.clone() + std::str::from_utf8(&octets).unwrap(), write(directory, &place(*number)));
    }
    drop(written);
    assert_eq!(overlays.octets.load(Ordering::Relaxed), write(&other, &place(23)).len() as u64 - 23);
}
