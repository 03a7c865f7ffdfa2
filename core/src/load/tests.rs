use super::*;

#[test]
fn an_address_is_reached_by_the_link_with_the_longest_prefix() {
    let link = |reaches: &[(Ipv4Addr, u8)]| Link { reaches: reaches.into(), ..Link::new(LinkRate::Measured) };
    let net = |third, length| (Ipv4Addr::new(10, 77, third, 0), length);
    let settings = Settings {
        control: Control::All,
        links: vec![link(&[]), link(&[net(0, 16)]), link(&[net(5, 24), net(9, 32)])],
    };
    for (address, expected) in [
        ([10, 77, 1, 1], 1),
        ([10, 77, 5, 200], 2),
        ([10, 77, 9, 0], 2),
        ([10, 77, 9, 1], 1),
        ([10, 78, 0, 1], 0),
    ] {
        assert_eq!(settings.link_to(address.into()), expected, "{address:?}");
    }
    let everywhere =
        Settings { control: Control::All, links: vec![link(&[]), link(&[(Ipv4Addr::UNSPECIFIED, 0)])] };
    assert_eq!(everywhere.link_to([192, 0, 2, 1].into()), 1);
}
