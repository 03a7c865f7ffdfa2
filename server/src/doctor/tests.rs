use super::*;
use crate::testing;

/// A configuration on this host's loopback, with boot files in a directory, and packages below another one.
fn config(directory: &Path, packages: &Path, further: &str) -> Config {
    let text = format!(
        "[[network]]\ninterface = \"lo\"\naddress = \"127.0.0.1/8\"\nnumbers = \"0-9\"\nfirst = \"127.1.0.0\"\ntemporary = \"127.2.0.1-127.2.0.9\"\n\
         [server]\nstate = \"{0}-state\"\nuser = \"nobody\"\n[boot]\ndirectory = \"{0}\"\npackages = \"{1}\"\n{further}",
        directory.display(),
        packages.display()
    );
    let interfaces = settings::interfaces().unwrap();
    Config::parse(&text, &interfaces).unwrap_or_else(|mistakes| panic!("{mistakes:?}")).0
}

fn found<'a>(findings: &'a [Finding], subject: &str) -> Vec<(Grade, &'a str)> {
    let of_it = findings.iter().filter(|finding| finding.subject == subject);
    of_it.map(|finding| (finding.grade, finding.said.as_str())).collect()
}

#[test]
fn missing_loaders_are_named_with_their_packages() {
    let (directory, packages) = (testing::directory("doctor"), testing::directory("doctor-packages"));
    let config =
        config(directory.path(), packages.path(), "uefi-x64 = \"shimx64.efi\"\nhttp-x64 = \"own.efi\"\n");
    let findings = examine(&config, &Server::None);
    for (subject, expected) in [
        ("boot.bios", "apt install pxelinux"),
        ("boot.bios, next", "apt install syslinux-common"),
        ("boot.uefi-x64", "apt install shim-signed"),
        ("boot.uefi-x64, next", "apt install grub-efi-amd64-signed"),
        ("boot.http-x64", "put own.efi into"),
        ("profile.default kernel", "put vmlinuz into"),
        ("profile.default initrd", "put initrd.img into"),
    ] {
        let said = found(&findings, subject);
        assert!(matches!(said[..], [(Grade::Fault, text)] if text.contains(expected)), "{subject}: {said:?}");
    }
}

/// What firmware loads by HTTP is looked at, and what that loads next.
#[test]
fn a_grub_that_cannot_go_on_by_http_is_told() {
    const WITHOUT: &str = "MZ\0grub_net_open\0tftp\0";
    const WITH: &str = "MZ\0grub_net_open\0GET %s HTTP/1.1\0";
    for (further, file, content, expected) in [
        ("http-x64 = \"own.efi\"", "own.efi", WITHOUT, Some("own.efi is a GRUB without")),
        ("http-x64 = \"own.efi\"", "own.efi", WITH, None),
        ("http-x64 = \"own.efi\"", "own.efi", "MZ\0HTTP/1.1\0iPXE\0", None),
        ("http-x64 = \"own.efi\"", "own.efi", "MZ\0tftp\0", None),
        ("http-x64 = \"shimx64.efi\"", "grubx64.efi", WITHOUT, Some("grubx64.efi is a GRUB without")),
        // By TFTP it needs nothing more.
        ("uefi-x64 = \"own.efi\"", "own.efi", WITHOUT, None),
    ] {
        let (directory, packages) = (testing::directory("doctor"), testing::directory("doctor-packages"));
        let config = config(directory.path(), packages.path(), &format!("{further}\n"));
        std::fs::write(directory.path().join(file), content).unwrap();
        let told: Vec<_> = examine(&config, &Server::None)
            .into_iter()
            .filter(|finding| finding.said.contains("without its module http"))
            .map(|finding| (finding.grade, finding.said))
            .collect();
        match expected {
            None => assert_eq!(told, [], "{further} {content:?}"),
            Some(text) => {
                assert!(
                    matches!(&told[..], [(Grade::Fault, said)] if said.contains(text)),
                    "{further}: {told:?}"
                );
            }
        }
    }
}

#[test]
fn what_is_there_is_good_if_the_server_can_read_it() {
    use std::os::unix::fs::PermissionsExt;
    let (directory, packages) = (testing::directory("doctor"), testing::directory("doctor-packages"));
    let config = config(directory.path(), packages.path(), "");
    let loaders = packages.path().join("usr/lib/PXELINUX");
    std::fs::create_dir_all(&loaders).unwrap();
    std::fs::write(loaders.join("pxelinux.0"), "loader").unwrap();
    for name in ["ldlinux.c32", "ipxe.efi", "vmlinuz", "initrd.img"] {
        std::fs::write(directory.path().join(name), "file").unwrap();
    }
    let mode = |mode| {
        let path = directory.path().join("vmlinuz");
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
    };
    mode(0o600);
    let findings = examine(&config, &Server::None);
    assert_eq!(found(&findings, "boot.bios"), [(Grade::Ok, "pxelinux.0, 6 octets")]);
    assert_eq!(found(&findings, "boot.bios, next"), [(Grade::Ok, "ldlinux.c32, 4 octets")]);
    let kernel = found(&findings, "profile.default kernel");
    // As it can be typed anywhere.
    let typed = format!("chmod a+r {}/vmlinuz", directory.path().canonicalize().unwrap().display());
    assert!(matches!(kernel[..], [(Grade::Fault, text)] if text.ends_with(&typed)), "{kernel:?}");
    mode(0o644);
    let findings = examine(&config, &Server::None);
    assert_eq!(found(&findings, "profile.default kernel"), [(Grade::Ok, "vmlinuz, 4 octets")]);
}

