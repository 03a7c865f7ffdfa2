use super::*;
use crate::testing::{self, Directory};
use crate::wake::{Bell, line};
use heorot_core::transfer::Refusal;
use std::net::Ipv4Addr;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::symlink;
use std::time::{Duration, Instant};

fn images() -> (Images, Directory) {
    let directory = testing::directory("images");
    let (caller, results) = line(&Bell::new().unwrap(), 8);
    let boot = testing::boot_files(&directory);
    (Images::start(boot, caller, results).unwrap(), directory)
}

fn next(images: &mut Images) -> Input<'static> {
    let give_up = Instant::now() + Duration::from_secs(5);
    loop {
        if let Some(input) = images.take() {
            return input;
        }
        assert!(Instant::now() < give_up, "the threads say nothing");
        std::thread::sleep(Duration::from_millis(1));
    }
}

fn open(images: &mut Images, path: &str) -> Result<Opened, Refusal> {
    open_wanted(images, wanted(&[path], Mode::Octet))
}

fn wanted(paths: &[&str], mode: Mode) -> Wanted {
    let paths = paths.iter().map(|path| (*path).to_owned()).collect();
    Wanted { paths, case_fold: false, mode, from: Ipv4Addr::LOCALHOST }
}

fn open_wanted(images: &mut Images, wanted: Wanted) -> Result<Opened, Refusal> {
    images.open(TransferId(7), wanted);
    let input = next(images);
    let Input::Opened { transfer: TransferId(7), result } = input else { panic!("{input:?}") };
    result
}

fn fetch(images: &mut Images, image: ImageId, chunk: u64) -> Result<(), String> {
    let now = images.fetch(image, chunk);
    let input = now.unwrap_or_else(|| next(images));
    if let Input::Broken { why, .. } = input {
        return Err(why);
    }
    assert!(matches!(input, Input::Fetched { .. }), "{input:?}");
    Ok(())
}

#[test]
fn nothing_outside_the_directory_is_opened() {
    let (mut images, directory) = images();
    let outside = testing::directory("outside");
    let secret = outside.path().join("secret");
    std::fs::write(&secret, "x").unwrap();
    let at = |name: &str| directory.path().join(name);
    std::fs::create_dir(at("sub")).unwrap();
    std::fs::write(at("sub/inside"), "x").unwrap();
    symlink(&secret, at("absolute")).unwrap();
    symlink(format!("../{}/secret", outside.path().file_name().unwrap().to_str().unwrap()), at("relative"))
        .unwrap();
    symlink("sub/inside", at("within")).unwrap();
    symlink("sub/../sub/inside", at("around")).unwrap();
    symlink("itself", at("itself")).unwrap();
    symlink(at("sub/inside"), at("back")).unwrap();
    symlink(at("sub"), at("up")).unwrap();
    nix::unistd::mkfifo(&at("fifo"), nix::sys::stat::Mode::S_IRWXU).unwrap();

    let up = format!("../{}/secret", outside.path().file_name().unwrap().to_str().unwrap());
    for (path, allowed) in [
        ("sub/inside", true),
        ("within", true),
        ("around", true),
        ("sub/../sub/inside", true),
        (up.as_str(), false),
        ("..", false),
        (secret.to_str().unwrap(), false),
        ("absolute", false),
        ("relative", false),
        ("back", false),
        ("up/inside", false),
        ("itself", false),
        ("sub", false),
        ("fifo", false),
        ("/dev/zero", false),
        ("missing", false),
        ("sub/inside/further", false),
        ("", false),
        ("with\0zero", false),
    ] {
        assert_eq!(open(&mut images, path).is_ok(), allowed, "{path}");
    }
    // Whoever stands at a node's console sees which it is.
    for (path, expected) in [
        ("missing", Refusal::Missing("there is no file missing".into())),
        ("sub", Refusal::Denied("sub is a directory".into())),
        ("fifo", Refusal::Denied("fifo is a pipe or a socket".into())),
        ("absolute", Refusal::Denied("absolute leads out of boot.directory by a symbolic link".into())),
        ("back", Refusal::Denied("back is an absolute symbolic link: make it relative (ln -sr)".into())),
        (
            "up/inside",
            Refusal::Denied(
                "up/inside leads through up, an absolute symbolic link: make it relative (ln -sr)".into(),
            ),
        ),
        ("itself", Refusal::Denied("itself is a symbolic link that leads in a circle".into())),
    ] {
        assert_eq!(open(&mut images, path), Err(expected), "{path}");
    }
}

