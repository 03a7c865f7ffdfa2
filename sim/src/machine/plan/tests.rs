use super::*;
use heorot_core::cluster::boot::{self, Plan as Made};

fn made(folder: &str) -> (Made, Url) {
    let made = Made {
        kernel: "trial/vmlinuz".into(),
        initrd: vec!["trial/agent.img".into(), "trial/a~b+c.img".into()],
        cmdline: "console=ttyS0 heorot=http://10.77.0.1:8080/node/0123abcd BOOTIF=01-52-54-00-77-00-01"
            .into(),
        http: format!("http://10.77.0.1:8080{folder}"),
    };
    let server = SocketAddrV4::new(Ipv4Addr::new(10, 77, 0, 1), 8080);
    (made, Url { server, path: "/node/0123abcd".into() })
}

fn files(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

#[test]
fn what_the_server_makes_is_understood() {
    let (made, url) = made("");
    let wanted = files(&["trial/vmlinuz", "trial/agent.img", "trial/a~b+c.img"]);
    for folder in ["", "bios/"] {
        let plan = pxelinux(&boot::pxelinux_cfg(&made, folder), folder);
        let expected = Plan { files: wanted.clone(), url: Some(url.clone()), never_gives_up: false };
        assert_eq!(plan, expected, "loaded from {folder:?}");
    }
    let plan = ipxe(&boot::boot_ipxe(&made));
    assert_eq!(plan, Plan { files: wanted, url: Some(url), never_gives_up: true });
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
