//! The architecture, held: which room may know which, what each crate may depend on, what the pure ones may not touch.
//!
//! Comments and tests do not count: they may speak of anything.
#![allow(clippy::unwrap_used, reason = "what does not hold in a test shall fail it")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The crates that decide: no clock, socket, file, thread or order that differs from run to run.
const PURE: [&str; 6] = ["names", "core", "rpc", "dns", "nfs", "sim"];

/// Lines of the longest file: what is longer holds two concepts.
const LINES_MAX: usize = 600;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

fn members() -> Vec<String> {
    let manifest: toml::Table = fs::read_to_string(root().join("Cargo.toml")).unwrap().parse().unwrap();
    let members = manifest["workspace"]["members"].as_array().unwrap();
    members.iter().map(|member| member.as_str().unwrap().to_owned()).collect()
}

/// All Rust files below a directory of the workspace, with their paths relative to it.
fn sources(directory: &str) -> Vec<(String, String)> {
    let base = root().join(directory);
    let mut found = Vec::new();
    let mut waiting = vec![base.clone()];
    while let Some(next) = waiting.pop() {
        for entry in fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                waiting.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let name = path.strip_prefix(&base).unwrap().to_str().unwrap().to_owned();
                found.push((name, fs::read_to_string(&path).unwrap()));
            }
        }
    }
    assert!(!found.is_empty(), "there is nothing in {directory}");
    found
}

/// The files that decide, without comments and without their tests.
fn code(directory: &str) -> Vec<(String, String)> {
    let is_test = |name: &str| name.split('/').any(|part| part == "tests" || part == "tests.rs");
    let files = sources(&format!("{directory}/src")).into_iter().filter(|(name, _)| !is_test(name));
    files.map(|(name, text)| (name, without_comments_and_tests(&text))).collect()
}

fn without_comments_and_tests(text: &str) -> String {
    let text = text.split("#[cfg(test)]\nmod tests {").next().unwrap();
    text.lines().map(|line| line.split("//").next().unwrap()).collect::<Vec<_>>().join("\n")
}

/// The paths that a text names below `crate` or, in a file of a room, below `super`: `use crate::{a::b, c}` names `a::b` and `c`.
fn named(text: &str, start: &str) -> BTreeSet<String> {
    let mut paths = BTreeSet::new();
    for (place, _) in text.match_indices(start) {
        let rest = &text[place + start.len()..];
        if let Some(list) = rest.strip_prefix('{') {
            let (mut depth, mut item) = (1, String::new());
            for c in list.chars().filter(|c| !c.is_whitespace()) {
                match c {
                    '{' => depth += 1,
                    '}' => depth -= 1,
                    _ => {}
                }
                if (c == ',' && depth == 1) || depth == 0 {
                    paths.insert(std::mem::take(&mut item));
                } else {
                    item.push(c);
                }
                if depth == 0 {
                    break;
                }
            }
        } else {
            paths.insert(rest.chars().take_while(|c| c.is_alphanumeric() || "_:".contains(*c)).collect());
        }
    }
    paths.retain(|path| !path.is_empty());
    paths
}

fn first(path: &str) -> &str {
    path.split("::").next().unwrap()
}

/// A file's room: `wire` of `wire/dhcp.rs`, `time` of `time.rs`.
fn room(file: &str) -> &str {
    file.split('/').next().unwrap().trim_end_matches(".rs")
}

#[test]
fn paths_are_found() {
    let text = "use crate::{a::b, c::{d, e},\n f};\nlet x = crate::g::h(super::i::j);";
    let found: Vec<String> = named(text, "crate::").into_iter().collect();
    assert_eq!(found, ["a::b", "c::{d,e}", "f", "g::h"]);
    assert_eq!(named(text, "super::").into_iter().collect::<Vec<_>>(), ["i::j"]);
    let text = "//! crate::a\nuse b; // crate::c\n#[cfg(test)]\nmod tests {\n use crate::d;\n}";
    assert!(named(&without_comments_and_tests(text), "crate::").is_empty());
}

#[test]
fn arrows_between_the_rooms_of_the_core_point_one_way() {
    const BASE: [&str; 4] = ["time", "timer", "limit", "mac"];
    let allowed = |room: &str| -> Option<Vec<&str>> {
        let beside: &[&str] = match room {
            "mac" | "time" | "timer" | "limit" => &[],
            "event" => &["event"],
            "wire" => &["wire"],
            "load" => &["load"],
            "config" => &["config"],
            "cluster" => &["cluster", "config", "event", "load"],
            "transfer" => &["transfer", "wire", "load"],
            // What goes in and out is made of everybody's data. That a service does not see another, the next test holds.
            "service" => &[
                "service", "wire", "cluster", "load", "config", "event", "message", "transfer", "hall",
                "promise",
            ],
            // What is known, and what waits for a record: of the cluster, in the form that goes in and out.
            "hall" | "promise" => &["hall", "promise", "cluster", "config", "event", "load", "message"],
            // Which records become durable together: of what is proposed, and what is told then.
            "message" => &["cluster", "config", "event", "load", "transfer"],
            "commits" => &["cluster", "message"],
            "heorot" | "lib" => return None,
            unknown => panic!("core/src has a new room, {unknown}: say here what it may know"),
        };
        Some([&BASE, beside].concat())
    };
    for (file, text) in code("core") {
        let Some(allowed) = allowed(room(&file)) else { continue };
        for path in named(&text, "crate::") {
            assert!(
                allowed.contains(&first(&path)),
                "core/src/{file} names crate::{path}; it may know {allowed:?}"
            );
        }
    }
}

