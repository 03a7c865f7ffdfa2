//! What is told of secrets that would be served.

use super::*;
use crate::testing;
use heorot_core::config::{Interface, Nfs};
use std::net::Ipv4Addr;

/// A configuration of `NAME` below a folder, with the key, the overlays and the state that are said.
fn config(folder: &Path, [boot, state, key, overlays]: [&str; 4], further: &str) -> Config {
    let at = |name: &str| folder.join(name).display().to_string();
    let text = format!(
        "[server]\nstate = {:?}\n[http]\ncertificate = {:?}\nkey = {:?}\n[overlay]\ndirectory = {:?}\n\
         [[network]]\ninterface = \"lo\"\naddress = \"127.0.0.1/8\"\nnumbers = \"0-9\"\nfirst = \"127.0.1.0\"\n\
         temporary = \"127.0.2.1-127.0.2.9\"\n[boot]\ndirectory = {:?}\n{further}",
        at(state),
        at("boot/certificate.pem"),
        at(key),
        at(overlays),
        at(boot),
    );
    let lo = Interface { name: "lo".into(), addresses: vec![(Ipv4Addr::LOCALHOST, 8)] };
    Config::parse(&text, &[lo]).expect("a right configuration").0
}

const SECRETS: &str = "[profile.default]\nsecrets = [\"munge\"]\n";

#[test]
fn secrets_in_the_boot_directory_are_refused() {
    let directory = testing::directory("published");
    let folder = directory.path();
    for name in ["boot/state", "boot/overlays", "boot-state", "state/boot", "overlays", "keys"] {
        std::fs::create_dir_all(folder.join(name)).unwrap();
    }
    std::fs::write(folder.join("boot/key.pem"), "").unwrap();
    std::os::unix::fs::symlink(folder.join("boot"), folder.join("link")).unwrap();
    // Who serves does not follow it out of the boot directory.
    std::os::unix::fs::symlink(folder.join("keys"), folder.join("boot/keys")).unwrap();
    let told = |places, further| {
        let config = config(folder, places, further);
        let settings = problems(&config).into_iter().map(|(subject, said)| {
            assert_eq!(subject, "boot.directory", "{said}");
            said.split(' ').next().unwrap().to_owned()
        });
        (settings.collect::<Vec<_>>().join(" "), warnings(&config).len())
    };
    for (places, further, refused, warned) in [
        (["boot", "boot-state", "keys/key.pem", "overlays"], SECRETS, "", 0),
        (["boot", "boot-state", "boot/keys/key.pem", "overlays"], SECRETS, "", 0),
        (["boot", "boot/state", "keys/key.pem", "overlays"], "", "server.state", 0),
        (["link", "boot/state", "keys/key.pem", "overlays"], "", "server.state", 0),
        (["boot", "link/not/yet", "keys/key.pem", "overlays"], "", "server.state", 0),
        (["boot", "boot", "keys/key.pem", "overlays"], "", "server.state", 0),
        // The usual way round.
        (["state/boot", "state", "keys/key.pem", "overlays"], "", "", 0),
        (["boot", "boot-state", "boot/key.pem", "overlays"], "", "http.key", 0),
        (["boot", "boot-state", "keys/key.pem", "link/overlays"], SECRETS, "overlay.directory", 0),
        // What users of nodes may read is no secret, and still nobody else's.
        (["boot", "boot-state", "keys/key.pem", "link/overlays"], "", "", 1),
        (["boot", "boot-state", "keys/key.pem", "boot/none"], "", "", 0),
        (["none", "boot-state", "keys/key.pem", "overlays"], "", "", 0),
        (["boot", "boot", "boot/key.pem", "boot"], SECRETS, "server.state http.key overlay.directory", 0),
    ] {
        assert_eq!(told(places, further), (refused.to_owned(), warned), "{places:?} {further}");
    }
    let mut whole = config(folder, ["boot", "state", "keys/key.pem", "overlays"], "");
    whole.boot.directory = "/".into();
    let told = problems(&whole);
    assert!(matches!(&told[..], [(_, said)] if said.contains("is all of this host")), "{told:?}");
    let told = problems(&config(folder, ["boot", "boot/state", "keys/key.pem", "overlays"], ""));
    let shown = folder.join("boot/state").display().to_string();
    assert!(
        told[0]
            .1
            .contains(&format!("  stop heorot, move heorot.redb, given.json and touched.json from {shown} ")),
        "{told:?}"
    );
}

#[test]
fn secrets_in_what_is_served_by_nfs_are_refused() {
    let directory = testing::directory("published-nfs");
    let folder = directory.path();
    for name in ["boot", "srv/state", "srv/overlays", "other"] {
        std::fs::create_dir_all(folder.join(name)).unwrap();
    }
    let told = |places, further, root: &Path| {
        let mut config = config(folder, places, further);
        let directories = vec![root.display().to_string()];
        config.nfs = Some(Nfs { port: 2049, directories, insecure: false });
        let told = problems(&config).into_iter().map(|(subject, said)| {
            assert!(subject == "nfs" && said.contains("which is served by NFS"), "{said}");
            said.split(' ').next().unwrap().to_owned()
        });
        told.collect::<Vec<_>>().join(" ")
    };
    let all = ["boot", "srv/state", "srv/key.pem", "srv/overlays"];
    let srv = folder.join("srv");
    assert_eq!(told(all, SECRETS, &srv), "server.state http.key overlay.directory");
    assert_eq!(told(all, "", &srv), "server.state http.key");
    assert_eq!(told(all, SECRETS, &folder.join("other")), "");
    // What is another file system there is not served.
    let mut on_another = config(folder, all, "");
    on_another.server.state = "/proc/self".into();
    on_another.http.tls = None;
    on_another.nfs = Some(Nfs { port: 2049, directories: vec!["/".into()], insecure: false });
    assert_eq!(problems(&on_another), []);
}

/// What lies in the boot directory is everybody's: a root there is warned of, however its path is written, and one beside it is not.
#[test]
fn a_root_in_the_boot_directory_is_warned_of() {
    let directory = testing::directory("configuration-roots");
    let folder = directory.path();
    for name in ["boot/root", "root", "boot-root"] {
        std::fs::create_dir_all(folder.join(name)).unwrap();
    }
    std::os::unix::fs::symlink(folder.join("boot"), folder.join("link")).unwrap();
    let mut config = config(folder, ["boot", "state", "key.pem", "overlays"], "");
    let mut told = |roots: &[&str]| {
        let directories = roots.iter().map(|root| folder.join(root).display().to_string()).collect();
        config.nfs = Some(Nfs { port: 2049, directories, insecure: false });
        let said = warnings(&config);
        said.iter().map(|(_, said)| said.split(", which").next().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(told(&["root", "boot-root", "none"]), Vec::<String>::new());
    let shown = |name: &str| folder.join(name).display().to_string();
    assert_eq!(told(&["boot/root", "link/root", "root"]), [shown("boot/root"), shown("link/root")]);
    assert_eq!(told(&["boot"]), [shown("boot")]);
}
