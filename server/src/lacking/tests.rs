use super::*;
use crate::wake::{Bell, line};
use heorot_core::config::Interface;
use std::net::Ipv4Addr;
use std::path::Path;

const EVERY: Duration = Duration::from_millis(20);
const PATIENCE: Duration = Duration::from_secs(20);

fn config(directory: &Path, further: &str) -> Config {
    let text = format!(
        "[[network]]\ninterface = \"lo\"\naddress = \"127.0.0.1/8\"\nnumbers = \"0-9\"\nfirst = \"127.1.0.0\"\n\
         temporary = \"127.2.0.1-127.2.0.9\"\n[boot]\ndirectory = {:?}\npackages = \"\"\nbios = \"own.0\"\n{further}",
        directory.to_str().unwrap()
    );
    let lo = Interface { name: "lo".into(), addresses: vec![(Ipv4Addr::LOCALHOST, 8)] };
    Config::parse(&text, &[lo]).unwrap_or_else(|mistakes| panic!("{mistakes:?}")).0
}

/// What is missing at first is told at once, what goes later when it stays away, and what comes as soon as it is there; with another configuration it is that one's files.
#[test]
fn files_are_followed_as_they_come_and_go() {
    let directory = crate::testing::directory("lacking");
    let place = |name: &str| directory.path().join(name);
    std::fs::write(place("own.0"), "loader").unwrap();
    std::fs::write(place("initrd.img"), "archive").unwrap();
    let (changes, told) = line(&Bell::new().unwrap(), 1);
    let (handle, configurations) = channel();
    let first = config(directory.path(), "");
    thread::spawn(move || follow((first, &Place::default()), &configurations, &changes, (EVERY, EVERY)));
    let next = || told.recv_timeout(PATIENCE).expect("the thread says what has changed").files;
    let what = |lacking: Vec<Lacking>| lacking.into_iter().map(|it| it.what).collect::<Vec<_>>();
    let lacking = next();
    let shown = directory.path().display();
    assert_eq!(
        lacking,
        [Lacking {
            what: "profile.default kernel: there is no vmlinuz".into(),
            remedy: format!("put vmlinuz into {shown}, readable for heorot")
        }]
    );
    std::fs::write(place("vmlinuz"), "kernel").unwrap();
    assert_eq!(next(), []);
    std::fs::remove_file(place("initrd.img")).unwrap();
    assert_eq!(what(next()), ["profile.default initrd: there is no initrd.img"]);
    let other = config(directory.path(), "[profile.default]\nkernel = \"6.12/vmlinuz\"\n");
    handle.send(other).unwrap();
    let both = [
        "profile.default kernel: there is no 6.12/vmlinuz",
        "profile.default initrd: there is no initrd.img",
    ];
    assert_eq!(what(next()), both);
}