#[test]
fn octets_come_across_the_border_of_two_chunks() {
    let (mut images, directory) = images();
    let border = usize::try_from(CHUNK_OCTETS).unwrap();
    let content: Vec<u8> = (0..2 * border + 100).map(|n| u8::try_from(n % 251).unwrap()).collect();
    std::fs::write(directory.path().join("image"), &content).unwrap();
    let opened = open(&mut images, "image").unwrap();
    assert_eq!(opened.size(), content.len() as u64);
    assert!(images.octets(opened.image, 0..10).is_none());
    for chunk in 0..3 {
        fetch(&mut images, opened.image, chunk).unwrap();
    }
    for range in [
        0..10,
        border - 3..border,
        border - 700..border + 724,
        2 * border..content.len(),
        content.len()..content.len(),
    ] {
        let wanted = range.start as u64..range.end as u64;
        let [front, back] = images.octets(opened.image, wanted).unwrap();
        assert_eq!([front, back].concat(), content[range.clone()], "{range:?}");
    }
    let beyond = content.len() as u64;
    assert!(images.octets(opened.image, beyond - 1..beyond + 1).is_none());
    assert!(fetch(&mut images, opened.image, 3).is_err());
    images.close(opened.image);
    assert_eq!(images.held(), (0, 0));
}

#[test]
fn a_file_replaced_by_renaming_is_seen_by_the_next_request_and_cuts_nobody() {
    let (mut images, directory) = images();
    let path = directory.path().join("kernel");
    std::fs::write(&path, "old").unwrap();
    let old = open(&mut images, "kernel").unwrap();
    let same = open(&mut images, "kernel").unwrap();
    assert_eq!(old, same, "one descriptor for all");

    std::fs::write(directory.path().join("new"), "newer").unwrap();
    std::fs::rename(directory.path().join("new"), &path).unwrap();
    let new = open(&mut images, "kernel").unwrap();
    assert_ne!(new.image, old.image);
    assert_ne!(new.identity, old.identity, "nobody goes on with it after a restart");
    fetch(&mut images, old.image, 0).unwrap();
    fetch(&mut images, new.image, 0).unwrap();
    assert_eq!(images.octets(old.image, 0..3).unwrap()[0], b"old");
    assert_eq!(images.octets(new.image, 0..5).unwrap()[0], b"newer");
    for image in [old.image, same.image, new.image] {
        images.close(image);
    }
    assert_eq!(images.held(), (0, 0));
}

#[test]
fn a_file_changed_in_place_is_broken() {
    let (mut images, directory) = images();
    let path = directory.path().join("kernel");
    std::fs::write(&path, vec![1; 600_000]).unwrap();
    let opened = open(&mut images, "kernel").unwrap();
    fetch(&mut images, opened.image, 0).unwrap();
    std::thread::sleep(Duration::from_millis(20));
    std::fs::write(&path, vec![2; 600_000]).unwrap();
    let why = fetch(&mut images, opened.image, 1).unwrap_err();
    assert!(why.contains("changed in place"), "{why}");
    std::fs::write(&path, "short").unwrap();
    assert!(fetch(&mut images, opened.image, 2).is_err());
    let again = open(&mut images, "kernel").unwrap();
    assert_eq!(again.size(), 5);
    fetch(&mut images, again.image, 0).unwrap();
}

/// Writes over a file and puts its time back, as `rsync --inplace --times` and `cp -p` do.
fn write_over(path: &std::path::Path, content: &[u8]) {
    let time = std::fs::metadata(path).unwrap().modified().unwrap();
    // The kernel's clock of files goes by its ticks.
    std::thread::sleep(Duration::from_millis(20));
    std::fs::write(path, content).unwrap();
    std::fs::File::options().write(true).open(path).unwrap().set_modified(time).unwrap();
}

#[test]
fn a_file_changed_in_place_is_seen_though_its_time_was_put_back() {
    let (mut images, directory) = images();
    let path = directory.path().join("kernel");
    std::fs::write(&path, vec![1; 600_000]).unwrap();
    let old = open(&mut images, "kernel").unwrap();
    fetch(&mut images, old.image, 0).unwrap();
    write_over(&path, &[2; 600_000]);
    let new = open(&mut images, "kernel").unwrap();
    assert_ne!(new.image, old.image, "what is in memory is of the old one");
    fetch(&mut images, new.image, 0).unwrap();
    assert_eq!(images.octets(new.image, 0..3).unwrap()[0], [2; 3]);
    let why = fetch(&mut images, old.image, 1).unwrap_err();
    assert!(why.contains("changed in place"), "{why}");
    assert_ne!(new.identity, old.identity, "nobody goes on with it after a restart");
}

