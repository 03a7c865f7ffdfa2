use super::*;
use std::collections::BTreeSet;

const PC: Mac = Mac([0x52, 0x54, 0, 0, 0, 1]);
const PI: Mac = Mac([0xdc, 0xa6, 0x32, 0, 0, 1]);

fn names(
    firmware: Firmware,
    architecture: u16,
    vendor_class: &str,
    mac: Mac,
    mode: Mode,
) -> Vec<&'static str> {
    let asker = Asker { firmware, architecture, vendor_class: vendor_class.as_bytes(), mac };
    let fits = QUIRKS.iter().filter(|quirk| quirk.modes.contains(&mode) && quirk.who.is(&asker));
    let (names, traits): (Vec<_>, Vec<_>) = fits.map(|quirk| (quirk.name, quirk.traits)).unzip();
    assert_eq!(super::traits(&asker, mode), traits.concat());
    names
}

#[test]
fn every_row_fits_whom_it_speaks_of() {
    const CLASS: &str = "PXEClient:Arch:00000:UNDI:002001";
    type Row = (Firmware, u16, &'static str, Mac, Mode, &'static [&'static str]);
    let table: &[Row] = &[
        (Firmware::Http, 16, "HTTPClient", PC, Mode::Serve, &["http-class", "http-no-name-servers"]),
        (Firmware::Http, 19, "HTTPClient", PC, Mode::Proxy, &["http-class"]),
        (Firmware::Ipxe, 0, CLASS, PC, Mode::Serve, &["ipxe-no-pxedhcp"]),
        (Firmware::Ipxe, 7, CLASS, PC, Mode::Proxy, &["ipxe-proxy", "server-is-named"]),
        (Firmware::Ipxe, 0, CLASS, PI, Mode::Serve, &["ipxe-no-pxedhcp"]),
        (Firmware::Pxe, 0, CLASS, PC, Mode::Serve, &["bios-file-is-named"]),
        (Firmware::Pxe, 0, CLASS, PC, Mode::Shadow, &["bios-file-is-named"]),
        (Firmware::Pxe, 0, CLASS, PC, Mode::Proxy, &["bios-file-is-named", "server-is-named"]),
        (Firmware::Pxe, 6, CLASS, PC, Mode::Serve, &["uefi-no-class"]),
        (Firmware::Pxe, 7, CLASS, PC, Mode::Serve, &["uefi-no-class"]),
        (Firmware::Pxe, 9, CLASS, PC, Mode::Proxy, &["server-is-named", "uefi-port-4011"]),
        (Firmware::Pxe, 0, CLASS, PI, Mode::Serve, &["bios-file-is-named", "raspberry-pi"]),
        // A Pi with UEFI, or with other words.
        (Firmware::Pxe, 11, "PXEClient:Arch:00011", PI, Mode::Serve, &["uefi-no-class"]),
        (Firmware::Pxe, 0, "HW-Client", PI, Mode::Serve, &["bios-file-is-named"]),
        // A Pi 4's REQUEST has no vendor class; without one others are as they were.
        (Firmware::Pxe, 0, "", PI, Mode::Serve, &["bios-file-is-named", "raspberry-pi"]),
        (Firmware::Pxe, 0, "", PC, Mode::Serve, &["bios-file-is-named"]),
        // 6 to 9 are EFI (RFC 4578 2.1); what the registry has after them is treated as such. NEC's and others of the nineties are as they are.
        (Firmware::Pxe, 1, CLASS, PC, Mode::Serve, &[]),
        (Firmware::Pxe, 5, CLASS, PC, Mode::Proxy, &["server-is-named"]),
        (Firmware::Pxe, 22, "U-Boot.armv8", PC, Mode::Serve, &["uefi-no-class", "u-boot"]),
        (Firmware::Pxe, 0, "U-Boot", PC, Mode::Serve, &["bios-file-is-named", "u-boot"]),
    ];
    let mut seen = BTreeSet::new();
    for (firmware, architecture, class, mac, mode, expected) in table {
        let found = names(*firmware, *architecture, class, *mac, *mode);
        assert_eq!(found, *expected, "{firmware:?} {architecture} {class} {mac} {mode:?}");
        seen.extend(found);
    }
    assert_eq!(seen.len(), QUIRKS.len(), "a row that nobody fits");
}

/// Every prefix that the registry has for them: a rack of boards with another one would get a boot file's name and no menu.
#[test]
fn a_raspberry_pi_is_known_by_any_of_its_makers_prefixes() {
    const CLASS: &str = "PXEClient:Arch:00000:UNDI:002001";
    for prefix in ["b8:27:eb", "dc:a6:32", "e4:5f:01", "28:cd:c1", "d8:3a:dd", "2c:cf:67", "88:a2:9e"] {
        let mac: Mac = format!("{prefix}:00:00:01").parse().expect("a hardware address");
        let is_pi = |mac| names(Firmware::Pxe, 0, CLASS, mac, Mode::Serve).contains(&"raspberry-pi");
        let Mac([a, b, c, ..]) = mac;
        assert!(is_pi(mac), "{prefix}");
        assert!(!is_pi(Mac([a, b, c ^ 1, 0, 0, 1])), "beside {prefix}");
    }
}

#[test]
fn operators_are_told_of_every_row() {
    let told = include_str!("../../../../docs/pxe.md");
    for quirk in QUIRKS {
        assert!(told.contains(&format!("`{}`", quirk.name)), "docs/pxe.md lacks {}", quirk.name);
    }
}

/// A row that no story shows could be gone tomorrow, and nobody would see it; and where it holds both where we give the addresses and beside another server, it could be gone there. (Who only looks on
/// says nothing to anybody.)
#[test]
fn stories_are_told_of_every_row() {
    let told = [
        include_str!("../../../../sim/scenarios/53-quirks.txt"),
        include_str!("../../../../sim/scenarios/54-who-does-not-speak-pxe.txt"),
        include_str!("../../../../sim/scenarios/92-u-boot.txt"),
        include_str!("../../../../sim/scenarios/159-u-boot-beside-another-server.txt"),
    ];
    // Under which comment something is answered, and on what network.
    let mut parts: BTreeSet<(&str, &str)> = BTreeSet::new();
    for story in told {
        let (mut comment, mut mode) = ("", "serve");
        for line in story.lines() {
            let said = line.strip_prefix("| mode = ").map(|said| said.trim_matches('"'));
            match line.get(..2) {
                Some("# ") => comment = line,
                Some("$ ") if ["$ serve", "$ configure"].contains(&line) => mode = "serve",
                Some("| ") => mode = said.unwrap_or(mode),
                Some("  ") => drop(parts.insert((comment, mode))),
                Some(_) | None => {}
            }
        }
    }
    for quirk in QUIRKS {
        for mode in quirk.modes {
            let word = match mode {
                Mode::Serve => "serve",
                Mode::Proxy => "proxy",
                Mode::Shadow => continue,
            };
            let is_told = parts.iter().any(|(comment, told)| comment.contains(quirk.name) && *told == word);
            assert!(is_told, "no story is told of {} in {word}", quirk.name);
        }
    }
}
