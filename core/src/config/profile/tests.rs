use crate::config::{Config, FirmwareKind, Interface, LoaderFile, Root, render};
use std::net::Ipv4Addr;

const BASE: &str = "[[network]]\ninterface = \"eth1\"\nnumbers = \"0-1023\"\nfirst = \"10.77.1.0\"\n\
                    temporary = \"10.77.200.1-10.77.203.254\"\n";

fn read(text: &str) -> Result<Config, String> {
    let eth1 = Interface { name: "eth1".into(), addresses: vec![(Ipv4Addr::new(10, 77, 0, 1), 16)] };
    let text = format!("{BASE}{text}");
    match Config::parse(&text, &[eth1]) {
        Ok((config, _)) => Ok(config),
        Err(mistakes) => Err(render("heorot.toml", &text, &mistakes)),
    }
}

#[test]
fn what_a_profile_does_not_say_is_that_of_the_next_one_above() {
    let config = read(
        "[profile.default]\nkernel = \"a\"\ncmdline = \"quiet\"\nroot = \"nfs:/srv/root\"\n\
         attributes = { console = \"ttyS0\", rack = 7, gpu = false }\n\
         [profile.b]\nkernel = \"b\"\ninitrd = []\nattributes = { console = \"ttyS1\" }\n\
         [profile.c]\ninherits = \"b\"\ncmdline = \"c\"\nattributes = { more = \"x\" }\n\
         [profile.t]\ninherits = \"trial\"\n[profile.trial]\nkernel = \"t\"\nroot = \"none\"\n",
    )
    .unwrap();
    let shown = |name: &str| {
        let profile = &config.profiles[name];
        let attributes: Vec<_> =
            profile.attributes.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let (kernel, cmdline, root) = (&profile.kernel, profile.cmdline.text(), &profile.root);
        format!("{kernel} {:?} {cmdline} {root} {}", profile.initrd, attributes.join(" "))
    };
    for (name, expected) in [
        ("default", "a [\"initrd.img\"] quiet nfs:/srv/root console=ttyS0 gpu=false rack=7"),
        ("b", "b [] quiet nfs:/srv/root console=ttyS1 gpu=false rack=7"),
        ("c", "b [] c nfs:/srv/root console=ttyS1 gpu=false more=x rack=7"),
        ("trial", "t [\"initrd.img\"] quiet none console=ttyS0 gpu=false rack=7"),
        ("t", "t [\"initrd.img\"] quiet none console=ttyS0 gpu=false rack=7"),
    ] {
        assert_eq!(shown(name), expected, "{name}");
    }
    assert_eq!(config.profiles["c"].root, Root::Here("/srv/root".into()));
}

#[test]
fn the_most_particular_profile_comes_first() {
    let config = read(
        "[groups]\nrack1 = \"node[0-9]\"\n\
         [profile.arm]\narchitecture = [\"uefi-arm64\", \"uefi-riscv64\"]\n\
         [profile.rack]\nnodes = \"@rack1\"\n\
         [profile.some]\nnodes = [\"node[0-1]\", \"node3\"]\n\
         [profile.somearm]\nnodes = \"node[0-1],node3\"\narchitecture = \"uefi-arm64\"\n\
         [profile.trialarm]\ninherits = \"trial\"\narchitecture = \"uefi-arm64\"\n\
         [profile.far]\nnodes = \"node[500-600]\"\n[[node]]\nmac = \"52:54:00:00:00:01\"\nname = \"login\"\n\
         [profile.login]\nnodes = \"login\"\n",
    )
    .unwrap();
    let order: Vec<_> = config.choices.iter().map(|choice| choice.profile.as_str()).collect();
    assert_eq!(order, ["trialarm", "login", "somearm", "some", "rack", "far", "arm"]);
    let choice = |name: &str| config.choices.iter().find(|choice| choice.profile == name).unwrap();
    assert_eq!(choice("arm").firmware, [FirmwareKind::UefiArm64, FirmwareKind::UefiRiscv64]);
    let stages = |name: &str| (choice(name).numbered, choice(name).on_trial);
    assert_eq!(
        [stages("trialarm"), stages("arm"), stages("rack")],
        [(false, true), (true, true), (true, false)]
    );
    // A node with a name and no number is meant by its place in the file.
    let login = choice("login").nodes.as_ref().unwrap();
    assert!(config.groups.contains(login, None, Some(0)) && config.groups.contains(login, Some(77), Some(0)));
    assert!(!config.groups.contains(login, Some(77), None));
    assert!(config.groups.contains(choice("rack").nodes.as_ref().unwrap(), Some(9), None));
    // Whoever writes a profile for trials means it.
    let config = read("[profile.trial]\n[profile.arm]\narchitecture = \"uefi-arm64\"\n").unwrap();
    assert!(!config.choices[0].on_trial);
}

