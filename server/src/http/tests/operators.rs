//! What operators ask on the control socket, and what becomes of it.

use super::*;
use crate::http::listen;
use std::os::unix::net::UnixListener;

#[test]
fn operators_ask_on_the_control_socket() {
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
        assert_eq!(server.told.lock().unwrap().last().unwrap(), asked);
    }
    assert!(ask("GET /v2").0.starts_with("http/1.1 404"));
    for (path, body, status, asked) in [
        (
            "/v1/nodes/hold",
            r#"{"set":"node5","reason":"its fan"}"#,
            200,
            "Change(Hold, ChangeRequest { set: \"node5\", without: None, reason: Some(\"its fan\"), number: None, profile: None, attributes: {}, dry_run: false })",
        ),
        (
            "/v1/nodes/set",
            r#"{"set":"all","profile":"new","attributes":{"rack":""},"dry_run":true}"#,
            200,
            "Change(Set, ChangeRequest { set: \"all\", without: None, reason: None, number: None, profile: Some(\"new\"), attributes: {\"rack\": \"\"}, dry_run: true })",
        ),
        ("/v1/nodes/kill", "{}", 404, ""),
        ("/v1/nodes/hold", "{}", 400, ""),
        ("/v1/nodes/hold", r#"{"set":"node5","why":"x"}"#, 400, ""),
        ("/v1/nodes/hold", "node5", 400, ""),
    ] {
        let (head, _) = ask(&format!("POST {path}\nContent-Length: {}\n\n{body}", body.len()));
        assert!(head.starts_with(&format!("http/1.1 {status}")), "{path} {body}: {head}");
        if status == 200 {
            assert_eq!(server.told.lock().unwrap().last().unwrap(), asked);
        }
    }
    assert!(ask("GET /v1/export/xml").0.starts_with("http/1.1 404"));
    let (head, body) = ask("DELETE /v1/nodes/node5");
    assert!(head.starts_with("http/1.1 405") && head.contains("\r\nallow: "), "{head}");
    assert!(String::from_utf8_lossy(&body).starts_with("{\"error\":"), "{body:?}");

    let mode = std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(&path).unwrap().permissions());
    assert_eq!(mode & 0o777, 0o660);
    let Err(problem) = ControlSocket::bind(&path) else { panic!("two servers at one socket") };
    assert!(problem.0.contains("another heorot"), "{problem}");
}

/// Connections that ask nothing, or only begin to, keep nobody out.
#[test]
fn operators_who_ask_nothing_give_way() {
    let server = server();
    let path = server.directory.path().join("control.sock");
    let connect = |said: &str| {
        let mut stream = UnixStream::connect(&path).unwrap();
        stream.write_all(said.as_bytes()).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
        stream
    };
    let idle: Vec<_> = (0..30)
        .flat_map(|_| {
            ["", "POST /v1/nodes/hold HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n", "GET /v1/st"]
        })
        .map(connect)
        .collect();
    let (head, _) = exchange(&mut connect(""), "GET /v1/status");
    assert!(head.starts_with("http/1.1 200"), "{head}");
    let mut oldest = idle.into_iter();
    assert_eq!(oldest.next().unwrap().read(&mut [0; 8]).unwrap(), 0, "it gave way");
    let mut newest = oldest.next_back().unwrap();
    newest.write_all(b"atus HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    newest.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
}

#[test]
fn a_control_socket_that_is_gone_is_made_again() {
    let server = server();
    let path = server.directory.path().join("control.sock");
    std::fs::remove_file(&path).unwrap();
    server.http.lock().unwrap().restore_control();
    let give_up = Instant::now() + Duration::from_secs(5);
    while UnixStream::connect(&path).is_err() {
        assert!(Instant::now() < give_up, "it was not made again");
        std::thread::sleep(Duration::from_millis(5));
    }
    let (head, _) = exchange(&mut UnixStream::connect(&path).unwrap(), "GET /v1/status");
    assert!(head.starts_with("http/1.1 200"));
}

/// Only a socket that nobody serves is replaced. What else is there stays, at the start and at SIGHUP.
#[test]
fn what_is_no_control_socket_is_not_replaced() {
    let directory = testing::directory("control-others");
    let path = directory.path().join("control.sock");
    drop(UnixListener::bind(&path).unwrap());
    assert!(path.exists());
    drop(ControlSocket::bind(&path).unwrap());
    std::fs::remove_file(&path).unwrap();

    let datagrams = std::os::unix::net::UnixDatagram::bind(&path).unwrap();
    let Err(problem) = ControlSocket::bind(&path) else { panic!("another's socket was taken") };
    assert!(problem.0.contains("another program"), "{problem}");
    drop(datagrams);
    drop(ControlSocket::bind(&path).unwrap());
    std::fs::remove_file(&path).unwrap();

    std::fs::write(&path, "precious").unwrap();
    let Err(problem) = ControlSocket::bind(&path) else { panic!("a file was taken") };
    assert!(problem.0.contains("is no socket") && problem.0.contains("`server.control`"), "{problem}");
    assert!(listen::remove(&path).is_err());
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "precious");

    let server = server();
    let path = server.directory.path().join("control.sock");
    std::fs::remove_file(&path).unwrap();
    std::fs::write(&path, "precious").unwrap();
    server.http.lock().unwrap().restore_control();
    std::thread::sleep(Duration::from_millis(200));
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "precious");
}

/// At each SIGHUP the socket is looked at. Who has connected and was not accepted yet is not cut off: neither where the socket is kept, nor where it is made again.
#[test]
fn who_waits_at_the_control_socket_is_answered() {
    let server = server();
    let path = server.directory.path().join("control.sock");
    let is_over = Arc::new(AtomicBool::new(false));
    let operators: Vec<_> = (0..2)
        .map(|_| {
            let (path, is_over) = (path.clone(), Arc::clone(&is_over));
            std::thread::spawn(move || {
                let mut answered = 0;
                while !is_over.load(Ordering::Relaxed) {
                    // Between its removal and its making there is no socket.
                    let Ok(mut stream) = UnixStream::connect(&path) else { continue };
                    let (head, _) = exchange(&mut stream, "GET /v1/status");
                    assert!(head.starts_with("http/1.1 200"), "{head}");
                    answered += 1;
                }
                answered
            })
        })
        .collect();
    for turn in 0..300 {
        if turn % 3 == 0 {
            std::fs::remove_file(&path).unwrap();
        }
        server.http.lock().unwrap().restore_control();
        std::thread::sleep(Duration::from_millis(2));
        let give_up = Instant::now() + Duration::from_secs(5);
        while !path.exists() {
            assert!(Instant::now() < give_up, "it was not made again");
            server.http.lock().unwrap().restore_control();
        }
    }
    is_over.store(true, Ordering::Relaxed);
    for operator in operators {
        assert!(operator.join().unwrap() > 20);
    }
}
