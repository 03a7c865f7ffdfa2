use super::super::hosts::{Actor, Outbox};
use super::super::plain::{Client, Wish};
use super::*;
use heorot_core::mac::Mac;
use std::net::Ipv4Addr;

fn at(milliseconds: u64) -> Time {
    Time::from_nanoseconds(1_000_000_000) + Duration::from_millis(milliseconds)
}

fn frame(rate: Option<u64>) -> Frame {
    let ideal = Some((Duration::from_secs(2), 1_000_000));
    Frame { start: at(0), ideal, link_bits_per_second: rate, own_kernel_drops: 0, backlog_drops: 0, seed: 1 }
}

/// Hosts with these scores.
fn hosts(scores: Vec<Score>) -> Hosts {
    let mut hosts = Hosts::new(None);
    for (number, score) in (0_u8..).zip(scores) {
        let server = Ipv4Addr::new(10, 77, 0, 1);
        let wish =
            Wish { server, file: "image".into(), window_blocks: 1, waits: [Duration::from_secs(3)].into() };
        let mac = Mac([2, 0, 0, 0, 0, number]);
        hosts.add(Actor::Plain(Client::new(wish, mac, server)), mac, at(0));
        hosts.set_score(number.into(), score);
    }
    hosts.wake(at(0), &mut Outbox::new());
    hosts
}

fn loaded_at(milliseconds: u64, octets: u64) -> Score {
    Score {
        first_data: Some(at(1000)),
        loaded: Some(at(milliseconds)),
        octets,
        received_octets: octets + 5,
        retries: 2,
        ..Score::default()
    }
}

#[test]
fn it_adds_up() {
    let lost =
        Score { lost: Some((at(9000), "the server is silent".into())), retries: 5, ..Score::default() };
    let scores =
        vec![loaded_at(2000, 500), loaded_at(3000, 500), loaded_at(6000, 1000), lost, Score::default()];
    let names = ["edk2", "ipxe", "edk2", "ipxe", "grub"];
    let report = Report::of(&hosts(scores), &names, &frame(Some(8_000_000)));
    assert_eq!((report.nodes, report.lost, report.unfinished, report.client_retries), (5, 2, 1, 11));
    assert_eq!((report.seconds, report.median_seconds), (6.0, Some(6.0)), "half of five are three");
    assert_eq!((report.bytes, report.received_bytes, report.bytes_per_second), (2000, 2015, 400.0));
    assert_eq!((report.ideal_seconds, report.ratio_to_ideal), (Some(3.0), Some(2.0)));
    let edk2 =
        Firmware { nodes: 2, lost: 0, client_retries: 4, median_seconds: Some(2.0), last_seconds: Some(6.0) };
    let ipxe =
        Firmware { nodes: 2, lost: 1, client_retries: 7, median_seconds: Some(3.0), last_seconds: Some(3.0) };
    assert_eq!((&report.by_firmware["edk2"], &report.by_firmware["ipxe"]), (&edk2, &ipxe));
    assert_eq!(report.by_firmware["grub"].median_seconds, None);
    assert_eq!(report.reasons["the server is silent"], 1);
    assert!(!report.is_whole());
    let text = report.text();
    for words in [
        "3 loaded, 2 lost, 1 of them for want of time",
        "ideal 3.00 s, ratio 2.00",
        "lost 1: the server is silent",
    ] {
        assert!(text.contains(words), "{words:?} is not in\n{text}");
    }
    assert!(!text.contains("VOID"), "{text}");
}

#[test]
fn without_a_rate_there_is_no_ideal_and_without_machines_no_median() {
    let report = Report::of(&hosts(vec![loaded_at(2000, 500)]), &["plain"], &frame(None));
    assert_eq!((report.ideal_seconds, report.ratio_to_ideal, report.median_seconds), (None, None, Some(2.0)));
    assert!(report.is_whole());
    let report = Report::of(&hosts(vec![Score::default()]), &["plain"], &frame(None));
    assert_eq!((report.seconds, report.bytes_per_second, report.median_seconds), (0.0, 0.0, None));
}

#[test]
fn own_drops_make_it_void() {
    let frame = Frame { own_kernel_drops: 3, ..frame(None) };
    let report = Report::of(&hosts(vec![loaded_at(2000, 500)]), &["plain"], &frame);
    assert_eq!(report.own_kernel_drops, 3);
    assert!(report.text().contains("VOID"), "{}", report.text());
}

#[test]
fn the_names_are_the_simulators() {
    let report = Report::of(&hosts(vec![loaded_at(2000, 500)]), &["plain"], &frame(Some(8_000_000)));
    let json = serde_json::to_value(&report).unwrap();
    for name in [
        "nodes",
        "lost",
        "seconds",
        "ideal_seconds",
        "ratio_to_ideal",
        "median_seconds",
        "by_firmware",
        "client_retries",
        "own_kernel_drops",
        "bytes_per_second",
    ] {
        assert!(!json[name].is_null(), "{name}");
    }
}
