//! What pages for operators show of the configuration is right: every example of theirs is read as `heorot check` reads it.

use super::*;

/// What an example without a network stands below.
const NETWORK: &str = "[[network]]\ninterface = \"eth1\"\nnumbers = \"0-199\"\nfirst = \"10.77.1.0\"\n\
                       temporary = \"10.77.200.1-10.77.203.254\"\nguests = \"10.77.210.1-10.77.210.254\"\n";

#[test]
fn who_comes_from_another_server_is_shown_what_is_right() {
    let examples = all_are_right(include_str!("../../../../docs/from-dnsmasq-and-dhcpd.md"));
    assert!(examples >= 6, "{examples} examples");
}

#[test]
fn examples_can_be_copied() {
    for page in [
        include_str!("../../../../README.md"),
        include_str!("../../../../docs/names.md"),
        include_str!("../../../../docs/profiles.md"),
        include_str!("../../../../docs/pxe.md"),
        include_str!("../../../../docs/roots.md"),
        include_str!("../../../../docs/trials.md"),
        include_str!("../../../../docs/overlays.md"),
    ] {
        assert!(all_are_right(page) > 0);
    }
}

/// How many examples a page has.
fn all_are_right(page: &str) -> usize {
    let examples: Vec<_> =
        page.split("```toml\n").skip(1).filter_map(|rest| rest.split_once("```")).collect();
    for (example, _) in &examples {
        let text = match example.contains("[[network]]") {
            true => (*example).to_owned(),
            false => format!("{NETWORK}{example}"),
        };
        let told = told(&text);
        // A network behind a relay is told of, so that nobody means one on the link by it.
        let is_relayed = |line: &str| line.contains("through a relay only");
        let warnings = told.lines().filter(|line| line.starts_with("heorot.toml:") && !is_relayed(line));
        assert_eq!(warnings.count(), 0, "{told}");
        assert!(told.ends_with("ok\n"), "{told}");
    }
    examples.len()
}
