//! Every story in `scenarios/` is told again and must come out as it is written.
//! `RETELL=1 cargo test -p heorot-sim` writes down what comes of them now; read the difference before you believe it.

#![allow(clippy::disallowed_methods, reason = "the stories are in files; the simulator itself knows none")]

use heorot_sim::scenario::retell;
use std::path::Path;

#[test]
fn stories_come_out_as_they_are_written() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios");
    let mut paths: Vec<_> = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    assert!(!paths.is_empty(), "there are stories in {}", folder.display());
    let mut different = Vec::new();
    for path in &paths {
        let written = std::fs::read_to_string(path).unwrap();
        let told = retell(&written).unwrap_or_else(|why| panic!("{}: {why}", path.display()));
        if told != written {
            if std::env::var_os("RETELL").is_some() {
                std::fs::write(path, &told).unwrap();
            }
            different.push(format!("{}\n{}", path.display(), difference(&written, &told)));
        }
    }
    assert!(different.is_empty(), "{} of {} differ:\n{}", different.len(), paths.len(), different.join("\n"));
}

/// The first place where two texts differ.
fn difference(written: &str, told: &str) -> String {
    let (mut written, mut told) = (written.lines(), told.lines());
    let mut before = Vec::new();
    loop {
        match (written.next(), told.next()) {
            (Some(a), Some(b)) if a == b => before.push(a),
            (a, b) => {
                let context = before[before.len().saturating_sub(4)..].join("\n");
                return format!("{context}\n- {}\n+ {}", a.unwrap_or("(the end)"), b.unwrap_or("(the end)"));
            }
        }
    }
}
