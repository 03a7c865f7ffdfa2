use super::*;

const TEXT: &str = r#"
[[network]]
interface = "a"
ADDRESS
numbers = "0-9"
first = "10.77.1.0"
temporary = "10.77.200.1-10.77.200.254"
"#;

fn interface(addresses: &[(&str, u8)]) -> Vec<Interface> {
    let addresses = addresses.iter().map(|(address, length)| (address.parse().unwrap(), *length)).collect();
    vec![Interface { name: "a".into(), addresses }]
}

fn config(given: bool, addresses: &[(&str, u8)]) -> (String, Config) {
    let text = TEXT.replace("ADDRESS", if given { "address = \"10.77.0.1/16\"" } else { "" });
    let config = Config::parse(&text, &interface(addresses)).expect("a right configuration").0;
    (text, config)
}

/// None: as it was; else our address and whether its hosts are on the link. Beside it what is missing.
type Becomes = (Result<Option<(String, bool)>, ()>, Vec<Option<String>>);

fn becomes((text, config): &(String, Config), found: &[(&str, u8)]) -> Becomes {
    let (held, missing) = config.held(&interface(found));
    let own = |what| match what {
        Lacks::All => None,
        Lacks::Own(address) => Some(address.to_string()),
        Lacks::Given { given, has, prefix_length } => Some(format!("{given} and not {has}/{prefix_length}")),
    };
    let missing = missing.iter().map(|missing| own(missing.what)).collect();
    if !config.is_readdressed(&held) {
        return (Ok(None), missing);
    }
    let read = config.readdressed(text, &held).map(|(config, _)| config).map_err(drop);
    (read.map(|it| Some((it.networks[0].address.to_string(), it.networks[0].on_link))), missing)
}

#[test]
fn an_address_that_comes_later_is_ours_and_one_that_goes_stays_ours() {
    const OWN: (&str, u8) = ("10.77.0.1", 16);
    const OTHER: (&str, u8) = ("10.77.0.2", 16);
    const ELSEWHERE: (&str, u8) = ("192.0.2.1", 24);
    let ours = |address: &str| (Ok(Some((address.to_owned(), true))), vec![]);
    let as_it_was = || (Ok(None), vec![]);
    let lost = || vec![Some(OWN.0.to_owned())];

    let given_later = config(true, &[]);
    assert!(!given_later.1.networks[0].on_link);
    assert_eq!(becomes(&given_later, &[]), (Ok(None), vec![None]));
    assert_eq!(becomes(&given_later, &[ELSEWHERE]), as_it_was(), "it may be behind a relay");
    assert_eq!(becomes(&given_later, &[OWN]), ours("10.77.0.1"));
    assert_eq!(becomes(&given_later, &[ELSEWHERE, OWN]), ours("10.77.0.1"));

    for given in [false, true] {
        let own = config(given, &[OWN]);
        assert_eq!(becomes(&own, &[OWN]), as_it_was());
        assert_eq!(becomes(&own, &[OTHER, OWN]), as_it_was(), "what came before it changes nothing");
        assert_eq!(becomes(&own, &[]), (Ok(None), lost()));
        assert_eq!(becomes(&own, &[ELSEWHERE]), (Ok(None), lost()));
    }
    let (replaced, missing) = becomes(&config(false, &[OWN]), &[OTHER]);
    assert_eq!((replaced, missing), (Ok(Some(("10.77.0.2".into(), true))), lost()));
    assert_eq!(becomes(&config(true, &[OWN]), &[OTHER]), (Err(()), lost()), "the file says another one");
}

/// One that is not there when the server begins is served when it comes, with the address that the file says.
#[test]
fn an_interface_that_comes_later_is_served_then() {
    let text = TEXT.replace("ADDRESS", "address = \"10.77.0.1/16\"");
    let (config, warnings) = Config::parse(&text, &[]).expect("it may come");
    assert_eq!(warnings.len(), 1, "{warnings:?}");
    assert!(!config.networks[0].on_link);
    let given_later = (text, config);
    let (held, missing) = given_later.1.held(&[]);
    assert!(!given_later.1.is_readdressed(&held) && missing.is_empty(), "{held:?}, {missing:?}");
    assert_eq!(
        becomes(&given_later, &[("10.77.0.1", 16)]),
        (Ok(Some(("10.77.0.1".to_owned(), true))), vec![])
    );
    // What the file says is what its hosts know us by: with another one it is not served, and that is told.
    let other = |found: &[_]| becomes(&given_later, found);
    let lacks = vec![Some("10.77.0.1 and not 10.77.0.2/16".to_owned())];
    assert_eq!(other(&[("10.77.0.2", 16)]), (Ok(None), lacks.clone()));
    assert_eq!(other(&[("192.0.2.1", 24), ("10.77.0.2", 16)]), (Ok(None), lacks));
    assert_eq!(other(&[("192.0.2.1", 24)]), (Ok(None), vec![]), "its hosts may be behind a relay");
    let both = [("10.77.0.2", 16), ("10.77.0.1", 16)];
    assert_eq!(other(&both), (Ok(Some(("10.77.0.1".to_owned(), true))), vec![]));
}

