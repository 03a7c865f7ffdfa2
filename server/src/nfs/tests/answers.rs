use super::*;
use heorot_nfs::handle::{Handle, RootId};

/// A tree with some of everything.
fn tree() -> testing::Directory {
    let directory = testing::directory("nfs");
    let root = directory.path();
    fs::create_dir_all(root.join("etc/deep/er")).unwrap();
    fs::write(root.join("etc/passwd"), "root:x:0:0::/root:/bin/sh\n").unwrap();
    fs::write(root.join("etc/shadow"), "root:*::\n").unwrap();
    fs::set_permissions(root.join("etc/shadow"), fs::Permissions::from_mode(0o600)).unwrap();
    fs::write(root.join("etc/deep/er/file"), [7; 100_001]).unwrap();
    fs::write(root.join("setuid"), "#!").unwrap();
    fs::set_permissions(root.join("setuid"), fs::Permissions::from_mode(0o4755)).unwrap();
    symlink("/etc/passwd", root.join("out")).unwrap();
    symlink("..", root.join("up")).unwrap();
    symlink("etc", root.join("inside")).unwrap();
    directory
}

#[test]
fn a_file_is_found_read_and_told_of() {
    let tree = tree();
    let mut client = Client::new(tree.path());
    let handle = client.walk("etc/passwd").unwrap();
    let its = client.attributes(&handle).unwrap();
    let real = fs::metadata(tree.path().join("etc/passwd")).unwrap();
    assert_eq!((its.kind, its.size, its.inode), (1, real.len(), real.ino()));
    assert_eq!((its.mode, its.uid, its.gid), (real.mode() & 0o7777, real.uid(), real.gid()));
    let setuid = client.walk("setuid").unwrap();
    assert_eq!(client.attributes(&setuid).unwrap().mode, 0o4755);
    assert_eq!(client.read(&handle, 0, 4096).unwrap(), (b"root:x:0:0::/root:/bin/sh\n".to_vec(), true));
    assert_eq!(client.read(&handle, 5, 3).unwrap(), (b"x:0".to_vec(), false));
    assert_eq!(client.read(&handle, 500, 3).unwrap(), (vec![], true), "behind its end");
    // Long enough to go without us.
    let long = client.walk("etc/deep/er/file").unwrap();
    for (offset, count, length, is_end) in
        [(0, 100_001, 100_001, true), (0, 100_000, 100_000, false), (1, 1 << 20, 100_000, true)]
    {
        assert_eq!(client.read(&long, offset, count).unwrap(), (vec![7; length], is_end), "{offset} {count}");
    }
}

#[test]
fn handles_survive_a_restart_at_any_depth() {
    let tree = tree();
    // Deeper than a handle tells of.
    let deep: Vec<String> = (0..40).map(|level| format!("level{level}")).collect();
    fs::create_dir_all(tree.path().join(deep.join("/"))).unwrap();
    let bottom = format!("{}/bottom", deep.join("/"));
    fs::write(tree.path().join(&bottom), "deep").unwrap();
    for number in 0..300 {
        fs::create_dir(tree.path().join(format!("etc/other{number}"))).unwrap();
    }
    let mut client = Client::new(tree.path());
    for path in ["etc", "etc/passwd", "etc/deep/er/file", "up", &bottom] {
        let handle = client.walk(path).unwrap();
        let before = client.attributes(&handle).unwrap();
        client = client.restarted();
        assert_eq!(client.attributes(&handle), Ok(before), "{path}");
        assert_eq!(client.walk(path).unwrap(), handle, "{path}: the same one again");
    }
    let root = client.root();
    client = client.restarted();
    assert!(client.attributes(&root).is_ok());
}

#[test]
fn after_a_restart_one_look_at_a_directory_is_enough_for_all_in_it() {
    let tree = testing::directory("nfs");
    for number in 0..2000 {
        fs::write(tree.path().join(format!("file{number}")), number.to_string()).unwrap();
    }
    let mut client = Client::new(tree.path());
    let root = client.root();
    let rows = client.list_all(true, &root, 8192);
    let handles: Vec<Vec<u8>> = rows.into_iter().filter_map(|row| row.handle).collect();
    assert_eq!(handles.len(), 2000);
    client = client.restarted();
    assert!(client.attributes(&handles[7]).is_ok());
    assert!(client.answerer.trees.paths.count() >= 2000);
    for handle in &handles {
        assert!(client.attributes(handle).is_ok());
    }
}

