use super::*;
use std::net::Ipv4Addr;

const SILENCE: Duration = Duration::from_secs(150);

/// Of 100,000 octets, so many acknowledged when all of them, or not all, were with the kernel.
fn going(acknowledged: u64, is_given: bool) -> Going {
    let peer = SocketAddrV4::new(Ipv4Addr::LOCALHOST, 4000);
    Going {
        peer,
        path: "initrd.img".into(),
        part: 0..100_000,
        size: 100_000,
        acknowledged,
        is_given,
        resent: 0,
    }
}

fn broken(kind: io::ErrorKind) -> End {
    End::Broken(Some(kind.into()))
}

#[test]
fn who_has_all_but_the_last_segments_and_is_gone_has_it() {
    let (reset, timed_out) = (broken(io::ErrorKind::ConnectionReset), broken(io::ErrorKind::TimedOut));
    for end in [End::Over, End::Silent, End::GaveWay, End::Broken(None), reset, timed_out] {
        let what = format!("{end:?}");
        assert_eq!(going(98_000, true).outcome(end, SILENCE), Outcome::Unconfirmed, "{what}");
    }
}

#[test]
fn who_lacks_more_has_it_not() {
    let silent = Outcome::Failed("nothing heard for 150 s".into());
    let broken_off = Outcome::BrokenOff("it broke off the connection".into());
    for (acknowledged, is_given, end, outcome) in [
        (90_000, true, End::Silent, &silent),
        (98_000, false, End::Silent, &silent),
        (90_000, true, broken(io::ErrorKind::TimedOut), &silent),
        (90_000, true, End::Over, &broken_off),
        (98_000, false, broken(io::ErrorKind::BrokenPipe), &broken_off),
    ] {
        let what = format!("{acknowledged} {is_given} {end:?}");
        assert_eq!(going(acknowledged, is_given).outcome(end, SILENCE), *outcome, "{what}");
    }
    // Of a file that fits into one segment nothing says that it arrived.
    let unheard = Going { part: 0..500, ..going(0, true) };
    assert_eq!(unheard.outcome(End::Silent, SILENCE), silent);
}
