use super::file::{self, open_beneath};
use super::paths::{Paths, joined};
use super::trees::Tree;
use heorot_nfs::Status;
use heorot_nfs::handle::{Keys, Place};
use heorot_nfs::limit::{WALK_DIRECTORIES_MAX, WALK_REMEMBERED_MAX};
use rustix::fs::{FileType, OFlags};
use std::mem::MaybeUninit;
use std::sync::Arc;

/// Octets of names read at once.
const BUFFER_OCTETS: usize = 32 << 10;

/// Goes the way that a handle tells, from the root of its tree on, and says which path it is. The neighbours of what was looked for are remembered with it.
pub(super) fn walk(keys: &Keys, paths: &Paths, tree: &Tree, end: &Place) -> Result<Arc<[u8]>, Status> {
    let mut buffer = vec![MaybeUninit::uninit(); BUFFER_OCTETS];
    let mut waiting = vec![(Vec::new(), keys.top(tree.id))];
    for _ in 0..WALK_DIRECTORIES_MAX {
        let Some((path, place)) = waiting.pop() else { return Err(Status::Stale) };
        // What cannot be opened is gone, or was no directory.
        let flags = OFlags::RDONLY | OFlags::DIRECTORY;
        let Ok(directory) = open_beneath(&tree.root, &path, flags) else { continue };
        let mut found = None;
        let mut remembered = 0;
        let read = file::list(&directory, 0, &mut buffer, |listed| {
            if matches!(listed.name, b"." | b"..") {
                return true;
            }
            let child = keys.child(&place, listed.name);
            if child.key == end.key {
                found = Some(joined(&path, listed.name));
            } else if leads_on(&child, end, listed.kind) {
                waiting.push((joined(&path, listed.name), child));
            }
            if child.depth() == end.depth() && remembered < WALK_REMEMBERED_MAX {
                remembered += 1;
                paths.remember(&child, &path, listed.name);
            }
            true
        });
        if let Err(error) = read {
            return Err(file::status(error));
        }
        if let Some(found) = found {
            paths.remember(end, super::trees::split(&found).0, super::trees::split(&found).1);
            return Ok(found.into());
        }
    }
    Err(Status::Later)
}

/// Whether something may be a directory on the way.
fn leads_on(child: &Place, end: &Place, kind: FileType) -> bool {
    let is_deeper = child.depth() < end.depth() || end.depth() == usize::from(u8::MAX);
    is_deeper && matches!(kind, FileType::Directory | FileType::Unknown) && child.may_lead_to(end)
}