#[test]
fn nothing_leads_out() {
    let outside = testing::directory("nfs");
    fs::write(outside.path().join("secret"), "secret").unwrap();
    let tree = tree();
    symlink(outside.path(), tree.path().join("away")).unwrap();
    let mut client = Client::new(tree.path());
    let root = client.root();
    assert_eq!(client.lookup(&root, ".."), Ok(root.clone()), "above the root there is nothing");
    assert_eq!(client.lookup(&root, "."), Ok(root.clone()));
    let etc = client.walk("etc").unwrap();
    assert_eq!(client.lookup(&etc, ".."), Ok(root.clone()));
    for (name, status) in [("../etc", 22), ("etc/passwd", 22), ("a\0", 22), ("", 22), ("nothing", 2)] {
        assert_eq!(client.lookup(&root, name), Err(status), "{name:?}");
    }
    // Links are told, and followed by nobody here.
    for (name, target) in [("out", "/etc/passwd"), ("up", ".."), ("away", outside.path().to_str().unwrap())] {
        let link = client.lookup(&root, name).unwrap();
        assert_eq!(client.attributes(&link).unwrap().kind, 5);
        let (status, rest) = client.told(5, &link, |_| {});
        assert_eq!(status, 0);
        let mut reader = Reader::new(&rest);
        reader.u32().unwrap();
        attributes(&mut reader);
        assert_eq!(reader.opaque(4096).unwrap(), target.as_bytes());
        assert_eq!(client.lookup(&link, "secret"), Err(20), "{name} is no directory");
        assert_eq!(client.read(&link, 0, 10), Err(22), "{name}");
        assert_eq!(client.list(true, &link, 0, 4096), Err(20), "{name}");
    }
    // A directory that becomes a link is no way either.
    let file = client.walk("etc/passwd").unwrap();
    fs::rename(tree.path().join("etc"), tree.path().join("old")).unwrap();
    symlink("old", tree.path().join("etc")).unwrap();
    assert_eq!(client.attributes(&file), Err(70));
    assert_eq!(client.restarted().attributes(&file), Err(70));
}

#[test]
fn only_what_is_configured_is_mounted() {
    let tree = tree();
    let directory = tree.path().to_str().unwrap().to_owned();
    let mut client = Client::new(tree.path());
    let etc = client.walk("etc").unwrap();
    for (path, expected) in [
        (format!("{directory}/"), None),
        (format!("/.{directory}//"), None),
        ("/".to_owned(), Some(13)),
        ("/etc".to_owned(), Some(13)),
        (format!("{directory}x"), Some(13)),
        (format!("{directory}/.."), Some(13)),
        (format!("{directory}/nothing"), Some(2)),
        (format!("{directory}/setuid"), Some(20)),
        (format!("{directory}/inside"), Some(20)),
        (directory[1..].to_owned(), Some(13)),
        (String::new(), Some(13)),
    ] {
        assert_eq!(client.mount(&path).err(), expected, "{path}");
    }
    assert_eq!(client.mount(&format!("{directory}/etc")), Ok(etc.clone()), "what is below is served too");
    client.answerer.trees.configure(&[]);
    assert_eq!(client.attributes(&etc), Err(70), "served no more");
    assert_eq!(client.mount(&directory), Err(13));
    let (first, _) = status(&client.ask(MOUNT, 5, |_| {}));
    assert_eq!(first, 0, "the list is empty");
}

#[test]
fn made_up_handles_are_no_handles() {
    let tree = tree();
    let mut client = Client::new(tree.path());
    let handle = client.walk("etc/passwd").unwrap();
    let other = Keys::new(b"another secret..");
    let opened = Keys::new(&SECRET).open(&handle).unwrap();
    for (what, octets) in [
        ("nothing", vec![]),
        ("zeros", vec![0; 64]),
        ("an octet too few", handle[..handle.len() - 4].to_vec()),
        ("of another secret", other.seal(&opened).octets().to_vec()),
        ("one bit", handle.iter().enumerate().map(|(at, octet)| octet ^ u8::from(at == 20)).collect()),
    ] {
        assert_eq!(client.attributes(&octets), Err(10_001), "{what}");
        assert_eq!(client.read(&octets, 0, 1), Err(10_001), "{what}");
    }
}

/// What was opened is read to its end as it was; then its handle is stale. Never a piece of one and a piece of the other.
#[test]
fn a_file_that_is_replaced_is_the_old_one_or_none() {
    let tree = tree();
    let mut client = Client::new(tree.path());
    let (path, new) = (tree.path().join("big"), tree.path().join("new"));
    fs::write(&path, vec![b'a'; 200_000]).unwrap();
    let handle = client.walk("big").unwrap();
    assert_eq!(client.read(&handle, 0, 100_000).unwrap().0, vec![b'a'; 100_000]);
    fs::write(&new, vec![b'b'; 200_000]).unwrap();
    fs::rename(&new, &path).unwrap();
    assert_eq!(client.read(&handle, 100_000, 100_000).unwrap().0, vec![b'a'; 100_000], "it is open");
    assert_eq!(client.attributes(&handle), Err(70));
    let other = client.walk("big").unwrap();
    assert_ne!(other, handle);
    assert_eq!(client.read(&other, 0, 100_000).unwrap().0, vec![b'b'; 100_000]);
    client = client.restarted();
    assert_eq!(client.read(&handle, 100_000, 100_000), Err(70));
    // The same inode's number for another file: of many that are made and removed, some get it again.
    let inode = fs::metadata(&path).unwrap().ino();
    fs::remove_file(&path).unwrap();
    fs::write(&path, "again").unwrap();
    let is_again = fs::metadata(&path).unwrap().ino() == inode;
    assert_eq!(client.attributes(&other), Err(70), "the same number again: {is_again}");
}

