use super::*;
use std::time::Duration;

const START: Time = Time::from_nanoseconds(1_000_000_000_000);

#[test]
fn a_machine_keeps_its_place_from_transfer_to_transfer() {
    let (a, b) = (Ipv4Addr::new(10, 0, 0, 1), Ipv4Addr::new(10, 0, 0, 2));
    let mut seniority = Seniority::default();
    assert_eq!(seniority.enter(a), (1, 0));
    assert_eq!(seniority.enter(b), (2, 0));
    seniority.leave(START, a, 500);
    assert_eq!(seniority.enter(a), (1, 500), "its next file");
    seniority.leave(START, a, 20);
    seniority.forget(START + LOAD_REMEMBERED - Duration::from_secs(1));
    assert_eq!(seniority.enter(a), (1, 520), "after a pause");
    seniority.leave(START, a, 0);
    seniority.forget(START + LOAD_REMEMBERED);
    assert_eq!(seniority.enter(a), (3, 0), "another boot");
    assert_eq!(seniority.machines.len(), 2, "one with a transfer is never forgotten");
}