#[test]
fn mistakes_are_told_with_their_lines_and_what_to_do() {
    for (text, place, told) in [
        (
            "[profile.a]\ninherits = \"b\"\n[profile.b]\ninherits = \"c\"\n[profile.c]\ninherits = \"b\"\n",
            "9:12",
            "inherits: \"b\" -> \"c\" -> \"b\" goes round in a circle",
        ),
        ("[profile.a]\ninherits = \"a\"\n", "7:12", "inherits: \"a\" -> \"a\" goes round in a circle"),
        ("[profile.new]\n[profile.a]\ninherits = \"nwe\"\n", "8:12", "did you mean \"new\"?"),
        ("[profile.default]\ninherits = \"trial\"\n", "7:12", "all profiles inherit from \"default\""),
        (
            "[profile.default]\nnodes = \"node1\"\n",
            "7:9",
            "nodes: \"default\" is for all that no other profile is for",
        ),
        (
            "[profile.t]\ninherits = \"trial\"\nnodes = \"node1\"\n",
            "8:9",
            "\"t\" inherits from \"trial\", and a machine on trial has no number",
        ),
        ("[profile.a]\nnodes = \"node[0-\"\n", "7:9", "nodes: "),
        ("[profile.a]\nnodes = \"@rack\"\n", "7:9", "nodes: \"@rack\": "),
        ("[profile.a]\narchitecture = []\n", "7:16", "architecture: the list is empty"),
        ("[profile.a]\narchitecture = \"uefi-arm65\"\n", "7:16", "did you mean \"uefi-arm64\"?"),
        ("[profile.a]\narchitecture = \"http-arm64\"\n", "7:16", "write \"uefi-arm64\": it is for firmware"),
        (
            "[profile.a]\nnodes = \"node[0-9]\"\n[profile.b]\nnodes = \"node[5-15]\"\n",
            "9:9",
            "nodes: number 5 is meant by [profile.a] on line 6 too, and neither set is part of the other",
        ),
        (
            "[profile.a]\nnodes = \"node[0-9]\"\n[profile.b]\nnodes = \"node[0-9]\"\n",
            "9:9",
            "nodes: number 0 is meant by [profile.a] on line 6 too",
        ),
        (
            "[profile.a]\narchitecture = \"uefi-x64\"\n[profile.b]\narchitecture = [\"bios\", \"uefi-x64\"]\n",
            "9:16",
            "architecture: \"uefi-x64\" is that of [profile.a] on line 6 too",
        ),
        ("[profile.a]\nattributes = { a-b = 1 }\n", "7:16", "\"a-b\" is no name of an attribute"),
        ("[profile.a]\nattributes = { a = [1] }\n", "7:20", "attribute a is a string"),
        ("[profile.a]\nattributes = { a = \"x\\ny\" }\n", "7:20", "attribute a: a control character"),
        ("[profile.a]\nattributes = \"a=1\"\n", "7:14", "attributes: it is a table"),
        (
            "[profile.a]\ncmdline = \"c={{node.attributes.consol}}\"\nattributes = { console = 1 }\n",
            "7:16",
            "did you mean \"node.attributes.console\"?",
        ),
        (
            "[profile.a]\ncmdline = \"{{node.attributes.rack}}\"\n",
            "7:14",
            "write attributes = { rack = \"\" } in [profile.default]",
        ),
    ] {
        let mistakes = read(text).expect_err(text);
        assert!(mistakes.starts_with(&format!("heorot.toml:{place}: ")), "{text}\n{mistakes}");
        assert!(mistakes.contains(told), "{text}\n{mistakes}");
        assert_eq!(mistakes.matches("heorot.toml:").count(), 1, "{text}\n{mistakes}");
    }
    // Where it cannot be said who goes first, but need not.
    for text in [
        "[profile.a]\nnodes = \"node[0-9]\"\n[profile.b]\nnodes = \"node[0-3]\"\n",
        "[profile.a]\nnodes = \"node[0-9]\"\narchitecture = \"bios\"\n[profile.b]\nnodes = \"node[5-15]\"\narchitecture = \"uefi-x64\"\n",
        "[profile.a]\nnodes = \"node[0-9]\"\n[profile.b]\narchitecture = \"bios\"\n",
        "[profile.a]\nnodes = []\n[profile.b]\nnodes = []\n",
        "[profile.a]\ninherits = \"trial\"\narchitecture = \"bios\"\n[profile.b]\narchitecture = \"bios\"\n",
        "[profile.a]\ncmdline = \"{{node.attributes.rack}}\"\n[[node]]\nmac = \"52:54:00:00:00:01\"\nattributes = { rack = \"a7\" }\n",
    ] {
        assert!(read(text).is_ok(), "{text}\n{:?}", read(text).err());
    }
}

