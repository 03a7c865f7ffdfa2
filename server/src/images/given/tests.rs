use super::*;

fn identity(file: u64) -> ImageIdentity {
    ImageIdentity { file, size: 1, modified: 2 }
}

/// A kernel with its version in its name, each month another, and one of them is given until today.
#[test]
fn what_was_given_longest_ago_gives_way() {
    let place = std::env::temp_dir().join(format!("heorot-given-{}.json", std::process::id()));
    let _ = std::fs::remove_file(&place);
    let mut given = Given::kept_at(place.clone());
    let most = u64::try_from(PATHS_MAX).unwrap() + 10;
    for n in 0..most {
        let path = format!("vmlinuz-{n:04}");
        let files = [("vmlinuz", identity(7)), (path.as_str(), identity(n))];
        given.add(1000 + n, files.into_iter()).expect("it is kept");
    }
    let again = Given::kept_at(place.clone());
    assert_eq!(again.before.len(), PATHS_MAX);
    let knows = |path: &str, file| again.was_only(path, identity(file), 5000);
    assert!(knows("vmlinuz", 7), "it is given still");
    assert!(knows(&format!("vmlinuz-{:04}", most - 1), most - 1), "the newest");
    assert!(!knows("vmlinuz-0000", 0) && !knows("vmlinuz-0010", 10) && knows("vmlinuz-0011", 11));
    // Whether another version of it was given before is not known any more.
    let newest = format!("vmlinuz-{:04}", most - 1);
    assert!(!again.was_only(&newest, identity(most - 1), 1000));
    std::fs::remove_file(&place).unwrap();
}

/// As a version kept it that did not note when it was given.
#[test]
fn what_an_earlier_version_kept_is_read() {
    let text = r#"{"vmlinuz":{"file":7,"size":1,"modified":2,"replaced_at":9}}"#;
    let read: BTreeMap<String, Version> = serde_json::from_str(text).expect("it is read");
    assert_eq!(read["vmlinuz"].replaced_at, Some(9));
}
