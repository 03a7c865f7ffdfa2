use super::*;

const SECRET: [u8; 16] = [9; 16];

fn secondaries() -> [SocketAddr; 2] {
    ["192.0.2.1:53", "192.0.2.2:53"].map(|text| text.parse().unwrap())
}

fn apex() -> Name {
    Name::parse("cluster").unwrap()
}

#[test]
fn who_does_not_answer_is_told_six_times() {
    let mut notifier = Notifier::default();
    let [first, second] = secondaries();
    assert_eq!(notifier.next(), None);
    notifier.changed(0, &SECRET, &secondaries(), &[apex()]);
    let notices = notifier.due(0);
    assert_eq!(notices.iter().map(|notice| notice.to).collect::<Vec<_>>(), [first, second]);
    assert_ne!(notices[0].id, notices[1].id);
    // Somebody else's answer ends nothing, nor one with another number.
    notifier.heard("192.0.2.3:53".parse().unwrap(), notices[0].id);
    notifier.heard(first, notices[0].id.wrapping_add(1));
    notifier.heard(first, notices[0].id);
    let mut moments = vec![];
    while let Some(next) = notifier.next() {
        for notice in notifier.due(next) {
            assert_eq!((notice.to, notice.id), (second, notices[1].id));
            moments.push(next / SECOND);
        }
    }
    assert_eq!(moments, [2, 6, 14, 30, 62]);
}

#[test]
fn a_storm_of_changes_is_one_piece_of_news_a_second() {
    let mut notifier = Notifier::default();
    let mut sent = 0;
    for step in 0..1000_u64 {
        let now = step * SECOND / 100;
        notifier.changed(now, &SECRET, &secondaries()[..1], &[apex()]);
        for notice in notifier.due(now) {
            sent += 1;
            notifier.heard(notice.to, notice.id);
        }
    }
    assert_eq!(sent, 10);
    assert!(notifier.next().is_some(), "the last change is still to be told");
    // Who is no secondary any more is told nothing.
    notifier.changed(0, &SECRET, &[], &[apex()]);
    assert_eq!((notifier.next(), notifier.told.len()), (None, 0));
}
