use super::*;

#[test]
fn what_a_file_of_hosts_says() {
    let text = "# the usual beginning
127.0.0.1\tlocalhost
::1 localhost ip6-loopback
ff02::1 ip6-allnodes
192.0.2.7  Printer.Example.ORG. printer # the one on the left
2001:db8::7 printer_2
0.0.0.0 ads.example
192.0.2.300 nobody
192.0.2.9
192.0.2.10 bad..name good sta*r\r
bad line here
fe80::1%eth0 linked
";
    let file = HostsFile::read(text);
    let line = |address: &str, names: &[&str]| HostsLine {
        address: address.parse().unwrap(),
        names: names.iter().map(|name| (*name).to_owned()).collect(),
    };
    let lines = [
        line("192.0.2.7", &["printer.example.org", "printer"]),
        line("2001:db8::7", &["printer_2"]),
        line("0.0.0.0", &["ads.example"]),
        line("192.0.2.10", &["good"]),
    ];
    assert_eq!(file.lines, lines);
    let is_no_name =
        |name: &str| format!("{name:?} is no name: its parts have 1 to 63 of a-z, 0-9, '-' and '_'");
    let mistakes = [
        (8, "\"192.0.2.300\" is no address".to_owned()),
        (9, "192.0.2.9 has no name".to_owned()),
        (10, is_no_name("bad..name")),
        (10, is_no_name("sta*r")),
        (11, "\"bad\" is no address".to_owned()),
        (12, "\"fe80::1%eth0\" is no address".to_owned()),
    ];
    assert_eq!(file.mistakes, mistakes);
}

#[test]
fn whatever_stands_there_is_told_in_short() {
    let file = HostsFile::read(&format!("{}\u{1b}[2J x\n", "é".repeat(90)));
    assert_eq!(file.mistakes, [(1, format!("\"{}…\" is no address", "é".repeat(40)))]);
    let long = format!("192.0.2.1 {} {}", "a.".repeat(127), "a".repeat(64));
    assert_eq!(HostsFile::read(&long).mistakes.len(), 1, "of 253 characters it is one");
}
