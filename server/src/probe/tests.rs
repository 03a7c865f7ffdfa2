use super::*;
use crate::netio;

const OURS: Mac = Mac([2, 0, 0, 0, 0, 1]);

/// Whoever answers while the loop is elsewhere is heard all the same: a lost answer would have the address lent twice.
#[test]
fn a_thousand_answers_wait_until_they_are_taken() {
    crate::testing::with_a_wire(|here, there| {
        let prober = Prober::open("v0", here, OURS).unwrap();
        let others = Prober::open("v1", there, OURS).unwrap();
        let addresses: Vec<Ipv4Addr> = (0..2048).map(|n| Ipv4Addr::from(0x0a4d_c800 + n)).collect();
        for address in &addresses {
            let answer = frame::arp_answer_for(OURS, (OURS, *address), OURS, Ipv4Addr::new(10, 77, 0, 1));
            assert_eq!(others.socket.send(&answer).unwrap(), answer.len());
        }
        let mut heard = Vec::new();
        loop {
            let some = prober.heard();
            if some.is_empty() {
                break;
            }
            heard.extend(some);
        }
        let expected: Vec<Heard> = addresses.iter().map(|address| Heard::Has(*address, OURS)).collect();
        assert_eq!(heard.len(), expected.len(), "{} were dropped", netio::dropped(prober.as_fd()));
        assert_eq!(heard, expected);
    });
}

#[test]
fn what_a_full_prober_lost_is_told() {
    crate::testing::with_a_wire(|here, there| {
        let prober = Prober::open("v0", here, OURS).unwrap();
        let others = Prober::open("v1", there, OURS).unwrap();
        let answer = frame::arp_answer_for(OURS, (OURS, Ipv4Addr::LOCALHOST), OURS, Ipv4Addr::LOCALHOST);
        // The kernel counts 768 octets for each at least, and gives twice what is asked for.
        let too_many = 2 * RECEIVE_OCTETS / 512;
        for _ in 0..too_many {
            others.socket.send(&answer).unwrap();
        }
        let dropped = netio::dropped(prober.as_fd());
        assert!(dropped > 0 && dropped < too_many as u64, "{dropped} of {too_many}");
    });
}
