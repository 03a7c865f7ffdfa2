use super::*;
use heorot_core::cluster::loader_file::Generated;
use heorot_core::config::{FileTemplate, FileValues, Values};
use std::collections::BTreeMap;

/// What the server makes for a loader.
fn made(generated: Generated<'_>) -> String {
    let values = Values {
        node_name: None,
        node_number: None,
        node_mac: "52:54:00:77:00:01".into(),
        node_address: Ipv4Addr::new(10, 77, 200, 1),
        node_attributes: BTreeMap::new(),
        cluster_name: "cluster".into(),
        server_address: Ipv4Addr::new(10, 77, 0, 1),
    };
    let http = "http://10.77.0.1:8080";
    let values = FileValues {
        values,
        profile: "trial".into(),
        architecture: "bios".into(),
        kernel: "trial/vmlinuz".into(),
        initrd: vec!["trial/agent.img".into(), "trial/a~b+c.img".into()],
        cmdline: format!("console=ttyS0 heorot={http}/node/0123abcd BOOTIF=01-52-54-00-77-00-01"),
        http: http.into(),
    };
    let template = FileTemplate::usual(generated.file());
    template.render(&generated.written(values, http)).expect("the usual template makes a file")
}

fn files(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

#[test]
fn what_the_server_makes_is_understood() {
    let server = SocketAddrV4::new(Ipv4Addr::new(10, 77, 0, 1), 8080);
    let url = Some(Url { server, path: "/node/0123abcd".into() });
    let wanted = files(&["trial/vmlinuz", "trial/agent.img", "trial/a~b+c.img"]);
    for folder in ["", "bios/"] {
        let plan = pxelinux(&made(Generated::Pxelinux { folder, name: "default" }), folder);
        let expected = Plan { files: wanted.clone(), url: url.clone(), never_gives_up: false };
        assert_eq!(plan, expected, "loaded from {folder:?}");
    }
    let plan = ipxe(&made(Generated::Ipxe));
    assert_eq!(plan, Plan { files: wanted.clone(), url: url.clone(), never_gives_up: true });
    let plan = grub(&made(Generated::Grub { folder: "grub/", name: "" }));
    let below_its_device = wanted.iter().map(|file| format!("/{file}")).collect();
    assert_eq!(plan, Plan { files: below_its_device, url, never_gives_up: true });
}

#[test]
fn what_people_write_is_understood() {
    let cases = [
        (
            pxelinux("default linux\n  kernel vmlinuz\n initrd a.img,::b.img\n append quiet", "x/"),
            vec!["x/vmlinuz", "x/a.img", "b.img"],
        ),
        (pxelinux("# nothing\n\nPROMPT 1", ""), vec![]),
        (
            ipxe("#!ipxe\nkernel --name linux vmlinuz quiet\ninitrd tftp://10.0.0.1/a/b%2Bc%.img\nboot"),
            vec!["vmlinuz", "a/b+c%.img"],
        ),
        (ipxe("#!ipxe\nchain http://10.0.0.1/next.ipxe"), vec!["next.ipxe"]),
        (ipxe("#!ipxe\nkernel"), vec![""]),
        (
            grub("menuentry x {\n linux /boot/vmlinuz quiet\n initrd /boot/a.img /boot/b.img\n}"),
            vec!["/boot/vmlinuz", "/boot/a.img", "/boot/b.img"],
        ),
    ];
    for (plan, expected) in cases {
        assert_eq!(plan, Plan { files: files(&expected), ..Plan::default() });
    }
    let with_url = grub("linux /vmlinuz heorot=http://10.77.0.1/node/ab quiet");
    assert_eq!(with_url.url.map(|url| (url.server.port(), url.path)), Some((80, "/node/ab".into())));
}

#[test]
fn what_is_no_url_is_none() {
    for text in [
        "",
        "vmlinuz",
        "tftp://10.0.0.1/x",
        "http://",
        "http://host/x",
        "http://10.0.0.1:x/",
        "http://10.0.0/x",
    ] {
        assert_eq!(Url::parse(text), None, "{text:?}");
    }
    assert_eq!(Url::parse("http://10.0.0.1").map(|url| url.path), Some("/".into()));
}
