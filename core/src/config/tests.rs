use super::*;
use proptest::prelude::*;

mod pages;

/// What most cases of mistakes.txt stand below.
const BASE: &str = "\
[[network]]
interface = \"eth1\"
numbers = \"0-1023\"
first = \"10.77.1.0\"
temporary = \"10.77.200.1-10.77.203.254\"
";

fn interfaces() -> Vec<Interface> {
    let interface = |name: &str, addresses: &[([u8; 4], u8)]| Interface {
        name: name.into(),
        addresses: addresses.iter().map(|(address, length)| (Ipv4Addr::from(*address), *length)).collect(),
    };
    vec![
        interface("eth0", &[([192, 168, 1, 10], 24)]),
        interface("eth1", &[([10, 77, 0, 1], 16)]),
        interface("eth2", &[]),
        interface("eth3", &[([10, 78, 0, 1], 24), ([10, 79, 0, 1], 16)]),
        interface("tun0", &[([10, 99, 0, 1], 32)]),
    ]
}

fn parse(text: &str) -> Config {
    match Config::parse(text, &interfaces()) {
        Ok((config, warnings)) => {
            assert_eq!(warnings, [], "{text}");
            config
        }
        Err(mistakes) => panic!("{}", render("heorot.toml", text, &mistakes)),
    }
}

/// Everything the operator is told, of a file that is refused or not.
fn told(text: &str) -> String {
    match Config::parse(text, &interfaces()) {
        Ok((_, warnings)) => render("heorot.toml", text, &warnings) + "ok\n",
        Err(mistakes) => render("heorot.toml", text, &mistakes),
    }
}

/// Cases are separated by `== name` (a file as it is) or `=+ name` (below [`BASE`]), files from what is told by `--`.
/// With HEOROT_WRITE=1 what is told now is written as what is expected; look at the difference before it is committed.
#[test]
fn every_mistake_is_told() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/src/config/tests/mistakes.txt");
    let committed = include_str!("tests/mistakes.txt");
    let mut now = String::new();
    let mut cases = 0;
    for case in committed.split_inclusive('\n').fold(Vec::<String>::new(), |mut cases, line| {
        match line.starts_with("==") || line.starts_with("=+") {
            true => cases.push(line.into()),
            false => cases.last_mut().expect("the file begins with a case").push_str(line),
        }
        cases
    }) {
        let (head, rest) = case.split_once('\n').unwrap();
        let file = rest.split_once("--\n").map_or(rest, |(file, _)| file);
        let text = if head.starts_with("=+") { format!("{BASE}{file}") } else { file.to_owned() };
        now.push_str(&format!("{head}\n{file}--\n{}", told(&text)));
        cases += 1;
    }
    assert!(cases > 100, "{cases} cases");
    compare_or_write(path, committed, &now);
}

#[test]
fn reference_and_sample_are_what_the_records_say() {
    for (name, text) in [("configuration.md", reference()), ("sample.toml", sample())] {
        let path = format!("{}/../docs/{name}", env!("CARGO_MANIFEST_DIR"));
        #[expect(clippy::disallowed_methods, reason = "a test, which reads what is committed")]
        let committed = std::fs::read_to_string(&path).unwrap_or_default();
        compare_or_write(&path, &committed, &text);
    }
}

fn compare_or_write(path: &str, committed: &str, now: &str) {
    if std::env::var_os("HEOROT_WRITE").is_some() {
        #[expect(clippy::disallowed_methods, reason = "a test, which writes what is to be committed")]
        std::fs::write(path, now).unwrap();
        return;
    }
    let mut lines = committed.lines().zip(now.lines()).enumerate();
    if let Some((at, (committed, now))) = lines.find(|(_, (committed, now))| committed != now) {
        panic!("{path}:{}: is\n  {committed}\nand should be\n  {now}\n{HOW_TO_WRITE}", at + 1);
    }
    assert_eq!(committed.lines().count(), now.lines().count(), "{path} ends early or late; {HOW_TO_WRITE}");
}

const HOW_TO_WRITE: &str =
    "`make docs` (HEOROT_WRITE=1 cargo test -p heorot-core config) writes it; look at the difference";

