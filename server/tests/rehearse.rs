//! `heorot rehearse` from outside: what it says, its JSON, its picture, and how it exits.
#![allow(clippy::unwrap_used, reason = "what does not hold in a test shall fail it")]

use std::path::PathBuf;
use std::process::{Command, Output};

/// The least that there is to say, for an interface that is on no host.
const CONFIG: &str = r#"
[[network]]
interface = "nowhere0"
address = "10.77.0.1/16"
numbers = "0-99"
first = "10.77.1.0"
temporary = "10.77.200.1-10.77.200.150"
"#;
const SMALL: [&str; 6] = ["--nodes", "20", "--link", "200Mbit", "--image", "200kB"];

fn path(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name)
}

/// Rehearses with a configuration that is a file of this name, in the directory that it is in.
fn rehearse(name: &str, config: &str, arguments: &[&str]) -> (i32, String, String) {
    std::fs::write(path(name), config).unwrap();
    run(&[&["--config", name], arguments].concat())
}

fn run(arguments: &[&str]) -> (i32, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_heorot"));
    command.current_dir(env!("CARGO_TARGET_TMPDIR")).arg("rehearse").args(arguments);
    let Output { status, stdout, stderr } = command.output().unwrap();
    (status.code().unwrap(), String::from_utf8(stdout).unwrap(), String::from_utf8(stderr).unwrap())
}

/// What is printed for a small run, to the letter: `RETELL=1` writes down what it is now.
#[test]
fn a_small_run_is_told_to_the_letter() {
    let (code, out, err) = rehearse("golden.toml", CONFIG, &SMALL);
    assert_eq!((code, err.as_str()), (0, ""), "{out}");
    let golden = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/rehearse/small.txt");
    if std::env::var_os("RETELL").is_some() {
        std::fs::write(golden, &out).unwrap();
    }
    assert_eq!(out, std::fs::read_to_string(golden).unwrap());
}

#[test]
fn json_has_its_fields() {
    let arguments = [&SMALL[..], &["-o", "json", "--seed", "7", "--mix", "edk2=1,ipxe=1"]].concat();
    let (code, out, err) = rehearse("json.toml", CONFIG, &arguments);
    assert_eq!((code, err.as_str()), (0, ""), "{out}");
    let answer: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!((&answer["nodes"], &answer["lost"]), (&20.into(), &0.into()));
    for seconds in ["seconds", "ideal_seconds", "ratio_to_ideal", "median_seconds"] {
        assert!(answer[seconds].as_f64().unwrap() > 0.0, "{seconds}: {out}");
    }
    assert_eq!(answer["regimes"][0]["regime"], "paced");
    let kinds: Vec<_> = answer["by_firmware"].as_object().unwrap().keys().cloned().collect();
    assert_eq!(kinds, ["edk2", "ipxe"]);
    assert_eq!(answer["network"], "nowhere0 10.77.0.0/16");
    assert_eq!(answer["scenario"]["seed"], 7);
    assert_eq!(answer["one_server"]["within_seconds"], 900);
    assert_eq!(run(&[&["--config", "json.toml"], arguments.as_slice()].concat()).1, out);
}

#[test]
fn who_is_lost_is_told_and_the_exit_code_says_so() {
    let two_addresses = CONFIG.replace("10.77.200.150", "10.77.200.2");
    let (code, out, _) = rehearse("lost.toml", &two_addresses, &[&SMALL[..], &["--unknown"]].concat());
    assert_eq!(code, 1, "{out}");
    assert!(
        out.contains(" of 20 are lost.")
            && out.contains("none of the 2 temporary addresses of 10.77.0.0/16 (nowhere0) is left"),
        "{out}"
    );
    assert!(out.contains("One server is not enough for these machines, or there is another fault"), "{out}");
    // Whatever was lent at one time: what the server complains of is not to be denied here.
    assert!(out.contains("there are 2, and at one time none was left.\n  widen `temporary`"), "{out}");
}

/// What keeps all from booting is what the configuration says, and no want of servers.
#[test]
fn who_is_ignored_is_told_with_what_says_so() {
    let ignored = format!("{CONFIG}[[class]]\nname = \"old\"\nvendor-class = \"PXEClient\"\nignore = true\n");
    let (code, out, _) = rehearse("ignored.toml", &ignored, &SMALL);
    assert_eq!(code, 1, "{out}");
    assert!(out.contains("gets no answer: [[class]] old says that it is to be ignored"), "{out}");
    assert!(
        !out.contains("One server is not enough") && out.contains("is not to be seen from a run"),
        "{out}"
    );
}

#[test]
fn a_link_that_is_not_what_the_server_is_told_is_told() {
    let wrong = format!("{CONFIG}[load]\nlink = \"1Gbit\"\n");
    let (code, _, err) = rehearse("link.toml", &wrong, &SMALL);
    assert_eq!(code, 0, "{err}");
    assert!(err.contains("load.link says 1 Gbit/s, and the link of this rehearsal has 200 Mbit/s"), "{err}");
}