/// All of these change the time of the last change of the inode, and nothing of the content.
#[test]
fn a_file_that_is_moved_linked_or_given_away_cuts_nobody() {
    let (mut images, directory) = images();
    let at = |name: &str| directory.path().join(name);
    let mode = |mode| std::os::unix::fs::PermissionsExt::from_mode(mode);
    type Change<'a> = (&'a str, &'a dyn Fn(&std::path::Path));
    let changes: [Change<'_>; 8] = [
        ("moved aside", &|path| std::fs::rename(path, at("old")).unwrap()),
        ("replaced", &|path| std::fs::rename(at("other"), path).unwrap()),
        ("removed", &|path| std::fs::remove_file(path).unwrap()),
        ("linked", &|path| std::fs::hard_link(path, at("link")).unwrap()),
        ("opened to all", &|path| std::fs::set_permissions(path, mode(0o664)).unwrap()),
        // And what leaves everything as it was, but for that time.
        ("opened to those who may read it already", &|path| {
            std::fs::set_permissions(path, mode(0o644)).unwrap();
        }),
        ("linked and not any more", &|path| {
            std::fs::hard_link(path, at("link")).unwrap();
            std::fs::remove_file(at("link")).unwrap();
        }),
        ("moved aside and back", &|path| {
            std::fs::rename(path, at("old")).unwrap();
            std::fs::rename(at("old"), path).unwrap();
        }),
    ];
    for (what, change) in changes {
        std::fs::write(at("other"), "x").unwrap();
        std::fs::write(at("kernel"), vec![1; 600_000]).unwrap();
        std::fs::set_permissions(at("kernel"), mode(0o644)).unwrap();
        let opened = open(&mut images, "kernel").unwrap();
        std::thread::sleep(Duration::from_millis(20));
        change(&at("kernel"));
        assert_eq!(fetch(&mut images, opened.image, 0), Ok(()), "{what}");
        // Once more, after it was known to be the same.
        std::thread::sleep(Duration::from_millis(20));
        let _ = std::fs::set_permissions(at("kernel"), mode(0o600));
        assert_eq!(fetch(&mut images, opened.image, 1), Ok(()), "{what}");
        images.close(opened.image);
        for name in ["kernel", "link", "old"] {
            let _ = std::fs::remove_file(at(name));
        }
    }
}

/// Whatever else was changed with it, and wherever the difference is.
#[test]
fn what_was_written_over_is_seen_also_where_something_else_explains_the_change() {
    let (mut images, directory) = images();
    let at = |name: &str| directory.path().join(name);
    let content = vec![1; 600_000];
    let differs = |place: Range<usize>| {
        let mut other = content.clone();
        other[place].fill(2);
        other
    };
    for (what, new) in [
        ("all of it", differs(0..600_000)),
        ("its beginning", differs(0..1)),
        ("its end", differs(599_999..600_000)),
        ("from its middle on", differs(300_000..600_000)),
        ("one octet in its middle", differs(300_000..300_001)),
    ] {
        std::fs::write(at("kernel"), &content).unwrap();
        let opened = open(&mut images, "kernel").unwrap();
        fetch(&mut images, opened.image, 0).unwrap();
        write_over(&at("kernel"), &new);
        let mode = std::os::unix::fs::PermissionsExt::from_mode(0o600);
        std::fs::set_permissions(at("kernel"), mode).unwrap();
        std::fs::rename(at("kernel"), at("aside")).unwrap();
        let why = fetch(&mut images, opened.image, 1).unwrap_err();
        assert!(why.contains("changed in place"), "{what}: {why}");
        images.close(opened.image);
    }
}

#[test]
fn a_generated_file_is_in_memory_and_is_the_same_if_its_text_is() {
    let (mut images, _directory) = images();
    let first = images.open_text("#!ipxe\n", Mode::Octet);
    let second = images.open_text("#!ipxe\n", Mode::Octet);
    let other = images.open_text("#!ipxe!", Mode::Octet);
    assert_eq!(first.identity, second.identity);
    assert_ne!(first.identity, other.identity);
    assert!(matches!(images.fetch(first.image, 0), Some(Input::Fetched { .. })));
    assert_eq!(images.octets(first.image, 2..6).unwrap()[0], b"ipxe");
    for opened in [first, second, other] {
        images.close(opened.image);
    }
    assert_eq!(images.held(), (0, 0));
}

