use super::*;

#[test]
fn what_is_printed_is_read_again() {
    let scenario = Scenario { nodes: 7, loss: 0.01, kernel_octets: Some(5), ..Scenario::default() };
    assert_eq!(Scenario::parse(&scenario.print()).unwrap(), scenario);
}

#[test]
fn what_is_left_out_is_usual() {
    assert_eq!(Scenario::parse("").unwrap(), Scenario::default());
    let scenario = Scenario::parse("nodes = 1000\n[mix]\ngrub = 1\n").unwrap();
    assert_eq!((scenario.nodes, scenario.mix.len(), scenario.seed), (1000, 1, 1));
}

#[test]
fn mistakes_are_told() {
    for (text, expected) in [
        ("node = 5", "unknown field `node`"),
        ("nodes = 0", "no machines"),
        ("loss = 1.5", "from 0 to 1"),
        ("[mix]\ngrubb = 1", "grubb is no kind of machine"),
        ("[rom-delay-seconds]\ngrub = [3.0, 2.0]", "from 3 to 2"),
        ("link-bits-per-second = 10", "no link's rate"),
        ("queue-octets = 100", "a whole frame"),
    ] {
        let told = Scenario::parse(text).unwrap_err();
        assert!(told.contains(expected), "{text}: {told}");
    }
}

#[test]
fn the_image_is_split() {
    let split = |image_octets, kernel_octets| {
        Scenario { image_octets, kernel_octets, ..Scenario::default() }.split_image()
    };
    assert_eq!(split(4_000_000, None), (1_000_000, 3_000_000));
    assert_eq!(split(200_000_000, None), (10_000_000, 190_000_000));
    assert_eq!(split(100, Some(200)), (100, 0));
    assert_eq!(Scenario { loss: 0.015, ..Scenario::default() }.weather().loss_ppm, 15_000);
}
