use super::*;
use std::io::{BufRead, BufReader};
use std::net::{Ipv4Addr, TcpListener};
use std::thread;

fn url(text: &str) -> Url {
    text.parse().expect("a URL")
}

#[test]
fn urls() {
    let server = |port| SocketAddrV4::new(Ipv4Addr::new(10, 77, 0, 1), port);
    assert_eq!(
        url("http://10.77.0.1:8080/node/t"),
        Url { server: server(8080), path: "/node/t".to_owned(), name: None }
    );
    assert_eq!(url("http://10.77.0.1/node/t").server, server(80));
    assert_eq!(url("http://10.77.0.1").path, "/");
    assert_eq!(url("http://10.77.0.1/node/t").join("/trial").path, "/node/t/trial");
    assert_eq!(url("http://10.77.0.1:80/node/t").to_string(), "http://10.77.0.1:80/node/t");
    for text in [
        "",
        "10.77.0.1",
        "https://10.77.0.1/",
        "http://head/node",
        "http://10.77.0.1:x/",
        "http://10.77.0.1/a b",
    ] {
        assert_eq!(text.parse::<Url>(), Err(NotAUrl), "{text}");
    }
}

#[test]
fn answers_end_where_they_say_or_with_the_connection() {
    let cases: [(&str, u16, &str); 4] = [
        ("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}and more", 200, "{}"),
        ("HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n", 404, ""),
        ("HTTP/1.0 200 OK\r\n\r\nto the end", 200, "to the end"),
        ("HTTP/1.1 204 No Content\r\n\r\n", 204, ""),
    ];
    for (bytes, status, body) in cases {
        let answer = read_answer(bytes.as_bytes()).expect(bytes);
        assert_eq!(answer, Answer { status, date: None, body: body.as_bytes().to_vec() }, "{bytes}");
    }
}

#[test]
fn what_is_no_answer_is_an_error() {
    for bytes in [
        "",
        "HTTP/1.1 200 OK\r\n",
        "SSH-2.0-x\r\n\r\n",
        "HTTP/1.1 xyz\r\n\r\n",
        "HTTP/1.1\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n{}",
        "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n{}",
        "HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n{}",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
    ] {
        assert!(read_answer(bytes.as_bytes()).is_err(), "{bytes}");
    }
    let endless = io::repeat(b'x');
    assert!(read_answer(endless).is_err(), "a header without end");
}

/// Answers one connection with `answer` and returns what was asked.
fn serve_once(answer: &'static str) -> (Url, thread::JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let served = thread::spawn(move || {
        let (mut stream, _) = listener.accept().expect("a connection");
        let mut reader = BufReader::new(stream.try_clone().expect("a second handle"));
        let mut asked = String::new();
        while !asked.ends_with("\r\n\r\n") {
            reader.read_line(&mut asked).expect("a line");
        }
        let length =
            asked.lines().find_map(|line| line.strip_prefix("Content-Length: ")).map(|text| text.parse());
        let mut body = vec![0; length.map_or(0, |length| length.expect("a number"))];
        reader.read_exact(&mut body).expect("the body");
        stream.write_all(answer.as_bytes()).expect("written");
        asked + &String::from_utf8(body).expect("text")
    });
    (url(&format!("http://127.0.0.1:{port}/node/t")), served)
}

#[test]
fn a_get_and_a_post_over_a_socket() {
    let (url, served) = serve_once("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}");
    assert_eq!(
        request(&url, None).expect("an answer"),
        Answer { status: 200, date: None, body: b"{}".to_vec() }
    );
    let asked = served.join().expect("asked");
    assert!(asked.starts_with("GET /node/t HTTP/1.1\r\nHost: 127.0.0.1:"), "{asked}");
    assert!(!asked.contains("Content-Length"), "{asked}");

    let (url, served) = serve_once("HTTP/1.1 503 Later\r\nContent-Length: 0\r\n\r\n");
    assert_eq!(request(&url.join("/trial"), Some(b"{\"passed\":true}")).expect("an answer").status, 503);
    let asked = served.join().expect("asked");
    assert!(asked.starts_with("POST /node/t/trial HTTP/1.1\r\n"), "{asked}");
    assert!(asked.ends_with("Content-Length: 15\r\n\r\n{\"passed\":true}"), "{asked}");
}

#[test]
fn nobody_there_is_an_error() {
    // While the port is held at the address beside it nobody can take it for everywhere.
    let beside = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = beside.local_addr().expect("an address").port();
    assert!(matches!(request(&url(&format!("http://127.0.0.86:{port}/")), None), Err(Error::Io(_))));
}

#[test]
fn a_download_goes_on_where_it_broke_off() {
    let (url, served) =
        serve_once("HTTP/1.1 206 Partial Content\r\nETag: \"v1\"\r\nContent-Length: 3\r\n\r\nxyz");
    let mut download = download(&url, 5, Some("\"v1\"")).expect("an answer");
    assert_eq!((download.status, download.length), (206, Some(3)));
    assert_eq!(download.tag.as_deref(), Some("\"v1\""));
    let mut body = String::new();
    download.read_to_string(&mut body).expect("a body");
    assert_eq!(body, "xyz");
    let asked = served.join().expect("asked");
    assert!(asked.contains("\r\nRange: bytes=5-\r\nIf-Range: \"v1\"\r\n"), "{asked}");
}