#[test]
fn descriptors_do_not_grow_with_requests() {
    let (mut images, directory) = images();
    std::fs::write(directory.path().join("kernel"), "x").unwrap();
    let descriptors = || {
        std::fs::read_dir("/proc/self/fd")
            .unwrap()
            .filter_map(Result::ok)
            .filter(|entry| {
                std::fs::read_link(entry.path()).is_ok_and(|target| target.starts_with(directory.path()))
            })
            .count()
    };
    let opened: Vec<Opened> = (0..300).map(|_| open(&mut images, "kernel").unwrap()).collect();
    assert_eq!(descriptors(), 1);
    for opened in opened {
        images.close(opened.image);
    }
    let give_up = Instant::now() + Duration::from_secs(5);
    while descriptors() > 0 {
        assert!(Instant::now() < give_up, "the file is still open");
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// The threads have as much to tell as has room, and stand: what is asked for meanwhile waits, however much that is, and what nobody wants any more is not opened.
#[test]
fn nothing_is_refused_while_the_threads_are_busy() {
    const WAITING: u64 = 20_000;
    let (mut images, directory) = images();
    std::fs::write(directory.path().join("kernel"), vec![1; 600_000]).unwrap();
    let opened = open(&mut images, "kernel").unwrap();
    (0..WAITING).for_each(|id| images.open(TransferId(id), wanted(&["none"], Mode::Octet)));
    let last = TransferId(WAITING - 1);
    assert!(images.forget(Ipv4Addr::LOCALHOST, last));
    assert!(!images.forget(Ipv4Addr::LOCALHOST, last));
    assert!(images.fetch(opened.image, 1).is_none(), "it is no reason to break off what is under way");
    let mut told = Vec::new();
    let fetched_after = loop {
        let input = next(&mut images);
        if let Input::Opened { transfer, .. } = input {
            told.push(transfer);
            continue;
        }
        assert!(matches!(input, Input::Fetched { image, chunk: 1 } if image == opened.image), "{input:?}");
        break told.len();
    };
    // While it is read the other thread opens what it can.
    assert!(fetched_after < WAITING as usize / 2, "who is under way goes first: {fetched_after}");
    told.extend((told.len()..WAITING as usize - 1).map(|_| {
        let input = next(&mut images);
        let Input::Opened { transfer, .. } = input else { panic!("{input:?}") };
        transfer
    }));
    told.sort();
    assert!(told.into_iter().eq((0..WAITING - 1).map(TransferId)), "each is told once, and the last never");
}

#[test]
fn the_first_that_is_there_is_opened() {
    let (mut images, directory) = images();
    std::fs::create_dir(directory.path().join("10.77.1.23")).unwrap();
    for (name, content) in [("10.77.1.23/kernel", "own"), ("kernel", "common"), ("Other", "folded")] {
        std::fs::write(directory.path().join(name), content).unwrap();
    }
    for (paths, case_fold, expected) in [
        (["10.77.1.23/kernel", "kernel"], false, Some(3)),
        (["10.77.1.24/kernel", "kernel"], false, Some(6)),
        (["10.77.1.23/other", "other"], false, None),
        (["10.77.1.23/other", "other"], true, Some(6)),
        (["10.77.1.23/KERNEL", "kernel"], true, Some(3)),
        (["10.77.1.23/none", "none"], true, None),
    ] {
        let wanted = Wanted { case_fold, ..wanted(&paths, Mode::Octet) };
        let opened = open_wanted(&mut images, wanted);
        assert_eq!(opened.map(|opened| opened.size()).ok(), expected, "{paths:?}");
    }
}

#[test]
fn a_text_is_counted_as_it_is_sent_and_is_another_image_than_the_file() {
    let (mut images, directory) = images();
    std::fs::write(directory.path().join("menu"), "a\nb\r\n").unwrap();
    let file = open(&mut images, "menu").unwrap();
    let text = open_wanted(&mut images, wanted(&["menu"], Mode::Netascii)).unwrap();
    let again = open_wanted(&mut images, wanted(&["menu"], Mode::Netascii)).unwrap();
    assert_eq!((file.size(), text.size()), (5, 8));
    assert_ne!(file.image, text.image);
    assert_eq!(text, again, "counted once for all");
    fetch(&mut images, text.image, 0).unwrap();
    assert_eq!(images.octets(text.image, 0..8).unwrap()[0], b"a\r\nb\r\0\r\n");
    let made = images.open_text("x\n", Mode::Netascii);
    assert_eq!((made.size(), images.octets(made.image, 0..3).unwrap()[0]), (3, b"x\r\n".as_slice()));
    let large = std::fs::File::create(directory.path().join("large")).unwrap();
    large.set_len(netascii::FILE_OCTETS_MAX + 1).unwrap();
    let refused = open_wanted(&mut images, wanted(&["large"], Mode::Netascii));
    assert_eq!(refused, Err(Refusal::Unfit("more than 1 MiB are no text: ask in mode octet".into())));
}

/// What was asked for in octets that are no UTF-8 comes as letters that stand for them: a file of such a name is not found, and it is told why.
#[test]
fn who_asks_for_a_name_that_is_no_utf_8_is_told_so() {
    let (mut images, directory) = images();
    let name = std::ffi::OsStr::from_bytes(b"b\xe4r");
    std::fs::write(directory.path().join(name), "x").unwrap();
    let why = open(&mut images, &String::from_utf8_lossy(name.as_bytes())).unwrap_err();
    assert!(why.why().contains("rename"), "{why:?}");
    assert!(!open(&mut images, "bär").unwrap_err().why().contains("rename"));
}

/// Beyond 4 GiB, in a file that has holes: places and sizes are of 64 bits.
#[test]
fn a_file_of_more_than_four_gibibytes_is_read_at_its_end() {
    let (mut images, directory) = images();
    let file = std::fs::File::create(directory.path().join("large")).unwrap();
    let size = (5_u64 << 30) + 3;
    file.set_len(size).unwrap();
    std::os::unix::fs::FileExt::write_all_at(&file, b"end", size - 3).unwrap();
    drop(file);
    let opened = open(&mut images, "large").unwrap();
    assert_eq!(opened.size(), size);
    fetch(&mut images, opened.image, (size - 1) / CHUNK_OCTETS).unwrap();
    assert_eq!(images.octets(opened.image, size - 3..size).unwrap()[0], b"end");
}

/// One file that is never delivered, wanted by more than there are threads: whoever wants others gets them, also new ones, and in the end all have what they want.
#[test]
fn a_file_system_that_stands_still_holds_up_nobody_else() {
    testing::with_mounts(|| {
        let directory = testing::directory("images");
        let standing = testing::standing::Standing::at(directory.path().join("standing"));
        let (caller, results) = line(&Bell::new().unwrap(), 8);
        let mut images = Images::start(testing::boot_files(&directory), caller, results).unwrap();
        std::fs::write(directory.path().join("kernel"), vec![1; 600_000]).unwrap();
        symlink("standing/stands", directory.path().join("by-link")).unwrap();
        let stands = open(&mut images, "by-link").unwrap();
        assert_eq!(stands.size(), testing::standing::OCTETS);
        assert!((0..3).all(|chunk| images.fetch(stands.image, chunk).is_none()));
        let give_up = Instant::now() + Duration::from_secs(5);
        while standing.held() == 0 {
            assert!(Instant::now() < give_up, "nobody reads");
            std::thread::sleep(Duration::from_millis(1));
        }
        for _ in 0..3 {
            let kernel = open(&mut images, "kernel").unwrap();
            for chunk in 0..3 {
                assert_eq!(fetch(&mut images, kernel.image, chunk), Ok(()));
            }
            images.close(kernel.image);
        }
        let overdue = images.overdue();
        let waited = overdue(Instant::now() + Duration::from_secs(60), Duration::from_secs(15));
        assert_eq!(waited.into_iter().flatten().map(|(_, file)| file).collect::<Vec<_>>(), ["by-link"]);
        standing.release();
        let mut fetched: Vec<u64> = Vec::new();
        while fetched.len() < 3 {
            let input = next(&mut images);
            let Input::Fetched { image, chunk } = input else { panic!("{input:?}") };
            assert_eq!(image, stands.image);
            fetched.push(chunk);
        }
        fetched.sort_unstable();
        assert_eq!(fetched, [0, 1, 2]);
        let octets = images.octets(stands.image, 262_000..262_300).unwrap().concat();
        assert_eq!(octets, testing::standing::content(262_000, 300));
    });
}
