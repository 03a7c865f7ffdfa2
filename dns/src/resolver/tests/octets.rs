//! Any octets, and octets that are nearly a query.

use super::*;
use proptest::prelude::*;

/// Messages that nearly are queries: a right one with octets changed, taken away or put in.
fn nearly_a_query() -> impl Strategy<Value = Vec<u8>> {
    let names =
        prop_oneof![Just("node0.cluster"), Just("many.cluster"), Just("0.1.77.10.in-addr.arpa"), Just("")];
    let right = (names, 0..300_u16, any::<bool>(), any::<u16>()).prop_map(|(name, rtype, opt, size)| {
        match query(name, rtype) {
            message if opt => with_opt(message, size, 0, 0),
            message => message,
        }
    });
    let changes = proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>(), 0..3), 0..6);
    (right, changes).prop_map(|(mut message, changes)| {
        for (index, octet, change) in changes {
            let at = index.index(message.len() + 1);
            match (change, message.get_mut(at)) {
                (0, Some(there)) => *there = octet,
                (1, _) => message.truncate(at),
                (_, _) => message.insert(at, octet),
            }
        }
        message
    })
}

fn never_wrong(message: &[u8]) -> Result<(), TestCaseError> {
    for transport in [Transport::Udp, Transport::Tcp] {
        let mut resolver = resolver();
        let reply = send_from(&mut resolver, transport, "192.0.2.1:53", message);
        let statistics = resolver.statistics();
        let counted = ResponseCode::ALL.iter().map(|code| statistics.replies(*code)).sum::<u64>()
            + Dropped::ALL.iter().map(|reason| statistics.dropped(*reason)).sum::<u64>();
        prop_assert_eq!(counted, 1);
        let Some(reply) = reply else { continue };
        let text = read(&reply);
        prop_assert!(message.len() >= 12 && message[2] & 0x80 == 0, "a response was answered");
        prop_assert_eq!(&reply[..2], &message[..2]);
        prop_assert!(text.flags & QR != 0);
        prop_assert!(transport == Transport::Tcp || reply.len() <= 1232);
        // Whoever sends us our own reply hears nothing.
        prop_assert_eq!(send_from(&mut resolver, transport, "192.0.2.1:53", &reply), None);
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn any_octets_are_survived(message in proptest::collection::vec(any::<u8>(), 0..300)) {
        never_wrong(&message)?;
    }

    #[test]
    fn nearly_queries_are_survived(message in nearly_a_query()) {
        never_wrong(&message)?;
    }
}
