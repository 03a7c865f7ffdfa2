//! The small files of nodes, which are made when they are asked for.

use super::super::News;
use super::super::connection::Stage;
use super::super::readers::Job;
use super::super::reply::Reply;
use super::super::selection::{Selection, Version};
use super::Worker;
use crate::clock;
use crate::images::directory::BootFile;
use crate::overlay::NotMade;
use heorot_core::mac::Mac;
use heorot_core::message::{Answer, NodeFiles, Unwritten};
use heorot_core::time::Time;
use std::sync::Arc;
use std::time::Instant;

impl Worker {
    /// Has the small files of a node made.
    pub(super) fn make(&mut self, key: u64, wanted: Box<NodeFiles>) {
        let Some(connection) = self.streams.get_mut(key) else { return };
        if let Stage::Asking(head) = std::mem::replace(&mut connection.stage, Stage::Over) {
            connection.stage = Stage::Opening(head);
        }
        self.jobs.put(Job::Make { key, wanted });
    }

    /// They are made, or cannot be: the loop hears of that, for then they were not given. What was sent to a connection that breaks off was given nevertheless: nobody can tell.
    pub(super) fn made(
        &mut self,
        key: u64,
        (mac, given): (Mac, Option<Time>),
        result: Result<Arc<BootFile>, NotMade>,
        now: Instant,
    ) {
        let (status, why) = match result {
            Ok(_) if self.streams.get_mut(key).is_none() => return self.untaken((mac, given)),
            Ok(file) => {
                let version = Version::of(&file.identity, u64::from(clock::calendar_seconds()));
                let all = Selection::Whole;
                let file = (file, "application/x-cpio");
                return self.reply_file(key, file, (&version, all), None, now);
            }
            Err(NotMade::Wrong(why)) => (500, why),
            Err(NotMade::Busy) => (503, "too many files of nodes are under way: ask again".into()),
        };
        // The loop knows of it before the next request comes to it, which would be the second.
        self.news.push(News::NotMade { mac, given, why: Some(why.clone()) });
        self.reply(key, &Reply::text(status, why + "\n"), now);
    }

    /// Nobody waits for an answer any more. What was secret in it is with nobody.
    pub(super) fn unheard(&mut self, answer: Option<(Answer, bool)>) {
        if let Some((Answer::Files(wanted), _)) = answer {
            self.untaken((wanted.mac, wanted.given));
        }
    }

    /// The connection is gone: what it waited for is not done any more, unless that is being done already.
    pub(super) fn give_up_job(&mut self, key: u64) {
        for job in self.jobs.in_lines(|queue| queue.forget(key)).into_iter().flatten() {
            if let Job::Make { wanted, .. } = job {
                self.untaken((wanted.mac, wanted.given));
            }
        }
    }

    /// The loop hears that nothing of this was sent.
    fn untaken(&mut self, (mac, given): (Mac, Option<Time>)) {
        if given.is_some() {
            self.news.push(News::NotMade { mac, given, why: None });
        }
    }

    /// Has the names file of a node written.
    pub(super) fn write(&mut self, key: u64, unwritten: Box<Unwritten>) {
        let Some(connection) = self.streams.get_mut(key) else { return };
        if let Stage::Asking(head) = std::mem::replace(&mut connection.stage, Stage::Over) {
            connection.stage = Stage::Opening(head);
        }
        self.jobs.put(Job::Write { key, unwritten });
    }

    /// It is written. What all nodes have in common goes out as any file.
    pub(super) fn written(
        &mut self,
        key: u64,
        result: Option<Result<(String, Arc<BootFile>), NotMade>>,
        now: Instant,
    ) {
        let reply = match result {
            Some(Ok((first, rest))) => {
                let size = rest.identity.size;
                return self.reply_with(key, &Reply::text_before(first, size), (rest, 0..size), None, now);
            }
            Some(Err(NotMade::Wrong(why))) => Reply::text(500, why + "\n"),
            // Operators alone ask for what else is long.
            Some(Err(NotMade::Busy)) | None => Reply::busy(),
        };
        self.reply(key, &reply, now);
    }
}