#[test]
fn no_service_sees_another() {
    for (file, text) in code("core") {
        let Some(service) = file.strip_prefix("service/").map(room).filter(|service| *service != "mod")
        else {
            continue;
        };
        let mut paths = named(&text, "crate::service::");
        if file == format!("service/{service}.rs") {
            paths.extend(named(&text, "super::"));
        }
        for path in paths {
            let seen = first(&path);
            assert!(seen == service || seen == "view", "core/src/{file} sees the service {path}");
        }
    }
}

#[test]
fn crates_depend_on_what_their_room_is_for() {
    let allowed: [(&str, &[&str]); 11] = [
        ("names", &[]),
        (
            "core",
            &[
                "heorot-names",
                "annotate-snippets",
                "minijinja",
                "serde",
                "serde_json",
                "siphasher",
                "strsim",
                "toml",
            ],
        ),
        ("rpc", &[]),
        ("nfs", &["heorot-rpc", "siphasher"]),
        ("dns", &["heorot-names", "heorot-rpc", "chacha20", "domain", "ring", "siphasher"]),
        ("sim", &["heorot-core", "heorot-names", "serde", "serde_json", "toml"]),
        ("agent", &["flate2", "libc", "nix", "rustix", "serde", "serde_json"]),
        ("nss", &["heorot-names", "libc"]),
        ("lab", &["heorot-agent", "jiff", "nix", "serde_json"]),
        ("bench", &["heorot-agent", "heorot-lab", "heorot-rpc", "nix", "rustix", "serde_json"]),
        (
            "server",
            &[
                "heorot-core",
                "heorot-dns",
                "heorot-names",
                "heorot-nfs",
                "heorot-rpc",
                "heorot-sim",
                "axum",
                "clap",
                "flate2",
                "getrandom",
                "httparse",
                "hyper",
                "hyper-util",
                "libc",
                "lzma-rust2",
                "nix",
                "redb",
                "ring",
                "rustix",
                "rustls",
                "ruzstd",
                "serde",
                "serde_json",
                "socket2",
                "tokio",
            ],
        ),
    ];
    for member in members() {
        let (_, allowed) = allowed
            .iter()
            .find(|(name, _)| *name == member)
            .unwrap_or_else(|| panic!("a new crate, {member}: say here what it needs"));
        let manifest: toml::Table =
            fs::read_to_string(root().join(&member).join("Cargo.toml")).unwrap().parse().unwrap();
        assert!(manifest.get("features").is_none(), "{member} has features: one build, one behaviour");
        for dependency in
            manifest.get("dependencies").and_then(|d| d.as_table()).into_iter().flat_map(|table| table.keys())
        {
            assert!(
                allowed.contains(&dependency.as_str()),
                "{member} depends on {dependency}: is that its room?"
            );
        }
    }
}

/// Also not by way of somebody else.
#[test]
fn the_pure_crates_reach_no_system() {
    for member in ["names", "core", "rpc", "nfs", "sim"] {
        let tree = Command::new(env!("CARGO"))
            .args([
                "tree",
                "--offline",
                "--edges",
                "normal",
                "--prefix",
                "none",
                "--package",
                &format!("heorot-{member}"),
            ])
            .current_dir(root())
            .output()
            .unwrap();
        assert!(tree.status.success(), "{}", String::from_utf8_lossy(&tree.stderr));
        for line in String::from_utf8(tree.stdout).unwrap().lines() {
            let name = line.split(' ').next().unwrap();
            let system = [
                "tokio",
                "libc",
                "rustix",
                "nix",
                "socket2",
                "mio",
                "domain",
                "getrandom",
                "rand",
                "httparse",
                "hyper",
                "axum",
            ];
            assert!(!system.contains(&name), "heorot-{member} reaches {line}");
        }
    }
}

#[test]
fn the_pure_crates_touch_no_clock_socket_file_or_thread() {
    const FORBIDDEN: [&str; 17] = [
        "std::fs",
        "std::thread",
        "std::process",
        "std::env::",
        "std::os::",
        "std::io::stdin",
        "std::io::stdout",
        "std::io::stderr",
        "UdpSocket",
        "TcpStream",
        "TcpListener",
        "UnixStream",
        "SystemTime",
        "Instant",
        "HashMap",
        "HashSet",
        ".await",
    ];
    for member in PURE {
        for (file, text) in code(member) {
            for (number, line) in text.lines().enumerate() {
                for word in FORBIDDEN {
                    let whole = line.split(word).skip(1).any(|rest| !rest.starts_with(char::is_alphanumeric));
                    assert!(!whole, "{member}/src/{file}:{}: {word} in a pure room", number + 1);
                }
            }
        }
    }
}

#[test]
fn unsafe_code_is_where_it_has_to_be() {
    for member in members() {
        for (file, text) in code(&member) {
            let place = format!("{member}/src/{file}");
            let allowed = text.contains("allow(unsafe_code)");
            let system = place.starts_with("server/src/netio") || place == "server/src/notes/progress.rs";
            let expected = system || ["agent", "lab", "nss"].contains(&member.as_str());
            assert!(!allowed || expected, "{place} allows unsafe code");
        }
    }
}

#[test]
fn files_are_short() {
    for member in members() {
        for (file, text) in sources(&member) {
            let lines = text.lines().count();
            assert!(
                file.starts_with("target/") || lines <= LINES_MAX,
                "{member}/{file} has {lines} lines: split it by what it is about"
            );
        }
    }
}
