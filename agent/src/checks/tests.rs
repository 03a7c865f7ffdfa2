use super::*;
use serde_json::json;

fn check(json: Value) -> Check {
    serde_json::from_value(json).expect("a check")
}

#[test]
fn amounts_are_compared() {
    let memory = check(json!({"kind": "memory", "at-least": "1GiB"}));
    assert_eq!(memory.memory(Some(1 << 30)), Ok("1.0 GiB, at least 1.0 GiB wanted".to_owned()));
    assert!(memory.memory(Some((1 << 30) - 1)).is_err());
    assert!(memory.memory(None).is_err());

    for at_least in [json!(2), json!("2")] {
        let processors = check(json!({"kind": "processors", "at-least": at_least}));
        assert!(processors.processors(2).is_ok());
        assert_eq!(processors.processors(1), Err("only 1, at least 2 wanted".to_owned()));
    }

    let link = check(json!({"kind": "link", "at-least": "1Gbit"}));
    assert!(link.link(Some(1_000_000_000)).is_ok());
    assert_eq!(link.link(Some(100_000_000)), Err("only 100 Mbit/s, at least 1 Gbit/s wanted".to_owned()));
    assert!(link.link(None).is_err());
}

#[test]
fn a_check_that_is_not_understood_fails_and_says_why() {
    let cases = [
        (json!({"kind": "disk", "at-least": "1TB"}), "disk"),
        (json!({"kind": "memory"}), "at-least"),
        (json!({"kind": "memory", "at-least": "much"}), "much"),
        (json!({"kind": "processors", "at-least": true}), "true"),
        (json!({"kind": "processors", "at-least": -1}), "-1"),
        (json!({"kind": "command"}), "no command"),
        (json!({"kind": "command", "command": "true", "timeout": "soon"}), "soon"),
    ];
    for (json, word) in cases {
        let outcome = check(json.clone()).run(Mac([0; 6]));
        assert!(!outcome.passed, "{json}");
        assert!(outcome.detail.contains(word), "{json}: {}", outcome.detail);
    }
}

#[test]
fn names_default_to_the_kind() {
    let nobody = Mac([0; 6]);
    assert_eq!(check(json!({"kind": "command", "command": "true"})).run(nobody).name, "command");
    assert_eq!(
        check(json!({"kind": "command", "name": "burn-in", "command": "true"})).run(nobody).name,
        "burn-in"
    );
}

#[test]
fn commands() {
    let minute = Duration::from_secs(60);
    let cases = [
        ("true", Ok("exit 0")),
        ("echo first; echo last", Ok("last")),
        ("echo out; echo err >&2", Ok("err")),
        ("echo why; exit 3", Err("exit 3: why")),
        ("kill -9 $$", Err("ended by signal 9: ")),
        ("/bin/sh -c 'echo nested'", Ok("nested")),
        ("head -c 1000000 /dev/zero | tr '\\0' x; echo; echo end", Ok("end")),
        ("printf 'no newline'", Ok("no newline")),
        ("cat", Ok("exit 0")),
    ];
    for (command, expected) in cases {
        let expected = expected.map(str::to_owned).map_err(str::to_owned);
        assert_eq!(run_command(command, minute), expected, "{command}");
    }
}

#[test]
fn a_command_that_takes_too_long_is_ended_with_its_children() {
    let start = Instant::now();
    let outcome = run_command("sleep 600 & sleep 600", Duration::from_millis(200));
    assert_eq!(outcome, Err("not done after 0.2 s".to_owned()));
    assert!(start.elapsed() < Duration::from_secs(20), "the wait is bounded");
}

/// As the server tells them; its own tests write the same text.
#[test]
fn the_servers_words_are_understood() {
    let told = r#"[{"kind":"memory","name":"memory","at-least":"1GiB"},{"kind":"command","name":"disk","command":"smart-test","timeout":"60s"}]"#;
    let checks: Vec<Check> = serde_json::from_str(told).expect("a list of checks");
    assert_eq!(checks[0].at_least, json!("1GiB"));
    assert_eq!(
        (checks[1].command.as_deref(), checks[1].timeout.as_deref()),
        (Some("smart-test"), Some("60s"))
    );
}