#[test]
fn the_smallest_file_has_every_default() {
    let config = parse(BASE);
    let network = Network {
        mode: Mode::Serve,
        interface: "eth1".into(),
        address: Ipv4Addr::new(10, 77, 0, 1),
        prefix_length: 16,
        prefix_length_ipv6: None,
        on_link: true,
        numbering: Numbering {
            numbers: heorot_names::NumberRange { lowest: 0, highest: 1023 },
            first: Ipv4Addr::new(10, 77, 1, 0),
            first_ipv6: None,
            suffix: String::new(),
        },
        temporary: AddressRange {
            first: Ipv4Addr::new(10, 77, 200, 1),
            last: Ipv4Addr::new(10, 77, 203, 254),
        },
        guests: None,
        gateway: None,
        lease: Duration::from_secs(12 * 3600),
        temporary_lease: Duration::from_secs(60),
        guest_lease: Duration::from_secs(3600),
        options: OptionTable::default(),
        probe: true,
        other_servers: vec![],
        answer_arp: false,
        rapid_commit: false,
        bootp: false,
        leasequery: Vec::new(),
        block_octets_max: None,
    };
    let profile = Profile {
        kernel: "vmlinuz".into(),
        initrd: vec!["initrd.img".into()],
        cmdline: Template::parse("").unwrap(),
        options: OptionTable::default(),
        attributes: BTreeMap::new(),
        root: Root::None,
        overlays: Overlays::default(),
    };
    let expected = Config {
        cluster: Cluster { name: "cluster".into(), nodes: Pattern::parse("node{}").unwrap() },
        server: Server {
            state: "/var/lib/heorot".into(),
            control: "/run/heorot/control.sock".into(),
            user: "heorot".into(),
        },
        networks: vec![network],
        boot: Boot {
            directory: "/srv/heorot".into(),
            packages: Some("/".into()),
            files: BTreeMap::from([
                (FirmwareKind::Bios, "pxelinux.0".into()),
                (FirmwareKind::UefiX64, "ipxe.efi".into()),
            ]),
            templates: None,
            made: LoaderFile::ALL.into_iter().map(|file| (file, FileTemplate::usual(file))).collect(),
        },
        pxe: Pxe::default(),
        profiles: BTreeMap::from([("default".into(), profile.clone()), ("trial".into(), profile)]),
        overlays: "/etc/heorot/overlays".into(),
        choices: vec![],
        trial: Trial {
            policy: Policy::Report,
            order: Order::Passed,
            retry: Retry { retries: 3, after: Duration::from_secs(30) },
            checks: vec![],
        },
        check_in: CheckIn { interval: Duration::from_secs(60), down_after: Duration::from_secs(300) },
        nodes: [].into(),
        http: Http { port: 80, tls: None },
        tftp: Tftp {
            ports: None,
            single_port: false,
            block_octets_max: 1468,
            case_fold: false,
            unique_root: UniqueRoot::None,
            senders: None,
            rewrites: vec![],
        },
        names_file: NamesFile::IfUsual,
        groups: Groups::default(),
        nis: None,
        nfs: None,
        link: LinkSpeed::Auto,
        options: OptionTable::default(),
        classes: vec![],
        hosts: vec![],
        forward: Forward {
            upstream: vec![],
            domains: vec![],
            hosts: vec![],
            clients: None,
            rate_per_second: 500,
            cache_entries: 10_000,
            minimum_ttl: Duration::ZERO,
            maximum_ttl: Duration::from_secs(86_400),
            stale: Duration::from_secs(86_400),
            rebinding: Rebinding::Own,
            rebinding_exempt: vec![],
            tls_roots: None,
            validates: false,
            trust_anchors: vec![],
            insecure: vec![],
        },
        zone: Zone { hosts: vec![], records: vec![], serial: 1, secondaries: vec![], keys: vec![] },
    };
    assert_eq!(config, expected);
    let mut defaults = String::new();
    for section in SECTIONS.iter().filter(|section| section.form == Form::Table) {
        defaults.push_str(&format!("{}\n", section.heading()));
        for setting in section.settings {
            if let Fallback::Value(value) = setting.fallback {
                defaults.push_str(&format!("{} = {value}\n", setting.key));
            }
        }
    }
    assert_eq!(parse(&format!("{BASE}{defaults}")), expected, "defaults that are written change nothing");
}

