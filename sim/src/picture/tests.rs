use super::*;
use crate::report::{LostMachine, Regime};

fn report() -> Report {
    let sample = |place: u32| Sample {
        seconds: f64::from(place + 1) / 10.0,
        loaded: u64::from(place / 2),
        bits_per_second: if place < 50 { 0.0 } else { 9e8 },
        regime: "paced".into(),
    };
    let regime = |from_seconds, word: &str| Regime { from_seconds, regime: word.into() };
    Report {
        nodes: 100,
        seconds: 20.0,
        median_seconds: 10.0,
        ideal_seconds: 19.0,
        link_bits_per_second: 1_000_000_000,
        samples: (0..200).map(sample).collect(),
        regimes: vec![regime(0.0, "paced"), regime(7.0, "round-robin"), regime(15.0, "deferring")],
        ..Report::default()
    }
}

/// Every element is closed in its order, and every attribute has its quotes.
fn assert_well_formed(picture: &str) {
    let mut open: Vec<&str> = Vec::new();
    for tag in picture.split('<').skip(1) {
        let (tag, words) = tag.split_once('>').expect("a tag ends");
        assert!(!words.contains('>') && tag.matches('"').count() % 2 == 0, "{tag}>{words}");
        let name = tag.split([' ', '/']).find(|name| !name.is_empty()).unwrap();
        if tag.starts_with('/') {
            assert_eq!(open.pop(), Some(name), "{tag}");
        } else if !tag.ends_with('/') {
            open.push(name);
        }
    }
    assert_eq!(open, Vec::<&str>::new());
    assert!(!picture.contains("NaN") && !picture.contains("inf"), "{picture}");
}

#[test]
fn it_is_well_formed_and_says_what_it_shows() {
    let picture = svg(&report());
    assert_well_formed(&picture);
    assert_eq!(svg(&report()), picture);
    for words in [
        "Power restore of 100 machines: the last up after 20.0 s, none lost",
        "half of them after 10.0 s; link 1 Gbit/s; ideal 19.0 s",
        ">machines up<",
        ">Mbit/s sent<",
        ">regime<",
        ">seconds since the power came back<",
        "url(#paced)",
        "url(#round-robin)",
        "url(#deferring)",
    ] {
        assert!(picture.contains(words), "{words} in\n{picture}");
    }
    assert!(!picture.contains(">lost<"));
}

#[test]
fn nothing_lasting_and_everything_lost_are_drawn_as_well() {
    assert_well_formed(&svg(&Report::default()));
    let gone = LostMachine {
        mac: "02:00:00:00:00:01".into(),
        firmware: "ipxe".into(),
        seconds: 18.0,
        why: "<&>".into(),
    };
    let mut some = report();
    some.lost = 2;
    some.lost_machines = vec![gone.clone(), gone];
    let picture = svg(&some);
    assert_well_formed(&picture);
    assert!(picture.contains(">lost<") && picture.contains(", 2 lost<"), "{picture}");
    let all = svg(&Report { lost: 100, ..some });
    assert_well_formed(&all);
    assert!(all.contains("100 machines: all lost"), "{all}");
}

#[test]
fn hours_are_told_in_minutes_and_many_samples_are_few_points() {
    let mut long = report();
    for sample in &mut long.samples {
        sample.seconds *= 300.0;
    }
    long.samples = long.samples.iter().cycle().take(1000).cloned().collect();
    long.seconds = 6000.0;
    assert!(svg(&long).contains(">minutes since the power came back<"));
    assert_eq!(thinned(&long.samples).len(), 250);
}

#[test]
fn steps_and_numbers() {
    for (most, steps, expected) in
        [(10.0, 5.0, 2.0), (100.0, 5.0, 20.0), (1080.0, 4.0, 500.0), (43.0, 12.0, 5.0)]
    {
        assert!((step(most, steps) - expected).abs() < 1e-9, "{most} in {steps}: {}", step(most, steps));
    }
    for (number, expected) in [(0, "0"), (999, "999"), (1000, "1,000"), (1_234_567, "1,234,567")] {
        assert_eq!(thousands(number), expected);
    }
    assert_eq!([decimal(0.5), decimal(200.0), decimal(2.25)], ["0.5", "200", "2.25"]);
}
