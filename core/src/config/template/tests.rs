use super::*;

fn numbered() -> Values {
    Values {
        node_name: Some("node23".into()),
        node_number: Some(23),
        node_mac: "52:54:00:00:00:17".into(),
        node_address: Ipv4Addr::new(10, 77, 1, 23),
        node_attributes: BTreeMap::from([("console".into(), "ttyS1".into())]),
        cluster_name: "cluster".into(),
        server_address: Ipv4Addr::new(10, 77, 0, 1),
    }
}

#[test]
fn a_template_renders_for_machines_with_and_without_a_number() {
    let on_trial = Values { node_name: None, node_number: None, ..numbered() };
    for (text, with, without) in [
        ("", "", ""),
        ("quiet ro", "quiet ro", "quiet ro"),
        ("node={{node.name}}", "node=node23", "node="),
        ("n={{ node.number }} mac={{node.mac}}", "n=23 mac=52:54:00:00:00:17", "n= mac=52:54:00:00:00:17"),
        ("ip={{node.address}}:{{server.address}}", "ip=10.77.1.23:10.77.0.1", "ip=10.77.1.23:10.77.0.1"),
        (
            "{% if node.name %}host={{node.name}}.{{cluster.name}}{% else %}trial{% endif %}",
            "host=node23.cluster",
            "trial",
        ),
        ("a<b&\"c'", "a<b&\"c'", "a<b&\"c'"),
        ("{{ node.name|upper }}", "NODE23", ""),
        ("{% for i in range(3) %}{{i}}{% endfor %}", "012", "012"),
        ("console={{node.attributes.console}}", "console=ttyS1", "console=ttyS1"),
        ("rack={{node.attributes.rack}}", "rack=", "rack="),
        (
            "{% for name, value in node.attributes|items %}{{name}}={{value}}{% endfor %}",
            "console=ttyS1",
            "console=ttyS1",
        ),
    ] {
        let template = Template::parse(text).expect(text);
        assert_eq!(template.render(&numbered()).as_deref(), Ok(with), "{text}");
        assert_eq!(template.render(&on_trial).as_deref(), Ok(without), "{text}");
        assert_eq!(template.text(), text);
    }
}

#[test]
fn wrong_templates_say_where() {
    for (text, wrong, message, nearest) in [
        ("a {{ node.nam }}", "node.nam", "there is no node.nam in a template", Some("node.name")),
        (
            "name {{ name }}",
            "name",
            "there is no name in a template: there are node.name, node.number, node.mac, node.address, cluster.name, server.address, node.attributes.NAME",
            None,
        ),
        ("a\nb", "\n", "'\\n' would break the generated file", None),
        (
            "a{{ '\\n' }}",
            "a{{ '\\n' }}",
            "the result has '\\n' in it, which would break the generated file",
            None,
        ),
    ] {
        let error = Template::parse(text).unwrap_err();
        assert_eq!(&text[error.span.clone()], wrong, "{text}");
        assert_eq!(error.message, message, "{text}");
        assert_eq!(error.nearest, nearest, "{text}");
    }
    // The engine's own words may change: it must refuse, and say something of a place in the text.
    for text in [
        "{{ node.name",
        "{% if %}",
        "{% endif %}",
        "{{ node.name|nosuch }}",
        "{{ nosuch() }}",
        "{{ node.name.first }}",
        "{% for i in range(9999) %}{% for j in range(9999) %}{% endfor %}{% endfor %}",
        "{{ 'x' * 5000 }}",
        "{{ node.number + 1 }}",
        "{% include 'x' %}",
    ] {
        let error = Template::parse(text).expect_err(text);
        assert!(!error.message.is_empty() && text.get(error.span).is_some(), "{text}");
    }
    assert!(Template::parse(&"x".repeat(COMMAND_LINE_OCTETS_MAX)).is_ok());
    assert!(Template::parse(&"x".repeat(COMMAND_LINE_OCTETS_MAX + 1)).is_err());
}

#[test]
fn what_ipxe_takes_for_its_own_is_found_in_the_line_that_is_made() {
    for (text, expected) in [
        ("a={{ node.name }} b=x${net0/mac}y {{ node.mac }}", Some(("${net0/mac}", "${net0/mac}"))),
        ("a=${{ node.name }}}", None),
        ("{{ '${' ~ 'x}' }}", Some(("${x}", "{{ '${' ~ 'x}' }}"))),
        ("a=$b ${ c}", None),
    ] {
        let template = Template::parse(text).expect(text);
        let found = template.setting_of_ipxe();
        let shown = found.as_ref().map(|(setting, span)| (setting.as_str(), &text[span.clone()]));
        assert_eq!(shown, expected, "{text}");
    }
}

/// A text that is doubled has 2^times octets, after as many steps.
fn doubled(times: u32) -> String {
    format!(
        "{{% set n = namespace(s='x') %}}{{% for i in range({times}) %}}{{% set n.s = n.s ~ n.s %}}{{% endfor %}}{{{{ n.s|length }}}}"
    )
}

#[test]
fn a_template_takes_no_more_memory_than_steps() {
    assert!(Template::parse(&doubled(8)).is_ok());
    assert!(FileTemplate::parse(&doubled(12)).is_ok());
    for text in [
        doubled(22),
        // Of lists within lists, each twice in the next one: 2^40 ones.
        "{% set n = namespace(a=[1]) %}{% for i in range(40) %}{% set n.a = [n.a, n.a] %}{% endfor %}{{ n.a }}".into(),
        "{{ {'a': 1} }}".into(),
        "{{ range(3) }}".into(),
        "{{ ('x' * 9000000)|length }}".into(),
        "{{ (range(9999)|list * 99)|list|length }}".into(),
    ] {
        assert!(Template::parse(&text).is_err(), "{text}");
        assert!(FileTemplate::parse(&text).is_err(), "{text}");
    }
}

#[test]
fn templates_of_one_text_are_equal() {
    assert_eq!(Template::parse("a").unwrap(), Template::parse("a").unwrap());
    assert_ne!(Template::parse("a").unwrap(), Template::parse("b").unwrap());
    assert_eq!(format!("{:?}", Template::parse("a").unwrap()), "Template(\"a\")");
}