#[test]
fn a_file_with_everything_is_read_as_it_is_written() {
    let text = include_str!("tests/full.toml");
    let (config, warnings) =
        Config::parse(text, &interfaces()).map_err(|mistakes| render("full.toml", text, &mistakes)).unwrap();
    let [relay_only, by_ipv6] = warnings.as_slice() else { panic!("{warnings:?}") };
    assert_eq!(&text[by_ipv6.span.clone()], "\"fd77::/64\"");
    assert_eq!(
        (relay_only.severity, &text[relay_only.span.clone()]),
        (Severity::Warning, "\"192.168.2.0/24\"")
    );
    assert_eq!(config.cluster.name, "hall.example.org");
    let addresses: [std::net::IpAddr; 2] = ["10.77.9.9".parse().unwrap(), "fd77::9".parse().unwrap()];
    assert_eq!(config.named_hosts().addresses("printer"), addresses);
    let ldap = heorot_names::RecordData::Srv {
        priority: 0,
        weight: 100,
        port: 389,
        target: "printer.hall.example.org".into(),
    };
    let server = |text: &str| Upstream::Server(text.parse().unwrap());
    let by_tls = |text: &str, name: &str| Upstream::Tls(text.parse().unwrap(), name.into());
    let domain = |domain: &str, servers| ForwardDomain { domain: domain.into(), servers };
    assert_eq!(
        config.forward,
        Forward {
            upstream: vec![
                server("192.0.2.53:53"),
                server("[2001:db8::53]:5353"),
                Upstream::File("/etc/resolv.conf".into()),
            ],
            domains: vec![
                domain(
                    "example.org",
                    vec![
                        server("192.0.2.54:53"),
                        by_tls("192.0.2.54:853", "dns.example.org"),
                        by_tls("[2001:db8::53]:853", "2001:db8::53"),
                        by_tls("[2001:db8::53]:8853", "dns.example.org"),
                    ],
                ),
                domain("168.192.in-addr.arpa", vec![]),
            ],
            hosts: vec!["/etc/hosts".into()],
            clients: Some(vec![(Ipv4Addr::new(10, 0, 0, 0).into(), 8), ("fd77::".parse().unwrap(), 64),]),
            rate_per_second: 0,
            cache_entries: 50_000,
            minimum_ttl: Duration::from_secs(5),
            maximum_ttl: Duration::from_secs(7_200),
            stale: Duration::ZERO,
            rebinding: Rebinding::Private,
            rebinding_exempt: vec!["corp.example".into()],
            tls_roots: Some("/etc/heorot/authorities.pem".into()),
            validates: true,
            trust_anchors: vec![
                TrustAnchor {
                    domain: "lab.example.org".into(),
                    tag: 60_485,
                    algorithm: 5,
                    kind: 1,
                    digest:
                        b"\x2b\xb1\x83\xaf\x5f\x22\x58\x81\x79\xa5\x3b\x0a\x98\x63\x1f\xad\x1a\x29\x21\x18"
                            .to_vec(),
                },
                TrustAnchor { domain: String::new(), tag: 1, algorithm: 13, kind: 2, digest: vec![0xab; 32] },
            ],
            insecure: vec!["corp.example".into()],
        }
    );
    assert_eq!(config.zone.records, [heorot_names::Record { name: "_ldap._tcp".into(), data: ldap }]);
    assert_eq!(config.cluster.nodes.name(23), "n0023");
    assert_eq!(config.server.state, "/data/heorot");
    assert_eq!(config.server.control, "/data/control.sock");
    assert_eq!(config.server.user, "daemon");
    let [first, second, relayed] = config.networks.as_slice() else { panic!("{:?}", config.networks) };
    assert_eq!((first.address, first.prefix_length), (Ipv4Addr::new(10, 77, 0, 1), 16));
    assert_eq!(first.guests.unwrap().size(), 254);
    assert_eq!(first.gateway, Some(Ipv4Addr::new(10, 77, 0, 1)));
    assert_eq!(first.lease, Duration::from_secs(86_400));
    assert_eq!(first.temporary_lease, Duration::from_secs(120));
    assert_eq!(first.guest_lease, Duration::from_secs(1800));
    assert!(first.rapid_commit && first.bootp);
    assert_eq!(first.leasequery, [Ipv4Addr::new(10, 77, 0, 2), Ipv4Addr::new(10, 99, 0, 1)]);
    assert_eq!((second.address, second.prefix_length), (Ipv4Addr::new(10, 79, 0, 1), 16));
    assert_eq!(second.numbering.suffix, "-ib");
    assert_eq!(second.numbering.address(9), Some(Ipv4Addr::new(10, 79, 1, 9)));
    assert!(first.on_link && second.on_link && !relayed.on_link);
    assert_eq!([first.mode, second.mode, relayed.mode], [Mode::Serve, Mode::Shadow, Mode::Proxy]);
    assert_eq!(relayed.temporary.size(), 1, "nobody's: the network's own address");
    assert_eq!(config.boot.directory, "/srv/boot");
    let files: Vec<_> = config.boot.files.iter().map(|(kind, file)| (*kind, file.as_str())).collect();
    assert_eq!(
        files,
        [
            (FirmwareKind::Bios, "lpxelinux.0"),
            (FirmwareKind::UefiX86, "x86/ipxe.efi"),
            (FirmwareKind::UefiX64, "x64/ipxe.efi"),
            (FirmwareKind::UefiArm32, "arm32/ipxe.efi"),
            (FirmwareKind::UefiArm64, "arm64/ipxe.efi"),
            (FirmwareKind::UefiRiscv64, "riscv64/ipxe.efi"),
            (FirmwareKind::UefiLoongarch64, "loongarch64/ipxe.efi"),
            (FirmwareKind::HttpX86, "x86/http.efi"),
            (FirmwareKind::HttpX64, "x64/http.efi"),
            (FirmwareKind::HttpArm32, "arm32/http.efi"),
            (FirmwareKind::HttpArm64, "arm64/http.efi"),
            (FirmwareKind::HttpRiscv64, "riscv64/http.efi"),
            (FirmwareKind::HttpLoongarch64, "loongarch64/http.efi"),
            (FirmwareKind::Ipxe, "menu.ipxe"),
        ]
    );
    let service = |architectures: &[u16], text: &str, boots| PxeService {
        architectures: architectures.to_vec(),
        text: text.into(),
        boots,
    };
    let pxe = Pxe {
        prompt: Some("Press F8 for a menu.".into()),
        timeout_seconds: Some(5),
        vendor_classes: vec!["HW-Client".into(), "Etherboot".into()],
        services: vec![
            service(&[0, 7, 9, 10], "Install", PxeBoots::File("install.0".into())),
            service(&[0], "Boot from disk", PxeBoots::Local),
            service(
                &[0],
                "Another server",
                PxeBoots::Server { kind: 7, address: Some([10, 77, 0, 9].into()) },
            ),
        ],
    };
    assert_eq!(config.pxe, pxe);
    let profile = |name: &str| {
        let profile = &config.profiles[name];
        (profile.kernel.as_str(), profile.initrd.join(" "), profile.cmdline.text().to_owned())
    };
    assert_eq!(
        profile("default"),
        ("vmlinuz-6", "a.img b.img".into(), "console=ttyS0 n={{node.name}}".into())
    );
    assert_eq!(profile("trial"), ("vmlinuz-6", "test.img".into(), "console=ttyS0 n={{node.name}}".into()));
    assert_eq!(profile("rescue"), ("rescue", String::new(), "single".into()));
    assert_eq!((config.trial.policy, config.trial.order), (Policy::None, Order::List));
    let checks = serde_json::to_value(&config.trial.checks).unwrap();
    let expected = serde_json::json!([
        { "kind": "memory", "name": "memory", "at-least": "512MiB" },
        { "kind": "processors", "name": "processors", "at-least": "4" },
        { "kind": "link", "name": "fast", "at-least": "1Gbit" },
        { "kind": "command", "name": "burn-in", "command": "stress --cpu 4", "timeout": "90s" },
        { "kind": "disks", "name": "disks", "at-least": "2", "size": "400GB" },
        { "kind": "link", "name": "errors", "at-least": "1Gbit", "at-most": "0", "timeout": "5s" },
        { "kind": "clock", "name": "clock", "at-most": "5s" },
        { "kind": "pci", "name": "card", "device": "10de:20b5", "at-least": "4" },
        { "kind": "pci", "name": "pci", "device": "15b3:*" },
        { "kind": "gpu", "name": "gpu", "at-least": "4" },
        { "kind": "bandwidth", "name": "bandwidth", "at-least": "500Mbit", "size": "32MiB", "file": "a.img" },
        { "kind": "stress", "name": "stress", "duration": "7200s", "size": "8GiB" },
        { "kind": "nhc", "name": "nhc" },
        { "kind": "nhc", "name": "site", "command": "/opt/nhc -a", "timeout": "120s" },
    ]);
    assert_eq!(checks, expected);
    let follows: Vec<_> = config.trial.checks.iter().map(|check| check.on_failure).collect();
    let mut expected = vec![OnFailure::Fail; 14];
    (expected[4], expected[9]) = (OnFailure::Degraded, OnFailure::Hold);
    assert_eq!(follows, expected);
    let Retry { retries, after } = config.trial.retry;
    assert_eq!((retries, after.as_secs()), (5, 60));
    let CheckIn { interval, down_after } = config.check_in;
    assert_eq!((interval.as_secs(), down_after.as_secs()), (30, 120));
    let [one, two] = &*config.nodes else { panic!("{:?}", config.nodes) };
    let mac = |text: &str| text.parse::<Mac>().unwrap();
    assert_eq!(one.macs, [mac("52:54:00:00:00:17")]);
    assert_eq!((one.number, one.name.as_deref(), one.profile.as_deref()), (Some(23), None, None));
    assert_eq!(two.macs, [mac("52:54:00:00:00:18"), mac("52:54:00:00:00:19")]);
    assert_eq!(
        (two.number, two.name.as_deref(), two.profile.as_deref()),
        (None, Some("login"), Some("rescue"))
    );
    assert_eq!(config.http.port, 8080);
    let Tftp { ports, single_port, block_octets_max, case_fold, unique_root, senders, rewrites } =
        &config.tftp;
    assert_eq!((ports, *single_port, *block_octets_max), (&Some(30_000..=30_015), false, 8968));
    assert_eq!((*case_fold, *unique_root, *senders), (true, UniqueRoot::Mac, Some(3)));
    let nis = config.nis.as_ref().unwrap();
    assert_eq!((nis.domain.as_str(), nis.port), ("Cluster.2", 835));
    assert_eq!((nis.passwd.as_deref(), nis.group.as_deref()), (Some("/etc/passwd"), None));
    assert_eq!(config.names_file, NamesFile::At("/srv/names".into()));
    let root = |name: &str| config.profiles[name].root.to_string();
    assert_eq!(
        ["default", "trial", "rescue"].map(root),
        ["nfs:/srv/heorot/root", "nfs:/srv/heorot/root", "none"]
    );
    let nfs = config.nfs.as_ref().unwrap();
    assert_eq!(
        (nfs.port, nfs.directories.join(" "), nfs.insecure),
        (2050, "/opt /srv/heorot/root".into(), true)
    );
    // A listed node without a number is a member as soon as it has one.
    for (number_of_login, gpu) in [(None, "n[0004-0007]"), (Some(20), "n[0004-0007,0020]")] {
        let sets = config.groups.sets(&config, |node| node.name.as_ref().and(number_of_login));
        let folded = |name: &str| sets[name].fold(&config.cluster.nodes).to_string();
        assert_eq!(folded("gpu"), gpu);
        assert_eq!(
            (folded("rack1").as_str(), folded("rest").as_str()),
            ("n[0000-0031]", "n[0000-0003,0008-0031]")
        );
    }
    let [any, arm] = rewrites.as_slice() else { panic!("{rewrites:?}") };
    assert_eq!((any.architecture, arm.architecture), (None, Some(FirmwareKind::UefiArm64)));
    assert_eq!(any.replacement.filled(any.pattern.matched("boot/X64/bcd", true).unwrap()), "winpe/bcd");
}

