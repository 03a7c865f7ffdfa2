//! A zone that BIND's tools have signed, on a real BIND that is asked by TLS alone: what is signed is told so, what is forged to nobody, and who
//! cannot prove his name is not asked.

use heorot_lab::demo::dig;
use heorot_lab::server::{Server, Settings};
use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// BIND's address, in the namespace of the client.
const BIND: &str = "10.77.0.53";
const PATIENCE: Duration = Duration::from_secs(20);
const ZONE: &str = "$ORIGIN example.org.\n$TTL 300\n@ SOA ns admin 1 3600 600 86400 60\n@ NS ns\nns A 198.51.100.1\nwww A 198.51.100.7\n\
                    alias CNAME www\n*.wild A 198.51.100.9\nplain NS ns.plain\nns.plain A 198.51.100.2\n";

struct Bind(Child);

impl Drop for Bind {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn run(directory: &Path, command: &str) -> String {
    let mut words = command.split(' ');
    let program = words.next().expect("a program");
    let done = Command::new(program).args(words).current_dir(directory).output().expect("it starts");
    assert!(done.status.success(), "{command}: {}", String::from_utf8_lossy(&done.stderr));
    String::from_utf8(done.stdout).expect("text")
}

/// The zone, signed by hashes and opted out as large zones are. Its DS record.
fn sign(directory: &Path) -> String {
    let keygen = "dnssec-keygen -q -a ECDSAP256SHA256";
    let signing = run(directory, &format!("{keygen} -f KSK example.org"));
    let other = run(directory, &format!("{keygen} example.org"));
    let keys = [&signing, &other].map(|key| format!("$INCLUDE {}.key\n", key.trim()));
    fs::write(directory.join("zone"), format!("{ZONE}{}", keys.concat())).expect("a zone file");
    run(directory, "dnssec-signzone -3 - -H 0 -A -o example.org -f zone.signed zone");
    run(directory, &format!("dnssec-dsfromkey -2 {}.key", signing.trim())).trim().to_owned()
}

/// A certificate for this name, which is its own authority.
fn certify(directory: &Path, name: &str) {
    let text = format!(
        "[req]\nprompt=no\ndistinguished_name=name\nx509_extensions=more\n[name]\nCN={name}\n\
         [more]\nsubjectAltName=DNS:{name}\nbasicConstraints=critical,CA:FALSE\n"
    );
    fs::write(directory.join("openssl.conf"), text).expect("a file for OpenSSL");
    let make =
        "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 -config openssl.conf";
    run(directory, &format!("{make} -keyout key.pem -out certificate.pem"));
}

fn start(server: &Server, directory: &Path) -> Bind {
    let unsigned = ZONE.replace("example.org", "plain.example.org");
    fs::write(directory.join("plain"), unsigned).expect("a zone file");
    let text = format!(
        "tls own {{ key-file \"key.pem\"; cert-file \"certificate.pem\"; }};\n\
         options {{ directory \"{}\"; listen-on port 853 tls own {{ {BIND}; }}; listen-on-v6 {{ none; }}; recursion no; pid-file none; }};\n\
         zone \"example.org\" {{ type primary; file \"zone.signed\"; }};\n\
         zone \"plain.example.org\" {{ type primary; file \"plain\"; }};\n",
        directory.display()
    );
    fs::write(directory.join("named.conf"), text).expect("a file for BIND");
    let mut command = server.network.client.command("named");
    command.arg("-g").arg("-c").arg(directory.join("named.conf"));
    let log = fs::File::create(directory.join("log")).expect("a log for BIND");
    Bind(command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log).spawn().expect("named starts"))
}

fn settings(directory: &Path, name: &str, anchor: &str) -> Settings {
    let further = format!(
        "[dns]\nupstream = [\"tls://{BIND}#{name}\"]\ntls-roots = \"{}\"\ndnssec = \"validate\"\ntrust-anchors = [\"{anchor}\"]\n",
        directory.join("certificate.pem").display()
    );
    Settings { further, ..Settings::default() }
}

#[test]
fn what_is_signed_is_told_so_and_what_is_forged_to_nobody() {
    let server = Server::start(&Settings::default()).expect("the lab and the server start");
    server.network.client.ip(&format!("address add {BIND}/16 dev eth0")).expect("a second address");
    let directory = server.scratch_file("bind");
    fs::create_dir_all(&directory).expect("a directory for BIND");
    let anchor = sign(&directory);
    certify(&directory, "dns.example.org");
    let _bind = start(&server, &directory);

    let ask = |question: &[&str]| {
        let options = ["+noall", "+comments", "+answer", "+time=6"];
        dig(&server.network, &[options.as_slice(), question].concat()).expect("dig is answered")
    };
    let eventually = |question: &[&str], all: &[&str]| {
        let since = Instant::now();
        loop {
            let answer = ask(question);
            if all.iter().all(|part| answer.contains(part)) {
                return;
            }
            let log = fs::read_to_string(directory.join("log")).unwrap_or_default();
            assert!(
                since.elapsed() < PATIENCE,
                "{question:?}: {all:?} in {answer}\n{}\n{log}",
                server.tail()
            );
            std::thread::sleep(Duration::from_millis(200));
        }
    };
    // dig asks with AD, and so for what it means.
    server
        .reconfigure(&settings(&directory, "dns.example.org", &anchor))
        .expect("it reads its configuration");
    eventually(&["www.example.org"], &["status: NOERROR", "qr rd ra ad;", "198.51.100.7"]);
    eventually(&["+dnssec", "www.example.org"], &["qr rd ra ad;", "RRSIG"]);
    eventually(&["alias.example.org"], &["qr rd ra ad;", "CNAME", "198.51.100.7"]);
    eventually(&["example.org", "DNSKEY"], &["qr rd ra ad;", "ANSWER: 2"]);
    // By opting out it is left open whether there is such a name; whether it has another type is not.
    eventually(&["www.example.org", "MX"], &["status: NOERROR", "qr rd ra ad;", "ANSWER: 0"]);
    eventually(&["nobody.example.org"], &["status: NXDOMAIN", "qr rd ra;"]);
    eventually(&["x.wild.example.org"], &["status: NOERROR", "198.51.100.9"]);
    eventually(&["www.plain.example.org"], &["status: NOERROR", "qr rd ra;", "198.51.100.7"]);
    // Our own names need no signature.
    eventually(&["node23.cluster"], &["status: NOERROR", "10.77.1.23"]);

    // A key that the zone does not have: nothing of it is true, but for who wants to see it all the same.
    let (start_of_anchor, digest) = anchor.rsplit_once(' ').expect("a digest");
    let other = format!("{start_of_anchor} {}", digest.chars().rev().collect::<String>());
    server.reconfigure(&settings(&directory, "dns.example.org", &other)).expect("it reads its configuration");
    eventually(&["www.example.org"], &["status: SERVFAIL", "EDE: 9 (DNSKEY Missing)"]);
    eventually(&["+cdflag", "www.example.org"], &["status: NOERROR", "198.51.100.7"]);

    // Another name than that of the certificate: nobody is asked, and the journal says why, once.
    server
        .reconfigure(&settings(&directory, "other.example.org", &anchor))
        .expect("it reads its configuration");
    eventually(&["www.example.org"], &["status: SERVFAIL"]);
    eventually(&["mail.example.org"], &["status: SERVFAIL"]);
    let said =
        server.tail().matches("(other.example.org) cannot be asked by TLS: invalid peer certificate").count();
    assert_eq!(said, 1, "{}", server.tail());
}
