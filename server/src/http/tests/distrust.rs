//! Who ends TLS before it has begun.

use super::*;

fn distrusts(server: &Server) -> Vec<String> {
    let told = server.told.lock().unwrap();
    told.iter().filter(|line| line.contains("distrusts")).cloned().collect()
}

/// Firmware without our authority says so by an alert, and then nothing of it is heard any more.
#[test]
fn a_certificate_that_is_refused_is_told() {
    let mut server = server();
    let made_anew = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap().cert.pem();
    let mut others = rcgen::CertificateParams::new(["127.0.0.1".to_owned()]).unwrap();
    others.distinguished_name.push(rcgen::DnType::CommonName, "another");
    let others = others.self_signed(&rcgen::KeyPair::generate().unwrap()).unwrap().pem();
    let mut count = 0;
    for (known, expected) in [
        (made_anew, "it knows another authority of the same name (decrypt_error)"),
        (others, "it does not know the authority of the certificate (unknown_ca)"),
    ] {
        server.certificate = known;
        for version in [&rustls::version::TLS12, &rustls::version::TLS13] {
            let mut stream = server.connect_by_tls(version);
            assert!(stream.write_all(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n").is_err());
            // Closed at once, as a machine does that gives up.
            drop(stream);
            count += 1;
            server.until("that it is told", |server| distrusts(server).len() == count);
            assert_eq!(distrusts(&server).pop().unwrap(), format!("127.0.0.1 distrusts: {expected}"));
        }
    }
}

#[test]
fn who_breaks_off_with_a_word_or_without_one_is_told_from_who_only_looks() {
    let server = server();
    // A look whether the port is open, and somebody who speaks no TLS.
    drop(TcpStream::connect(server.secured).unwrap());
    let mut stream = TcpStream::connect(server.secured).unwrap();
    stream.write_all(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n").unwrap();
    let _ = stream.read_to_end(&mut Vec::new());
    // One that is content.
    let mut stream = server.connect_by_tls(&rustls::version::TLS13);
    let (head, _) = exchange(&mut stream, "GET /text");
    assert!(head.starts_with("http/1.1 200"), "{head}");
    drop(stream);
    // One that has seen the certificate, and goes without a word.
    let mut stream = server.connect_by_tls(&rustls::version::TLS12);
    stream.conn.write_tls(&mut stream.sock).unwrap();
    stream.sock.read_exact(&mut [0; 64]).unwrap();
    stream.sock.shutdown(std::net::Shutdown::Write).unwrap();
    server.until("that it is told", |server| !distrusts(server).is_empty());
    assert_eq!(
        distrusts(&server),
        ["127.0.0.1 distrusts: it read the certificate and broke off without a word"]
    );
}

/// Once a second at most of each: whoever says such things a thousand times a second keeps nobody from the loop.
#[test]
fn what_is_not_understood_is_told_of() {
    let server = server();
    let misunderstood = |server: &Server| server.told("127.0.0.1 is not understood: ");
    let refused = |server: &Server| server.counts().refused;
    for count in 1..=50 {
        let mut stream = server.connect();
        stream.write_all(b"HELO node17\r\n\r\n").unwrap();
        let _ = stream.read_to_end(&mut Vec::new());
        server.until("it is refused", |server| refused(server) == count);
    }
    server.until("it is told", |server| misunderstood(server) > 0);
    assert!(misunderstood(&server) < 25);
    std::thread::sleep(Duration::from_millis(1100));
    let mut stream = TcpStream::connect(server.secured).unwrap();
    stream.write_all(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n").unwrap();
    let _ = stream.read_to_end(&mut Vec::new());
    server.until("it is told", |server| server.told("127.0.0.1 is not understood: TLS: ") == 1);
}