#[test]
fn the_sample_is_read_with_and_without_its_comments() {
    let interfaces = interfaces();
    let (as_it_is, _) = Config::parse(&sample(), &interfaces).unwrap();
    assert_eq!(as_it_is, parse(BASE));
    // Where `#` stands right before a key or a heading, it hides a setting.
    let shown = |line: &str| match line.strip_prefix('#') {
        Some(setting) if !setting.starts_with(' ') => format!("{setting}\n"),
        Some(_) | None => format!("{line}\n"),
    };
    let all: String = sample().lines().map(shown).collect();
    // Not everything goes together: a check has either a threshold or a command, an entry of a menu a file or a type.
    let (before, check) = all.split_once("[[trial.check]]").unwrap();
    let others =
        ["command", "at-most", "size", "device", "file", "duration"].map(|key| format!("\n{key} = "));
    let check = others.iter().fold(check.to_owned(), |check, key| check.replacen(key, "\n#", 1));
    let all = format!("{before}[[trial.check]]{check}");
    let all = all.replace("\ntype = ", "\n#").replace("\nserver = ", "\n#");
    let (config, warnings) =
        Config::parse(&all, &interfaces).map_err(|mistakes| render("sample.toml", &all, &mistakes)).unwrap();
    assert_eq!(warnings, []);
    assert_eq!((config.trial.checks.len(), config.nodes.len(), config.boot.files.len()), (1, 1, 14));
    assert_eq!((config.pxe.services.len(), config.pxe.timeout_seconds), (1, Some(5)));
}

