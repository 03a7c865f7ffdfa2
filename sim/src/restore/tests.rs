use super::*;

fn scenario() -> Scenario {
    Scenario { nodes: 50, image_octets: 400_000, link_bits_per_second: 1_000_000_000, ..Scenario::default() }
}

#[test]
fn fifty_machines_come_back_and_none_is_lost() {
    let report = restore(&scenario()).unwrap();
    assert_eq!((report.nodes, report.lost, &report.lost_machines), (50, 0, &vec![]), "{report:?}");
    assert_eq!((report.troubles.as_slice(), report.broken.as_slice()), (&[][..], &[][..]));
    assert!(report.seconds < report.ideal_seconds + 4.0, "{} of {}", report.seconds, report.ideal_seconds);
    assert!(report.median_seconds > 0.0 && report.median_seconds <= report.seconds);
    assert_eq!(report.by_firmware.values().map(|firmware| firmware.nodes).sum::<u64>(), 50);
    assert_eq!(report.samples.last().unwrap().loaded, 50);
    assert!(report.samples.len() <= 2 * SAMPLES);
}

/// Half of the machines load by HTTP, the others by TFTP: one budget for both, and nobody is drowned by the other kind.
#[test]
fn machines_by_http_and_by_tftp_share_a_link() {
    let mix = [("uefi-http", 2), ("ipxe-http", 1), ("edk2", 1), ("ipxe", 1), ("pxelinux", 1)];
    let mixed = Scenario {
        nodes: 240,
        image_octets: 8_000_000,
        mix: mix.map(|(name, parts)| (name.to_owned(), parts)).into(),
        ..scenario()
    };
    for scenario in [
        mixed.clone(),
        Scenario { link_known: false, ..mixed.clone() },
        Scenario { loss: 0.001, ..mixed.clone() },
        // Slow for so many: some are kept alive for long.
        Scenario { image_octets: 1_000_000, link_bits_per_second: 100_000_000, ..mixed.clone() },
    ] {
        let what = format!(
            "{} bits, known {}, loss {}",
            scenario.link_bits_per_second, scenario.link_known, scenario.loss
        );
        let report = restore(&scenario).unwrap();
        assert_eq!((report.lost, &report.lost_machines), (0, &vec![]), "{what}");
        assert_eq!((report.troubles.as_slice(), report.broken.as_slice()), (&[][..], &[][..]), "{what}");
        assert!(
            report.seconds <= report.ideal_seconds / 0.9,
            "{what}: {} of {}",
            report.seconds,
            report.ideal_seconds
        );
        // The first are done long before the last, by either way.
        assert!(
            report.median_seconds < report.seconds * 0.85,
            "{what}: {} of {}",
            report.median_seconds,
            report.seconds
        );
    }
}

/// Known machines do not need a disk that works: what holds the token of their boot waits for it for two seconds. A loader by TFTP repeats itself from its port, which alone gets it no answer.
#[test]
fn a_disk_that_hangs_holds_a_boot_up_for_two_seconds() {
    for kind in ["ipxe", "pxelinux", "edk2", "ipxe-http"] {
        let alone = Scenario { nodes: 1, mix: [(kind.to_owned(), 1)].into(), ..scenario() };
        let usual = restore(&alone).unwrap();
        let report = restore(&Scenario { commit_milliseconds: 60_000, ..alone }).unwrap();
        assert_eq!((report.lost, &report.lost_machines), (0, &vec![]), "{kind}");
        let longer = report.seconds - usual.seconds;
        assert!(longer < 3.0, "{kind}: {longer} s");
    }
}

/// There is no boot directory: each loader has beside it what it goes on with.
#[test]
fn loaders_may_lie_in_folders() {
    for loader in ["efi/shimx64.efi", "efi/ipxe.efi"] {
        let config = usual_config(20)
            .replace("uefi-x64 = \"ipxe.efi\"", &format!("uefi-x64 = {loader:?}"))
            .replace("pxelinux.0", "bios/pxelinux.0");
        let report = restore(&Scenario { nodes: 20, config: Some(config), ..scenario() }).unwrap();
        assert_eq!((report.lost, &report.lost_machines), (0, &vec![]), "{loader}");
    }
}