/// What a class or an entry of a menu has machines start is looked at like what their firmware does.
#[test]
fn boot_files_of_classes_and_menus_are_looked_at() {
    let (directory, packages) = (testing::directory("doctor"), testing::directory("doctor-packages"));
    let further = "[[class]]\nname = \"old\"\nmac = \"02:*:*:*:*:*\"\nboot-file = \"old/pxelinux.0\"\n\
                   [[class]]\nname = \"other\"\nmac = \"06:*:*:*:*:*\"\nboot-file = \"x.0\"\nnext-server = \"127.0.0.9\"\n\
                   [[class]]\nname = \"url\"\nmac = \"0a:*:*:*:*:*\"\nboot-file = \"http://127.0.0.9/x\"\n\
                   [[pxe.service]]\ntext = \"tool\"\narchitecture = \"bios\"\nfile = \"tool.0\"\n";
    let config = config(directory.path(), packages.path(), further);
    let findings = examine(&config, &Server::None);
    for (subject, expected) in [
        ("[[class]] old boot-file", "there is no old/pxelinux.0"),
        ("[[class]] old boot-file, next", "there is no old/ldlinux.c32"),
        ("[[pxe.service]] tool", "there is no tool.0"),
    ] {
        let said = found(&findings, subject);
        assert!(matches!(said[..], [(Grade::Fault, text)] if text.contains(expected)), "{subject}: {said:?}");
    }
    let elsewhere = findings.iter().filter(|finding| {
        finding.subject.starts_with("[[class]] other") || finding.subject.starts_with("[[class]] url")
    });
    assert_eq!(elsewhere.count(), 0, "what is on other servers is not ours to look at");
}

/// The ports of a server whose control socket is gone are its own, and in nobody's way.
#[test]
fn a_server_that_cannot_be_asked_is_not_taken_for_another_program() {
    let (directory, packages) =
        (testing::directory("doctor-lost"), testing::directory("doctor-lost-packages"));
    let config = config(directory.path(), packages.path(), "");
    let findings = examine(&config, &Server::Unheard("its socket was removed".into()));
    assert_eq!(found(&findings, "server"), [(Grade::Fault, "its socket was removed")]);
    assert_eq!(found(&findings, "ports"), []);
}

#[test]
fn a_running_server_is_heard_and_its_ports_are_left_alone() {
    let (directory, packages) = (testing::directory("doctor"), testing::directory("doctor-packages"));
    let config = config(directory.path(), packages.path(), "");
    let status: StatusView = serde_json::from_str(
        r#"{"version":"9.9","uptime_seconds":1,"nodes":{},"transfers":{"active":0,"waiting":0},
            "load":{"regime":"paced","link_bits_per_second":null,"sent_bits_per_second":0,"retries_per_second":0,"resent_per_second":0},
            "temporary":{"used":0,"size":9},"kernel_drops":3,"malformed":{},"troubles":["node5: no kernel"],
            "rogue_servers":[{"address":"10.77.0.99","mac":null,"network":"lo","first_heard":"1","last_heard":"2","count":3,"last":"was chosen by","last_client":"52:54:00:00:00:01"}],
            "unanswered":{"hosts":400,"last":"52:54:00:00:00:02","last_asked":"3","why":"it is in no network"}}"#,
    )
    .unwrap();
    let findings = examine(&config, &Server::Says(status));
    let said = found(&findings, "server");
    assert_eq!(
        said,
        [
            (Grade::Ok, "heorot 9.9 runs"),
            (Grade::Fault, "node5: no kernel"),
            (
                Grade::Warning,
                "another DHCP server, 10.77.0.99 on lo, was chosen by 52:54:00:00:00:01 at 2\n  stop it, or allow it: other-servers = [\"10.77.0.99\"] in [[network]] of lo"
            ),
            (
                Grade::Warning,
                "400 hosts asked for an address and got none; last 52:54:00:00:00:02 at 3: it is in no network\n  heorot explain 52:54:00:00:00:02 says what to do"
            ),
            (Grade::Warning, "the kernel has dropped 3 datagrams since it started"),
        ]
    );
    assert!(found(&findings, "ports").is_empty());
}

