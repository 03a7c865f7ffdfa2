use super::*;

/// A directory of its own, removed with its value.
struct Place(PathBuf);

impl Place {
    fn with(name: &str, files: &[(&str, &str)]) -> Self {
        let place = std::env::temp_dir().join(format!("heorot-words-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&place);
        fs::create_dir_all(&place).unwrap();
        for (file, content) in files {
            fs::write(place.join(file), content).unwrap();
        }
        Self(place)
    }

    fn left(&self) -> Vec<String> {
        let names = fs::read_dir(&self.0).unwrap().flatten();
        let mut names: Vec<_> = names.map(|entry| entry.file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// A record of a panic in two parts, as UEFI's variables hold it: the first part is the end.
const PANIC: [(&str, &str); 2] = [
    (
        "dmesg-efi-170000000001001",
        "Panic#2 Part1\n<4>[    9.1] Call Trace:\n<0>[    9.2] ---[ end Kernel panic ]---\n",
    ),
    (
        "dmesg-efi-170000000002001",
        "Panic#2 Part2\n<6>[    8.0] a line\n<0>[    9.0] Kernel panic - not syncing\n",
    ),
];
const PANIC_TEXT: &str = "[    8.0] a line\n[    9.0] Kernel panic - not syncing\n[    9.1] Call Trace:\n[    9.2] ---[ end Kernel panic ]---";
const OOPS: (&str, &str) =
    ("dmesg-efi-160000000001001", "Oops#1 Part1\n<1>[    7.0] BUG: kernel NULL pointer\n");

#[test]
fn the_last_words_are_those_of_the_panic_in_their_order() {
    type Case<'a> = (&'a str, Vec<(&'a str, &'a str)>, Option<(&'a str, &'a str)>);
    let cases: [Case<'_>; 6] = [
        ("none", vec![], None),
        ("panic", PANIC.to_vec(), Some(("panic", PANIC_TEXT))),
        ("oops", vec![OOPS], Some(("oops", "[    7.0] BUG: kernel NULL pointer"))),
        ("both", [&PANIC[..], &[OOPS]].concat(), Some(("panic", PANIC_TEXT))),
        (
            "others",
            vec![
                ("console-ramoops-0", "[    1.0] all went well\n"),
                ("dmesg-efi-1.enc.z", "Panic#1 Part1\nnot to be read"),
                ("dmesg-efi-2", "Shutdown#1 Part1\n<6>[    3.0] reboot: Power down\n"),
                ("dmesg-efi-3", "Panic"),
                ("dmesg-efi-4", "Panic#x Part1\ntext\n"),
            ],
            None,
        ),
        (
            "ramoops",
            vec![("dmesg-ramoops-0", "Panic#1 Part1\nno level\n<x>none\n")],
            Some(("panic", "no level\n<x>none")),
        ),
    ];
    for (name, files, expected) in cases {
        let place = Place::with(name, &files);
        let found = LastWords::find(&place.0);
        let found = found.as_ref().map(|words| (words.reason, words.text.as_str()));
        assert_eq!(found, expected, "{name}");
    }
    assert_eq!(LastWords::find(Path::new("/nowhere/at/all")), None);
}

#[test]
fn what_was_told_is_erased_and_nothing_else() {
    let others = [("console-ramoops-0", "text"), ("dmesg-efi-1.enc.z", "text")];
    let place = Place::with("erased", &[&PANIC[..], &[OOPS], &others].concat());
    LastWords::find(&place.0).expect("words").erase();
    assert_eq!(place.left(), ["console-ramoops-0", "dmesg-efi-1.enc.z"]);
}

#[test]
fn of_much_the_end_is_told() {
    let text = format!("Panic#1 Part1\n{}the end", "ä".repeat(OCTETS_MAX));
    let place = Place::with("much", &[("dmesg-erst-1", &text)]);
    let words = LastWords::find(&place.0).expect("words");
    assert!(words.text.len() <= OCTETS_MAX && words.text.ends_with("äthe end"), "{}", words.text.len());
}

#[test]
fn what_it_was_is_said_once_more_after_long_calls() {
    let calls = "<4>[    9.1]  ? a_call+0x1/0x2\n".repeat(60);
    let text = format!("Panic#1 Part1\n<0>[    9.0] Kernel panic - not syncing: a test\n{calls}");
    let place = Place::with("calls", &[("dmesg-erst-1", &text)]);
    let words = LastWords::find(&place.0).expect("words");
    assert!(words.text.ends_with("\n[    9.0] Kernel panic - not syncing: a test"), "{}", words.text);
}
