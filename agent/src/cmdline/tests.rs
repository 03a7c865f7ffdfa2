use super::*;

#[test]
fn words_are_found_wherever_they_stand() {
    let mac = Some(Mac([0x52, 0x54, 0, 0x77, 0, 1]));
    let url = Some("http://10.77.0.1:80/node/t0k".to_owned());
    let cases = [
        ("", Cmdline::default()),
        ("console=ttyS0 quiet\n", Cmdline::default()),
        ("heorot=http://10.77.0.1:80/node/t0k", Cmdline { url: url.clone(), ..Cmdline::default() }),
        (
            "initrd=x BOOTIF=01-52-54-00-77-00-01 heorot=http://10.77.0.1:80/node/t0k quiet\n",
            Cmdline { url: url.clone(), boot_interface: mac, ..Cmdline::default() },
        ),
        (
            "heorot=old heorot=http://10.77.0.1:80/node/t0k BOOTIF=52:54:00:77:00:01",
            Cmdline { url, boot_interface: mac, ..Cmdline::default() },
        ),
        ("xheorot=no BOOTIF=01-52-54", Cmdline::default()),
    ];
    for (text, expected) in cases {
        assert_eq!(Cmdline::parse(text), expected, "{text:?}");
    }
}

#[test]
fn what_happens_when_something_does_not_work_can_be_chosen() {
    let usual = Cmdline::default();
    let cases = [
        ("heorot.shell", Cmdline { shell: true, ..usual.clone() }),
        ("heorot.shell=1", Cmdline { shell: true, ..usual.clone() }),
        ("heorot.shell heorot.shell=0", usual.clone()),
        ("heorot.reboot=2m", Cmdline { reboot: Some(Duration::from_secs(120)), ..usual.clone() }),
        ("heorot.reboot=never", Cmdline { reboot: None, ..usual.clone() }),
        ("heorot.reboot=soon", usual.clone()),
        ("heorot.overlay=25%", Cmdline { overlay: Overlay::Size("25%".into()), ..usual.clone() }),
        ("heorot.overlay=2g", Cmdline { overlay: Overlay::Size("2g".into()), ..usual.clone() }),
        ("heorot.overlay=2g,mode=777", usual.clone()),
        ("heorot.overlay=none", Cmdline { overlay: Overlay::Never, ..usual.clone() }),
        ("init=/bin/bash", Cmdline { init: Some("/bin/bash".into()), ..usual.clone() }),
        ("init=bash rdinit=/x", usual.clone()),
    ];
    for (text, expected) in cases {
        assert_eq!(Cmdline::parse(text), expected, "{text:?}");
    }
}
