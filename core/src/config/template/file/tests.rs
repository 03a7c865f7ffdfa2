use super::*;
use std::collections::BTreeMap;
use std::net::Ipv4Addr;

fn values() -> FileValues {
    let values = Values {
        node_name: Some("node23".into()),
        node_number: Some(23),
        node_mac: "52:54:00:00:00:17".into(),
        node_address: Ipv4Addr::new(10, 77, 1, 23),
        node_attributes: BTreeMap::from([("console".into(), "ttyS1".into())]),
        cluster_name: "cluster".into(),
        server_address: Ipv4Addr::new(10, 77, 0, 1),
    };
    FileValues {
        values,
        profile: "new".into(),
        architecture: "uefi-x64".into(),
        kernel: "/vmlinuz".into(),
        initrd: vec!["/a.img".into(), "/b.img".into()],
        cmdline: "quiet".into(),
        http: "http://10.77.0.1".into(),
    }
}

#[test]
fn what_comes_along_is_right() {
    for file in LoaderFile::ALL {
        let template = FileTemplate::usual(file);
        assert_eq!(template.text(), file.usual_text());
        assert!(template.render(&values()).is_ok(), "{file:?}");
    }
    assert_eq!(LoaderFile::Grub.template_name(), "grub.cfg.j2");
}

#[test]
fn a_file_has_everything_that_a_loader_has_to_know() {
    for (text, expected) in [
        ("{{ boot.kernel }} {{ boot.initrd|join(',') }}\n", "/vmlinuz /a.img,/b.img\n"),
        ("{% if boot.profile == 'new' %}\nyes\n{% endif %}\n", "yes\n"),
        ("{{ boot.architecture }} {{ boot.http }} {{ boot.cmdline }}", "uefi-x64 http://10.77.0.1 quiet"),
        ("{{ node.name }} {{ node.attributes.console }}{{ node.attributes.rack }}", "node23 ttyS1"),
        ("a {# nothing #}\tb\n\n", "a \tb\n\n"),
    ] {
        assert_eq!(FileTemplate::parse(text).unwrap().render(&values()).as_deref(), Ok(expected), "{text}");
    }
    let template = FileTemplate::parse("x\n{{ node.attributes.rack }}").unwrap();
    let named: Vec<_> = template.attributes().collect();
    assert_eq!(named, [("rack", 5..25)]);
}

#[test]
fn wrong_templates_say_where() {
    let loop_without_end = "{% for a in range(1000) %}{% for b in range(1000) %}{% endfor %}{% endfor %}";
    for (text, wrong, message) in [
        ("a\n{{ boot.kernl }}", "boot.kernl", "there is no boot.kernl in a template"),
        ("{{ node.attributes.a.b }}", "node.attributes.a.b", "there is no node.attributes.a.b in a template"),
        ("a\rb", "\r", "'\\r' would break the generated file"),
        ("a\n{% if %}", "%}", "syntax error: unexpected end of block"),
        (loop_without_end, "", "engine ran out of fuel"),
        ("{{ '0123456789abcdef' * 5000 }}", "", "the result is longer than 65536 octets"),
    ] {
        let error = FileTemplate::parse(text).unwrap_err();
        assert!(text[error.span.clone()].contains(wrong), "{text}: {:?}", &text[error.span.clone()]);
        assert!(error.message.starts_with(message), "{text}: {}", error.message);
    }
    let error = FileTemplate::parse(&"#\n".repeat(FILE_TEMPLATE_OCTETS_MAX)).unwrap_err();
    assert_eq!(error.message, "longer than 65536 octets");
}
