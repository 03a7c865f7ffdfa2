//! While machines load their kernels.

use super::connections::{Server, find, read_call, receive, root, send};
use super::*;
use heorot_core::transfer::StreamNews;

const SOON: Duration = Duration::from_secs(10);
const MEBIBYTE: u64 = 1 << 20;

/// A server with a file of a mebibyte, a connection to it, and the handles of its root and of the file.
fn served() -> (testing::Directory, Server, TcpStream, [Vec<u8>; 2]) {
    let tree = testing::directory("nfs");
    fs::write(tree.path().join("big"), vec![7; 1 << 20]).unwrap();
    let server = Server::new(tree.path());
    let mut stream = server.connect();
    let root = root(&server, &mut stream);
    let file = find(&mut stream, &root, "big");
    (tree, server, stream, [root, file])
}

/// What the loop is told, until it is what is waited for.
fn until(server: &Server, what: &str, mut is_it: impl FnMut(News) -> bool) {
    let deadline = Instant::now() + SOON;
    loop {
        let mut is_over = false;
        for news in server.handle().news() {
            is_over |= is_it(news);
        }
        if is_over {
            return;
        }
        assert!(Instant::now() < deadline, "{what} was not told");
        thread::sleep(Duration::from_millis(1));
    }
}

/// The stream that asks for the file.
fn asks(server: &Server) -> StreamId {
    let mut asker = None;
    until(server, "what is wanted", |(stream, news)| match news {
        StreamNews::Asks { peer, octets } => {
            assert_eq!((peer, octets), (Ipv4Addr::LOCALHOST, MEBIBYTE));
            asker = Some(stream);
            true
        }
        StreamNews::Delivered { .. } | StreamNews::StandsStill => false,
        StreamNews::Begun { .. } | StreamNews::Wants | StreamNews::Ended => panic!("{news:?}"),
    });
    let stream = asker.unwrap();
    assert!(is_ours(stream));
    stream
}

fn attributes_call(handle: &[u8]) -> Vec<u8> {
    call(NFS, 1, ROOT, |w| w.opaque(handle))
}

#[test]
fn what_is_large_goes_as_far_as_it_is_granted_and_all_else_at_once() {
    let (_tree, server, mut stream, [root, file]) = served();
    server.handle().ration(true);
    // Attributes and a page wait for nothing.
    send(&mut stream, &attributes_call(&root));
    receive(&mut stream);
    send(&mut stream, &read_call(&file, 0, 4096));
    receive(&mut stream);
    assert_eq!(server.handle().news(), []);
    // Nor does what is large on one connection hold up another one.
    send(&mut stream, &read_call(&file, 0, 1 << 20));
    let id = asks(&server);
    let mut other = server.connect();
    send(&mut other, &attributes_call(&root));
    receive(&mut other);

    const GRANTED: u64 = 300_000;
    server.handle().grant(id, GRANTED);
    let mut came = vec![0; GRANTED as usize];
    stream.read_exact(&mut came).unwrap();
    let mut delivered = 0;
    let mut wants = false;
    until(&server, "that it wants more, and what it got", |(stream, news)| {
        assert_eq!(stream, id);
        match news {
            StreamNews::Wants => wants = true,
            StreamNews::Delivered { octets, .. } => delivered += octets,
            StreamNews::StandsStill => {}
            StreamNews::Begun { .. } | StreamNews::Asks { .. } | StreamNews::Ended => panic!("{news:?}"),
        }
        wants && delivered >= GRANTED
    });
    stream.set_nonblocking(true).unwrap();
    let error = stream.read_to_end(&mut came).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::WouldBlock);
    stream.set_nonblocking(false).unwrap();
    let head = came.iter().rposition(|octet| *octet != 7).unwrap() as u64 + 1;
    assert_eq!(came.len() as u64, head + GRANTED);

    // The rest, and then nothing for a second.
    server.handle().grant(id, MEBIBYTE - GRANTED);
    let mut rest = vec![0; usize::try_from(MEBIBYTE - GRANTED).unwrap()];
    stream.read_exact(&mut rest).unwrap();
    until(&server, "the end", |(_, news)| match news {
        StreamNews::Ended => true,
        StreamNews::Delivered { octets, .. } => {
            delivered += octets;
            false
        }
        StreamNews::StandsStill => false,
        StreamNews::Begun { .. } | StreamNews::Asks { .. } | StreamNews::Wants => panic!("{news:?}"),
    });
    // The head of the reply may count with it.
    assert!((MEBIBYTE..=MEBIBYTE + head).contains(&delivered), "{delivered}");
    assert_eq!(server.handle().pool.rations.accounts(), 0);
    // And it can ask again.
    send(&mut stream, &read_call(&file, 0, 1 << 20));
    assert_eq!(asks(&server), id);
}

