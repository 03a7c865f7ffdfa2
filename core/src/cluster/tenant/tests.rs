use super::*;

const SWITCH: Mac = Mac([0x52, 0x54, 0, 0, 0, 1]);
const OTHER: Mac = Mac([0x52, 0x54, 0, 0, 0, 2]);
const ADDRESS: Ipv4Addr = Ipv4Addr::new(10, 77, 0, 60);
const HOUR: Duration = Duration::from_secs(3_600);

/// A renewal is written down only if a restart would make it shorter.
#[test]
fn only_who_is_new_or_has_it_for_longer_is_recorded() {
    let start = Time::from_nanoseconds(0);
    let mut tenants = Tenants::default();
    assert!(tenants.granted(start, ADDRESS, SWITCH, HOUR));
    assert!(!tenants.granted(start + HOUR, ADDRESS, SWITCH, HOUR));
    assert!(!tenants.granted(start + HOUR, ADDRESS, SWITCH, HOUR / 2));
    let tenant = Tenant { mac: SWITCH, until: start + HOUR + HOUR / 2, length: HOUR };
    assert_eq!(tenants.iter().collect::<Vec<_>>(), [(ADDRESS, tenant)]);
    assert!(tenants.granted(start, ADDRESS, SWITCH, HOUR * 2));
    assert!(tenants.granted(start, ADDRESS, OTHER, HOUR));
}

#[test]
fn only_who_has_it_gives_it_back() {
    let mut tenants = Tenants::default();
    tenants.granted(Time::from_nanoseconds(0), ADDRESS, SWITCH, HOUR);
    let now = Time::from_nanoseconds(0);
    assert!(tenants.has(now, ADDRESS, SWITCH) && !tenants.has(now, ADDRESS, OTHER));
    assert!(!tenants.has(now + HOUR, ADDRESS, SWITCH));
    assert!(!tenants.gave_back(ADDRESS, OTHER));
    assert!(tenants.gave_back(ADDRESS, SWITCH));
    assert!(!tenants.gave_back(ADDRESS, SWITCH));
}
