use crate::plain_file;
use crate::problem::{Problem, problem};
use heorot_core::config::Nis;
use heorot_dns::nis::{ACCOUNTS_OCTETS_MAX, Accounts};
use std::fs::Metadata;
use std::io::Read;
use std::os::unix::fs::MetadataExt;

/// The files of accounts, and how they were when they were read.
#[derive(Debug, Default)]
pub(super) struct Files {
    passwd: Option<Watched>,
    group: Option<Watched>,
}

#[derive(Debug)]
struct Watched {
    path: String,
    setting: &'static str,
    seen: Option<Identity>,
}

/// What differs when a file was written to or replaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Identity {
    device: u64,
    inode: u64,
    octets: u64,
    modified: (i64, i64),
}

impl Files {
    pub(super) fn new(nis: &Nis) -> Self {
        let watched = |path: &Option<String>, setting| {
            path.as_ref().map(|path| Watched { path: path.clone(), setting, seen: None })
        };
        Self { passwd: watched(&nis.passwd, "nis.passwd"), group: watched(&nis.group, "nis.group") }
    }

    /// Whether any file is not what it was when it was read. A file that is not there has not changed: it is being replaced.
    pub(super) fn have_changed(&self) -> bool {
        self.all().any(|file| {
            std::fs::metadata(&file.path).is_ok_and(|found| file.seen != Some(Identity::of(&found)))
        })
    }

    /// Reads them.
    ///
    /// # Errors
    /// A file that cannot be read; it counts as seen, so that it is not complained of again before it changes.
    pub(super) fn read(&mut self) -> Result<Accounts, Problem> {
        let text = |file: &mut Option<Watched>| file.as_mut().map(Watched::read).transpose();
        let (passwd, group) = (text(&mut self.passwd), text(&mut self.group));
        Ok(Accounts { passwd: passwd?, group: group? })
    }

    /// What is wrong with each of them.
    pub(super) fn problems(&mut self) -> Vec<Problem> {
        let files = [&mut self.passwd, &mut self.group].into_iter().flatten();
        files.filter_map(|file| file.read().err()).collect()
    }

    fn all(&self) -> impl Iterator<Item = &Watched> {
        self.passwd.iter().chain(&self.group)
    }
}

impl Watched {
    fn read(&mut self) -> Result<String, Problem> {
        let (path, setting) = (&self.path, self.setting);
        let wrong = |why: &dyn std::fmt::Display| problem!("{setting}: {path} cannot be read: {why}");
        let file = plain_file::open(path).map_err(|e| wrong(&e))?;
        let found = file.metadata().map_err(|e| wrong(&e))?;
        self.seen = Some(Identity::of(&found));
        let mut octets = Vec::new();
        file.take(ACCOUNTS_OCTETS_MAX + 1).read_to_end(&mut octets).map_err(|e| wrong(&e))?;
        if octets.len() as u64 > ACCOUNTS_OCTETS_MAX {
            return Err(wrong(&format_args!("it has more than {ACCOUNTS_OCTETS_MAX} octets")));
        }
        Ok(String::from_utf8_lossy(&octets).into_owned())
    }
}

impl Identity {
    fn of(found: &Metadata) -> Self {
        Self {
            device: found.dev(),
            inode: found.ino(),
            octets: found.len(),
            modified: (found.mtime(), found.mtime_nsec()),
        }
    }
}