/// The server opens its file again after an error of the disk, as the user that it became.
#[test]
fn a_state_that_its_user_may_not_write_is_told() {
    use std::os::unix::fs::PermissionsExt as _;
    let directory = testing::directory("doctor-state");
    let file = directory.path().join(STORE_FILE);
    let said = |is_running| state(directory.path(), "nobody", is_running);
    assert_eq!(said(true).grade, Grade::Ok, "there is none yet");
    std::fs::write(&file, "").unwrap();
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).unwrap();
    assert_eq!(said(false).grade, Grade::Ok, "a server that starts as root gives it away");
    let found = said(true);
    assert_eq!(found.grade, Grade::Warning, "{found:?}");
    assert!(found.said.contains("may not be written by nobody\n  chown nobody "), "{found:?}");
    let nobody = nix::unistd::User::from_name("nobody").unwrap().unwrap();
    nix::unistd::chown(&file, Some(nobody.uid), None).unwrap();
    assert_eq!(said(true).grade, Grade::Ok);
}

#[test]
fn a_state_that_is_no_directory_is_told() {
    let directory = testing::directory("doctor-state-file");
    let file = directory.path().join("file");
    std::fs::write(&file, "").unwrap();
    for path in [file.clone(), file.join("below")] {
        let said = state(&path, "nobody", false);
        assert!(said.grade == Grade::Fault && said.said.contains(" is no directory\n  name one"), "{said:?}");
    }
}

/// Root reads them at the start, and who it becomes has to read them at each reload.
#[test]
fn what_is_read_together_with_the_configuration_is_looked_at() {
    use std::os::unix::fs::PermissionsExt as _;
    let (directory, packages) = (testing::directory("doctor-again"), testing::directory("doctor-packages"));
    let at = |name: &str| directory.path().join(name).display().to_string();
    for (name, mode) in [("certificate.pem", 0o644), ("key.pem", 0o600), ("hosts", 0o600)] {
        std::fs::write(at(name), "").unwrap();
        std::fs::set_permissions(at(name), std::fs::Permissions::from_mode(mode)).unwrap();
    }
    std::fs::create_dir(at("templates")).unwrap();
    std::fs::write(at("templates/grub.cfg.j2"), "").unwrap();
    std::fs::set_permissions(at("templates"), std::fs::Permissions::from_mode(0o700)).unwrap();
    let further = format!(
        "templates = {:?}\n[http]\ncertificate = {:?}\nkey = {:?}\n[dns]\nhosts = {:?}\n",
        at("templates"),
        at("certificate.pem"),
        at("key.pem"),
        at("hosts")
    );
    let config = config(directory.path(), packages.path(), &further);
    let group = nix::unistd::User::from_name("nobody").unwrap().unwrap().gid;
    let group = nix::unistd::Group::from_gid(group).unwrap().unwrap().name;
    let findings = examine(&config, &Server::None);
    for (subject, closed, mode) in [
        (format!("http.key {}", at("key.pem")), at("key.pem"), "640"),
        (format!("boot.templates {}", at("templates/grub.cfg.j2")), at("templates"), "750"),
        ("dns.hosts".into(), at("hosts"), "640"),
    ] {
        let told = found(&findings, &subject);
        let remedy = format!("\n  chgrp {group} {closed}; chmod {mode} {closed}");
        assert!(
            matches!(told[..], [(Grade::Warning, said)] if said.contains("may not be read by nobody") && said.ends_with(&remedy)),
            "{subject}: {told:?}"
        );
    }
    assert!(found(&findings, &format!("http.certificate {}", at("certificate.pem"))).is_empty());
}

/// Whatever keeps the server from starting is a fault here.
#[test]
fn what_serve_refuses_is_no_good_news() {
    let (directory, packages) = (testing::directory("doctor"), testing::directory("doctor-packages"));
    let further = "[profile.default]\nroot = \"http:root.squashfs\"\n[nfs]\ndirectories = \"/no/such/root\"\n\
                   [profile.with]\noverlays = [\"base\"]\n";
    let mut config = config(directory.path(), packages.path(), further);
    let precious = directory.path().join("precious").display().to_string();
    std::fs::write(&precious, "127.0.0.1 localhost\n").unwrap();
    config.server.control.clone_from(&precious);
    config.names_file = heorot_core::config::NamesFile::At(precious);
    let findings = examine(&config, &Server::None);
    let root = found(&findings, "profile.default root");
    assert!(
        matches!(root[..], [(Grade::Fault, said)] if said.contains("there is no root.squashfs")),
        "{root:?}"
    );
    for (option, word) in [("server.control", "is no socket"), ("names.file", "is no names file")] {
        let other = found(&findings, option);
        assert!(matches!(other[..], [(Grade::Fault, said)] if said.contains(word)), "{other:?}");
    }
    let nfs = found(&findings, "nfs");
    assert!(matches!(nfs[..], [(Grade::Fault, said)] if said.starts_with("/no/such/root")), "{nfs:?}");
    for problem in configuration::problems_here(&config) {
        let is_fault = |finding: &Finding| finding.grade == Grade::Fault && finding.said == problem;
        assert!(findings.iter().any(is_fault), "{problem}");
    }
    let overlays = found(&findings, "overlays");
    assert!(
        matches!(overlays[..], [(Grade::Warning, said)] if said.contains("the overlay ")),
        "{overlays:?}"
    );
    std::fs::write(directory.path().join("root.squashfs"), "root").unwrap();
    let findings = examine(&config, &Server::None);
    assert_eq!(found(&findings, "profile.default root"), [(Grade::Ok, "root.squashfs, 4 octets")]);
}

