use super::*;

const START: Time = Time::from_nanoseconds(1_000_000_000_000);

fn mac(number: u32) -> Mac {
    let [a, b, c, d] = number.to_be_bytes();
    Mac([2, 0, a, b, c, d])
}

fn host(number: u32) -> Speaker {
    Speaker::Host(mac(number))
}

fn new(number: u32, is_seen: bool) -> Speaker {
    Speaker::New { mac: mac(number), kind: Kind::Discover, is_seen }
}

fn seconds(seconds: u64) -> Time {
    START + Duration::from_secs(seconds)
}

/// How many of these lines are told in one moment.
fn told(chatter: &mut Chatter, speakers: impl Iterator<Item = Speaker>) -> u32 {
    let told = speakers.filter(|speaker| chatter.line(seconds(0), *speaker) == Line::Told).count();
    u32::try_from(told).unwrap()
}

#[test]
fn what_one_host_says_too_often_is_counted_and_told_at_the_end_of_the_minute() {
    let mut chatter = Chatter::default();
    for _ in 0..HOST_LINES_PER_MINUTE_MAX {
        assert_eq!(chatter.line(seconds(0), host(1)), Line::Told);
    }
    assert_eq!(chatter.line(seconds(1), host(1)), Line::LeftOut(Some(seconds(60))));
    assert_eq!(chatter.line(seconds(2), host(1)), Line::LeftOut(None));
    assert_eq!(chatter.line(seconds(2), host(2)), Line::Told, "another one");
    assert_eq!(chatter.line(seconds(60), host(1)), Line::LeftOut(None), "it is not told yet");
    assert_eq!(chatter.end(), LeftOut { each: vec![(mac(1), 3)], ..LeftOut::default() });
    assert_eq!(chatter.line(seconds(60), host(1)), Line::Told);
    // A minute without too much begins anew by itself.
    for minute in 2..9 {
        for _ in 0..HOST_LINES_PER_MINUTE_MAX {
            assert_eq!(chatter.line(seconds(60 * minute), host(1)), Line::Told);
        }
    }
}

/// Hardware addresses cost nothing to make up.
#[test]
fn a_flood_of_hosts_fills_no_memory() {
    let mut chatter = Chatter::default();
    let most = u32::try_from(CHATTERERS_MAX).expect("it is small");
    assert_eq!(told(&mut chatter, (0..10 * most).map(host)), most);
    assert_eq!(chatter.hosts.len(), CHATTERERS_MAX);
    assert_eq!(chatter.end(), LeftOut { hosts: 9 * u64::from(most), ..LeftOut::default() });
}

/// Nor do they as machines that want to boot; and those that go on are heard all the same.
#[test]
fn a_flood_of_new_machines_fills_neither_journal_nor_memory() {
    let mut chatter = Chatter::default();
    assert_eq!(told(&mut chatter, (0..100_000).map(|number| new(number, true))), SEEN_LINES_PER_MINUTE_MAX);
    assert_eq!(told(&mut chatter, (0..1000).map(|number| new(number, false))), 1000);
    let left = NEW_LINES_PER_MINUTE_MAX - SEEN_LINES_PER_MINUTE_MAX - 1000;
    assert_eq!(told(&mut chatter, (0..100_000).map(|number| new(number, false))), left);
    assert!(chatter.machines.len() <= NEW_LINES_PER_MINUTE_MAX as usize);
    // Who is known is heard as ever, and so is what else there is.
    assert_eq!(told(&mut chatter, [Speaker::Node(mac(1), Kind::Discover), host(1)].into_iter()), 2);
    let left_out = 200_000 - u64::from(SEEN_LINES_PER_MINUTE_MAX) - u64::from(left);
    assert_eq!(chatter.end(), LeftOut { machines: left_out, ..LeftOut::default() });
}

