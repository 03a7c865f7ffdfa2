use super::*;
use crate::testing;
use heorot_names::{NamesFile as Read, NumberRange, Numbering, Pattern};

fn directory(first: [u8; 4]) -> Arc<Directory> {
    Arc::new(Directory {
        networks: vec![Numbering {
            numbers: NumberRange { lowest: 0, highest: 9 },
            first: first.into(),
            first_ipv6: None,
            suffix: String::new(),
        }],
        ..Directory::new("cluster", Pattern::parse("node{}").unwrap())
    })
}

fn node_0(path: &Path) -> Option<String> {
    let file = Read::read(std::fs::read_to_string(path).ok()?).unwrap();
    let address = file.addresses(file.find("node0")?).next()?;
    Some(address.to_string())
}

#[test]
fn the_newest_names_are_written_before_it_ends() {
    let place_of = testing::directory("names-newest");
    let path = place_of.path().join("names");
    let handle = start(path.clone(), Place::default(), Journal::start().unwrap()).unwrap();
    for last in 0..50 {
        handle.publish(directory([10, 77, 1, last]));
    }
    handle.stop();
    assert_eq!(node_0(&path).as_deref(), Some("10.77.1.49"));
    let names: Vec<_> = std::fs::read_dir(place_of.path()).unwrap().map(|e| e.unwrap().file_name()).collect();
    assert_eq!(names, ["names"], "nothing else is left");
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o644);
}

#[test]
fn what_is_as_it_should_be_is_not_written() {
    use std::os::unix::fs::MetadataExt;
    let place_of = testing::directory("names-same");
    let path = place_of.path().join("names");
    let inode = || std::fs::metadata(&path).unwrap().ino();
    write(&path, "heorot-names 1\none").unwrap();
    let first = inode();
    write(&path, "heorot-names 1\none").unwrap();
    assert_eq!(inode(), first);
    write(&path, "heorot-names 1\ntwo").unwrap();
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "heorot-names 1\ntwo");
    assert!(write(&place_of.path().join("missing/names"), "heorot-names 1\none").is_err());
}

/// A server that loses its rights writes beside its socket, and the usual path leads there.
#[test]
fn where_it_is_written() {
    let place_of = testing::directory("names-where");
    let (run, path) = (place_of.path().join("run"), place_of.path().join("etc/heorot/names"));
    std::fs::create_dir(&run).unwrap();
    let wanted = NamesFile::At(path.to_str().unwrap().to_owned());
    let found = |loses_rights| prepare(&wanted, &run, loses_rights).map_err(|e| e.to_string());
    assert_eq!(prepare(&NamesFile::None, &run, true).map_err(|e| e.to_string()), Ok(None));
    assert_eq!(found(false), Ok(Some(path.clone())));
    write(&path, "heorot-names 1\nold").unwrap();
    for _ in 0..2 {
        assert_eq!(found(true), Ok(Some(run.join(FILE))));
        assert_eq!(std::fs::read_link(&path).unwrap(), run.join(FILE));
    }
    write(&run.join(FILE), "heorot-names 1\nnew").unwrap();
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "heorot-names 1\nnew");
    // A server with rights again: the link is replaced by the file.
    assert_eq!(found(false), Ok(Some(path.clone())));
    write(&path, "heorot-names 1\nnewer").unwrap();
    assert!(std::fs::symlink_metadata(&path).unwrap().is_file());
    let file_in_the_way = NamesFile::At(path.join("names").to_str().unwrap().to_owned());
    assert!(prepare(&file_in_the_way, &run, false).is_err());
}