#[test]
fn a_client_that_goes_while_it_waits_is_forgotten() {
    let (_tree, server, mut stream, [_, file]) = served();
    server.handle().ration(true);
    send(&mut stream, &read_call(&file, 0, 1 << 20));
    let id = asks(&server);
    socket2::SockRef::from(&stream).set_linger(Some(Duration::ZERO)).unwrap();
    drop(stream);
    until(&server, "the end", |news| news == (id, StreamNews::Ended));
    server.await_counts("it is gone", |counts| counts.connections == 0);
    assert_eq!(server.handle().pool.rations.accounts(), 0);
    // What is granted then is nobody's.
    server.handle().grant(id, 1000);
}

#[test]
fn without_others_nothing_is_asked_for() {
    let (_tree, server, mut stream, [_, file]) = served();
    server.handle().ration(true);
    send(&mut stream, &read_call(&file, 0, 1 << 20));
    let id = asks(&server);
    // As the loop does it: what waits gets the rest, and the next one needs no leave.
    server.handle().ration(false);
    server.handle().grant(id, MEBIBYTE);
    let whole = receive(&mut stream);
    assert!(whole.len() as u64 > MEBIBYTE);
    for _ in 0..3 {
        send(&mut stream, &read_call(&file, 0, 1 << 20));
        assert_eq!(receive(&mut stream).len(), whole.len());
    }
    let told = server.handle().news();
    let is_quiet = |(_, news): &News| matches!(news, StreamNews::Delivered { .. } | StreamNews::Ended);
    assert!(told.iter().all(is_quiet), "{told:?}");
}

/// A client that reads nothing is told to stand still, and what it takes when it reads on is told as delivered.
#[test]
fn who_reads_nothing_stands_still_until_he_reads_on() {
    let (_tree, server, mut stream, [_, file]) = served();
    server.handle().ration(true);
    send(&mut stream, &read_call(&file, 0, 1 << 20));
    let id = asks(&server);
    // More than the kernels on both sides take.
    socket2::SockRef::from(&stream).set_recv_buffer_size(1 << 16).unwrap();
    server.handle().grant(id, MEBIBYTE);
    let mut delivered = 0;
    until(&server, "that it stands still", |(stream, news)| {
        assert_eq!(stream, id);
        if let StreamNews::Delivered { octets, .. } = news {
            delivered += octets;
        }
        news == StreamNews::StandsStill
    });
    stream.read_exact(&mut vec![0; 1 << 20]).unwrap();
    until(&server, "that it moves again", |(_, news)| {
        if let StreamNews::Delivered { octets, .. } = news {
            delivered += octets;
        }
        delivered >= MEBIBYTE
    });
}

/// What was sent before its account was opened is not counted there, so that nothing would say that he moves again: of that nobody stands still.
#[test]
fn who_reads_nothing_of_what_came_before_does_not_stand_still() {
    const BEFORE: usize = 6;
    let (_tree, server, mut stream, [_, file]) = served();
    // Less than what comes, so that some of it stays with the server.
    socket2::SockRef::from(&stream).set_recv_buffer_size(1 << 12).unwrap();
    for _ in 0..BEFORE {
        send(&mut stream, &read_call(&file, 0, 1 << 15));
    }
    server.handle().ration(true);
    send(&mut stream, &read_call(&file, 0, 1 << 20));
    let (mut told, mut asker) = (Vec::new(), None);
    until(&server, "what is wanted", |(stream, news)| {
        told.push(news);
        asker = matches!(news, StreamNews::Asks { .. }).then_some(stream).or(asker);
        asker.is_some()
    });
    // It is looked at every few milliseconds.
    thread::sleep(Duration::from_millis(500));
    told.extend(server.handle().news().into_iter().map(|(_, news)| news));
    assert!(!told.contains(&StreamNews::StandsStill), "{told:?}");
}
