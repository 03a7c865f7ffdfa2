use super::*;
use std::time::Duration;

const NOW: Time = Time::from_nanoseconds(1_000_000_000_000);
const RELAY: Ipv4Addr = Ipv4Addr::new(10, 99, 0, 1);
const CLIENT: Mac = Mac([0x52, 0x54, 0, 0, 0, 1]);

fn asks(relays: &mut StrangeRelays, now: Time, relay: Ipv4Addr) -> bool {
    relays.notice(now, relay, (relay, "eth1"), CLIENT)
}

#[test]
fn a_relay_is_told_of_once_an_hour_and_kept_as_long_as_it_asks() {
    let mut relays = StrangeRelays::default();
    assert!(asks(&mut relays, NOW, RELAY));
    assert!(!asks(&mut relays, NOW + Duration::from_secs(1800), RELAY));
    assert_eq!(relays.get(RELAY).map(|relay| relay.count), Some(2));
    let later = NOW + STRANGE_RELAY_TOLD_EVERY;
    assert_eq!(relays.recent(later).len(), 1, "it asked half an hour ago");
    assert!(asks(&mut relays, later, RELAY));
    assert_eq!(relays.recent(later + STRANGE_RELAY_TOLD_EVERY), [], "it was mended, or switched off");
    relays.retain(|selected, _| selected != RELAY);
    assert_eq!(relays.get(RELAY), None);
}

/// Whoever makes up addresses fills neither the memory nor the journal, and hides no relay that is there.
#[test]
fn made_up_relays_do_not_hide_a_real_one() {
    let mut relays = StrangeRelays::default();
    assert!(asks(&mut relays, NOW, RELAY));
    asks(&mut relays, NOW, RELAY);
    let mut told = 0;
    for number in 0..10_000_u32 {
        let forged = Ipv4Addr::from(0x0b00_0000 + number);
        told += u32::from(asks(&mut relays, NOW + Duration::from_millis(u64::from(number)), forged));
    }
    assert_eq!(told + 1, STRANGE_RELAY_LINES_PER_HOUR_MAX);
    let now = NOW + Duration::from_secs(10);
    assert_eq!(relays.noticed.len(), STRANGE_RELAYS_MAX);
    let recent: Vec<_> = relays.recent(now).into_iter().map(|(relay, _)| relay).collect();
    assert_eq!(recent, [RELAY], "who asked once is none yet");
}

#[test]
fn who_selects_another_network_is_told_so() {
    let mut relays = StrangeRelays::default();
    let selected = Ipv4Addr::new(10, 98, 0, 0);
    relays.notice(NOW, selected, (RELAY, "eth1"), CLIENT);
    let told = relays.get(selected).map(|relay| relay.told(selected)).unwrap_or_default();
    assert!(
        told.starts_with(
            "a relay at 10.99.0.1 asks for hosts in the network of 10.98.0.0 (last 52:54:00:00:00:01)"
        ),
        "{told}"
    );
    relays.notice(NOW, selected, (Ipv4Addr::UNSPECIFIED, "eth1"), CLIENT);
    let told = relays.get(selected).map(|relay| relay.told(selected)).unwrap_or_default();
    assert!(told.starts_with("a client asks"), "{told}");
}
