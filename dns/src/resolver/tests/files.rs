//! Names of our zones that stand in files of hosts.

use super::updates::{told, update, with_keys};
use super::*;
use heorot_names::{FileHosts, Record, RecordData};

const HTTPS: u16 = 65;

fn resolver_with_files() -> Resolver {
    let mut resolver = with_keys();
    let address = |last| IpAddr::from([10, 77, 0, last]);
    let names = [
        ("web", vec![address(60)]),
        ("web.apps", vec![address(60)]),
        ("api", vec![address(62)]),
        ("git", vec![address(63)]),
        ("two", vec![address(64), address(65), "fd77::64".parse().unwrap()]),
        ("nobody", vec![address(66)]),
    ];
    let pointers =
        [(address(60), "web.apps.cluster"), (address(61), "svc.example.org"), (address(64), "two.cluster")];
    let files = FileHosts {
        names: names.into_iter().map(|(name, addresses)| (name.to_owned(), addresses)).collect(),
        pointers: pointers.into_iter().map(|(address, name)| (address, name.to_owned())).collect(),
    };
    let target = "web.cluster".into();
    let service = RecordData::Srv { priority: 0, weight: 5, port: 80, target };
    let service = Record { name: "_http._tcp".into(), data: service };
    let directory = Directory {
        files: Arc::new(files),
        records: [records(), vec![service]].concat(),
        serial: 8,
        ..directory()
    };
    resolver.handle(0, Input::Publish(Arc::new(directory)), &mut Vec::new());
    resolver
}

/// Whoever hears NXDOMAIN for one type forgets the name for all (RFC 8020 2); "not of this type" is said with the SOA (RFC 2308 2.2).
#[test]
fn a_name_of_a_file_is_one_of_the_zone() {
    let mut resolver = resolver_with_files();
    let soa = SOA_TEXT.replace(" 7 ", " 8 ");
    for (name, kind, answer) in [
        ("web.cluster", A, vec!["web.cluster. 60 A 10.77.0.60"]),
        ("WEB.apps.cluster", A, vec!["WEB.apps.cluster. 60 A 10.77.0.60"]),
        ("web.cluster", ANY, vec!["web.cluster. 60 A 10.77.0.60"]),
        ("two.cluster", A, vec!["two.cluster. 60 A 10.77.0.64", "two.cluster. 60 A 10.77.0.65"]),
        ("two.cluster", AAAA, vec!["two.cluster. 60 AAAA fd77::64"]),
        (
            "gone.cluster",
            A,
            vec!["gone.cluster. 300 CNAME nobody.cluster.", "nobody.cluster. 60 A 10.77.0.66"],
        ),
        ("60.0.77.10.in-addr.arpa", PTR, vec!["60.0.77.10.in-addr.arpa. 60 PTR web.apps.cluster."]),
        ("61.0.77.10.in-addr.arpa", PTR, vec!["61.0.77.10.in-addr.arpa. 60 PTR svc.example.org."]),
        ("web.cluster", AAAA, vec![]),
        ("web.cluster", MX, vec![]),
        ("web.cluster", TXT, vec![]),
        ("web.cluster", HTTPS, vec![]),
        // An empty non-terminal (RFC 8020 2).
        ("apps.cluster", A, vec![]),
    ] {
        let said = read(&udp(&mut resolver, &query(name, kind)).unwrap());
        assert_eq!((said.flags & 15, said.flags & AA), (NOERROR, AA), "{name} {kind}");
        assert_eq!(said.answer, answer, "{name} {kind}");
        let authority: &[&str] = if answer.is_empty() { &[&soa] } else { &[] };
        assert_eq!(said.authority, authority, "{name} {kind}");
    }
    let service = read(&udp(&mut resolver, &query("_http._tcp.cluster", SRV)).unwrap());
    assert_eq!(service.additional, ["web.cluster. 60 A 10.77.0.60"]);
}

#[test]
fn whoever_copies_the_zones_has_them() {
    let mut resolver = resolver_with_files();
    let zone = transfer::copy(&mut resolver, "cluster");
    for line in ["web.apps.cluster. 60 A 10.77.0.60", "two.cluster. 60 AAAA fd77::64"] {
        assert_eq!(zone.iter().filter(|other| *other == line).count(), 1, "{line}");
    }
    let back = transfer::copy(&mut resolver, "77.10.in-addr.arpa");
    let line = "61.0.77.10.in-addr.arpa. 60 PTR svc.example.org.";
    assert_eq!(back.iter().filter(|other| *other == line).count(), 1);
}

/// RFC 2136 3.2: conditions see such a name, and what is added beside or below it takes nothing away.
#[test]
fn updates_see_them_and_stand_beside() {
    const YXDOMAIN: u16 = 6;
    const SSHFP: &str = "add git.cluster 60 TYPE44 x";
    let mut resolver = resolver_with_files();
    let git = ["git.cluster. 60 A 10.77.0.63"];
    for (lines, code) in [
        (vec!["add _acme-challenge.api.cluster 60 TXT c"], NOERROR),
        (vec![SSHFP], NOERROR),
        (vec!["nxdomain git.cluster", "add new.cluster 60 TXT x"], YXDOMAIN),
        (vec!["yxrrset git.cluster A", "add new.cluster 60 TXT x"], NOERROR),
        (vec!["add git.cluster 60 A 10.77.0.99"], REFUSED),
        (vec!["add git.cluster 60 CNAME web.cluster"], REFUSED),
        (vec!["delete git.cluster A"], REFUSED),
    ] {
        assert_eq!(update(&mut resolver, &lines).0, code, "{lines:?}");
        assert_eq!(told(&mut resolver, "api.cluster", A), ["api.cluster. 60 A 10.77.0.62"]);
        assert_eq!(told(&mut resolver, "git.cluster", A), git);
    }
}