/// Whatever somebody named by mistake is there afterwards as before; only a names file, of whatever version, or nothing is written over.
#[test]
fn what_is_no_names_file_is_not_written_over() {
    let place_of = testing::directory("names-others");
    let at = |name: &str| place_of.path().join(name);
    let run = at("run");
    std::fs::create_dir(&run).unwrap();
    let text = heorot_names::file::write(&directory([10, 77, 1, 0]), &Place::default());
    let file = |text: &'static str| move |path: &Path| std::fs::write(path, text).unwrap();
    let linked = |text: &'static str| {
        move |path: &Path| {
            std::fs::write(path.with_extension("far"), text).unwrap();
            symlink(path.with_extension("far"), path).unwrap();
        }
    };
    type Make<'a> = &'a dyn Fn(&Path);
    let cases: [(Make<'_>, bool); 11] = [
        (&|_| {}, true),
        (&file(""), true),
        (&file("heorot-names 1\nself master\nend\n"), true),
        (&file("heorot-names 2\n"), true),
        (&linked("heorot-names 1\n"), true),
        (&file("127.0.0.1 localhost\n"), false),
        (&file("heorot"), false),
        (&linked("127.0.0.1 localhost\n"), false),
        (&|path| symlink("/dev/null", path).unwrap(), false),
        (&|path| nix::unistd::mkfifo(path, nix::sys::stat::Mode::S_IRWXU).unwrap(), false),
        (&|path| std::fs::create_dir_all(path.join("below")).unwrap(), false),
    ];
    let path = at("file");
    let wanted = NamesFile::At(path.to_str().unwrap().to_owned());
    for (n, (make, is_ours)) in cases.into_iter().enumerate() {
        for loses_rights in [false, true] {
            make(&path);
            let inode = || std::os::unix::fs::MetadataExt::ino(&std::fs::symlink_metadata(&path).unwrap());
            let before = (!is_ours).then(inode);
            let prepared = prepare(&wanted, &run, loses_rights);
            assert_eq!(problem_with(&wanted, &run, loses_rights).is_none(), is_ours, "case {n}");
            if let Err(Problem(why)) = &prepared {
                assert!(
                    why.contains(
                        "is no names file, and is not written over\n  name another file in `names.file`"
                    ),
                    "{why}"
                );
                assert_eq!(before, Some(inode()), "case {n}");
            }
            assert_eq!(prepared.is_ok(), is_ours, "case {n}");
            assert_eq!(write(&path, &text).is_ok(), is_ours, "case {n}");
            let _ = std::fs::remove_file(&path);
            let _ = std::fs::remove_dir_all(&path);
            let _ = std::fs::remove_file(run.join(FILE));
        }
    }
    let _socket = std::os::unix::net::UnixListener::bind(&path).unwrap();
    assert!(problem_with(&wanted, &run, false).is_some());
    assert_eq!(problem_with(&NamesFile::None, &run, true), None);
}

