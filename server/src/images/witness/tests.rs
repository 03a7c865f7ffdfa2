use super::*;

/// A file with content, and those who watch files.
fn watched() -> (crate::testing::Directory, std::path::PathBuf, Arc<Watches>) {
    let directory = crate::testing::directory("witness");
    let path = directory.path().join("file");
    std::fs::write(&path, "content").unwrap();
    (directory, path, Arc::default())
}

/// Whether the content is what it was, where the inode shows these times of its last change one after another.
fn is_same(witness: &Witness, changed: &[u64]) -> bool {
    let later = std::sync::atomic::AtomicUsize::new(1);
    let changed_now = || {
        let look = later.fetch_add(1, Ordering::Relaxed);
        Ok(*changed.get(look).or_else(|| changed.last()).unwrap())
    };
    witness.is_same(changed[0], changed_now).unwrap()
}

#[test]
fn who_is_touched_twice_at_a_time_is_the_same() {
    let (_directory, path, watches) = watched();
    let witness = Witness::new(watches.watch(&File::open(&path).unwrap()).unwrap(), 1);
    let touch =
        |mode| std::fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(mode)).unwrap();
    touch(0o600);
    touch(0o644);
    // The first of both was seen before it was asked what they were.
    assert!(is_same(&witness, &[2, 3]));
    assert!(is_same(&witness, &[3]));
    assert!(!is_same(&witness, &[4]), "of that nothing was told");
}

#[test]
fn a_file_has_one_watch_as_long_as_it_is_open() {
    let (_directory, path, watches) = watched();
    let open = || watches.watch(&File::open(&path).unwrap()).unwrap();
    let (first, second) = (open(), open());
    assert_eq!((first.descriptor, watches.told().len()), (second.descriptor, 1));
    drop(first);
    let second = Witness::new(second, 1);
    std::fs::write(&path, "another").unwrap();
    assert!(!is_same(&second, &[2]), "the other's end is not its own");
    drop(second);
    assert!(watches.told().is_empty());
    // And what was told of it before concerns nobody who opens it now.
    let third = Witness::new(open(), 2);
    std::fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    assert!(is_same(&third, &[3]));
    assert!(!is_same(&third, &[4]), "of that nothing was told: another host may have written to it");
}
