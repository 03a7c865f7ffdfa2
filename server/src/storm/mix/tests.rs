use super::*;
use std::collections::BTreeSet;

fn mix(text: &str) -> Result<Vec<(Kind, u32)>, String> {
    text.parse::<Mix>().map(|mix| mix.0)
}

#[test]
fn mixes_are_read_and_what_is_none_is_told() {
    assert_eq!(mix("edk2=3,ipxe=1"), Ok(vec![(Kind::Edk2, 3), (Kind::Ipxe, 1)]));
    assert_eq!(mix("grub"), Ok(vec![(Kind::Grub, 1)]));
    assert_eq!(mix("shim=0,grub=2"), Ok(vec![(Kind::Grub, 2)]));
    for (text, word) in [
        ("", "there are edk2"),
        ("uboot=1", "\"uboot\""),
        ("edk2=x", "whole number"),
        ("edk2=-1", "whole number"),
        ("edk2=1,edk2=2", "twice"),
        ("edk2=0", "no kind"),
    ] {
        let wrong = mix(text).unwrap_err();
        assert!(wrong.contains(word), "{text:?}: {wrong}");
    }
    assert_eq!(Mix::default().kinds().len(), KINDS.len(), "every kind has its part, if nothing is said");
}

#[test]
fn every_kind_gets_its_share_in_any_order() {
    let mix: Mix = "edk2=2,ipxe=1,shim=1".parse().unwrap();
    for machines in [1, 2, 3, 7, 100, 1001] {
        let kinds = mix.deal(machines, &mut Chance::new(1));
        assert_eq!(kinds.len(), machines);
        let edk2 = kinds.iter().filter(|kind| **kind == Kind::Edk2).count();
        assert!(edk2.abs_diff(machines / 2) <= 1, "{edk2} of {machines}");
    }
    assert_eq!(mix.deal(100, &mut Chance::new(1)), mix.deal(100, &mut Chance::new(1)));
    assert_ne!(mix.deal(100, &mut Chance::new(1)), mix.deal(100, &mut Chance::new(2)));
    // Not one kind after the other.
    assert_ne!(mix.deal(100, &mut Chance::new(1))[..50], [Kind::Edk2; 50]);
}

#[test]
fn no_two_machines_have_one_hardware_address() {
    let macs: BTreeSet<Mac> = (0..70_000).map(|number| mac_of(7, number)).collect();
    assert_eq!(macs.len(), 70_000);
    assert!(macs.iter().all(|mac| mac.is_one_machine() && mac.0[0] & 2 == 2), "locally administered");
    assert_ne!(mac_of(7, 1), mac_of(8, 1));
}

#[test]
fn every_machine_has_chance_of_its_own() {
    let mut chance = Chance::new(1);
    let files = ["vmlinuz".to_owned()];
    let (one, two) = (
        setup(Kind::Edk2, mac_of(1, 1), &files, &mut chance),
        setup(Kind::Edk2, mac_of(1, 2), &files, &mut chance),
    );
    assert_ne!(one.seed, two.seed);
    assert_eq!((one.files.as_slice(), one.agent_after), (&files[..], None));
}
