use super::*;
use crate::testing::{self, Directory};
use crate::wake::{Bell, line};
use std::os::unix::fs::symlink;
use std::time::{Duration, Instant};

fn images() -> (Images, Directory) {
    let directory = testing::directory("images");
    let (caller, results) = line(&Bell::new().unwrap(), 8);
    let boot = BootDirectory::new(directory.path().to_str().unwrap());
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

fn open(images: &mut Images, path: &str, identity: Option<ImageIdentity>) -> Result<Opened, Refusal> {
    images.open(TransferId(7), path.into(), identity).unwrap();
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
        ("itself", false),
        ("sub", false),
        ("fifo", false),
        ("/dev/zero", false),
        ("missing", false),
        ("sub/inside/further", false),
        ("", false),
        ("with\0zero", false),
    ] {
        assert_eq!(open(&mut images, path, None).is_ok(), allowed, "{path}");
    }
    assert!(matches!(open(&mut images, "missing", None), Err(Refusal::Missing(_))));
    assert!(matches!(open(&mut images, "absolute", None), Err(Refusal::Denied(_))));
}

#[test]
fn octets_come_across_the_border_of_two_chunks() {
    let (mut images, directory) = images();
    let border = usize::try_from(CHUNK_OCTETS).unwrap();
    let content: Vec<u8> = (0..2 * border + 100).map(|n| u8::try_from(n % 251).unwrap()).collect();
    std::fs::write(directory.path().join("image"), &content).unwrap();
    let opened = open(&mut images, "image", None).unwrap();
    assert_eq!(opened.size, content.len() as u64);
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
    let old = open(&mut images, "kernel", None).unwrap();
    let same = open(&mut images, "kernel", Some(old.identity)).unwrap();
    assert_eq!(old, same, "one descriptor for all");

    std::fs::write(directory.path().join("new"), "newer").unwrap();
    std::fs::rename(directory.path().join("new"), &path).unwrap();
    let new = open(&mut images, "kernel", None).unwrap();
    assert_ne!(new.image, old.image);
    assert_eq!(open(&mut images, "kernel", Some(old.identity)), Err(Refusal::Changed));
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
    let opened = open(&mut images, "kernel", None).unwrap();
    fetch(&mut images, opened.image, 0).unwrap();
    std::thread::sleep(Duration::from_millis(20));
    std::fs::write(&path, vec![2; 600_000]).unwrap();
    let why = fetch(&mut images, opened.image, 1).unwrap_err();
    assert!(why.contains("changed in place"), "{why}");
    std::fs::write(&path, "short").unwrap();
    assert!(fetch(&mut images, opened.image, 2).is_err());
    let again = open(&mut images, "kernel", None).unwrap();
    assert_eq!(again.size, 5);
    fetch(&mut images, again.image, 0).unwrap();
}

#[test]
fn a_generated_file_is_in_memory_and_is_the_same_if_its_text_is() {
    let (mut images, _directory) = images();
    let first = images.open_text("#!ipxe\n");
    let second = images.open_text("#!ipxe\n");
    let other = images.open_text("#!ipxe!");
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
    let opened: Vec<Opened> = (0..300).map(|_| open(&mut images, "kernel", None).unwrap()).collect();
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