/// Another's file beside the control socket, or under the name that a file has before it is in its place, is there afterwards as before, and so is what was in the place of the names file.
#[test]
fn nothing_is_changed_where_something_else_is_in_the_way() {
    let place_of = testing::directory("names-beside");
    let at = |name: &str| place_of.path().join(name);
    let (run, path) = (at("run"), at("etc/names"));
    let wanted = NamesFile::At(path.to_str().unwrap().to_owned());
    let names = "heorot-names 1\nself master\nend\n";
    let foreign = "127.0.0.1 localhost\n";
    for (other, remedy, is_link) in [
        ("run/names", "name a directory of its own in `server.control`", false),
        ("run/names", "name a directory of its own in `server.control`", true),
        ("run/names.new", "name a directory of its own in `server.control`", false),
        ("run/names.new", "name a directory of its own in `server.control`", true),
        ("etc/names.new", "name another file in `names.file`", false),
        ("etc/names.new", "name another file in `names.file`", true),
    ] {
        for directory in ["run", "etc"] {
            std::fs::create_dir(at(directory)).unwrap();
        }
        std::fs::write(&path, names).unwrap();
        let file = if is_link { at("far") } else { at(other) };
        std::fs::write(&file, foreign).unwrap();
        if is_link {
            symlink(&file, at(other)).unwrap();
        }
        let why = prepare(&wanted, &run, true).expect_err(other).to_string();
        assert_eq!(problem_with(&wanted, &run, true).as_ref(), Some(&why));
        let said = format!(
            "{}: what is there is no names file, and is not written over\n  {remedy}",
            at(other).display()
        );
        assert!(why.starts_with(&said), "{why}");
        assert_eq!(std::fs::read_to_string(&file).unwrap(), foreign);
        assert_eq!(std::fs::symlink_metadata(at(other)).unwrap().is_symlink(), is_link);
        assert!(std::fs::symlink_metadata(&path).unwrap().is_file(), "{other}");
        assert_eq!(std::fs::read_to_string(&path).unwrap(), names);
        // Where the server keeps its rights, what is beside the socket is none of its business.
        let is_used = other.starts_with("etc");
        let written =
            prepare(&wanted, &run, false).map(|path| write(&path.unwrap(), "heorot-names 1\n").is_ok());
        assert_eq!(written.is_ok_and(|it| it), !is_used, "{other}");
        assert_eq!(problem_with(&wanted, &run, false).is_none(), !is_used, "{other}");
        // Who has become another user writes where the link leads.
        std::fs::remove_file(&path).unwrap();
        symlink(run.join(FILE), &path).unwrap();
        let why = problem_with(&wanted, &run, false);
        assert_eq!(why.is_some_and(|why| why.contains("`server.control`")), !is_used, "{other}");
        assert_eq!(std::fs::read_to_string(&file).unwrap(), foreign);
        for directory in ["run", "etc"] {
            std::fs::remove_dir_all(at(directory)).unwrap();
        }
    }
}

/// As /var/run is /run: no link is made that leads to itself.
#[test]
fn the_run_directory_by_another_name_is_the_run_directory() {
    let place_of = testing::directory("names-run");
    let at = |name: &str| place_of.path().join(name);
    let run = at("var-run");
    std::fs::create_dir(at("run")).unwrap();
    symlink(at("run"), &run).unwrap();
    for name in ["names", "others"] {
        let wanted = NamesFile::At(at("run").join(name).to_str().unwrap().to_owned());
        let path = run.join(name);
        assert_eq!(prepare(&wanted, &run, true).map_err(|e| e.to_string()), Ok(Some(path.clone())));
        write(&path, "heorot-names 1\n").unwrap();
        assert!(std::fs::symlink_metadata(at("run").join(name)).unwrap().is_file());
        assert_eq!(problem_with(&wanted, &run, true), None);
    }
}

/// What a server left that was cut off is no hindrance, and what a link leads to is not written into.
#[test]
fn what_was_left_half_done_is_replaced() {
    let place_of = testing::directory("names-left");
    let at = |name: &str| place_of.path().join(name);
    let (run, path) = (at("run"), at("names"));
    std::fs::create_dir(&run).unwrap();
    let wanted = NamesFile::At(path.to_str().unwrap().to_owned());
    let own = run.join(FILE);
    for left in ["", "heorot-names 1\nself mas"] {
        std::fs::write(beside(&own), left).unwrap();
        symlink(&own, beside(&path)).unwrap();
        assert_eq!(prepare(&wanted, &run, true).map_err(|e| e.to_string()), Ok(Some(own.clone())));
        assert_eq!(std::fs::read_link(&path).unwrap(), own);
        assert!(!beside(&own).exists() && std::fs::symlink_metadata(beside(&path)).is_err());
        std::fs::remove_file(&path).unwrap();
    }
    std::fs::write(at("far"), "heorot-names 1\nfar").unwrap();
    symlink(at("far"), beside(&own)).unwrap();
    write(&own, "heorot-names 1\nnear").unwrap();
    assert_eq!(std::fs::read_to_string(&own).unwrap(), "heorot-names 1\nnear");
    assert_eq!(std::fs::read_to_string(at("far")).unwrap(), "heorot-names 1\nfar");
}
