use super::super::directory::{BootDirectory, Unopened, anywhere};
use super::*;
use crate::testing::{self, Directory};
use std::os::unix::fs::FileExt;
use std::path::Path;

const ONE: Ipv4Addr = Ipv4Addr::new(10, 77, 1, 1);
const TWO: Ipv4Addr = Ipv4Addr::new(10, 77, 1, 2);

fn boot_directory() -> (BootDirectory, Directory) {
    let directory = testing::directory("editions");
    let boot = testing::boot_files(&directory);
    put(directory.path(), "vmlinuz", "kernel 1");
    put(directory.path(), "initrd.img", "disk 1");
    (boot, directory)
}

/// As a package does it: another file in the place of the old one.
fn put(directory: &Path, name: &str, text: &str) {
    let new = directory.join("new");
    std::fs::write(&new, text).unwrap();
    std::fs::rename(new, directory.join(name)).unwrap();
}

fn files() -> Vec<String> {
    vec!["vmlinuz".into(), "initrd.img".into()]
}

fn open_for(boot: &BootDirectory, from: Ipv4Addr, path: &str) -> Result<BootFile, Refusal> {
    boot.open_for(&anywhere, from, path).map_err(|error| match error {
        Unopened::Refused(refusal) => refusal,
        Unopened::Held(place) => panic!("{place}"),
    })
}

fn text(opened: Result<BootFile, Refusal>) -> String {
    match opened {
        Ok(opened) => {
            let mut octets = vec![0; usize::try_from(opened.identity.size).unwrap()];
            opened.file.read_exact_at(&mut octets, 0).unwrap();
            String::from_utf8(octets).unwrap()
        }
        Err(Refusal::Missing(why) | Refusal::Denied(why) | Refusal::Unfit(why)) => why,
        Err(Refusal::Changed) => "changed".into(),
    }
}

#[test]
fn a_boot_gets_what_it_saw_first_and_the_next_one_what_is_there() {
    let (boot, directory) = boot_directory();
    boot.together(ONE, files(), false);
    boot.together(TWO, files(), false);
    assert_eq!(text(open_for(&boot, ONE, "vmlinuz")), "kernel 1");
    put(directory.path(), "vmlinuz", "kernel 2");
    put(directory.path(), "initrd.img", "disk 2");
    assert_eq!(text(open_for(&boot, ONE, "initrd.img")), "disk 1");
    assert_eq!(text(open_for(&boot, ONE, "vmlinuz")), "kernel 1", "also when it asks again");
    assert_eq!(text(open_for(&boot, TWO, "vmlinuz")), "kernel 2", "it has seen nothing before");
    assert_eq!(text(open_for(&boot, TWO, "initrd.img")), "disk 2");
    assert_eq!(text(boot.open("initrd.img")), "disk 2");
    // It is switched on again, or is up.
    boot.together(ONE, files(), false);
    assert_eq!(text(open_for(&boot, ONE, "initrd.img")), "disk 2");
    boot.together(TWO, Vec::new(), false);
    put(directory.path(), "vmlinuz", "kernel 3");
    assert_eq!(text(open_for(&boot, TWO, "vmlinuz")), "kernel 3");
}

#[test]
fn what_was_written_over_is_refused_until_the_machine_begins_again() {
    let (boot, directory) = boot_directory();
    boot.together(ONE, files(), false);
    assert_eq!(text(open_for(&boot, ONE, "vmlinuz")), "kernel 1");
    std::fs::write(directory.path().join("initrd.img"), "disk two").unwrap();
    let refused = text(open_for(&boot, ONE, "initrd.img"));
    assert!(refused.starts_with("initrd.img was changed since this boot began"), "{refused}");
    // Its loader begins with the kernel again: all is as it is now.
    assert_eq!(text(open_for(&boot, ONE, "vmlinuz")), "kernel 1");
    assert_eq!(text(open_for(&boot, ONE, "initrd.img")), "disk two");
}