/// A kernel that was cut off is no kernel.
#[test]
fn a_file_without_octets_is_a_fault() {
    let (directory, packages) = (testing::directory("doctor"), testing::directory("doctor-packages"));
    let config = config(directory.path(), packages.path(), "");
    std::fs::write(directory.path().join("vmlinuz"), "").unwrap();
    let findings = examine(&config, &Server::None);
    let kernel = found(&findings, "profile.default kernel");
    assert!(
        matches!(kernel[..], [(Grade::Fault, said)] if said.starts_with("vmlinuz is empty\n  put vmlinuz into ")),
        "{kernel:?}"
    );
}

#[test]
fn what_a_trial_fetches_is_looked_at() {
    let (directory, packages) = (testing::directory("doctor"), testing::directory("doctor-packages"));
    let further = "[[trial.check]]\nkind = \"bandwidth\"\nfile = \"nope.img\"\nat-least = \"100Mbit\"\n";
    let config = config(directory.path(), packages.path(), further);
    let findings = examine(&config, &Server::None);
    let file = found(&findings, "[[trial.check]] bandwidth file");
    assert!(
        matches!(file[..], [(Grade::Fault, said)] if said.starts_with("there is no nope.img")),
        "{file:?}"
    );
}

/// Files of names and accounts, the user that the server becomes, and what the configuration is warned of.
#[test]
fn what_is_only_read_later_is_looked_at_as_well() {
    let (directory, packages) = (testing::directory("doctor"), testing::directory("doctor-packages"));
    let further = "[dns]\nhosts = \"/no/such/hosts\"\ntls-roots = \"/no/such/roots\"\n\
                   [nis]\ndomain = \"cluster\"\npasswd = \"/no/such/passwd\"\n";
    let mut config = config(directory.path(), packages.path(), further);
    config.server.user = "no-such-user".into();
    let findings = examine(&config, &Server::None);
    for (subject, grade, expected) in [
        ("dns.hosts", Grade::Warning, "/no/such/hosts cannot be read: "),
        ("dns.tls-roots", Grade::Warning, "/no/such/roots cannot be read: "),
        ("nis", Grade::Fault, "nis.passwd: /no/such/passwd cannot be read: "),
        ("server.user", Grade::Warning, "there is no user no-such-user"),
    ] {
        let said = found(&findings, subject);
        assert!(
            matches!(said[..], [(found, text)] if found == grade && text.starts_with(expected)),
            "{subject}: {said:?}"
        );
    }
    let warned: Vec<_> =
        configuration(&["heorot.toml:2:1: warning: it is odd\n  mend it\n".into()]).collect();
    assert_eq!(
        found(&warned, "configuration"),
        [(Grade::Warning, "heorot.toml:2:1: warning: it is odd\n  mend it")]
    );
}

/// Of what nobody wrote down it is told only where no machine could boot.
#[test]
fn usual_loaders_are_missed_only_where_there_is_none() {
    for (further, there, expected) in [
        ("", &[][..], &["boot.bios", "boot.bios, next", "boot.uefi-x64", "profile.default kernel"][..]),
        ("", &["ipxe.efi"], &["profile.default kernel"]),
        ("bios = \"own.0\"\n", &["ipxe.efi"], &["boot.bios", "profile.default kernel"]),
        ("", &["ipxe.efi", "vmlinuz"], &[]),
    ] {
        let (directory, packages) = (testing::directory("doctor"), testing::directory("doctor-packages"));
        let config = config(directory.path(), packages.path(), further);
        for name in there.iter().chain(&["initrd.img"]) {
            std::fs::write(directory.path().join(name), "file").unwrap();
        }
        let lacking = lacking_files(&config);
        let subjects: Vec<&str> = lacking.iter().map(|finding| finding.subject.as_str()).collect();
        assert_eq!(subjects, expected, "{further} {there:?}");
    }
}