#[test]
fn what_ipxe_takes_for_its_own_is_warned_of() {
    let eth1 = Interface { name: "eth1".into(), addresses: vec![(Ipv4Addr::new(10, 77, 0, 1), 16)] };
    for (text, told) in [
        (
            "[profile.default]\ncmdline = \"x=${y}\"\n",
            "heorot.toml:7:14: warning: cmdline: iPXE puts a value",
        ),
        (
            "[profile.default]\ncmdline = \"{{node.attributes.a}}\"\nattributes = { a = \"x${y}\" }\n",
            "heorot.toml:8:20: warning: attribute a: a cmdline names it, and iPXE puts a value",
        ),
        ("[profile.default]\ncmdline = \"quiet\"\nattributes = { a = \"x${y}\" }\n", ""),
    ] {
        let text = format!("{BASE}{text}");
        let (_, warnings) = Config::parse(&text, std::slice::from_ref(&eth1)).expect(&text);
        let warnings = render("heorot.toml", &text, &warnings);
        assert!(warnings.starts_with(told) && warnings.is_empty() == told.is_empty(), "{warnings}");
    }
}

#[test]
fn templates_of_the_operator_take_the_place_of_the_usual_ones() {
    let mut config = read("[profile.a]\nattributes = { rack = \"\" }\n").unwrap();
    assert_eq!(config.use_template(LoaderFile::Grub, "# {{ node.attributes.rack }}\n"), Ok(()));
    assert_eq!(config.boot.made[&LoaderFile::Grub].text(), "# {{ node.attributes.rack }}\n");
    let mistakes = config.use_template(LoaderFile::Ipxe, "#!ipxe\n{{ node.attributes.rac }}\n").unwrap_err();
    assert_eq!((mistakes[0].line, mistakes[0].column), (2, 4));
    assert_eq!(mistakes[0].remedy.as_deref(), Some("did you mean \"node.attributes.rack\"?"));
    assert_eq!(config.boot.made[&LoaderFile::Ipxe].text(), LoaderFile::Ipxe.usual_text());
}