/// Whoever opens his files to all in the middle of boots, or has a backup that links them, holds up none of them.
#[test]
fn a_boot_goes_on_when_its_files_are_what_they_were() {
    let (boot, directory) = boot_directory();
    let initrd = directory.path().join("initrd.img");
    boot.together(ONE, files(), false);
    assert_eq!(text(open_for(&boot, ONE, "vmlinuz")), "kernel 1");
    std::thread::sleep(Duration::from_millis(20));
    std::fs::set_permissions(&initrd, std::fs::metadata(&initrd).unwrap().permissions()).unwrap();
    assert_eq!(text(open_for(&boot, ONE, "initrd.img")), "disk 1");
    std::thread::sleep(Duration::from_millis(20));
    std::fs::hard_link(&initrd, directory.path().join("hourly")).unwrap();
    assert_eq!(text(open_for(&boot, ONE, "initrd.img")), "disk 1");
    // Written over, and given its time back.
    let time = std::fs::metadata(&initrd).unwrap().modified().unwrap();
    std::thread::sleep(Duration::from_millis(20));
    std::fs::write(&initrd, "disk 2").unwrap();
    std::fs::File::options().write(true).open(&initrd).unwrap().set_modified(time).unwrap();
    let refused = text(open_for(&boot, ONE, "initrd.img"));
    assert!(refused.starts_with("initrd.img was changed since this boot began"), "{refused}");
}

/// The process before this one gave the kernel. Whether what is there now is of the same version is known only of what is old enough.
#[test]
fn a_boot_that_goes_on_after_a_restart_gets_no_other_version() {
    let (mut boot, directory) = boot_directory();
    let refused = |boot: &BootDirectory| {
        let said = text(open_for(boot, ONE, "initrd.img"));
        assert!(said.starts_with("initrd.img may be of another version than the kernel"), "{said}");
    };
    boot.together(ONE, files(), true);
    put(directory.path(), "vmlinuz", "kernel 2");
    refused(&boot);
    put(directory.path(), "initrd.img", "disk 2");
    refused(&boot);
    // Its loader begins again: it has all of one moment, and that moment is now.
    assert_eq!(text(open_for(&boot, ONE, "vmlinuz")), "kernel 2");
    put(directory.path(), "initrd.img", "disk 3");
    assert_eq!(text(open_for(&boot, ONE, "initrd.img")), "disk 2");
    // Who begins after the start is in no doubt.
    boot.together(TWO, files(), false);
    assert_eq!(text(open_for(&boot, TWO, "initrd.img")), "disk 3");
    // Files that were there long before: it is as if there had been no restart. A file whose content is old, and which was renamed just now, is none of them.
    boot.started = std::time::SystemTime::now() + STANDS + Duration::from_secs(2);
    boot.together(ONE, files(), true);
    assert_eq!(text(open_for(&boot, ONE, "initrd.img")), "disk 3");
    boot.started = std::time::SystemTime::now();
    boot.together(ONE, files(), true);
    let old = std::fs::File::open(directory.path().join("initrd.img")).unwrap();
    old.set_modified(std::time::UNIX_EPOCH + Duration::from_secs(1_000_000_000)).unwrap();
    refused(&boot);
    std::fs::remove_file(directory.path().join("initrd.img")).unwrap();
    refused(&boot);
}

