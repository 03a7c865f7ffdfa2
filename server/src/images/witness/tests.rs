use super::*;

/// A file with content, and those who watch files.
fn watched() -> (crate::testing::Directory, std::path::PathBuf, Arc<Watches>) {
    let directory = crate::testing::directory("witness");
    let path = directory.path().join("file");
    std::fs::write(&path, "content").unwrap();
    (directory, path, Arc::default())
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
    assert!(!second.is_same(2), "the other's end is not its own");
    drop(second);
    assert!(watches.told().is_empty());
    // And what was told of it before concerns nobody who opens it now.
    let third = Witness::new(open(), 2);
    std::fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    assert!(third.is_same(3));
    assert!(!third.is_same(4), "of that nothing was told: another host may have written to it");
}
