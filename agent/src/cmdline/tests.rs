use super::*;

#[test]
fn words_are_found_wherever_they_stand() {
    let mac = Some(Mac([0x52, 0x54, 0, 0x77, 0, 1]));
    let url = Some("http://10.77.0.1:80/node/t0k".to_owned());
    let cases = [
        ("", Cmdline::default()),
        ("console=ttyS0 quiet\n", Cmdline::default()),
        ("heorot=http://10.77.0.1:80/node/t0k", Cmdline { url: url.clone(), boot_interface: None }),
        (
            "initrd=x BOOTIF=01-52-54-00-77-00-01 heorot=http://10.77.0.1:80/node/t0k quiet\n",
            Cmdline { url: url.clone(), boot_interface: mac },
        ),
        (
            "heorot=old heorot=http://10.77.0.1:80/node/t0k BOOTIF=52:54:00:77:00:01",
            Cmdline { url, boot_interface: mac },
        ),
        ("xheorot=no BOOTIF=01-52-54", Cmdline::default()),
    ];
    for (text, expected) in cases {
        assert_eq!(Cmdline::parse(text), expected, "{text:?}");
    }
}