/// As a process knows it that was started after another one in the same place.
#[test]
fn what_the_process_before_gave_is_the_same_as_long_as_nothing_took_its_place() {
    let (_, directory) = boot_directory();
    let kept = testing::directory("given");
    let process = || {
        testing::boot_files(&directory)
            .keeping(kept.path().join("given.json"), kept.path().join("touched.json"))
    };
    let begin = |boot: &BootDirectory, from: Ipv4Addr, is_resumed: bool| {
        boot.together(from, files(), is_resumed);
        text(open_for(boot, from, if is_resumed { "initrd.img" } else { "vmlinuz" }))
    };
    assert_eq!(begin(&process(), ONE, false), "kernel 1");
    // The files are of this moment, and yet nobody can have seen others.
    assert_eq!(begin(&process(), ONE, true), "disk 1");
    let refused = |said: String| assert!(said.contains("another version than the kernel"), "{said}");
    put(directory.path(), "vmlinuz", "kernel 2");
    refused(begin(&process(), ONE, true));
    // Another boot was given the new ones before the process ended: that one goes on, but nobody can tell it from one which began with the old ones.
    assert_eq!(begin(&process(), TWO, false), "kernel 2");
    refused(begin(&process(), TWO, true));
    // An hour later none is left that did.
    let mut later = process();
    later.started = std::time::SystemTime::now() + STANDS + Duration::from_secs(2);
    assert_eq!(begin(&later, TWO, true), "disk 1");
    // A file that makes no sense, or none, is no knowledge.
    std::fs::write(kept.path().join("given.json"), "{").unwrap();
    refused(begin(&process(), ONE, true));
}

/// `chmod`, a hard link, `mv` there and back: whoever is in mid-boot goes on also when the server is started anew, and so does who was sent the file.
#[test]
fn what_was_touched_before_a_restart_is_what_it_was() {
    let (_, directory) = boot_directory();
    let kept = testing::directory("touched");
    let at = |name: &str| directory.path().join(name);
    let process = || {
        let place = |name: &str| kept.path().join(name);
        testing::boot_files(&directory).keeping(place("given.json"), place("touched.json"))
    };
    let wait = || std::thread::sleep(Duration::from_millis(20));
    let mode = |mode| std::os::unix::fs::PermissionsExt::from_mode(mode);
    let first = process();
    first.together(ONE, files(), false);
    assert_eq!(text(open_for(&first, ONE, "vmlinuz")), "kernel 1");
    let identity = |boot: &BootDirectory| boot.open("initrd.img").unwrap().identity;
    let was = identity(&first);
    first.together(ONE, Vec::new(), false);
    first.sweep(&anywhere);
    wait();
    std::fs::set_permissions(at("initrd.img"), mode(0o600)).unwrap();
    // Another boot begins; it is only then that the server looks.
    first.together(TWO, files(), false);
    assert_eq!(text(open_for(&first, TWO, "vmlinuz")), "kernel 1");
    assert_eq!(identity(&first), was);
    assert!(!kept.path().join("touched.json").exists(), "whoever opens waits for no other disk");
    wait();
    std::fs::hard_link(at("initrd.img"), at("link")).unwrap();
    std::fs::rename(at("initrd.img"), at("aside")).unwrap();
    std::fs::rename(at("aside"), at("initrd.img")).unwrap();
    first.look_at_touched();
    first.keep_touched();
    drop(first);
    let second = process();
    second.together(TWO, files(), true);
    assert_eq!(text(open_for(&second, TWO, "initrd.img")), "disk 1");
    assert_eq!(identity(&second), was);
    // Of what happens while no server runs nothing is known.
    drop(second);
    wait();
    std::fs::set_permissions(at("initrd.img"), mode(0o644)).unwrap();
    let third = process();
    third.together(TWO, files(), true);
    assert!(text(open_for(&third, TWO, "initrd.img")).contains("another version than the kernel"));
    assert_ne!(identity(&third), was);
    // Written over, with its time put back, and touched.
    let was = identity(&third);
    let time = std::fs::metadata(at("initrd.img")).unwrap().modified().unwrap();
    wait();
    std::fs::write(at("initrd.img"), "disk 2").unwrap();
    std::fs::File::options().write(true).open(at("initrd.img")).unwrap().set_modified(time).unwrap();
    std::fs::set_permissions(at("initrd.img"), mode(0o600)).unwrap();
    third.look_at_touched();
    assert_ne!(identity(&third), was);
    // Another file in its place that has its size, its time, and maybe its inode.
    let was = identity(&third);
    wait();
    for name in ["initrd.img", "link"] {
        std::fs::remove_file(at(name)).unwrap();
    }
    std::fs::write(at("initrd.img"), "disk 3").unwrap();
    std::fs::File::options().write(true).open(at("initrd.img")).unwrap().set_modified(time).unwrap();
    assert_ne!(identity(&third), was);
}