#[test]
fn the_picture_is_the_same_for_the_same_run() {
    let mut pictures = Vec::new();
    for name in ["one.svg", "other.svg"] {
        let (code, _, err) = rehearse("picture.toml", CONFIG, &[&SMALL[..], &["--picture", name]].concat());
        assert_eq!(code, 0, "{err}");
        pictures.push(std::fs::read_to_string(path(name)).unwrap());
    }
    assert!(pictures[0].starts_with("<svg ") && pictures[0].ends_with("</svg>\n"));
    assert!(pictures[0].contains("Power restore of 20 machines: the last up after"));
    assert_eq!(pictures[0], pictures[1]);
    let lost = [&SMALL[..], &["--picture", "/nowhere/a.svg"]].concat();
    assert_eq!(rehearse("picture.toml", CONFIG, &lost).0, 2);
}

#[test]
fn what_cannot_be_rehearsed_is_told_with_what_to_do() {
    let unsaid = CONFIG.replace("address = \"10.77.0.1/16\"", "");
    let wrong = CONFIG.replace("interface", "intreface");
    let with = |arguments: &[&'static str]| [&SMALL[..], arguments].concat();
    let mode = |mode| CONFIG.replace("first =", &format!("mode = \"{mode}\"\nfirst ="));
    let (proxy, shadow) = (mode("proxy"), mode("shadow"));
    for (config, arguments, expected) in [
        (
            proxy.as_str(),
            SMALL.to_vec(),
            "another server gives the addresses there, and a rehearsal has none\n  rehearse with mode = \"serve\"",
        ),
        (shadow.as_str(), SMALL.to_vec(), "nowhere0 has mode = \"shadow\": nobody there is answered"),
        (
            CONFIG,
            vec!["--nodes", "101", "--link", "1Gbit", "--image", "4MB"],
            "rehearse with --nodes 100, or write numbers = \"0-100\"",
        ),
        (
            &unsaid,
            SMALL.to_vec(),
            "this host has no nowhere0 with one to read it from\n  write address = \"10.77.0.1/16\"",
        ),
        (&wrong, SMALL.to_vec(), "did you mean \"interface\"?"),
        (
            CONFIG,
            with(&["--mix", "edk=3"]),
            "no kind of machine is called \"edk\": there are edk2, ipxe, pxelinux,",
        ),
        (CONFIG, with(&["--loss", "101%"]), "from 0 to 1, or in percent: 1%"),
        (CONFIG, vec!["--nodes", "9", "--link", "200MB", "--image", "4MB"], "as 200Mbit or 1Gbit"),
        (CONFIG, vec!["--nodes", "9", "--link", "1Gbit", "--image", "4Mbit"], "as 4MB, 60MiB or 1GB"),
        (CONFIG, vec!["--nodes", "9", "--image", "4MB"], "--link"),
        (CONFIG, with(&["--scenario", "/nowhere/a.toml"]), "/nowhere/a.toml cannot be read"),
    ] {
        let (code, out, err) = rehearse("wrong.toml", config, &arguments);
        assert_eq!((code, out.as_str()), (2, ""), "{arguments:?}: {err}");
        assert!(err.contains(expected), "{arguments:?}: {err}");
    }
    let (code, out, err) = rehearse("unsaid.toml", &unsaid, &with(&["--address", "10.77.0.1/16"]));
    assert_eq!(code, 0, "{err}");
    assert!(out.contains("network nowhere0 10.77.0.0/16"), "{out}");
}

#[test]
fn a_scenario_is_printed_and_begun_with() {
    let (code, scenario, err) =
        rehearse("scenario.toml", CONFIG, &[&SMALL[..], &["--loss", "1%", "--print-scenario"]].concat());
    assert_eq!(code, 0, "{err}");
    assert!(scenario.contains("nodes = 20\n") && scenario.contains("loss = 0.01\n"), "{scenario}");
    std::fs::write(path("printed.toml"), &scenario).unwrap();
    let begun = ["--scenario", "printed.toml", "--print-scenario"];
    assert_eq!(run(&begun).1, scenario);
    assert!(run(&[&begun[..], &["--nodes", "30"]].concat()).1.contains("nodes = 30\n"));
    let (code, out, err) = run(&["--scenario", "printed.toml", "--loss", "0"]);
    assert_eq!(code, 0, "{err}");
    assert!(out.contains("the usual configuration"), "{out}");
}

#[test]
fn machines_that_nobody_knows_get_temporary_addresses_and_too_few_are_told() {
    let few = CONFIG.replace("10.77.200.150", "10.77.200.15");
    let arguments = [&SMALL[..], &["--unknown"]].concat();
    let (code, out, _) = rehearse("many.toml", CONFIG, &arguments);
    assert_eq!(code, 0, "{out}");
    assert!(out.contains("Temporary addresses: 20 at most at one time, and there are 150."), "{out}");
    let (_, out, _) = rehearse("few.toml", &few, &arguments);
    assert!(out.contains("there are 15, and at one time none was left.\n  widen `temporary`"), "{out}");
}

#[test]
fn the_limit_is_searched_for_no_further_than_the_numbers() {
    let arguments = [&SMALL[..], &["--limit", "--mix", "ipxe=1", "--within", "30s"]].concat();
    let (code, out, err) = rehearse("limit.toml", CONFIG, &arguments);
    assert_eq!(code, 0, "{err}");
    assert!(err.contains("heorot rehearse: 100 machines: 0 lost or late"), "{err}");
    assert!(
        out.contains(
            "One server is enough for 100 such machines, all up within 30 s: by one run; more were not tried."
        ),
        "{out}"
    );
}
