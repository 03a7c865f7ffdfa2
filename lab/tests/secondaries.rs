//! BIND and Knot DNS copy the zones, signed, and answer the same: at first, after a change that they were told of, and after the server was
//! killed.

use heorot_lab::network::{CLIENT, SERVER};
use heorot_lab::secondary::{Copies, Secondary};
use heorot_lab::server::{Server, Settings};
use std::net::Ipv4Addr;
use std::time::{Duration, Instant};

/// Knot's address; BIND has the client's own.
const KNOT: Ipv4Addr = Ipv4Addr::new(10, 77, 0, 3);
const SECRET: &str = "aGVvcm90LCBhIGhhbGwgb2YgaGFsbHMsIGEgbGlnaHQ=";
const ZONES: [&str; 3] = ["cluster", "77.10.in-addr.arpa", "0.0.0.0.0.0.0.0.0.0.0.0.7.7.d.f.ip6.arpa"];

/// NOTIFY comes at once; a copy takes a moment.
const PATIENCE: Duration = Duration::from_secs(20);

const QUESTIONS: [&[&str]; 20] = [
    &["node0.cluster", "A"],
    &["node1023.cluster", "A"],
    &["node1024.cluster", "A"],
    &["node23.cluster", "AAAA"],
    &["node23.cluster", "TXT"],
    &["printer.cluster", "AAAA"],
    &["www.cluster", "A"],
    &["_ldap._tcp.cluster", "SRV"],
    &["_tcp.cluster", "A"],
    &["cluster", "MX"],
    &["cluster", "NS"],
    &["info.cluster", "TXT"],
    &["nobody.cluster", "A"],
    &["-x", "10.77.1.23"],
    &["-x", "10.77.9.9"],
    &["-x", "10.77.200.1"],
    &["-x", "fd77::1:17"],
    &["1.77.10.in-addr.arpa", "PTR"],
    &["_acme-challenge.node23.cluster", "TXT"],
    &["-x", "10.77.9.10"],
];

fn settings(text: &str) -> Settings {
    let further = format!(
        r#"
[dns]
secondaries = ["{CLIENT}", "{KNOT}"]
[[dns.key]]
name = "transfer.cluster"
secret = "{SECRET}"
[[dns.key]]
name = "update.cluster"
secret = "{SECRET}"
use = "update"
[[dns.record]]
name = "printer"
value = ["10.77.9.9", "fd77::9"]
[[dns.record]]
name = "www"
type = "CNAME"
value = "printer"
[[dns.record]]
name = "_ldap._tcp"
type = "SRV"
value = "0 100 389 printer"
[[dns.record]]
name = "@"
type = "MX"
value = "10 printer"
[[dns.record]]
name = "info"
type = "TXT"
value = "{text}"
"#
    );
    Settings { network: "first-ipv6 = \"fd77::1:0\"".into(), further, ..Settings::default() }
}

/// Code and sections of an answer, in an order that does not depend on who gave it.
fn ask(server: &Server, whom: Ipv4Addr, question: &[&str]) -> String {
    let at = format!("@{whom}");
    let options =
        [at.as_str(), "+norec", "+time=2", "+tries=2", "+noall", "+comments", "+answer", "+authority"];
    let answer = server.network.client.ask("dig", &[&options, question].concat()).unwrap_or_default();
    let code = answer.split("status: ").nth(1).and_then(|rest| rest.split(',').next()).unwrap_or("no answer");
    let mut lines: Vec<_> =
        answer.lines().filter(|line| !line.starts_with(';') && !line.is_empty()).collect();
    lines.sort_unstable();
    format!("{code}\n{}", lines.join("\n"))
}

/// Waits until both have the serial of the server for all zones and all three answer the same. The serial of the cluster's zone.
fn agree(server: &Server, secondaries: &[Secondary]) -> u32 {
    let since = Instant::now();
    loop {
        let serial = wait_for_copies(server, secondaries);
        match QUESTIONS.iter().find_map(|question| differs(server, secondaries, question)) {
            None => return serial,
            Some(differing) => assert!(since.elapsed() < PATIENCE, "{differing}"),
        }
        // A start goes on to a higher serial as soon as that is durable, maybe between two questions.
        std::thread::sleep(Duration::from_millis(200));
    }
}

