use super::*;

fn one(text: &str) -> Result<Option<Head>, u16> {
    let text = text.replace('\n', "\r\n");
    match read(text.as_bytes()) {
        Ok(Some((head, length))) => {
            assert_eq!(length, text.find("\r\n\r\n").unwrap() + 4);
            Ok(Some(head))
        }
        Ok(None) => Ok(None),
        Err(refusal) => Err(refusal.status),
    }
}

/// A GET of this target with a host, and with these further lines.
fn get(target: &str, lines: &str) -> Result<Option<Head>, u16> {
    one(&format!("GET {target} HTTP/1.1\nHost: x\n{lines}\n"))
}

#[test]
fn what_boot_clients_send() {
    let head = get("/a%20b/kernel?x=1", "Connection: keep-alive\nUser-Agent: iPXE/1.0.0+\nRange: bytes=5-\n");
    let head = head.unwrap().unwrap();
    assert_eq!((head.method, head.path.as_str(), head.keeps), (Method::Get, "/a b/kernel", true));
    assert_eq!(head.conditions.range.as_deref(), Some("bytes=5-"));
    // OVMF
    let head = one("HEAD /x.efi HTTP/1.1\nHost: 10.77.0.1\nAccept: */*\nUser-Agent: UefiHttpBoot/1.0\n\n");
    assert_eq!(head.unwrap().unwrap().method, Method::Head);
    // GRUB and lpxelinux are of the time before hosts had to be named.
    for (lines, keeps) in [("", false), ("Connection: keep-alive\n", true), ("Connection: close\n", false)] {
        let head = one(&format!("GET / HTTP/1.0\n{lines}\n")).unwrap().unwrap();
        assert_eq!((head.is_old, head.keeps), (true, keeps), "{lines}");
    }
}

#[test]
fn a_head_is_waited_for_until_it_is_whole() {
    let whole =
        "POST /node/x/trial HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n{}";
    let length = whole.len() - 2;
    for cut in 0..length {
        assert_eq!(read(&whole.as_bytes()[..cut]), Ok(None), "{cut}");
    }
    let (head, read) = read(whole.as_bytes()).unwrap().unwrap();
    assert_eq!((head.body_octets, head.expects_leave, read), (2, true, length));
}

#[test]
fn paths() {
    for (target, expected) in [
        ("/", Ok("/")),
        ("//a//b", Ok("//a//b")),
        ("http://10.77.0.1:80/a%2Fb?c", Ok("/a/b")),
        ("HTTP://x", Ok("/")),
        ("https://x?y", Ok("/")),
        ("/%2e%2e/etc/passwd", Ok("/../etc/passwd")), // refused where it is known what it would lead out of
        ("/a\\..\\b", Ok("/a\\..\\b")),
        ("*", Err(400)),
        ("kernel", Err(400)),
        ("/a#b", Err(400)),
        ("/a%00b", Err(400)),
        ("/%4", Err(400)),
        ("/%ff", Err(400)),
    ] {
        let path = get(target, "").map(|head| head.unwrap().path);
        assert_eq!(path.as_deref().map_err(|status| *status), expected, "{target}");
    }
}

/// RFC 9112 3.2, 6, 9112 6.3.
#[test]
fn what_is_no_request_or_leaves_it_open_where_it_ends() {
    for (text, status) in [
        ("GET / HTTP/1.1\n\n", 400),
        ("GET / HTTP/1.1\nHost: x\nHost: y\n\n", 400),
        ("GET / HTTP/1.0\nHost: x\nHost: x\n\n", 400),
        ("GET / HTTP/1.1\nHost: a b\n\n", 400), // RFC 9112 3.2: a value that is none
        ("GET / HTTP/1.0\nHost: a/b\n\n", 400),
        ("GET / HTTP/1.1\nHost: \u{e9}\n\n", 400),
        ("GET  / HTTP/1.1\nHost: x\n\n", 400),
        ("GET / HTTP/2.0\nHost: x\n\n", 505),
        ("GET / HTTP/1.10\nHost: x\n\n", 400), // RFC 9112 2.3: one digit
        ("GET /with blank HTTP/1.1\nHost: x\n\n", 400), // RFC 9112 3
        ("GET /with blank HTTP/1.2\nHost: x\n\n", 400),
        ("GET /with blank\n\n", 400),
        ("GET / HTTP/1.1\nHost: a b\n\n", 400), // RFC 9112 3.2
        ("GET / HTTP/1.1\nHost: a:b\n\n", 400),
        ("GET / HTTP/1.1\nHost: a/b\n\n", 400),
        ("GET / HTTP/1.1\nHost: [::1\n\n", 400),
        ("GET / HTTP/1.0\nHost: a:80:80\n\n", 400),
        ("PRI * HTTP/2.0\n\nSM\n\n", 505),
        ("GET /\n\n", 400),
        ("\u{16}\u{3}\u{1}\n\n", 400),                    // TLS at the wrong port
        ("GET / HTTP/1.1\nHost : x\n\n", 400),            // RFC 9112 5.1
        ("GET / HTTP/1.1\nHost: x\n folded: y\n\n", 400), // 5.2
        ("GET / HTTP/1.1\nHost: x\nA\u{0}: y\n\n", 400),
        ("POST / HTTP/1.1\nHost: x\nTransfer-Encoding: chunked\n\n", 411),
        ("POST / HTTP/1.1\nHost: x\nTransfer-Encoding: chunked\nContent-Length: 3\n\n", 400),
        ("POST / HTTP/1.1\nHost: x\nContent-Length: 3\nContent-Length: 4\n\n", 400),
        ("POST / HTTP/1.1\nHost: x\nContent-Length: -1\n\n", 400),
        ("POST / HTTP/1.1\nHost: x\nContent-Length: +1\n\n", 400),
        ("POST / HTTP/1.1\nHost: x\nContent-Length:\n\n", 400),
        ("POST / HTTP/1.1\nHost: x\nContent-Length: 99999999999999999999\n\n", 400),
        ("POST / HTTP/1.1\nHost: x\nContent-Length: 99999999\n\n", 413),
        ("POST / HTTP/1.1\nHost: x\nExpect: wonders\n\n", 417),
        ("PUT /x HTTP/1.1\nHost: x\n\n", 405),
        ("BREW /x HTTP/1.1\nHost: x\n\n", 501),
    ] {
        assert_eq!(one(text), Err(status), "{text}");
    }
    // The same length twice is one length (RFC 9110 8.6).
    let twice = one("POST / HTTP/1.1\nHost: x\nContent-Length: 3\nContent-Length: 3, 3\n\n");
    assert_eq!(twice.unwrap().unwrap().body_octets, 3);
}