#[test]
fn a_tree_that_is_replaced_is_served_on_and_the_new_one_is_mounted() {
    let parent = testing::directory("nfs");
    let (root, old) = (parent.path().join("root"), parent.path().join("old"));
    fs::create_dir(&root).unwrap();
    fs::write(root.join("version"), "1").unwrap();
    let mut client = Client::new(&root);
    let first = client.walk("version").unwrap();
    fs::rename(&root, &old).unwrap();
    fs::create_dir(&root).unwrap();
    fs::write(root.join("version"), "2").unwrap();
    assert_eq!(client.read(&first, 0, 9).unwrap().0, b"1");
    let second = client.walk("version").unwrap();
    assert_eq!(client.read(&second, 0, 9).unwrap().0, b"2");
    assert_eq!(client.read(&first, 0, 9).unwrap().0, b"1");
    client = client.restarted();
    assert_eq!(client.read(&second, 0, 9).unwrap().0, b"2");
    assert_eq!(client.attributes(&first), Err(70), "the old one is served nowhere now");
}

/// After a restart all nodes come at once with handles of trees that nobody has opened yet: who asks while another thread opens them is not told that they are gone.
#[test]
fn after_a_restart_no_thread_calls_stale_what_another_one_opens() {
    const THREADS: usize = 8;
    let tree = tree();
    let root = tree.path().to_str().unwrap().to_owned();
    let handle = Client::new(tree.path()).walk("etc/passwd").unwrap();
    let handle = Keys::new(&SECRET).open(&handle).unwrap();
    // It takes a while to come to the one that is meant.
    let others = (0..3_000).map(|number| format!("{root}/none/{number}"));
    let directories: Vec<_> = others.chain([root.clone()]).collect();
    for _ in 0..10 {
        let trees = trees::Trees::new(&SECRET, &directories);
        let begin = std::sync::Barrier::new(THREADS);
        thread::scope(|scope| {
            for _ in 0..THREADS {
                scope.spawn(|| {
                    begin.wait();
                    match trees.find(&handle) {
                        Ok(_) | Err(heorot_nfs::Status::Later) => {}
                        Err(status) => panic!("{status:?}"),
                    }
                });
            }
        });
        assert!(trees.find(&handle).is_ok());
    }
    // What is in none of them is stale all the same, and whoever makes up handles does not have them opened each time.
    let trees = trees::Trees::new(&SECRET, &directories);
    let none = Handle { root: RootId(handle.root.0 ^ 1), ..handle };
    let asked = Instant::now();
    for _ in 0..1_000 {
        assert_eq!(trees.find(&none).map(|_| ()), Err(heorot_nfs::Status::Stale));
    }
    assert!(asked.elapsed() < Duration::from_secs(5), "{:?}", asked.elapsed());
    // They are opened anew for directories that are others.
    trees.configure(&directories[..1]);
    assert_eq!(trees.find(&handle).map(|_| ()), Err(heorot_nfs::Status::Stale));
    trees.configure(&directories);
    assert!(trees.find(&handle).is_ok());
}

#[test]
fn modes_are_kept_by_who_asks() {
    let tree = tree();
    let mut client = Client::new(tree.path());
    let (shadow, passwd) = (client.walk("etc/shadow").unwrap(), client.walk("etc/passwd").unwrap());
    let access = |client: &mut Client, handle: &[u8]| {
        let (status, rest) = client.told(4, handle, |w| w.u32(0x3f));
        assert_eq!(status, 0);
        rest.last().copied()
    };
    assert_eq!(client.read(&shadow, 0, 9).unwrap().0, b"root:*::\n");
    assert_eq!((access(&mut client, &shadow), access(&mut client, &passwd)), (Some(1), Some(1)));
    client.user = (1000, 1000);
    assert_eq!(client.read(&shadow, 0, 9), Err(13));
    assert_eq!((access(&mut client, &shadow), access(&mut client, &passwd)), (Some(0), Some(1)));
    assert_eq!(client.read(&passwd, 0, 5).unwrap().0, b"root:");
    fs::set_permissions(tree.path().join("etc"), fs::Permissions::from_mode(0o700)).unwrap();
    let etc = client.walk("etc").unwrap();
    assert_eq!(client.lookup(&etc, "passwd"), Err(13));
    assert_eq!(client.list(true, &etc, 0, 4096), Err(13));
    // Whoever may be anybody is nobody, whatever he says.
    (client.user, client.is_privileged) = (ROOT, false);
    assert_eq!(client.read(&shadow, 0, 9), Err(13));
    assert_eq!(client.lookup(&etc, "passwd"), Err(13));
    assert_eq!(client.read(&passwd, 0, 5).unwrap().0, b"root:");
}

