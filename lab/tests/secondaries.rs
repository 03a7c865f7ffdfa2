//! BIND and Knot DNS copy the zones, signed, and answer the same: at first, after a change that they were told of, and after the server was
//! killed.

use heorot_lab::network::{CLIENT, SERVER};
use heorot_lab::server::{Server, Settings};
use std::fs;
use std::path::Path;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

/// Knot's address; BIND has the client's own.
const KNOT: &str = "10.77.0.3";
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

struct Secondary(Child);

impl Drop for Secondary {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

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

fn start_named(server: &Server, directory: &Path) -> Secondary {
    fs::create_dir_all(directory).expect("a directory for BIND");
    let zones: String = ZONES
        .iter()
        .map(|zone| {
            format!(
                "zone \"{zone}\" {{ type secondary; primaries {{ {SERVER} key transfer.cluster; }}; file \"{zone}.db\"; notify no; }};\n"
            )
        })
        .collect();
    let text = format!(
        "options {{ directory \"{}\"; listen-on {{ {CLIENT}; }}; listen-on-v6 {{ none; }}; recursion no; pid-file none; minimal-responses yes; }};\n\
         key \"transfer.cluster\" {{ algorithm hmac-sha256; secret \"{SECRET}\"; }};\n{zones}",
        directory.display()
    );
    let file = directory.join("named.conf");
    fs::write(&file, text).expect("a file for BIND");
    let mut command = server.network.client.command("named");
    command.arg("-g").arg("-c").arg(file).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    Secondary(command.spawn().expect("named starts"))
}

fn start_knot(server: &Server, directory: &Path) -> Secondary {
    fs::create_dir_all(directory).expect("a directory for Knot DNS");
    let place = directory.display();
    let zones: String = ZONES
        .iter()
        .map(|zone| format!("  - domain: {zone}\n    master: heorot\n    acl: notify\n"))
        .collect();
    let text = format!(
        "server:\n    listen: {KNOT}@53\n    rundir: {place}\n    user: root:root\ndatabase:\n    storage: {place}\n\
         key:\n  - id: transfer.cluster\n    algorithm: hmac-sha256\n    secret: {SECRET}\n\
         remote:\n  - id: heorot\n    address: {SERVER}@53\n    key: transfer.cluster\n    via: {KNOT}\n\
         acl:\n  - id: notify\n    address: {SERVER}\n    action: notify\n\
         template:\n  - id: default\n    storage: {place}\nzone:\n{zones}"
    );
    let file = directory.join("knot.conf");
    fs::write(&file, text).expect("a file for Knot DNS");
    let mut command = server.network.client.command("knotd");
    command.arg("-c").arg(file).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    Secondary(command.spawn().expect("knotd starts"))
}

/// Code and sections of an answer, in an order that does not depend on who gave it.
fn ask(server: &Server, whom: &str, question: &[&str]) -> String {
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

fn serial(server: &Server, whom: &str, zone: &str) -> Option<u32> {
    let answer = ask(server, whom, &[zone, "SOA"]);
    answer.lines().nth(1)?.split_whitespace().nth(6)?.parse().ok()
}

/// Waits until both have the serial of the server for all zones, and compares what all three answer. The serial of the cluster's zone.
fn agree(server: &Server) -> u32 {
    let since = Instant::now();
    let own = SERVER.to_string();
    for zone in ZONES {
        for secondary in [CLIENT.to_string(), KNOT.into()] {
            while serial(server, &own, zone).is_none()
                || serial(server, &own, zone) != serial(server, &secondary, zone)
            {
                assert!(
                    since.elapsed() < PATIENCE,
                    "{zone}: {secondary} has {:?}",
                    serial(server, &secondary, zone)
                );
                std::thread::sleep(Duration::from_millis(200));
            }
        }
    }
    for question in QUESTIONS {
        let expected = ask(server, &own, question);
        assert!(
            expected.starts_with("NOERROR") || expected.starts_with("NXDOMAIN"),
            "{question:?}: {expected}"
        );
        for secondary in [CLIENT.to_string(), KNOT.into()] {
            assert_eq!(ask(server, &secondary, question), expected, "{question:?} of {secondary}");
        }
    }
    serial(server, &own, "cluster").expect("it was there")
}

#[test]
fn secondaries_answer_the_same() {
    let mut server = Server::start(&settings("rack 7")).expect("the lab and the server start");
    server.network.client.ip(&format!("address add {KNOT}/16 dev eth0")).expect("a second address");
    let _named = start_named(&server, &server.scratch_file("named"));
    let _knot = start_knot(&server, &server.scratch_file("knot"));
    let first = agree(&server);

    server.reconfigure(&settings("rack 8")).expect("it reads its configuration");
    let since = Instant::now();
    while !ask(&server, KNOT, &["info.cluster", "TXT"]).contains("rack 8") {
        assert!(since.elapsed() < PATIENCE, "nobody was told");
        std::thread::sleep(Duration::from_millis(200));
    }
    let second = agree(&server);
    assert!(second > first);

    // By an update, too, each zone's.
    for (zone, line) in [
        ("cluster", "_acme-challenge.node23.cluster 60 TXT \"a challenge\""),
        ("77.10.in-addr.arpa", "10.9.77.10.in-addr.arpa 60 PTR printer.cluster."),
    ] {
        let file = server.scratch_file("update.txt");
        let text = format!("server {SERVER}\nzone {zone}\nupdate add {line}\nsend\n");
        fs::write(&file, text).expect("a file for nsupdate");
        let key = format!("hmac-sha256:update.cluster:{SECRET}");
        let file = file.to_string_lossy();
        server.network.client.ask("nsupdate", &["-y", &key, &file]).expect("it may");
    }
    // Of each only the zone that has changed is told.
    for question in [&["_acme-challenge.node23.cluster", "TXT"][..], &["-x", "10.77.9.10"]] {
        let expected = ask(&server, &SERVER.to_string(), question);
        assert!(expected.starts_with("NOERROR"), "{question:?}: {expected}");
        let since = Instant::now();
        for secondary in [CLIENT.to_string(), KNOT.into()] {
            while ask(&server, &secondary, question) != expected {
                assert!(since.elapsed() < PATIENCE, "{secondary} was not told of {question:?}");
                std::thread::sleep(Duration::from_millis(200));
            }
        }
    }

    server.kill();
    server.start_again().expect("it starts again");
    let third = agree(&server);
    assert!(third >= second, "the serial went back from {second} to {third}");

    // Whoever does not sign, or is not named, copies nothing.
    for options in
        [&["-b", KNOT][..], &["-y", &format!("hmac-sha256:transfer.cluster:{SECRET}"), "-b", "10.77.0.4"]]
    {
        if options.contains(&"10.77.0.4") {
            server.network.client.ip("address add 10.77.0.4/16 dev eth0").expect("a third address");
        }
        let at = format!("@{SERVER}");
        let question = [options, &[at.as_str(), "AXFR", "cluster"]].concat();
        let answer = server.network.client.ask("dig", &question).unwrap_or_else(|error| error);
        assert!(answer.contains("Transfer failed"), "{answer}");
    }
}
