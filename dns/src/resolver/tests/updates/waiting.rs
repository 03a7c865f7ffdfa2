//! Updates that wait: for each other, and for what keeps them.

use super::*;

/// One at a time, each from what the one before has left; a repeated one is not done twice.
#[test]
fn updates_wait_for_each_other() {
    let mut resolver = world();
    let first = signed("cluster", "all", &["nxdomain one.cluster", "add one.cluster 60 A 10.0.0.1"]);
    let second = signed("cluster", "all", &["nxdomain one.cluster", "add one.cluster 60 A 10.0.0.2"]);
    let out = take(&mut resolver, &first.payload);
    let [Output::Update { update, changes, by }] = out.as_slice() else { panic!("{out:?}") };
    assert_eq!(by, "all from 10.77.1.9");
    assert_eq!(take(&mut resolver, &second.payload), []);
    assert_eq!(take(&mut resolver, &first.payload), [], "a repeated one");
    let changes = changes.iter().cloned().map(Change::Updated).collect();
    let serial = resolver.zones.serial() + 1;
    resolver.handle(0, Input::Change(Changes { serial, changes }), &mut Vec::new());
    let mut out = Vec::new();
    resolver.handle(0, Input::Updated { update: *update, outcome: UpdateOutcome::Kept }, &mut out);
    assert_eq!(out.len(), 2);
    assert_eq!(reply(&out[..1], Some(first)), NOERROR);
    assert_eq!(reply(&out[1..], Some(second)), YXDOMAIN);
    // Nobody is told twice.
    let mut out = Vec::new();
    resolver.handle(0, Input::Updated { update: *update, outcome: UpdateOutcome::Kept }, &mut out);
    assert_eq!(out, []);
}

#[test]
fn what_cannot_be_kept_or_takes_too_long() {
    for (outcome, code) in [(UpdateOutcome::Refused, REFUSED), (UpdateOutcome::Failed, SERVFAIL)] {
        let mut resolver = world();
        let sent = signed("cluster", "all", &["add one.cluster 60 A 10.0.0.1"]);
        let out = take(&mut resolver, &sent.payload);
        let [Output::Update { update, .. }] = out.as_slice() else { panic!("{out:?}") };
        let mut out = Vec::new();
        resolver.handle(0, Input::Updated { update: *update, outcome }, &mut out);
        assert_eq!(reply(&out, Some(sent)), code);
        assert_eq!(told(&mut resolver, "one.cluster", A), [""; 0]);
    }
    let mut resolver = world();
    let sent = [1, 2].map(|n| signed("cluster", "all", &[&format!("add n{n}.cluster 60 A 10.0.0.1")]));
    let out = take(&mut resolver, &sent[0].payload);
    let [Output::Update { update, .. }] = out.as_slice() else { panic!("{out:?}") };
    take(&mut resolver, &sent[1].payload);
    // Before nsupdate repeats itself, which it does after 3 s.
    let at = 2_500_000_000;
    assert!(resolver.next_wakeup().unwrap() <= at);
    let replies = |resolver: &mut Resolver, at| {
        let mut out = Vec::new();
        resolver.handle(at, Input::Wake, &mut out);
        out.retain(|output| matches!(output, Output::Reply { .. }));
        out
    };
    assert_eq!(replies(&mut resolver, at - 1), []);
    let out = replies(&mut resolver, at);
    assert_eq!(out.len(), 2);
    for (n, sent) in sent.into_iter().enumerate() {
        assert_eq!(reply(&out[n..=n], Some(sent)), SERVFAIL);
    }
    // Another one begins when that one is decided, and not before.
    let third = signed("cluster", "all", &["add n3.cluster 60 A 10.0.0.1"]);
    assert_eq!(take(&mut resolver, &third.payload), []);
    let mut out = Vec::new();
    resolver.handle(at, Input::Updated { update: *update, outcome: UpdateOutcome::Failed }, &mut out);
    assert!(matches!(out.as_slice(), [Output::Update { .. }]), "{out:?}");
}

#[test]
fn a_queue_has_an_end() {
    let mut resolver = world();
    let codes: Vec<_> = (0..70)
        .map(|n| {
            let sent = signed("cluster", "all", &[&format!("add n{n}.cluster 60 A 10.0.0.1")]);
            take(&mut resolver, &sent.payload).first().map(|output| {
                let is_taken = matches!(output, Output::Update { .. });
                if is_taken { NOERROR } else { reply(std::slice::from_ref(output), Some(sent)) }
            })
        })
        .collect();
    assert_eq!((codes[0], codes[1], codes[64], codes[65]), (Some(NOERROR), None, None, Some(SERVFAIL)));
}
