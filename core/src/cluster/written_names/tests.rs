use super::*;
use crate::config::Interface;
use std::net::Ipv4Addr;

#[test]
fn names_of_nodes_on_each_network_and_of_records() {
    let network = |place: u8, suffix: &str| {
        format!(
            "[[network]]\ninterface = \"eth{place}\"\naddress = \"10.{place}.0.1/16\"\nnumbers = \"0-9\"\nfirst = \"10.{place}.1.0\"\n\
             temporary = \"10.{place}.200.1-10.{place}.200.9\"\nsuffix = \"{suffix}\"\n"
        )
    };
    let of_nodes = "[[node]]\nmac = \"52:54:00:00:00:0a\"\nnumber = 3\nname = \"alpha\"\n";
    let of_records = "[[dns.record]]\nname = \"db\"\ntype = \"TXT\"\nvalue = \"x\"\n";
    let text = format!("{}{}{of_nodes}{of_records}", network(1, ""), network(2, "-ib"));
    let interface = |place: u8| Interface {
        name: format!("eth{place}"),
        addresses: vec![(Ipv4Addr::new(10, place, 0, 1), 16)],
    };
    let config = match Config::parse(&text, &[interface(1), interface(2)]) {
        Ok((config, _)) => config,
        Err(mistakes) => panic!("{}", crate::config::render("heorot.toml", &text, &mistakes)),
    };
    let names = WrittenNames::new(&config);
    for (name, is_one) in [
        ("alpha", true),
        ("alpha-ib", true),
        ("alpha-ib-ib", false),
        ("alph", false),
        ("-ib", false),
        ("db", true),
        ("db-ib", false),
        ("tux", false),
    ] {
        assert_eq!(names.have(name), is_one, "{name}");
    }
}
