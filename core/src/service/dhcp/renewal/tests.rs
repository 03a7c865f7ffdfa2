use super::*;
use std::collections::BTreeSet;

fn mac(last: u8) -> Mac {
    Mac([0x52, 0x54, 0, 0, 1, last])
}

/// The shortest lease of the configuration, the usual ones, the longest, and RFC 2131's "infinity".
#[test]
fn a_lease_is_renewed_in_time() {
    for lease in [10, 11, 59, 60, 3600, 43_200, 31_536_000, u32::MAX] {
        for last in 0..=255 {
            let (renews, rebinds) = times(lease, mac(last));
            assert!(0 < renews && renews < rebinds && rebinds < lease, "{lease}: {renews} {rebinds}");
            let lease = u64::from(lease);
            let (renews, rebinds) = (u64::from(renews), u64::from(rebinds));
            // RFC 2131 4.4.5: around half and seven eighths.
            assert!((lease / 2 - lease / 16..=lease / 2).contains(&renews), "{lease}: {renews}");
            let seven_eighths = lease - lease.div_ceil(8);
            assert!((seven_eighths - lease / 16..=seven_eighths).contains(&rebinds), "{lease}: {rebinds}");
        }
    }
}

#[test]
fn machines_renew_each_at_its_own_time_and_always_at_the_same() {
    let moments: BTreeSet<_> = (0..=255).map(|last| times(43_200, mac(last))).collect();
    assert!(moments.len() > 240, "{} of 256 are different", moments.len());
    let firsts: BTreeSet<_> = moments.iter().map(|(renews, _)| renews / 60).collect();
    assert!(firsts.len() > 40, "T1 is spread over {} of the 45 minutes", firsts.len());
    // Not to be changed: two servers of one cluster, and two versions of one server, say the same.
    for (last, expected) in [(7, (20_082, 36_237)), (8, (21_254, 36_687)), (9, (21_244, 35_608))] {
        assert_eq!(times(43_200, mac(last)), expected);
    }
}
