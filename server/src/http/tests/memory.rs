//! What a connection holds of requests.

use super::super::connection::{Connection, Stage};
use super::*;
use heorot_core::limit::HTTP_HEAD_OCTETS_MAX;
use std::net::{Ipv4Addr, TcpListener};

/// Hundreds of requests that were sent before the first of them was answered wait in the kernel.
#[test]
fn of_requests_that_come_together_no_more_is_held_than_one_may_have() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let mut client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let (socket, _) = listener.accept().unwrap();
    let deadline = Instant::now() + Duration::from_secs(60);
    let mut connection = Connection::new(socket, Ipv4Addr::LOCALHOST, None, deadline).unwrap();
    const REQUESTS: usize = 600;
    let request = format!("GET /vmlinuz HTTP/1.1\r\nHost: x\r\nX-Filling: {}\r\n\r\n", "x".repeat(50));
    client.write_all(request.repeat(REQUESTS).as_bytes()).unwrap();
    let (mut buffer, mut heads) = (vec![0; 64 * 1024], 0);
    while heads < REQUESTS {
        assert!(Instant::now() < deadline, "{heads} heads");
        connection.receive(&mut buffer).unwrap();
        assert!(connection.held_octets() <= HTTP_HEAD_OCTETS_MAX + 1, "{}", connection.held_octets());
        let Some(head) = connection.next_head().unwrap() else { continue };
        heads += 1;
        // As long as it is answered nothing is taken, and of what has a body that alone.
        connection.stage = Stage::Asking(Box::new(head));
        let before = connection.held_octets();
        connection.receive(&mut buffer).unwrap();
        assert_eq!(connection.held_octets(), before);
        connection.await_request(deadline);
    }
    client.write_all(b"POST /x HTTP/1.1\r\nHost: x\r\nContent-Length: 20000\r\n\r\n").unwrap();
    let head = loop {
        connection.receive(&mut buffer).unwrap();
        if let Some(head) = connection.next_head().unwrap() {
            break head;
        }
    };
    connection.stage = Stage::Receiving(Box::new(head));
    client.write_all(&[b'x'; 60_000]).unwrap();
    let body = loop {
        connection.receive(&mut buffer).unwrap();
        assert!(connection.held_octets() <= 20_000, "{}", connection.held_octets());
        if let Some(body) = connection.next_body(20_000) {
            break body;
        }
    };
    assert_eq!(body.len(), 20_000);
    connection.await_request(deadline);
    assert_eq!(connection.held_octets(), 0);
    // Nor does one that ends hold what it has said, until its client has taken it.
    connection.give_leave();
    connection.linger(deadline).unwrap();
    assert_eq!(connection.held_octets(), 0);
}