#[test]
fn the_words_of_a_setting_are_those_that_are_read() {
    for (section, setting) in
        SECTIONS.iter().flat_map(|section| section.settings.iter().map(move |s| (section, s)))
    {
        let Kind::Word { works, planned } = setting.kind else { continue };
        let file = |word: &str| match section.path {
            "network" => format!("{BASE}{} = \"{word}\"\n", setting.key),
            "profile" => format!("{BASE}[profile.x]\n{} = \"{word}\"\n", setting.key),
            "trial.check" | "tftp.rewrite" | "dns.record" | "dns.key" => {
                format!("{BASE}[[{}]]\n{} = \"{word}\"\n", section.path, setting.key)
            }
            path => format!("{BASE}[{path}]\n{} = \"{word}\"\n", setting.key),
        };
        for word in works {
            assert!(!told(&file(word)).contains("word"), "{}", told(&file(word)));
        }
        for word in planned.iter().filter(|word| **word != "RATE") {
            assert!(told(&file(word)).contains("not supported yet"), "{}", told(&file(word)));
        }
        assert!(told(&file("qqqqq")).contains("unknown word"), "{}", told(&file("qqqqq")));
    }
}

#[test]
fn what_grows_has_a_bound() {
    let network = |n: usize| BASE.replace("eth1", &format!("if{n}"));
    let profile = |n: usize| format!("[profile.p{n}]\n");
    let check =
        |n: usize| format!("[[trial.check]]\nkind = \"command\"\nname = \"c{n}\"\ncommand = \"true\"\n");
    let class = |n: usize| format!("[[class]]\nname = \"c{n}\"\nuser-class = \"u\"\n");
    let node = |n: usize| format!("[[node]]\nmac = \"52:54:0:0:{:x}:{:x}\"\n", n >> 8, n & 255);
    let rewrite = |n: usize| format!("[[tftp.rewrite]]\npattern = \"a{n}\"\nreplacement = \"b\"\n");
    let times = |count: usize, table: &dyn Fn(usize) -> String| (0..count).map(table).collect::<String>();
    for (table, most, message) in [
        (&network as &dyn Fn(usize) -> String, crate::limit::NETWORKS_MAX, "more than 256 [[network]]"),
        (&profile, crate::limit::PROFILES_MAX, "more than 1024 profiles"),
        (&check, crate::limit::CHECKS_MAX, "more than 64 [[trial.check]]"),
        (&node, crate::limit::NODES_MAX, "more than 16384 [[node]]"),
        (&class, crate::limit::CLASSES_MAX, "more than 256 [[class]]"),
        (&rewrite, crate::limit::TFTP_REWRITES_MAX, "more than 64 [[tftp.rewrite]]"),
    ] {
        let told = |count| told(&format!("{BASE}{}", times(count, table)));
        assert!(told(most + 1).contains(message), "{message}");
        let networks_add_up = usize::from(message.contains("network"));
        assert!(!told(most - networks_add_up).contains(message), "{message}");
    }
    let suffixed = |n: usize| format!("{}suffix = \"-s{n}\"\n", network(n));
    let suffixes_max = crate::limit::SUFFIXES_MAX;
    assert!(told(&times(suffixes_max + 1, &suffixed)).contains("suffix: more than 16 different ones"));
    assert!(!told(&times(suffixes_max, &suffixed)).contains("suffix: more"));
    let large = format!("{BASE}#{}", "x".repeat(CONFIGURATION_OCTETS_MAX));
    assert!(told(&large).contains("16777216 are allowed"));
    let all_wrong: String = (0..50_000).map(|n| format!("k{n}=1\n")).collect();
    let mistakes = Config::parse(&all_wrong, &interfaces()).unwrap_err();
    assert_eq!(mistakes.len(), crate::limit::MISTAKES_MAX);
    assert!(mistakes.last().unwrap().message.ends_with("(and 49801 more mistakes)"));
}