#[test]
fn directories_are_listed_whole_in_pieces_of_any_size_and_after_a_restart() {
    let tree = testing::directory("nfs");
    for number in 0..1500 {
        fs::write(tree.path().join(format!("file{number:04}")), "").unwrap();
    }
    fs::create_dir(tree.path().join("directory")).unwrap();
    let mut client = Client::new(tree.path());
    let root = client.root();
    let mut expected: Vec<String> = (0..1500).map(|number| format!("file{number:04}")).collect();
    expected.extend([".".into(), "..".into(), "directory".into()]);
    expected.sort();
    for (plus, octets) in
        [(false, 512), (false, 4096), (false, 1 << 20), (true, 700), (true, 4096), (true, 1 << 20)]
    {
        let mut names: Vec<String> =
            client.list_all(plus, &root, octets).into_iter().map(|row| row.name).collect();
        names.sort();
        assert_eq!(names, expected, "READDIR{} of {octets}", if plus { "PLUS" } else { "" });
    }
    // Cookies are places in the directory: another client's scan and a restart change nothing about them.
    let all = client.list_all(true, &root, 4096);
    let middle = all[700].cookie;
    let (first, _) = client.list(true, &root, middle, 4096).unwrap();
    client.list(true, &root, 0, 4096).unwrap();
    client = client.restarted();
    let (again, _) = client.list(true, &root, middle, 4096).unwrap();
    assert_eq!(first, again);
    assert_eq!(first[0], all[701]);
    // What is listed is what is found.
    let row = all.iter().find(|row| row.name == "directory").unwrap();
    assert_eq!(row.handle, Some(client.lookup(&root, "directory").unwrap()));
    assert_eq!(row.attributes, client.attributes(row.handle.as_ref().unwrap()).ok());
    let parent = all.iter().find(|row| row.name == "..").unwrap();
    assert_eq!(parent.inode, client.attributes(&root).unwrap().inode, "what is above is nobody's affair");
    assert_eq!(client.list(false, &root, 0, 16), Err(10_005), "no room for one name");
}

/// As root, which device nodes need: `make unit` runs as whom it is run.
#[test]
fn device_nodes_are_told_of() {
    use rustix::fs::{CWD, FileType, Mode, makedev, mknodat};
    let tree = testing::directory("nfs");
    let made =
        mknodat(CWD, tree.path().join("null"), FileType::CharacterDevice, Mode::from(0o666), makedev(1, 3));
    let mut client = Client::new(tree.path());
    rustix::fs::mkfifoat(CWD, tree.path().join("pipe"), Mode::from(0o600)).unwrap();
    let pipe = client.walk("pipe").unwrap();
    assert_eq!(client.attributes(&pipe).unwrap().kind, 7);
    assert_eq!(client.read(&pipe, 0, 1), Err(22), "and nobody waits for a writer");
    if made.is_ok() {
        let null = client.walk("null").unwrap();
        let its = client.attributes(&null).unwrap();
        assert_eq!((its.kind, its.device), (4, (1, 3)));
        assert_eq!(client.read(&null, 0, 1), Err(22));
    }
}

#[test]
fn paths_and_files_are_kept_within_bounds() {
    let keys = Keys::new(&SECRET);
    let top = keys.top(RootId(1));
    let paths = paths::Paths::new(10_000);
    for number in 0..10_000_u32 {
        let name = format!("file{number:05}");
        let place = keys.child(&top, name.as_bytes());
        paths.remember(&place, b"some/directory", name.as_bytes());
        let found = paths.find(&place).expect("the last one is known");
        assert_eq!(&*found, format!("some/directory/{name}").as_bytes());
    }
    // 24 octets and 48 beside them.
    assert!(paths.count() <= 10_000 / (24 + 48), "{}", paths.count());

    let tree = testing::directory("nfs");
    let files = open_files::OpenFiles::new(8);
    for inode in 0..100 {
        let handle = Handle { root: RootId(1), place: top, inode, birth: 0 };
        files.keep(&handle, Arc::new(fs::File::open(tree.path()).unwrap().into()));
        assert!(files.find(&handle).is_some());
    }
    assert!(files.count() <= 8, "{}", files.count());
}
