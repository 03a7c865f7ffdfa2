//! A file on its way to a machine, piece by piece, read by threads that may wait for the disk.

use super::Site;
use crate::ask::Ask;
use crate::images::directory::BootFile;
use axum::body::{Bytes, HttpBody};
use http_body::{Frame, SizeHint};
use std::io;
use std::net::Ipv4Addr;
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};
use tokio::task::JoinHandle;

/// Octets of a piece: two thousand connections hold 128 MiB of them.
const PIECE_OCTETS: u64 = 64 * 1024;

/// How often the loop is told that the machine takes what it gets; it wants to know at least every 10 s.
const LIFE_EVERY: Duration = Duration::from_secs(4);

/// The body of a response: a range of a file.
pub(super) struct FileBody {
    file: Arc<BootFile>,
    rest: Range<u64>,
    reading: Option<JoinHandle<io::Result<Vec<u8>>>>,
    site: Site,
    peer: Ipv4Addr,
    life_told: Option<Instant>,
}

impl FileBody {
    pub(super) fn new(site: &Site, peer: Ipv4Addr, file: BootFile, range: Range<u64>) -> Self {
        site.streams.fetch_add(1, Ordering::Relaxed);
        Self { file: Arc::new(file), rest: range, reading: None, site: site.clone(), peer, life_told: None }
    }

    /// The kernel took a piece, so the machine acknowledged earlier ones.
    fn tell_life(&mut self) {
        if self.life_told.is_none_or(|told| told.elapsed() >= LIFE_EVERY) {
            self.life_told = Some(Instant::now());
            // If the line is full, the next piece tells.
            let _ = self.site.asks.try_say(Ask::SignOfLife(self.peer));
        }
    }
}

impl Drop for FileBody {
    fn drop(&mut self) {
        self.site.streams.fetch_sub(1, Ordering::Relaxed);
    }
}

impl HttpBody for FileBody {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        let this = &mut *self;
        if this.rest.is_empty() {
            return Poll::Ready(None);
        }
        let reading = this.reading.get_or_insert_with(|| {
            let file = Arc::clone(&this.file);
            let piece = this.rest.start..this.rest.end.min(this.rest.start + PIECE_OCTETS);
            tokio::task::spawn_blocking(move || read(&file, piece))
        });
        let read = ready!(Pin::new(reading).poll(context));
        this.reading = None;
        let octets = read.map_err(io::Error::other).flatten()?;
        this.rest.start += octets.len() as u64;
        this.tell_life();
        Poll::Ready(Some(Ok(Frame::data(octets.into()))))
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.rest.end - self.rest.start)
    }
}

/// Reads a piece. A file that was changed in place ends the connection, before a client takes halves of two files for one.
fn read(file: &BootFile, piece: Range<u64>) -> io::Result<Vec<u8>> {
    let octets = usize::try_from(piece.end - piece.start).map_err(io::Error::other)?;
    let mut content = vec![0; octets];
    file.file.read_exact_at(&mut content, piece.start)?;
    if file.is_unchanged()? { Ok(content) } else { Err(io::Error::other("the file was changed in place")) }
}
