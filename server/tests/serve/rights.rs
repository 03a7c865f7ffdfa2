//! What the server's user is given.

use super::{Place, Server};
use nix::sys::signal::Signal;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::MetadataExt;

/// `server.state` is the server's, also where it is a file system of its own. One that others use too is not given away, and that is said.
#[test]
fn a_directory_of_ours_alone_is_the_servers() {
    let place = Place::new("rights");
    std::fs::create_dir_all(place.path("state/lost+found")).unwrap();
    let server = place.start();
    let owner = || std::fs::metadata(place.path("state")).unwrap().uid();
    let nobody = nix::unistd::User::from_name("nobody").unwrap().unwrap().uid.as_raw();
    assert_eq!(owner(), nobody);
    assert_eq!(server.end(Signal::SIGTERM), Some(0));

    nix::unistd::chown(&place.path("state"), Some(0.into()), Some(0.into())).unwrap();
    std::fs::write(place.path("state/of-others"), "").unwrap();
    let mut child = place.command().spawn().unwrap();
    let mut said = BufReader::new(child.stderr.take().unwrap()).lines().map_while(Result::ok);
    let warning = said.find(|line| line.contains("may not write into")).expect("it is said");
    assert!(warning.contains("nobody") && warning.contains("/state, where other things are"), "{warning}");
    assert!(said.any(|line| line.contains(" serves; ")), "it is served all the same");
    assert_eq!(owner(), 0);
    let (_, lines) = std::sync::mpsc::channel();
    assert_eq!(Server { child, lines }.end(Signal::SIGTERM), Some(0));
}
