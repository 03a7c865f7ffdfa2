//! Updates by `nsupdate`, over sockets: the thread asks whoever keeps them, and answers when it hears.

use super::*;
use crate::ask::Ask;
use crate::wake::{Bell, line};
use heorot_dns::{Algorithm, Key, Updates};
use heorot_names::Change;

use std::process::Stdio;
use std::sync::mpsc::Receiver;

const SECRET: &str = "BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=";

fn with_key() -> (Handle, Receiver<Ask>) {
    let key = Key {
        name: "k".into(),
        algorithm: Algorithm::Sha256,
        secret: vec![7; 32],
        may_transfer: false,
        updates: Some(Updates::default()),
    };
    let settings = Settings { keys: vec![key], ..settings() };
    let handle = start_with(
        LIMITS,
        &["127.0.0.1:0".parse().unwrap()],
        settings,
        directory(&[]),
        Journal::start().unwrap(),
    )
    .unwrap();
    handle.publish(directory(&[]), Vec::new());
    let (ask, asks) = line(&Bell::new().unwrap(), 8);
    handle.keep_updates(ask);
    (handle, asks)
}

/// What nsupdate says when it is given these lines; nothing if all is well.
fn nsupdate(server: SocketAddr, options: &[&str], lines: &str) -> String {
    let mut child = Command::new("nsupdate")
        .args(options)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("nsupdate runs (Debian: bind9-dnsutils)");
    let script = format!("server 127.0.0.1 {}\nzone cluster\n{lines}\nsend\n", server.port());
    child.stdin.take().unwrap().write_all(script.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    String::from_utf8([output.stdout, output.stderr].concat()).unwrap()
}

fn signed() -> String {
    format!("hmac-sha256:k:{SECRET}")
}

/// Keeps the next update as the loop does, or says that it cannot.
fn keep(handle: &Handle, asks: &Receiver<Ask>, serial: u32, outcome: UpdateOutcome) -> Vec<String> {
    let Ok(Ask::Update { id, changes, by }) = asks.recv_timeout(Duration::from_secs(5)) else {
        panic!("an update was to be kept")
    };
    assert_eq!(by, "k from 127.0.0.1");
    let told = changes.iter().map(ToString::to_string).collect();
    if outcome == UpdateOutcome::Kept {
        handle.change(Changes { serial, changes: changes.into_iter().map(Change::Updated).collect() });
    }
    handle.updated(UpdateId(id.0), outcome);
    told
}

#[test]
fn nsupdate_is_answered_when_its_names_are_kept() {
    let (handle, asks) = with_key();
    let server = handle.addresses()[0];
    let key = signed();
    for (serial, transport) in [(2, &[][..]), (3, &["-v"])] {
        let name = format!("web{serial}");
        thread::scope(|scope| {
            let options = [&["-y", key.as_str()], transport].concat();
            let lines = format!("prereq nxdomain {name}.cluster\nupdate add {name}.cluster 60 A 10.77.9.9");
            let said = scope.spawn(move || nsupdate(server, &options, &lines));
            let told = keep(&handle, &asks, serial, UpdateOutcome::Kept);
            assert_eq!(told, [format!("{name}.cluster has A 10.77.9.9")]);
            assert_eq!(said.join().unwrap(), "", "{transport:?}");
        });
        let answer = ask(server, &query(7, &name));
        assert_eq!(answer[answer.len() - 4..], [10, 77, 9, 9]);
    }
    let again = "prereq nxdomain web2.cluster\nupdate add web2.cluster 60 A 10.77.9.9";
    assert_eq!(nsupdate(server, &["-y", &key], again).trim(), "update failed: YXDOMAIN");
    assert_eq!(handle.counts().resolver.updates, 2);
}

#[test]
fn nsupdate_hears_what_is_wrong() {
    let (handle, asks) = with_key();
    let server = handle.addresses()[0];
    let lines = "update add web.cluster 60 A 10.77.9.9";
    assert_eq!(nsupdate(server, &[], lines).trim(), "update failed: REFUSED");
    let wrong = format!("hmac-sha256:k:{}", SECRET.replace('B', "C"));
    assert!(nsupdate(server, &["-y", &wrong], lines).contains("NOTAUTH(BADSIG)"));
    assert_eq!(asks.try_iter().count(), 0, "nothing of it was to be kept");

    let key = signed();
    let taken = "update add node23.cluster 60 A 10.77.9.9";
    assert_eq!(nsupdate(server, &["-y", &key], taken).trim(), "update failed: REFUSED");
    let told: Vec<_> = asks.try_iter().collect();
    let [Ask::UpdateDenied { by, why }] = told.as_slice() else { panic!("{told:?}") };
    assert_eq!(by, "k from 127.0.0.1");
    assert!(why.starts_with("node23.cluster. A: "), "{why}");

    for (outcome, code) in [(UpdateOutcome::Failed, "SERVFAIL"), (UpdateOutcome::Refused, "REFUSED")] {
        thread::scope(|scope| {
            let said = scope.spawn(|| nsupdate(server, &["-y", &key], lines));
            keep(&handle, &asks, 2, outcome);
            assert_eq!(said.join().unwrap().trim(), format!("update failed: {code}"));
        });
    }
    // A disk that hangs: nobody waits for ever.
    let since = Instant::now();
    assert_eq!(nsupdate(server, &["-y", &key], lines).trim(), "update failed: SERVFAIL");
    assert!((Duration::from_secs(2)..Duration::from_secs(5)).contains(&since.elapsed()));
}