/// What the other limits allow can also be written: every node and every host there may be, each with all that says who it is.
#[test]
fn the_largest_lists_have_room_in_a_file() {
    let (nodes, hosts, macs) =
        (crate::limit::NODES_MAX, crate::limit::HOSTS_MAX, crate::limit::MACS_PER_NODE_MAX);
    let mut text = String::from(
        "[[network]]\ninterface = \"eth1\"\nnumbers = \"0-16383\"\nfirst = \"10.64.0.0\"\n\
         temporary = \"10.128.0.1-10.128.63.254\"\n",
    );
    let mac = |n: usize, kind: &str| {
        let [.., a, b, c] = n.to_be_bytes();
        format!("{kind}:00:00:{a:02x}:{b:02x}:{c:02x}")
    };
    for node in 0..nodes {
        let macs: Vec<_> = (0..macs).map(|k| format!("{:?}", mac(node * macs + k, "52"))).collect();
        text += &format!(
            "[[node]]\nname = \"machine-{node}\"\nnumber = {node}\nmac = [{}]\nprofile = \"default\"\n",
            macs.join(", ")
        );
    }
    for host in 0..hosts {
        let address = Ipv4Addr::from(u32::from(Ipv4Addr::new(10, 192, 0, 0)) + host as u32);
        let mac = mac(host, "56");
        text += &format!("[[host]]\nname = \"board-{host}\"\nmac = \"{mac}\"\naddress = \"{address}\"\n");
    }
    let interface = Interface { name: "eth1".into(), addresses: vec![(Ipv4Addr::new(10, 1, 0, 1), 8)] };
    let read = Config::parse(&text, &[interface]);
    let (config, _) =
        read.unwrap_or_else(|mistakes| panic!("{} octets: {}", text.len(), mistakes[0].message));
    assert_eq!((config.nodes.len(), config.hosts.len()), (nodes, hosts));
}