#[test]
fn the_same_seed_is_the_same_run_and_another_is_another() {
    let scenario =
        Scenario { nodes: 8, numbered: false, loss: 0.02, duplicates: 0.02, reordering: 0.02, ..scenario() };
    let told = tell(&scenario).unwrap();
    assert!(told.lines().count() > 1000);
    assert_eq!(tell(&scenario).unwrap(), told);
    assert_ne!(tell(&Scenario { seed: 2, ..scenario }).unwrap(), told);
}

#[test]
fn machines_that_nobody_knew_get_temporary_addresses() {
    let report = restore(&Scenario { nodes: 10, numbered: false, ..scenario() }).unwrap();
    assert_eq!((report.lost, report.high_water.temporary_addresses), (0, 10), "{report:?}");
}

#[test]
fn a_time_limit_ends_a_run_and_tells_who_was_not_ready() {
    let report = restore(&Scenario {
        nodes: 2,
        time_limit_seconds: Some(3),
        mix: [("edk2".to_owned(), 1)].into(),
        ..scenario()
    })
    .unwrap();
    assert_eq!(report.lost, 2);
    assert!(
        report.lost_machines.iter().all(|lost| lost.why.contains("after 3 s")),
        "{:?}",
        report.lost_machines
    );
}

#[test]
fn machines_behind_a_dead_cable_are_lost_and_it_is_said_why() {
    let mix = [("ipxe".to_owned(), 1)].into();
    let report = restore(&Scenario { nodes: 3, loss: 1.0, mix, ..scenario() }).unwrap();
    assert_eq!((report.lost, report.by_firmware["ipxe"].lost), (3, 3));
    let lost = &report.lost_machines[0];
    assert!(lost.seconds > 18.0 && !lost.why.is_empty() && lost.firmware == "ipxe", "{lost:?}");
}

#[test]
fn a_mistake_in_the_configuration_is_told() {
    let scenario = Scenario { config: Some("[[network]]\n".into()), ..scenario() };
    assert!(restore(&scenario).unwrap_err().contains("interface"));
}

#[test]
fn a_mix_is_in_proportion() {
    let kinds = in_proportion(&[(Kind::Grub, 3), (Kind::Ipxe, 1)], 10);
    let count = |kind| kinds.iter().filter(|of| **of == kind).count();
    assert!([7, 8].contains(&count(Kind::Grub)), "{kinds:?}");
    assert_eq!(count(Kind::Grub) + count(Kind::Ipxe), 10);
}

#[test]
fn the_middle_of_numbers() {
    for (sorted, expected) in [(&[][..], 0.0), (&[3.0], 3.0), (&[1.0, 2.0], 1.0), (&[1.0, 2.0, 9.0], 2.0)] {
        assert_eq!(median(sorted).total_cmp(&expected), std::cmp::Ordering::Equal, "{sorted:?}");
    }
}

#[test]
fn regimes_begin_where_the_one_before_ended() {
    let sample =
        |seconds, regime: &str| Sample { seconds, loaded: 0, bits_per_second: 0.0, regime: regime.into() };
    let samples =
        [sample(1.0, "paced"), sample(2.0, "paced"), sample(3.0, "deferring"), sample(4.0, "paced")];
    let told: Vec<_> =
        regimes(&samples).into_iter().map(|r| (r.from_seconds.to_string(), r.regime)).collect();
    let expected = [("0", "paced"), ("2", "deferring"), ("3", "paced")];
    assert_eq!(told, expected.map(|(at, regime)| (at.to_owned(), regime.to_owned())));
}

/// All of them by HTTP, behind a slow link of which the server knows nothing: TCP would have them all under way at once, and each repeats what the queue drops.
#[test]
fn machines_by_http_alone_share_a_slow_link() {
    for loss in [0.0, 0.01] {
        let report = restore(&Scenario {
            nodes: 300,
            image_octets: 100_000,
            link_bits_per_second: 10_000_000,
            link_known: false,
            loss,
            mix: [("uefi-http".to_owned(), 3), ("ipxe-http".to_owned(), 2)].into(),
            ..scenario()
        });
        let report = report.unwrap();
        assert_eq!((report.lost, &report.lost_machines), (0, &vec![]), "loss {loss}");
        let (took, ideal) = (report.seconds, report.ideal_seconds);
        assert!(took <= ideal / 0.9, "loss {loss}: {took} of {ideal}");
    }
}
