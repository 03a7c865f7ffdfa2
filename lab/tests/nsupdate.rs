//! `nsupdate` with a key: what it adds is answered, there and back, after a kill too; what it may not change stays; what the configuration says goes before.

use heorot_lab::network::{CLIENT, SERVER};
use heorot_lab::server::{Server, Settings};
use std::fs;
use std::time::{Duration, Instant};

const SECRET: &str = "aGVvcm90LCBhIGhhbGwgb2YgaGFsbHMsIGEgbGlnaHQ=";

/// A configuration is read within this.
const PATIENCE: Duration = Duration::from_secs(10);

fn settings(further: &str) -> Settings {
    let further = format!(
        r#"
[dns]
secondaries = ["{CLIENT}"]
[[dns.key]]
name = "site"
secret = "{SECRET}"
use = "update"
[[dns.key]]
name = "acme"
secret = "{SECRET}"
use = "update"
names = "_acme-challenge.*"
types = "TXT"
{further}"#
    );
    Settings { further, ..Settings::default() }
}

/// What nsupdate says; nothing if all is well.
fn nsupdate(server: &Server, options: &[&str], zone: &str, lines: &[&str]) -> String {
    let file = server.scratch_file("update.txt");
    let text = format!("server {SERVER}\nzone {zone}\n{}\nsend\n", lines.join("\n"));
    fs::write(&file, text).expect("a file for nsupdate");
    let mut command = server.network.client.command("nsupdate");
    let output = command.args(options).arg(file).output().expect("nsupdate runs");
    String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).trim().to_owned()
}

fn key(name: &str) -> String {
    format!("hmac-sha256:{name}:{SECRET}")
}

/// The data that are answered, in order.
fn data(server: &Server, question: &[&str]) -> Vec<String> {
    let at = format!("@{SERVER}");
    let answer = server.network.client.ask("dig", &[&[at.as_str(), "+short", "+norec"], question].concat());
    let mut lines: Vec<_> = answer.expect("dig is answered").lines().map(str::to_owned).collect();
    lines.sort();
    lines
}

fn serial(server: &Server) -> u32 {
    let soa = data(server, &["cluster", "SOA"]).concat();
    soa.split(' ').nth(2).and_then(|serial| serial.parse().ok()).expect("there is a serial")
}

#[test]
fn what_nsupdate_adds_lasts() {
    let mut server = Server::start(&settings("")).expect("the lab and the server start");
    let (site, acme) = (key("site"), key("acme"));
    let (site, acme) = (["-y", site.as_str()], ["-y", acme.as_str()]);
    let challenge = "update add _acme-challenge.node23.cluster 60 TXT \"a challenge\"";
    assert_eq!(nsupdate(&server, &acme, "cluster", &[challenge]), "");
    assert_eq!(data(&server, &["_acme-challenge.node23.cluster", "TXT"]), ["\"a challenge\""]);
    let before = serial(&server);
    let web = [
        "prereq nxdomain web.cluster",
        "update add web.cluster 60 A 10.77.9.9",
        "update add web.cluster 60 AAAA fd77::9",
        "update add web.cluster 60 SSHFP 4 2 123456789abcdef67890123456789abcdef67890123456789abcdef123456789",
        "update add www.cluster 60 CNAME web.cluster.",
        "update add _http._tcp.cluster 60 SRV 0 5 80 web.cluster.",
        "update add mail.cluster 60 MX 10 mx.example.org.",
    ];
    // By TCP, and all under one serial.
    assert_eq!(nsupdate(&server, &[&site[..], &["-v"]].concat(), "cluster", &web), "");
    assert_eq!(serial(&server), before + 1);
    let back = ["update add 9.9.77.10.in-addr.arpa 60 PTR web.cluster."];
    assert_eq!(nsupdate(&server, &site, "77.10.in-addr.arpa", &back), "");
    let answers: [(&[&str], &[&str]); 5] = [
        (&["www.cluster", "A"], &["10.77.9.9", "web.cluster."]),
        (&["web.cluster", "AAAA"], &["fd77::9"]),
        (&["_http._tcp.cluster", "SRV"], &["0 5 80 web.cluster."]),
        (&["mail.cluster", "MX"], &["10 mx.example.org."]),
        (&["-x", "10.77.9.9"], &["web.cluster."]),
    ];
    let all_is_there = |server: &Server| {
        for (question, expected) in answers {
            assert_eq!(data(server, question), expected, "{question:?}");
        }
    };
    all_is_there(&server);

    let refused: [(&[&str], &str, &str); 5] = [
        (&[], "update add new.cluster 60 A 10.0.0.1", "update failed: REFUSED"),
        (&acme, "update add new.cluster 60 TXT x", "update failed: REFUSED"),
        (&site, "update add node23.cluster 60 A 10.0.0.1", "update failed: REFUSED"),
        (&site, "update delete node23.cluster", "update failed: REFUSED"),
        (
            &site,
            "prereq nxdomain web.cluster\nupdate add web.cluster 60 A 10.0.0.1",
            "update failed: YXDOMAIN",
        ),
    ];
    for (options, lines, expected) in refused {
        assert_eq!(nsupdate(&server, options, "cluster", &[lines]), expected, "{lines}");
    }
    assert_eq!(data(&server, &["node23.cluster", "A"]), ["10.77.1.23"]);
    assert!(server.tail().contains("refused"), "the journal is told: {}", server.tail());

    let before = serial(&server);
    server.kill();
    server.start_again().expect("it starts again");
    all_is_there(&server);
    assert!(serial(&server) >= before, "no serial goes back");
    configuration_goes_before(&server);

    // A secondary that is a little behind gets what has changed.
    let before = serial(&server);
    let lines = ["update delete mail.cluster", "update delete _http._tcp.cluster SRV"];
    assert_eq!(nsupdate(&server, &site, "cluster", &lines), "");
    let at = format!("@{SERVER}");
    let question = [at.as_str(), "+noall", "+answer", "cluster", &format!("IXFR={before}")];
    let changes = server.network.client.ask("dig", &question).expect("dig is answered");
    assert_eq!(changes.lines().count(), 6, "four SOA, two records: {changes}");
    assert!(changes.contains("mx.example.org.") && changes.contains("0 5 80 web.cluster."), "{changes}");
    assert_eq!(data(&server, &["mail.cluster", "MX"]), [""; 0]);
}

/// A host of the configuration takes a name, and gives it back.
fn configuration_goes_before(server: &Server) {
    let with_web = "[[dns.record]]\nname = \"web\"\nvalue = \"10.77.9.8\"\n";
    for (further, expected) in [(with_web, "10.77.9.8"), ("", "10.77.9.9")] {
        server.reconfigure(&settings(further)).expect("it reads its configuration");
        let since = Instant::now();
        while data(server, &["web.cluster", "A"]) != [expected] {
            assert!(
                since.elapsed() < PATIENCE,
                "{:?} and not {expected}",
                data(server, &["web.cluster", "A"])
            );
            std::thread::sleep(Duration::from_millis(100));
        }
    }
    assert!(server.tail().contains("web.cluster: a node or host has it"), "{}", server.tail());
}
