use super::*;
use std::collections::BTreeMap;

fn values() -> OverlayValues {
    let mut values = Values::of_numbered();
    values.node_attributes = BTreeMap::from([("rack".into(), "a7".into())]);
    let network = OverlayNetwork {
        name: "node0".into(),
        address: Ipv4Addr::new(10, 77, 1, 0),
        prefix: 16,
        gateway: String::new(),
        server: Ipv4Addr::new(10, 77, 0, 1),
    };
    let further = OverlayNetwork { name: "node0-ib".into(), ..network.clone() };
    OverlayValues { values, networks: vec![network, further], profile: "default".into() }
}

fn made(text: &str) -> Result<String, String> {
    render_overlay(text, &values(), &|list| match list {
        OverlayList::Hosts => Ok("10.77.1.0\tnode0\n".into()),
        OverlayList::KnownHosts => Err("there is no key".into()),
    })
}

#[test]
fn templates_make_files_or_say_where_they_are_wrong() {
    for (text, expected) in [
        ("{{node.name}}\n", Ok("node0\n")),
        ("127.0.0.1 localhost\n{{cluster.hosts}}", Ok("127.0.0.1 localhost\n10.77.1.0\tnode0\n")),
        (
            "{% for n in node.networks %}\n{{n.address}}/{{n.prefix}} {{n.name}}\n{% endfor %}\n",
            Ok("10.77.1.0/16 node0\n10.77.1.0/16 node0-ib\n"),
        ),
        ("{{node.attributes.rack}}-{{node.attributes.none}} {{boot.profile}}", Ok("a7- default")),
        (
            "a\nb {{node.nmae}}",
            Err("line 2: there is no node.nmae in a template; did you mean \"node.name\"?"),
        ),
        ("a\n\n{% if %}", Err("line 3: syntax error: unexpected end of block")),
        // What is not named is not made, and what cannot be made is said.
        ("{{cluster.known_hosts}}", Err("there is no key")),
        (
            "{{node.number + \"a\"}}",
            Err("line 1: invalid operation: tried to use + operator on unsupported types number and string"),
        ),
    ] {
        assert_eq!(made(text), expected.map(str::to_owned).map_err(str::to_owned), "{text}");
    }
}

#[test]
fn what_has_no_end_is_ended() {
    let text = "{% for a in range(9999) %}{% for b in range(9999) %}x{% endfor %}{% endfor %}";
    assert!(made(text).unwrap_err().contains("fuel"));
    let long = format!("{{% for a in range(9999) %}}{}{{% endfor %}}", "x".repeat(1000));
    assert!(made(&long).unwrap_err().contains("longer than"));
    assert!(made(&"x".repeat(OVERLAY_TEMPLATE_OCTETS_MAX + 1)).unwrap_err().contains("at most"));
}