proptest! {
    #[test]
    fn no_text_makes_it_panic(text in "\\PC{0,200}") {
        let _ = told(&text);
    }

    #[test]
    fn no_change_of_a_good_file_makes_it_panic(
        changes in prop::collection::vec((0usize..4000, 0usize..8, "[\\[\\]\"={}a-z0-9.\\-/:\n#é😀]{0,6}"), 1..6)
    ) {
        let mut text = include_str!("tests/full.toml").to_owned();
        for (at, length, new) in changes {
            let start = (0..=at % text.len()).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
            let end = (start + length..).find(|at| *at >= text.len() || text.is_char_boundary(*at)).unwrap_or(start);
            text.replace_range(start..end.min(text.len()), &new);
        }
        let shown = told(&text);
        prop_assert!(!shown.is_empty());
    }

    #[test]
    fn any_value_of_any_setting_is_taken_or_told(
        which in 0usize..1000,
        value in prop_oneof![
            "-?[0-9]{1,25}", "\"[ -~]{0,20}\"", "\"[0-9./\\-]{1,24}\"", "'''[ -~\n]{0,20}'''", "\\[(\"[a-z0-9:]{0,18}\",?){0,4}\\]",
            Just("true".to_owned()), Just("1.5".to_owned()), Just("{}".to_owned()), Just("1979-05-27".to_owned()),
            Just("\"{{ node.name\"".to_owned()), Just("\"0.0.0.0-255.255.255.255\"".to_owned()),
            Just("\"0-4294967295\"".to_owned()), Just("\"255.255.255.255/1\"".to_owned()),
        ]
    ) {
        let settings: Vec<_> = SECTIONS.iter().flat_map(|section| section.settings.iter().map(move |s| (section, s))).collect();
        let (section, setting) = settings[which % settings.len()];
        let text = match section.path {
            "network" if BASE.contains(&format!("\n{} =", setting.key)) => BASE
                .lines()
                .map(|line| if line.starts_with(setting.key) { format!("{} = {value}\n", setting.key) } else { format!("{line}\n") })
                .collect(),
            "network" => format!("{BASE}{} = {value}\n", setting.key),
            "profile" => format!("{BASE}[profile.x]\n{} = {value}\n", setting.key),
            _ => format!("{BASE}{}\n{} = {value}\n", section.heading(), setting.key),
        };
        prop_assert!(!told(&text).is_empty());
    }
}
