use super::*;
use crate::testing::{self, Directory};
use crate::wake::{Bell, line};
use heorot_core::limit::POST_OCTETS_MAX;
use heorot_core::message::{Query, Via};
use std::fmt::Write as _;
use std::io::Read;
use std::net::TcpStream;
use std::os::unix::net::UnixStream;
use std::sync::Mutex;

/// A server whose loop is a small fake: it answers by the path's first letters and keeps what it was asked.
struct Server {
    directory: Directory,
    address: std::net::SocketAddr,
    http: Http,
    asked: Arc<Mutex<Vec<String>>>,
}

fn server() -> Server {
    let directory = testing::directory("http");
    let boot = bind(Ipv4Addr::LOCALHOST, 0).unwrap();
    let address = boot.local_addr().unwrap();
    let control_path = directory.path().join("control.sock");
    let control = control::bind(&control_path).unwrap();
    let (caller, asks) = line(&Bell::new().unwrap(), ASKS);
    let files = testing::boot_files(&directory);
    let sockets = Sockets { boot: vec![boot], control, control_path };
    let http = Http::start(sockets, caller, files, Journal::start().unwrap()).unwrap();
    let asked = Arc::new(Mutex::new(Vec::new()));
    let told = Arc::clone(&asked);
    std::thread::spawn(move || {
        for ask in asks {
            let (line, reply, answer) = match ask {
                Ask::Machine { from, local, via, path, reply } => {
                    let answer = match path.as_str() {
                        "/text" => Answer::Text("#!ipxe\n".into()),
                        "/gone" => Answer::Missing("not for you".into()),
                        "/silent" => continue,
                        _ if path.starts_with("/node/") => Answer::Json(202, "{}".into()),
                        _ => Answer::File(path.trim_start_matches('/').into()),
                    };
                    let body = if let Via::HttpPost(body) = via { body.len() } else { 0 };
                    (format!("{from} {local} {path} {body}"), reply, answer)
                }
                Ask::Operator { query, reply } => {
                    let known = !matches!(&query, Query::Node(node) if node == "nobody");
                    let answer = if known {
                        Answer::Json(200, "[]".into())
                    } else {
                        Answer::Json(404, "{\"error\":\"x\"}".into())
                    };
                    (format!("{query:?}"), reply, answer)
                }
                Ask::SignOfLife(address) => {
                    told.lock().unwrap().push(format!("life {address}"));
                    continue;
                }
                Ask::Unavailable { from, path, .. } => {
                    told.lock().unwrap().push(format!("{from} lacks {path}"));
                    continue;
                }
                Ask::Update { .. } | Ask::UpdateDenied { .. } => panic!("HTTP updates no names"),
            };
            told.lock().unwrap().push(line);
            let _ = reply.send(answer);
        }
    });
    Server { directory, address, http, asked }
}

const ASKS: usize = 16;

impl Server {
    fn get(&self, request: &str) -> (String, Vec<u8>) {
        let mut stream = TcpStream::connect(self.address).unwrap();
        exchange(&mut stream, request)
    }
}

fn exchange(stream: &mut (impl Read + io::Write), request: &str) -> (String, Vec<u8>) {
    let (head, body) = request.split_once("\n\n").unwrap_or((request, ""));
    let mut text = String::new();
    for (number, line) in head.lines().enumerate() {
        let http = if number == 0 { " HTTP/1.1\r\nHost: x\r\nConnection: close" } else { "" };
        write!(text, "{line}{http}\r\n").unwrap();
    }
    stream.write_all(format!("{text}\r\n{body}").as_bytes()).unwrap();
    let mut response = Vec::new();
    stream.read_to_end(&mut response).unwrap();
    let end = response.windows(4).position(|w| w == b"\r\n\r\n").unwrap();
    (String::from_utf8(response[..end].to_vec()).unwrap().to_lowercase(), response[end + 4..].to_vec())
}

