use super::*;
use axum::routing::get;
use std::io::{Read, Write};
use std::os::unix::net::UnixStream as Operator;

/// Who waits for an answer is not cut off; of the others the one is that has asked nothing for longest.
#[test]
fn who_waits_for_an_answer_does_not_give_way() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().enable_time().build().unwrap();
    runtime.block_on(async {
        let release = Arc::new(Notify::new());
        let released = Arc::clone(&release);
        let slow = async move || {
            released.notified().await;
            "done"
        };
        let router = Router::new().route("/slow", get(slow)).route("/", get(async || "done"));
        let mut all = Conversations::default();
        let begin = |all: &mut Conversations, said: &str| {
            let (mut operator, served) = Operator::pair().unwrap();
            served.set_nonblocking(true).unwrap();
            operator.set_nonblocking(true).unwrap();
            all.begin(UnixStream::from_std(served).unwrap(), router.clone());
            operator.write_all(said.as_bytes()).unwrap();
            operator
        };
        let get = |path| format!("GET {path} HTTP/1.1\r\nHost: x\r\n\r\n");
        let mut answered = begin(&mut all, &get("/"));
        let mut silent = begin(&mut all, "");
        let waiting: Vec<_> = (2..OPERATORS_MAX).map(|_| begin(&mut all, &get("/slow"))).collect();
        // The silent one is left alone at first, and then goes before the one that has asked something.
        assert!(tokio::time::timeout(ASKS_WITHIN / 2, all.make_room()).await.is_err());
        let mut octets = [0; 1000];
        assert!(answered.read(&mut octets).unwrap() > 50);
        tokio::time::timeout(ASKS_WITHIN, all.make_room()).await.expect("who asks nothing gives way");
        assert_eq!(silent.read(&mut octets).unwrap(), 0);
        let last = begin(&mut all, &get("/slow"));
        // Its answer may be read still: whoever comes waits for that.
        assert!(tokio::time::timeout(ASKS_WITHIN * 2, all.make_room()).await.is_err());
        assert_eq!(answered.read(&mut octets).unwrap_err().kind(), std::io::ErrorKind::WouldBlock);
        release.notify_waiters();
        tokio::time::sleep(Duration::from_millis(50)).await;
        for mut operator in waiting.into_iter().chain([last]) {
            assert!(operator.read(&mut octets).unwrap() > 50, "it waited, and was answered");
        }
    });
}