/// One of them that floods alone keeps no other one out.
#[test]
fn one_new_machine_says_nothing_in_the_place_of_others() {
    for is_seen in [true, false] {
        let mut chatter = Chatter::default();
        let flood = std::iter::repeat_n(new(1, is_seen), 100_000);
        assert_eq!(told(&mut chatter, flood), NODE_LINES_PER_KIND_AND_MINUTE_MAX);
        assert_eq!(told(&mut chatter, std::iter::once(new(2, is_seen))), 1);
        let left_out = 100_000 - u64::from(NODE_LINES_PER_KIND_AND_MINUTE_MAX);
        assert_eq!(chatter.end(), LeftOut { each: vec![(mac(1), left_out)], ..LeftOut::default() });
    }
}

/// Power comes to a thousand machines that nobody has seen before: each line of their first boots can be read.
#[test]
fn a_first_storm_is_told_whole() {
    let mut chatter = Chatter::default();
    for line in 0..60 {
        let speakers = (0..1000).map(|number| new(number, line < 8));
        assert_eq!(told(&mut chatter, speakers), 1000, "line {line}");
    }
}

#[test]
fn one_machine_alone_says_no_more_than_it_may() {
    let mut chatter = Chatter::default();
    let most = NODE_LINES_PER_KIND_AND_MINUTE_MAX;
    for (number, speaker) in [(1, Speaker::Node(mac(1), Kind::File)), (2, new(2, false))] {
        let lines = std::iter::repeat_n(speaker, most as usize + 5);
        assert_eq!(told(&mut chatter, lines), most, "machine {number}");
    }
    let files = std::iter::repeat_n(Speaker::Nobody(Kind::File), 1000);
    assert_eq!(told(&mut chatter, files), NOBODYS_LINES_PER_MINUTE_MAX);
    assert_eq!(told(&mut chatter, std::iter::once(Speaker::Nobody(Kind::Trouble))), 1);
    let nobodys = vec![(Kind::File, 1000 - u64::from(NOBODYS_LINES_PER_MINUTE_MAX))];
    let each = vec![(mac(1), 5), (mac(2), 5)];
    assert_eq!(chatter.end(), LeftOut { each, nobodys, ..LeftOut::default() });
}

/// However much strangers do, what is wrong with a cable is told; and a cable that is loose fills nothing either.
#[test]
fn interfaces_have_lines_of_their_own() {
    let mut chatter = Chatter::default();
    let flood = std::iter::repeat_n(Speaker::Nobody(Kind::Trouble), 100_000);
    assert_eq!(told(&mut chatter, flood), NOBODYS_LINES_PER_MINUTE_MAX);
    assert_eq!(told(&mut chatter, std::iter::once(Speaker::Interface)), 1);
    let loose = std::iter::repeat_n(Speaker::Interface, 10_000);
    assert_eq!(told(&mut chatter, loose), INTERFACE_LINES_PER_MINUTE_MAX - 1);
    assert_eq!(chatter.end().interfaces, 10_001 - u64::from(INTERFACE_LINES_PER_MINUTE_MAX));
}

/// Whoever knows a node's hardware address sends what packets he likes in its name: how it fares is told all the same.
#[test]
fn no_kind_of_line_about_a_machine_keeps_another_out() {
    let mut chatter = Chatter::default();
    let most = NODE_LINES_PER_KIND_AND_MINUTE_MAX;
    for is_numbered in [true, false] {
        let speaker = |kind| match is_numbered {
            true => Speaker::Node(mac(1), kind),
            false => Speaker::New { mac: mac(2), kind, is_seen: false },
        };
        let talk = [Kind::Discover, Kind::Offer, Kind::Decline].map(speaker);
        let flood = talk.into_iter().cycle().take(10 * most as usize);
        assert_eq!(told(&mut chatter, flood), most, "all talk together");
        for kind in [Kind::Trouble, Kind::Stage, Kind::Agent, Kind::Operator] {
            assert_eq!(told(&mut chatter, std::iter::once(speaker(kind))), 1, "{kind:?}");
        }
    }
    let left_out = 9 * u64::from(most);
    let each = vec![(mac(1), left_out), (mac(2), left_out)];
    assert_eq!(chatter.end(), LeftOut { each, ..LeftOut::default() }, "one line about each");
}
