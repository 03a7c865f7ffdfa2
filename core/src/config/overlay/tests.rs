use crate::config::{Config, Interface, render};
use std::net::Ipv4Addr;

fn read(text: &str) -> Result<Config, String> {
    let eth1 = Interface { name: "eth1".into(), addresses: vec![(Ipv4Addr::new(10, 77, 0, 1), 16)] };
    let base = "[[network]]\ninterface = \"eth1\"\nnumbers = \"0-1023\"\nfirst = \"10.77.1.0\"\n\
                temporary = \"10.77.200.1-10.77.203.254\"\n";
    let text = format!("{base}{text}");
    match Config::parse(&text, &[eth1]) {
        Ok((config, _)) => Ok(config),
        Err(mistakes) => Err(render("heorot.toml", &text, &mistakes)),
    }
}

#[test]
fn overlays_are_inherited_key_by_key() {
    let config = read(
        "[overlay]\ndirectory = \"/srv/overlays\"\n[profile.default]\noverlays = [\"base\", \"ssh\"]\nssh-host-key = true\n\
         [profile.gpu]\noverlays = [\"base\", \"gpu\"]\nsecrets = \"munge\"\n[profile.bare]\ninherits = \"gpu\"\noverlays = []\n\
         ssh-host-key = false\n[profile.trial]\nkernel = \"t\"\n",
    )
    .unwrap();
    assert_eq!(config.overlays, "/srv/overlays");
    let shown = |name: &str| {
        let overlays = &config.profiles[name].overlays;
        let flags = (overlays.have_secrets(), overlays.are_none());
        format!("{:?} {:?} {} {flags:?}", overlays.open, overlays.secret, overlays.ssh_host_key)
    };
    for (name, expected) in [
        ("default", "[\"base\", \"ssh\"] [] true (true, false)"),
        ("trial", "[\"base\", \"ssh\"] [] true (true, false)"),
        ("gpu", "[\"base\", \"gpu\"] [\"munge\"] true (true, false)"),
        ("bare", "[] [\"munge\"] false (true, false)"),
    ] {
        assert_eq!(shown(name), expected, "{name}");
    }
    let usual = read("").unwrap();
    assert_eq!(usual.overlays, "/etc/heorot/overlays");
    assert!(usual.profiles["default"].overlays.are_none());
}

#[test]
fn names_lead_nowhere_else_and_secrets_are_no_overlays() {
    for (text, expected) in [
        ("[profile.default]\noverlays = [\"..\"]\n", "\"..\" is no name of an overlay"),
        ("[profile.default]\nsecrets = \"a/b\"\n", "\"a/b\" is no name of an overlay"),
        ("[profile.default]\nsecrets = [\"\"]\n", "\"\" is no name of an overlay"),
        ("[profile.default]\noverlays = \"base.d\"\n", "up to 64 letters, digits, '-' and '_'"),
        ("[profile.default]\nssh-host-key = \"true\"\n", "write it without quotation marks: true"),
        ("[overlay]\ndirectory = \"overlays\"\n", "directory"),
        (
            "[profile.default]\noverlays = [\"base\"]\n[profile.x]\nsecrets = [\"base\"]\n",
            "overlays: \"base\" is a secret on line 9",
        ),
    ] {
        let told = read(text).unwrap_err();
        assert!(told.contains(expected), "{text}: {told}");
    }
}
