//! Boot files by HTTP and HTTPS: curl gets the bytes and the parts that it asks for, what is no request gets nothing else, one link is shared with TFTP, and ten thousand idle
//! clients keep nobody from booting.

use heorot_lab::server::{Server, Settings};
use serde_json::Value;
use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

const SERVER: &str = "10.77.0.1";
const CURL: [&str; 5] = ["--silent", "--show-error", "--max-time", "60", "-o"];

fn start(further: &str) -> Server {
    let settings = Settings { further: further.into(), ..Settings::default() };
    Server::start(&settings).expect("the lab and the server start")
}

/// Octets without a pattern that a lost or doubled piece would fit into.
fn octets(count: usize) -> Vec<u8> {
    let mut state = 0x9e37_79b9_u32;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        state.to_be_bytes()[0]
    };
    (0..count).map(|_| next()).collect()
}

/// What curl wrote into a file, and what it said.
fn curl(server: &Server, further: &[&str], path: &str) -> Result<(Vec<u8>, String), String> {
    let to = server.scratch_file("curl");
    if !further.contains(&"-C") {
        let _ = fs::remove_file(&to);
    }
    let to_text = to.to_string_lossy();
    let url = if path.contains("://") { path.into() } else { format!("http://{SERVER}/{path}") };
    let said = "%{http_code} %{http_version} %{num_connects} %header{content-length} %header{content-range}";
    let words = [&CURL[..], &[&to_text, "-w", said], further, &[&url]].concat();
    let said = server.explain_failure(server.network.client.ask("curl", &words))?;
    Ok((fs::read(&to).unwrap_or_default(), said.trim().to_owned()))
}

#[test]
fn curl_gets_what_it_asks_for() {
    let server = start("");
    let content = octets(3_000_001);
    fs::write(server.boot_file("image"), &content).expect("a file to serve");
    let get = |further: &[&str]| curl(&server, further, "image").expect("curl has an answer");
    assert!(get(&[]) == (content.clone(), "200 1.1 1 3000001".into()));
    assert!(get(&["--http1.0"]).0 == content);
    assert!(get(&["--range", "1000000-1000099"]).1 == "206 1.1 1 100 bytes 1000000-1000099/3000001");
    assert!(get(&["--range", "-7"]).0 == content[2_999_994..]);
    let (head, said) = get(&["--head"]);
    assert!(said.starts_with("200 1.1 1 3000001") && head.starts_with(b"HTTP/1.1 200 OK\r\n"), "{said}");
    // A download that was cut off goes on where it was.
    fs::write(server.scratch_file("curl"), &content[..1_234_567]).expect("half of it is there");
    assert!(get(&["-C", "-"]).0 == content);
    // Who has it already gets it not again.
    let tag = server.scratch_file("tag").to_string_lossy().into_owned();
    get(&["--etag-save", &tag]);
    let again = get(&["--etag-compare", &tag]);
    assert!(again.1.starts_with("304"), "{}", again.1);
    // Several files, one connection.
    let url = format!("http://{SERVER}/image");
    let many = get(&["-o", "/dev/null", &url, "-o", "/dev/null", &url]).1;
    assert_eq!(many.matches("200 1.1 1").count(), 1, "{many}");
    assert_eq!(many.matches("200 1.1 0").count(), 2, "{many}");
    let missing = curl(&server, &[], "nothing").expect("it is answered");
    assert!(missing.1.starts_with("404") && missing.0.starts_with(b"there is no file"), "{}", missing.1);
}

#[test]
fn what_leads_out_of_the_tree_or_is_no_request_gets_nothing() {
    let server = start("");
    fs::write(server.scratch_file("secret"), "secret").expect("a file outside");
    std::os::unix::fs::symlink("../secret", server.boot_file("out")).expect("a link that leads there");
    let cases: [(&[u8], &str); 12] = [
        (b"GET /../secret HTTP/1.1\r\nHost: x\r\n\r\n", "403"),
        (b"GET /%2e%2e/secret HTTP/1.1\r\nHost: x\r\n\r\n", "403"),
        (b"GET /..%5csecret HTTP/1.1\r\nHost: x\r\n\r\n", "403"),
        (b"GET /..\\secret HTTP/1.1\r\nHost: x\r\n\r\n", "40"),
        (b"GET http://x/../secret HTTP/1.1\r\nHost: x\r\n\r\n", "403"),
        (b"GET /out HTTP/1.1\r\nHost: x\r\n\r\n", "403"),
        (b"GET /image%00 HTTP/1.1\r\nHost: x\r\n\r\n", "400"),
        (b"GET /\0 HTTP/1.1\r\nHost: x\r\n\r\n", "400"),
        (b"\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03\r\n\r\n", "400"),
        (b"POST /node/x/up HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "411"),
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "505"),
        (b"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n", "400"),
    ];
    let answers = server.network.client.enter(|| {
        let ask = |request: &[u8]| {
            let mut stream = TcpStream::connect((SERVER, 80))?;
            stream.set_read_timeout(Some(Duration::from_secs(10)))?;
            stream.write_all(request)?;
            stream.shutdown(std::net::Shutdown::Write)?;
            let mut answer = Vec::new();
            stream.read_to_end(&mut answer)?;
            Ok(answer)
        };
        cases
            .iter()
            .map(|(request, _)| ask(request).map_err(|e: std::io::Error| e.to_string()))
            .collect::<Result<Vec<_>, _>>()
    });
    for ((request, status), answer) in cases.iter().zip(answers.expect("all are answered")) {
        let text = String::from_utf8_lossy(&answer);
        assert!(text.starts_with(&format!("HTTP/1.1 {status}")), "{}: {text}", request.escape_ascii());
        assert!(
            !text.contains("secret\r") && !text.ends_with("secret"),
            "{}: {text}",
            request.escape_ascii()
        );
    }
    let status = server.ask(&["status"]).expect("it goes on");
    assert!(status["http"]["refused"].as_u64() >= Some(6), "{status}");
}

