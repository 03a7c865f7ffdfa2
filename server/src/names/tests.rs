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
    write(&path, "one").unwrap();
    let first = inode();
    write(&path, "one").unwrap();
    assert_eq!(inode(), first);
    write(&path, "two").unwrap();
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "two");
    assert!(write(&place_of.path().join("missing/names"), "one").is_err());
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
    write(&path, "old").unwrap();
    for _ in 0..2 {
        assert_eq!(found(true), Ok(Some(run.join(FILE))));
        assert_eq!(std::fs::read_link(&path).unwrap(), run.join(FILE));
    }
    write(&run.join(FILE), "new").unwrap();
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "new");
    // A server with rights again: the link is replaced by the file.
    assert_eq!(found(false), Ok(Some(path.clone())));
    write(&path, "newer").unwrap();
    assert!(std::fs::symlink_metadata(&path).unwrap().is_file());
    let file_in_the_way = NamesFile::At(path.join("names").to_str().unwrap().to_owned());
    assert!(prepare(&file_in_the_way, &run, false).is_err());
}