#[test]
fn what_was_missing_may_come_later() {
    let (boot, directory) = boot_directory();
    std::fs::remove_file(directory.path().join("initrd.img")).unwrap();
    boot.together(ONE, files(), false);
    assert_eq!(text(open_for(&boot, ONE, "vmlinuz")), "kernel 1");
    assert_eq!(text(open_for(&boot, ONE, "initrd.img")), "there is no file initrd.img");
    put(directory.path(), "initrd.img", "disk 1");
    assert_eq!(text(open_for(&boot, ONE, "initrd.img")), "disk 1");
    assert_eq!(text(open_for(&boot, ONE, "other")), "there is no file other", "what belongs to nothing");
}

#[test]
fn a_version_is_held_once_and_no_longer_than_it_may_be_needed() {
    let (boot, directory) = boot_directory();
    let mut editions = Editions::default();
    let now = Instant::now();
    let open = |editions: &mut Editions, now: Instant, from: Ipv4Addr| {
        editions.begin(now, from, files(), false);
        let Found::Unopened { files, .. } = editions.find(now, from, "vmlinuz") else {
            panic!("nothing is open")
        };
        let open = |file: String| {
            let result = boot.open(&file).map(Arc::new);
            (file, result)
        };
        let opened: Vec<_> = files.into_iter().map(open).collect();
        editions.opened(from, &opened);
        editions.find(now, from, "vmlinuz")
    };
    for last in 0..100 {
        assert!(matches!(open(&mut editions, now, Ipv4Addr::new(10, 77, 1, last)), Found::This(..)));
    }
    assert_eq!(editions.held(), (100, 2));
    // So many versions that no more are held: then it is only known what they were.
    for version in 0..HELD_MAX as u32 {
        put(directory.path(), "vmlinuz", &format!("kernel {version}"));
        let found = open(&mut editions, now, Ipv4Addr::from(u32::from(ONE) + 1000 + version));
        assert_eq!(matches!(found, Found::OnlyIf(_)), version as usize >= HELD_MAX - 2, "{version}");
    }
    let later = now + STANDS;
    assert!(matches!(editions.find(later, ONE, "vmlinuz"), Found::Anything), "its boot is over");
    editions.sweep(later);
    drop(editions.over());
    assert_eq!(editions.held(), (0, 0));
}

/// Two boots have opened the same: the second's are closed, each where it is.
#[test]
fn what_may_have_to_be_waited_for_is_closed_where_it_is() {
    testing::with_mounts(|| {
        let (boot, directory) = boot_directory();
        let _standing = testing::standing::Standing::at(directory.path().join("standing"));
        let ways = std::cell::RefCell::new(Vec::new());
        let go = |place: &crate::disks::Place, name: &str| {
            let is_own = *place == crate::disks::Place::Own;
            ways.borrow_mut().push((is_own, name.to_owned()));
            // It stands still once more is wanted of it than its opening.
            is_own || ways.borrow().iter().filter(|(is_own, _)| !is_own).count() < 3
        };
        for from in [ONE, TWO] {
            boot.together(from, vec!["standing/quick".into(), "vmlinuz".into()], false);
            assert_eq!(text(boot.open_for(&go, from, "vmlinuz").map_err(|_| Refusal::Changed)), "kernel 1");
        }
        let ways = ways.into_inner();
        let elsewhere: Vec<_> = (0..ways.len()).filter(|way| !ways[*way].0).collect();
        assert_eq!(elsewhere.len(), 3, "{ways:?}");
        assert_eq!(ways[elsewhere[2] - 1], (true, "vmlinuz".to_owned()), "{ways:?}");
        let closed = std::cell::Cell::new(0);
        let go = |_: &crate::disks::Place, _: &str| {
            closed.set(closed.get() + 1);
            true
        };
        boot.sweep(&go);
        boot.sweep(&go);
        assert_eq!(closed.get(), 1, "what could not be closed is closed later");
    });
}