/// Downloads that run until they are dropped.
struct Downloads(Vec<Child>);

impl Downloads {
    fn of(server: &Server, count: usize) -> Self {
        let url = format!("http://{SERVER}/image");
        let download = |_| {
            let mut command = server.network.client.command("curl");
            command.args(["--silent", "-o", "/dev/null", &url]).stdin(Stdio::null());
            command.spawn().expect("curl starts")
        };
        Self((0..count).map(download).collect())
    }
}

impl Drop for Downloads {
    fn drop(&mut self) {
        for child in &mut self.0 {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// Octets that the server's interface has sent.
fn sent(server: &Server) -> u64 {
    let text = server.network.server.ask("cat", &["/sys/class/net/eth1/statistics/tx_bytes"]);
    text.ok().and_then(|text| text.trim().parse().ok()).expect("the kernel counts")
}

#[test]
fn one_budget_for_http_and_tftp_and_heads_at_once() {
    const LINK_OCTETS: f64 = 80e6 / 8.0;
    let server = start("\n[load]\nlink = \"80Mbit\"\n");
    fs::write(server.boot_file("image"), octets(200_000_000)).expect("a file to serve");
    let small = octets(1_000_000);
    fs::write(server.boot_file("small"), &small).expect("another");
    let _downloads = Downloads::of(&server, 40);
    thread::sleep(Duration::from_secs(3));
    let (begun, before) = (Instant::now(), sent(&server));
    let mut slowest = Duration::ZERO;
    for _ in 0..10 {
        let asked = Instant::now();
        let (_, said) = curl(&server, &["--head"], "image").expect("a head");
        assert!(said.starts_with("200"), "{said}");
        slowest = slowest.max(asked.elapsed());
        let asked = Instant::now();
        assert!(curl(&server, &[], "boot.ipxe").expect("an answer").1.starts_with("404"), "no node asks");
        slowest = slowest.max(asked.elapsed());
    }
    assert!(slowest < Duration::from_secs(2), "a head took {slowest:?}; OVMF waits 5 s");
    // A megabyte by TFTP comes, although forty want 200 MB each.
    let to = server.scratch_file("tftp").to_string_lossy().into_owned();
    let url = format!("tftp://{SERVER}/small");
    let words = ["--silent", "--show-error", "--max-time", "60", "--tftp-blksize", "1428", "-o", &to, &url];
    server.explain_failure(server.network.client.ask("curl", &words)).expect("a file by TFTP");
    assert!(fs::read(&to).expect("it is there") == small);
    let left = Duration::from_secs(6).saturating_sub(begun.elapsed());
    thread::sleep(left);
    let rate = (sent(&server) - before) as f64 / begun.elapsed().as_secs_f64();
    let part = rate / LINK_OCTETS;
    assert!((0.85..1.03).contains(&part), "{part} of the link is used");
    let status = server.ask(&["status"]).expect("it goes on");
    assert_eq!(status["http"]["sending"], Value::from(40), "{status}");
    assert_ne!(status["load"]["regime"], Value::from("paced"), "{status}");
}

#[test]
fn by_https_with_the_certificate_that_is_configured_and_then_with_another() {
    let tls = "\n[http]\ncertificate = \"SCRATCH/certificate.pem\"\nkey = \"SCRATCH/key.pem\"\n";
    let mut server = start("");
    make_certificate(&server);
    let settings = Settings { further: tls.into(), ..Settings::default() };
    server.reconfigure(&settings).expect("it is told, and says that it needs a restart");
    server.stop().expect("it ends");
    server.start_again().expect("it starts with the certificate");
    let content = octets(2_000_000);
    fs::write(server.boot_file("image"), &content).expect("a file to serve");
    let authority = server.scratch_file("certificate.pem").to_string_lossy().into_owned();
    let url = format!("https://{SERVER}/image");
    for version in [&["--tls-max", "1.2"][..], &["--tlsv1.3"]] {
        let (came, said) =
            curl(&server, &[&["--cacert", &authority], version].concat(), &url).expect("an answer");
        assert!(came == content && said.starts_with("200"), "{said}");
    }
    // Another certificate, by SIGHUP: who trusts the first one alone gets nothing any more.
    let first = server.scratch_file("first.pem");
    fs::copy(&authority, &first).expect("it is kept");
    make_certificate(&server);
    server.reconfigure(&settings).expect("it is told");
    let give_up = Instant::now() + Duration::from_secs(20);
    while curl(&server, &["--cacert", &first.to_string_lossy()], &url).is_ok() {
        assert!(Instant::now() < give_up, "the old certificate is still shown\n{}", server.tail());
        thread::sleep(Duration::from_millis(100));
    }
    assert!(curl(&server, &["--cacert", &authority], &url).expect("an answer").0 == content);
    // A wrong one is told with its line, and the old one stays.
    fs::write(server.scratch_file("key.pem"), "no key").expect("it is spoilt");
    server.reconfigure(&settings).expect("it is told");
    let give_up = Instant::now() + Duration::from_secs(20);
    while !server.tail().contains("key.pem cannot be read") {
        assert!(Instant::now() < give_up, "{}", server.tail());
        thread::sleep(Duration::from_millis(100));
    }
    assert!(server.tail().contains("key = \""), "with its line: {}", server.tail());
    assert!(curl(&server, &["--cacert", &authority], &url).expect("an answer").0 == content);
}

/// A certificate for the server's address, which is its own authority.
fn make_certificate(server: &Server) {
    let path = |name: &str| server.scratch_file(name).to_string_lossy().into_owned();
    let subject = format!("subjectAltName=IP:{SERVER}");
    let (key, certificate) = (path("key.pem"), path("certificate.pem"));
    let made = Command::new("openssl")
        .args([
            "req",
            "-x509",
            "-newkey",
            "rsa:2048",
            "-nodes",
            "-days",
            "2",
            "-subj",
            "/CN=heorot",
            "-addext",
            &subject,
        ])
        .args(["-keyout", &key, "-out", &certificate])
        .output()
        .expect("openssl runs");
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
}

#[test]
fn ten_thousand_idle_connections_hold_up_nobody() {
    let server = start("");
    let content = octets(500_000);
    fs::write(server.boot_file("image"), &content).expect("a file to serve");
    let own = std::process::id().to_string();
    heorot_lab::command::ask("prlimit", &["--pid", &own, "--nofile=12000:"])
        .expect("so many descriptors may be had");
    let idle = server.network.client.enter(|| {
        (0..10_000)
            .map(|_| TcpStream::connect((SERVER, 80)).map_err(|e| e.to_string()))
            .collect::<Result<Vec<_>, _>>()
    });
    let mut idle = server.explain_failure(idle).expect("ten thousand connect");
    // Some of them say half a word.
    for stream in idle.iter_mut().step_by(10) {
        let _ = stream.write_all(b"GET /im");
    }
    let asked = Instant::now();
    let (came, said) = curl(&server, &[], "image").expect("an answer");
    assert!(came == content && said.starts_with("200"), "{said}");
    assert!(asked.elapsed() < Duration::from_secs(5), "it took {:?}", asked.elapsed());
    let status = server.ask(&["status"]).expect("it goes on");
    let connections = status["http"]["connections"].as_u64().expect("a number");
    let displaced = status["http"]["displaced"].as_u64().expect("a number");
    assert!(connections + displaced >= 10_000, "all are there, or gave way: {status}");
    let memory = resident_octets(&server);
    assert!(memory < 200_000_000, "{memory} octets of memory");
    let give_up = Instant::now() + Duration::from_secs(60);
    while server.ask(&["status"]).expect("it goes on")["http"]["connections"].as_u64() > Some(0) {
        assert!(Instant::now() < give_up, "idle connections end");
        thread::sleep(Duration::from_millis(500));
    }
    assert!(server.ask(&["status"]).expect("it goes on")["http"]["silent"].as_u64() >= Some(5000));
}

/// What the server has in memory.
fn resident_octets(server: &Server) -> u64 {
    let of = |process: &i32| {
        let text = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
        let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
        line.split_whitespace().next()?.parse::<u64>().ok()
    };
    let processes = server.network.server.processes().expect("they are listed");
    processes.iter().filter_map(of).max().expect("it runs") * 1024
}
