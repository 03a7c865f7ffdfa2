use super::super::witness::Watches;
use super::*;
use std::fs::File;
use std::path::Path;

/// Opens a file whose content is as long and as old as ever, and whose inode shows this time of its last change.
fn open(lineage: &Mutex<Lineage>, watches: &Arc<Watches>, path: &Path, changed: u64) -> u64 {
    let file = File::open(path).unwrap();
    let witness = Arc::new(Witness::new(watches.watch(&file).unwrap(), changed));
    let found = Found { name: "kernel", device: 1, inode: 2, size: 7, modified: 5, changed, is_near: true };
    first_change(lineage, found, Some(&witness), || Ok(changed))
}

/// Kernels before 6.13 give all changes of one tick the same time. What was written over in the tick in which it was opened is another one all the same, and goes on as that.
#[test]
fn what_was_written_over_in_one_tick_is_another_one() {
    let directory = crate::testing::directory("lineage");
    let path = directory.path().join("kernel");
    let (lineage, watches) = (Mutex::new(Lineage::default()), Arc::default());
    std::fs::write(&path, "content").unwrap();
    let changed = std::time::UNIX_EPOCH.elapsed().unwrap().as_nanos() as u64;
    let mut seen = Vec::new();
    for content in ["content", "another", "a third"] {
        std::fs::write(&path, content).unwrap();
        let first = open(&lineage, &watches, &path, changed);
        assert!(!seen.contains(&first), "{content}");
        assert_eq!(open(&lineage, &watches, &path, changed), first, "{content}, again");
        std::fs::set_permissions(&path, std::fs::metadata(&path).unwrap().permissions()).unwrap();
        assert_eq!(open(&lineage, &watches, &path, changed), first, "{content}, touched in that tick");
        seen.push(first);
    }
}
