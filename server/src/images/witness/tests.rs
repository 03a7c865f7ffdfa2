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

/// Sets its rights, as they are.
fn touch(path: &std::path::Path) {
    std::fs::set_permissions(path, std::fs::metadata(path).unwrap().permissions()).unwrap();
}

/// A time of this moment, as the kernel would give it to a change.
fn just_now() -> u64 {
    UNIX_EPOCH.elapsed().unwrap().as_nanos() as u64
}

/// Kernels before 6.13 give all changes of one tick the same time.
#[test]
fn no_touch_excuses_two_changes() {
    let (_directory, path, watches) = watched();
    let witness = Witness::new(watches.watch(&File::open(&path).unwrap()).unwrap(), 1);
    touch(&path);
    assert!(is_same(&witness, &[2]));
    touch(&path);
    assert!(is_same(&witness, &[2]), "in the same tick");
    assert!(!is_same(&witness, &[3]), "of that nothing was told");
    // And what is told after the time was read may be of the next one.
    touch(&path);
    assert!(is_same(&witness, &[2, 4]));
    assert!(is_same(&witness, &[4]));
    assert!(!is_same(&witness, &[5]));
}

#[test]
fn a_write_in_the_tick_of_another_change_is_seen() {
    for is_touched in [true, false] {
        let (_directory, path, watches) = watched();
        let watch = watches.watch(&File::open(&path).unwrap()).unwrap();
        let opened = just_now();
        let witness = Witness::new(watch, if is_touched { 1 } else { opened });
        if is_touched {
            touch(&path);
        }
        assert!(is_same(&witness, &[opened]));
        std::fs::write(&path, "another").unwrap();
        assert!(!is_same(&witness, &[opened]), "touched: {is_touched}");
        thread::sleep(2 * SAME_TIME_WITHIN);
        assert!(!is_same(&witness, &[opened]), "and stays so; touched: {is_touched}");
    }
}

/// A write of many megabytes may have begun before the file was opened.
#[test]
fn a_write_that_ends_after_the_opening_is_seen() {
    let (_directory, path, watches) = watched();
    let witness = Witness::new(watches.watch(&File::open(&path).unwrap()).unwrap(), 1);
    assert!(is_same(&witness, &[1]));
    std::fs::write(&path, "another").unwrap();
    assert!(!is_same(&witness, &[1]));
    touch(&path);
    assert!(!is_same(&witness, &[2]), "a touch does not explain it");
}

/// Where more happens than the kernel has room to tell, nobody knows of which file: but what was changed has another time, once the tick of the last change is over.
#[test]
fn what_was_not_told_cuts_nobody_whose_file_was_not_changed() {
    let (_directory, path, watches) = watched();
    let opened = just_now();
    let witness = Witness::new(watches.watch(&File::open(&path).unwrap()).unwrap(), opened);
    thread::sleep(2 * SAME_TIME_WITHIN);
    assert!(is_same(&witness, &[opened]));
    watches.told().values_mut().for_each(|told| told.overflows += 1);
    assert!(is_same(&witness, &[opened]));
    touch(&path);
    assert!(!is_same(&witness, &[just_now()]), "it may have been written to");
}

/// Another one has looked meanwhile, and knows already that it was touched.
#[test]
fn who_comes_late_with_an_old_time_is_the_same() {
    let (_directory, path, watches) = watched();
    let witness = Witness::new(watches.watch(&File::open(&path).unwrap()).unwrap(), 1);
    touch(&path);
    assert!(is_same(&witness, &[2]));
    assert!(is_same(&witness, &[1, 2]));
    assert!(!is_same(&witness, &[1, 3]));
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
