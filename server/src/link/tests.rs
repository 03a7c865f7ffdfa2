use super::*;
use crate::netio::packet::{FrameInbox, PacketSocket};
use crate::testing::run_command;
use std::time::Duration;

const NOW: Time = Time::from_nanoseconds(1 << 40);
const MAC: Mac = Mac([2, 0, 0, 0, 0, 1]);

fn give(link: &mut Link, number: u32) -> io::Result<()> {
    let mut payload = [0; 548];
    payload[..4].copy_from_slice(&number.to_be_bytes());
    link.give(Ipv4Addr::LOCALHOST, MAC, Ipv4Addr::BROADCAST, &payload)
}

/// The numbers of the frames that come within some seconds, until there are so many.
fn numbers(wire: &PacketSocket, count: usize, mut meanwhile: impl FnMut()) -> Vec<u32> {
    let (mut inbox, mut numbers) = (FrameInbox::new(), Vec::new());
    let until = std::time::Instant::now() + Duration::from_secs(10);
    while numbers.len() < count && std::time::Instant::now() < until {
        meanwhile();
        inbox.receive(wire).unwrap();
        let number = |frame: &[u8]| u32::from_be_bytes(*frame[42..].first_chunk().unwrap());
        numbers.extend(inbox.frames().map(|(frame, _)| number(frame)));
    }
    numbers
}

/// A slow link takes its time: nothing is thrown away meanwhile, and nothing overtakes.
#[test]
fn what_a_slow_link_has_no_room_for_waits() {
    crate::testing::with_a_wire(|here, there| {
        run_command("tc qdisc add dev v0 root tbf rate 20mbit burst 16kb limit 16mb");
        let wire = PacketSocket::open(there).unwrap();
        let mut link = Link::open("v0", here, MAC).unwrap();
        // Less room than frames, whatever this host allows.
        link.socket.set_send_buffer_size(100_000).unwrap();
        (0..2000).for_each(|number| give(&mut link, number).unwrap());
        link.flush(NOW).unwrap();
        assert!(link.retry_at().is_some(), "all had room");
        let come = numbers(&wire, 2000, || link.flush(NOW).unwrap());
        assert_eq!(come, (0..2000).collect::<Vec<_>>());
        assert_eq!((link.retry_at(), link.lost()), (None, 0));
    });
}

/// A thousand OFFERs at once have room in the socket, so that nothing has to be tried again.
#[test]
fn the_offers_of_a_storm_have_room() {
    crate::testing::with_a_wire(|here, _| {
        run_command("tc qdisc add dev v0 root tbf rate 10mbit burst 16kb limit 16mb");
        let mut link = Link::open("v0", here, MAC).unwrap();
        (0..1000).for_each(|number| give(&mut link, number).unwrap());
        link.flush(NOW).unwrap();
        assert_eq!((link.retry_at(), link.lost()), (None, 0));
    });
}

#[test]
fn what_does_not_leave_in_time_is_counted() {
    crate::testing::with_a_wire(|here, _| {
        run_command("tc qdisc add dev v0 root tbf rate 8kbit burst 16kb limit 16mb");
        let mut link = Link::open("v0", here, MAC).unwrap();
        link.socket.set_send_buffer_size(20_000).unwrap();
        (0..1000).for_each(|number| give(&mut link, number).unwrap());
        link.flush(NOW).unwrap();
        let waiting = link.waiting.len();
        assert!(waiting > 500, "{waiting}");
        assert_eq!(link.retry_at(), Some(NOW + RETRY_AFTER));
        link.flush(NOW + WAITS_MAX / 2).unwrap();
        assert_eq!(link.lost(), 0);
        assert!(link.flush(NOW + WAITS_MAX).is_err());
        assert_eq!((link.retry_at(), link.lost(), link.waiting.len()), (None, waiting as u64, 0));
        // An interface that is down has no queue to wait for.
        run_command("ip link set v0 down");
        give(&mut link, 1).unwrap();
        assert!(link.flush(NOW).is_err());
        assert_eq!((link.retry_at(), link.lost()), (None, waiting as u64 + 1));
    });
}

#[test]
fn no_more_than_so_many_wait() {
    crate::testing::with_a_wire(|here, _| {
        let mut link = Link::open("v0", here, MAC).unwrap();
        let refused = (0..WAITING_MAX as u32 + 3).filter(|number| give(&mut link, *number).is_err()).count();
        assert_eq!((refused, link.lost()), (3, 3));
    });
}