/// Networks by `a` and by `b`, each with an address.
fn of_two_interfaces() -> String {
    let first = TEXT.replace("ADDRESS", "address = \"10.77.0.1/16\"");
    let second = first
        .replace("10.77.", "10.99.")
        .replace("\"a\"", "\"b\"")
        .replace("numbers", "suffix = \"-ib\"\nnumbers");
    first + &second
}

/// One that came with another address than the file says keeps nobody else from being served, and the file can be read anew meanwhile.
#[test]
fn a_wrong_address_keeps_no_other_interface_unserved() {
    let text = of_two_interfaces();
    let (config, _) = Config::parse(&text, &[]).expect("they may come");
    let wrong = interface(&[("10.77.0.2", 16)]).remove(0);
    let right = Interface { name: "b".into(), addresses: vec![(Ipv4Addr::new(10, 99, 0, 1), 16)] };
    let (held, missing) = config.held(&[wrong.clone(), right.clone()]);
    assert_eq!(missing.iter().map(|missing| missing.interface.as_str()).collect::<Vec<_>>(), ["a"]);
    assert!(config.is_readdressed(&held));
    let (served, refused) = config.readdressed(&text, &held).expect("b is served");
    assert_eq!(refused, []);
    assert_eq!(served.networks.iter().map(|network| network.on_link).collect::<Vec<_>>(), [false, true]);
    // What it has is taken from a file that says so, without a restart.
    let text = text.replace("10.77.0.1/16", "10.77.0.2/16");
    let (read, _) = Config::parse(&text, &served.held(&[wrong.clone(), right.clone()]).0).expect("read anew");
    let (held, missing) = read.held(&[wrong, right]);
    assert!(missing.is_empty() && read.is_readdressed(&held), "{held:?}, {missing:?}");
    assert!(read.readdressed(&text, &held).unwrap().0.networks.iter().all(|network| network.on_link));
}

/// So does one whose address was replaced while it was served: it is served as before, the others are when they come, and what the file says of it is still told to be wrong.
#[test]
fn a_replaced_address_keeps_no_other_interface_unserved() {
    let text = of_two_interfaces();
    let (config, _) = Config::parse(&text, &interface(&[("10.77.0.1", 16)])).expect("the other one may come");
    let replaced = interface(&[("10.77.0.2", 16)]).remove(0);
    let late = Interface { name: "b".into(), addresses: vec![(Ipv4Addr::new(10, 99, 0, 1), 16)] };
    let (held, _) = config.held(&[replaced.clone(), late]);
    let (served, wrong) = config.readdressed(&text, &held).expect("b is served");
    let places: Vec<_> = served.networks.iter().map(|it| (it.address.to_string(), it.on_link)).collect();
    assert_eq!(places, [("10.77.0.1".to_owned(), true), ("10.99.0.1".to_owned(), true)]);
    assert!(wrong[0].message.contains("10.77.0.1 is not an address of a, which has 10.77.0.2"), "{wrong:?}");
    // Nothing more comes of it as long as that is so.
    assert!(served.readdressed(&text, &served.held(&[replaced]).0).is_err());
}

#[test]
fn an_interface_that_is_gone_has_what_it_had() {
    let (_, config) = config(false, &[("10.77.0.1", 16)]);
    let (held, missing) = config.held(&[]);
    assert!(!config.is_readdressed(&held) && missing.is_empty(), "{held:?}, {missing:?}");
}

/// A prefix that was made longer or shorter is what the interface has: the next reading of the file goes by that.
#[test]
fn a_prefix_is_as_long_as_the_interface_has_it() {
    let (text, config) = config(false, &[("10.77.0.1", 16)]);
    let (held, _) = config.held(&interface(&[("192.0.2.1", 24), ("10.77.0.1", 15)]));
    let own = Ipv4Addr::new(10, 77, 0, 1);
    assert_eq!(held[0].addresses[0], (own, 15));
    assert_eq!(config.readdressed(&text, &held).unwrap().0.networks[0].prefix_length, 15);
}