#[test]
fn machines_get_what_the_loop_says() {
    let server = server();
    std::fs::write(server.directory.path().join("kernel"), vec![7; 200_000]).unwrap();
    std::fs::write(server.directory.path().join("a b.efi"), "0123456789").unwrap();
    std::fs::write(server.directory.path().join("empty"), "").unwrap();
    for (request, status, header, length) in [
        ("GET /text", 200, "content-type: text/plain", 7),
        ("HEAD /text", 200, "content-length: 7", 0),
        ("GET /kernel", 200, "content-length: 200000", 200_000),
        ("HEAD /kernel", 200, "content-length: 200000", 0),
        ("GET /empty", 200, "content-length: 0", 0),
        ("GET /a%20b.efi?x=1", 200, "content-type: application/efi", 10),
        ("GET /kernel\nRange: bytes=199990-", 206, "content-range: bytes 199990-199999/200000", 10),
        ("HEAD /kernel\nRange: bytes=0-9", 206, "content-length: 10", 0),
        ("GET /kernel\nRange: bytes=0-9\nIf-Range: \"other\"", 200, "content-length: 200000", 200_000),
        ("GET /kernel\nRange: bytes=200000-", 416, "content-range: bytes */200000", 0),
        ("GET /gone", 404, "content-length: 12", 12),
        ("GET /missing", 404, "text/plain", 25),
        ("GET /../../etc/passwd", 403, "text/plain", 45),
        ("GET /%ff", 400, "text/plain", 21),
        ("PUT /kernel", 405, "allow: get, head, post", 0),
        ("POST /node/token/up\nContent-Length: 3\n\nabc", 202, "application/json", 2),
    ] {
        let (head, body) = server.get(request);
        assert!(head.starts_with(&format!("http/1.1 {status}")), "{request}: {head}");
        assert!(head.contains(header), "{request}: {head}");
        assert_eq!(body.len(), length, "{request}: {}", String::from_utf8_lossy(&body[..body.len().min(99)]));
    }
    let asked = server.asked.lock().unwrap().clone();
    assert!(asked.contains(&"127.0.0.1 127.0.0.1 /node/token/up 3".into()), "{asked:?}");
    assert!(asked.contains(&"127.0.0.1 127.0.0.1 /a b.efi 0".into()), "{asked:?}");
    assert!(asked.contains(&"life 127.0.0.1".into()), "{asked:?}");
    assert_eq!(server.http.streams(), 0);
}

#[test]
fn a_body_that_is_too_long_is_refused_unread() {
    let server = server();
    let body = "x".repeat(POST_OCTETS_MAX + 1);
    let (head, _) = server.get(&format!("POST /node/token/trial\nContent-Length: {}\n\n{body}", body.len()));
    assert!(head.starts_with("http/1.1 413"), "{head}");
    assert!(server.asked.lock().unwrap().is_empty());
}

#[test]
fn a_loop_that_does_not_answer_holds_nobody_for_ever() {
    let (head, _) = server().get("GET /silent");
    assert!(head.starts_with("http/1.1 503"), "{head}");
}

#[test]
fn operators_ask_on_the_control_socket_which_can_be_made_again() {
    let server = server();
    let path = server.directory.path().join("control.sock");
    let ask = |request: &str| exchange(&mut UnixStream::connect(&path).unwrap(), request);
    for (request, status, asked) in [
        ("GET /v1/nodes", 200, "Nodes { set: None, without: None }"),
        (
            "GET /v1/nodes?set=node%5B0-9%5D&without=node5",
            200,
            "Nodes { set: Some(\"node[0-9]\"), without: Some(\"node5\") }",
        ),
        ("GET /v1/nodeset?set=%40rack1", 200, "NodeSet { set: \"@rack1\", without: None }"),
        ("GET /v1/export/slurm", 200, "Export(Slurm)"),
        ("GET /v1/nodes/52:54:00:00:00:17", 200, "Node(\"52:54:00:00:00:17\")"),
        ("GET /v1/nodes/node23/explain", 200, "Explain(\"node23\")"),
        ("GET /v1/nodes/nobody", 404, "Node(\"nobody\")"),
    ] {
        let (head, _) = ask(request);
        assert!(head.starts_with(&format!("http/1.1 {status}")), "{request}: {head}");
        assert_eq!(server.asked.lock().unwrap().last().unwrap(), asked);
    }
    assert!(ask("GET /v2").0.starts_with("http/1.1 404"));
    assert!(ask("GET /v1/export/xml").0.starts_with("http/1.1 404"));

    let mode = std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(&path).unwrap().permissions());
    assert_eq!(mode & 0o777, 0o660);
    let Err(problem) = control::bind(&path) else { panic!("two servers at one socket") };
    assert!(problem.0.contains("another heorot"), "{problem}");

    std::fs::remove_file(&path).unwrap();
    server.http.reopen_control();
    let give_up = std::time::Instant::now() + Duration::from_secs(5);
    while UnixStream::connect(&path).is_err() {
        assert!(std::time::Instant::now() < give_up, "it was not made again");
        std::thread::sleep(Duration::from_millis(5));
    }
    assert!(ask("GET /v1/status").0.starts_with("http/1.1 200"));
}