/// RFC 9112 3, RFC 6585 5.
#[test]
fn hosts() {
    for host in [
        "",
        "x",
        "node23.cluster",
        "a_b",
        "10.77.0.1",
        "10.77.0.1:80",
        "x:",
        "[::1]",
        "[fe80::1%25eth1]:8080",
    ] {
        let head = one(&format!("GET / HTTP/1.1\nHost: {host}\n\n"));
        assert!(head.is_ok_and(|head| head.is_some()), "{host}");
    }
}

/// RFC 9110 2.5: a minor version that is higher than ours is taken as ours.
#[test]
fn a_later_minor_version_is_ours() {
    let head = one("GET /a HTTP/1.2\nHost: x\n\n").unwrap().unwrap();
    assert_eq!((head.path.as_str(), head.is_old, head.keeps), ("/a", false, true));
    // As long as its first line goes on it is not known what is wrong with it.
    assert_eq!(read(b"GET /with blank HTT"), Ok(None));
}

#[test]
fn heads_are_bounded() {
    let long = "a".repeat(HTTP_HEAD_OCTETS_MAX);
    assert_eq!(read(format!("GET /{long}").as_bytes()).unwrap_err().status, 414);
    assert_eq!(read(format!("GET / HTTP/1.1\r\nX: {long}").as_bytes()).unwrap_err().status, 431);
    let many = "X: y\r\n".repeat(HTTP_HEADERS_MAX + 1);
    assert_eq!(read(format!("GET / HTTP/1.1\r\n{many}\r\n").as_bytes()).unwrap_err().status, 431);
}

/// RFC 9112 3.2: a host is a name, an address of either kind, or nothing.
#[test]
fn hosts_are_names_and_addresses() {
    for host in ["", "x", "10.77.0.1:80", "[fd00::1]:80", "[fe80::1%25eth1]", "head_node.cluster"] {
        let head = one(&format!("GET / HTTP/1.1\nHost: {host}\n\n"));
        assert!(head.is_ok_and(|head| head.is_some()), "{host}");
    }
}

/// RFC 9110 10.1.1: what an old client expects is ignored. RFC 9110 5.3: several fields of a name are one list.
#[test]
fn old_expectations_and_fields_that_come_twice() {
    for expected in ["100-continue", "wonders"] {
        let text = format!("POST /x HTTP/1.0\nExpect: {expected}\nContent-Length: 2\n\n");
        assert!(!one(&text).unwrap().unwrap().expects_leave, "{expected}");
    }
    let lines = "Connection: a\nConnection: close\nIf-None-Match: \"a\"\nIf-None-Match: \"b\"\n";
    let head = get("/x", lines).unwrap().unwrap();
    assert_eq!((head.keeps, head.conditions.matches_none.as_deref()), (false, Some("\"a\", \"b\"")));
}

#[path = "../../../../fuzz/src/http.rs"]
#[allow(unreachable_pub)]
mod fuzz;

#[test]
fn all_that_the_fuzzer_found_to_reach_something_new() {
    let packed = include_bytes!("../../../../fuzz/corpora/http_head");
    let inputs = crate::testing::corpus::inputs(packed).map(fuzz::http_head).count();
    assert!(inputs > 0, "the corpus is empty");
}
