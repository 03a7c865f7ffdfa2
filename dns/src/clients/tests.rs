use super::*;

fn network(text: &str) -> Prefix {
    let (address, length) = text.split_once('/').unwrap();
    Prefix { address: address.parse().unwrap(), length: length.parse().unwrap() }
}

#[test]
fn what_lies_in_a_network() {
    for (net, address, lies) in [
        ("10.77.0.0/16", "10.77.255.255", true),
        ("10.77.0.0/16", "10.78.0.0", false),
        ("10.77.3.9/16", "10.77.0.1", true),
        ("0.0.0.0/0", "198.51.100.1", true),
        ("0.0.0.0/0", "::1", false),
        ("192.0.2.1/32", "192.0.2.1", true),
        ("192.0.2.1/32", "192.0.2.2", false),
        ("192.0.2.1/99", "192.0.2.2", false),
        ("10.77.0.0/16", "::ffff:10.77.0.1", true),
        ("2001:db8::/32", "2001:db8:ffff::1", true),
        ("2001:db8::/32", "2001:db9::1", false),
        ("::/0", "2001:db8::1", true),
        ("::1/128", "::1", true),
        ("::1/128", "::2", false),
    ] {
        assert_eq!(network(net).contains(address.parse::<IpAddr>().unwrap()), lies, "{address} in {net}");
    }
}

#[test]
fn a_host_of_ipv6_is_its_64_bits() {
    let mut rates = Rates::new(1, 5);
    let allowed = |rates: &mut Rates, text: &str| rates.allows(text.parse().unwrap(), 0);
    assert!(allowed(&mut rates, "2001:db8::1") && allowed(&mut rates, "2001:db8::2"));
    assert!(!allowed(&mut rates, "2001:db8::3"));
    assert!(allowed(&mut rates, "2001:db8:0:1::1"));
}

#[test]
fn a_flood_of_addresses_lets_each_ask_and_needs_no_memory() {
    let mut rates = Rates::new(10, 5);
    let places = rates.places.len();
    for number in 0..200_000_u32 {
        assert!(rates.allows(IpAddr::V4(number.into()), u64::from(number)));
    }
    assert_eq!(rates.places.len(), places);
}
