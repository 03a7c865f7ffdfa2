//! Files that change while they are sent.

use super::*;
use std::path::Path;

const SIZE: usize = 1 << 20;

/// What a machine reads of a file that this is done to when nothing of the file has left, and again when half of it has.
fn read_while(change: impl Fn(&Path)) -> io::Result<Vec<u8>> {
    let server = server();
    server.write("large", vec![2; SIZE]);
    server.grants.store(0, Ordering::Relaxed);
    let mut stream = server.connect();
    stream.write_all(b"GET /large HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").unwrap();
    server.until("a wish", |server| server.told("Begun") == 1);
    for wishes in 1..=2 {
        std::thread::sleep(Duration::from_millis(20));
        change(&server.directory.path().join("large"));
        for key in LISTENERS_MAX..LISTENERS_MAX + 9 {
            server.http.lock().unwrap().grant(StreamId(key << 20 | 1), SIZE as u64 / 2);
        }
        server.http.lock().unwrap().flush();
        // Wherever it is broken off there is no next one.
        let is_on = |server: &Server| server.told("Wants") == wishes || server.told("Ended") > 0;
        if wishes == 1 {
            server.until("another wish", is_on);
        }
    }
    let mut response = Vec::new();
    stream.read_to_end(&mut response)?;
    server.until("its end", |server| server.told("Ended") == 1);
    Ok(parted(&response).1)
}

/// Whether it was broken off before its end.
fn is_cut(read: &io::Result<Vec<u8>>) -> bool {
    read.as_ref().map_or(true, |body| body.len() < SIZE)
}

#[test]
fn a_file_that_is_changed_in_place_is_not_sent_in_halves() {
    let read = read_while(|path| std::fs::write(path, vec![3; SIZE]).unwrap());
    assert!(is_cut(&read), "{read:?}");
}

#[test]
fn nor_if_its_time_was_put_back_and_its_rights_changed() {
    let read = read_while(|path| {
        let time = std::fs::metadata(path).unwrap().modified().unwrap();
        std::fs::write(path, vec![3; SIZE]).unwrap();
        std::fs::File::options().write(true).open(path).unwrap().set_modified(time).unwrap();
        std::fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    });
    assert!(is_cut(&read), "{read:?}");
}

#[test]
fn a_file_is_sent_whole_when_its_rights_or_links_are_touched() {
    let read = read_while(|path| {
        std::fs::set_permissions(path, std::fs::metadata(path).unwrap().permissions()).unwrap();
    });
    assert!(read.unwrap() == vec![2; SIZE]);
    let read = read_while(|path| {
        let other = path.with_file_name("other");
        std::fs::hard_link(path, &other).unwrap();
        std::fs::remove_file(&other).unwrap();
    });
    assert!(read.unwrap() == vec![2; SIZE]);
}