fn wait_for_copies(server: &Server, secondaries: &[Secondary]) -> u32 {
    let waited: Vec<_> =
        secondaries.iter().map(|secondary| secondary.wait_for_copies(server, &ZONES)).collect();
    let serials = waited
        .into_iter()
        .map(|serial| server.explain_failure(serial).unwrap_or_else(|error| panic!("{error}")));
    serials.max().expect("there are secondaries")
}

/// What somebody answers otherwise than the server.
fn differs(server: &Server, secondaries: &[Secondary], question: &[&str]) -> Option<String> {
    let expected = ask(server, SERVER, question);
    assert!(expected.starts_with("NOERROR") || expected.starts_with("NXDOMAIN"), "{question:?}: {expected}");
    secondaries.iter().find_map(|secondary| {
        let said = ask(server, secondary.address, question);
        (said != expected)
            .then(|| format!("{question:?}: {} says {said}, the server {expected}", secondary.address))
    })
}

#[test]
fn secondaries_answer_the_same() {
    let mut server = Server::start(&settings("rack 7")).expect("the lab and the server start");
    server.network.client.ip(&format!("address add {KNOT}/16 dev eth0")).expect("a second address");
    let copies = Copies { zones: &ZONES, secret: Some(SECRET) };
    let secondaries = [Secondary::bind(&server, CLIENT, copies), Secondary::knot(&server, KNOT, copies)]
        .map(|secondary| secondary.expect("it starts"));
    let first = agree(&server, &secondaries);

    server.reconfigure(&settings("rack 8")).expect("it reads its configuration");
    let since = Instant::now();
    while !ask(&server, KNOT, &["info.cluster", "TXT"]).contains("rack 8") {
        assert!(since.elapsed() < PATIENCE, "nobody was told");
        std::thread::sleep(Duration::from_millis(200));
    }
    let second = agree(&server, &secondaries);
    assert!(second > first);

    // By an update, too, each zone's.
    for (zone, line) in [
        ("cluster", "_acme-challenge.node23.cluster 60 TXT \"a challenge\""),
        ("77.10.in-addr.arpa", "10.9.77.10.in-addr.arpa 60 PTR printer.cluster."),
    ] {
        let file = server.scratch_file("update.txt");
        let text = format!("server {SERVER}\nzone {zone}\nupdate add {line}\nsend\n");
        std::fs::write(&file, text).expect("a file for nsupdate");
        let key = format!("hmac-sha256:update.cluster:{SECRET}");
        let file = file.to_string_lossy();
        server.network.client.ask("nsupdate", &["-y", &key, &file]).expect("it may");
    }
    // Of each only the zone that has changed is told.
    for question in [&["_acme-challenge.node23.cluster", "TXT"][..], &["-x", "10.77.9.10"]] {
        let expected = ask(&server, SERVER, question);
        assert!(expected.starts_with("NOERROR"), "{question:?}: {expected}");
        let since = Instant::now();
        for secondary in [CLIENT, KNOT] {
            while ask(&server, secondary, question) != expected {
                assert!(since.elapsed() < PATIENCE, "{secondary} was not told of {question:?}");
                std::thread::sleep(Duration::from_millis(200));
            }
        }
    }

    server.kill();
    server.start_again().expect("it starts again");
    let third = agree(&server, &secondaries);
    assert!(third >= second, "the serial went back from {second} to {third}");

    // Whoever does not sign, or is not named, copies nothing.
    for options in [
        &["-b", &KNOT.to_string()][..],
        &["-y", &format!("hmac-sha256:transfer.cluster:{SECRET}"), "-b", "10.77.0.4"],
    ] {
        if options.contains(&"10.77.0.4") {
            server.network.client.ip("address add 10.77.0.4/16 dev eth0").expect("a third address");
        }
        let at = format!("@{SERVER}");
        let question = [options, &[at.as_str(), "AXFR", "cluster"]].concat();
        let answer = server.network.client.ask("dig", &question).unwrap_or_else(|error| error);
        assert!(answer.contains("Transfer failed"), "{answer}");
    }
}
