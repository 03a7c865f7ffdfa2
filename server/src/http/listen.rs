//! Where operators connect: the control socket. How many of them there may be, and who gives way to whom: `conversations`.

mod conversations;

use crate::problem::{Problem, problem};
use crate::rights;
use axum::Router;
use conversations::Conversations;
use nix::errno::Errno;
use std::fs::Permissions;
use std::future::{Future as _, poll_fn};
use std::io;
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _, PermissionsExt as _};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;
use tokio::sync::oneshot;

/// Root, the server's user and the group of operators may connect.
const MODE: u32 = 0o660;

/// How long a socket is served in whose place there is another one: who has connected to it may not be seen yet, nor who was just about to.
const LINGERS: Duration = Duration::from_secs(1);

/// When accepting fails (no descriptor left), there is no use in trying again at once.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// A control socket that nobody serves yet.
#[derive(Debug)]
pub(crate) struct ControlSocket {
    listener: UnixListener,
    place: Place,
}

/// Where a control socket is: its path, and device and inode of what was made there.
#[derive(Debug)]
struct Place {
    path: PathBuf,
    file: (u64, u64),
}

/// A control socket that is served.
pub(super) struct Served {
    place: Place,
    router: Router,
    /// Ends with us: so do the tasks that accept.
    _serves: oneshot::Sender<()>,
}

impl ControlSocket {
    /// Makes it. A dead one is replaced, a live one respected.
    ///
    /// # Errors
    /// Another server answers there, something else is there, or nothing can be made there.
    pub(crate) fn bind(path: &Path) -> Result<Self, Problem> {
        match UnixStream::connect(path) {
            Ok(_) => Err(problem!(
                "another heorot answers at {}\n  one server at a time: stop it, or set another `server.control`",
                path.display()
            )),
            // What takes datagrams is alive.
            Err(e) if e.raw_os_error() == Some(Errno::EPROTOTYPE as i32) => Err(problem!(
                "{} is a socket of another program\n  set another `server.control`",
                path.display()
            )),
            Err(_) => Self::bind_again(path),
        }
    }

    /// Makes it, whatever socket is there.
    fn bind_again(path: &Path) -> Result<Self, Problem> {
        if let Some(why) = in_the_way(path) {
            return Err(Problem(why));
        }
        let bind = || -> io::Result<Self> {
            remove(path)?;
            let listener = UnixListener::bind(path)?;
            let place = Place { path: path.to_owned(), file: file_at(path)? };
            place.permit()?;
            Ok(Self { listener, place })
        };
        bind().map_err(|e| {
            problem!(
                "the control socket {} cannot be made: {e}\n  set `server.control` to where heorot may write",
                path.display()
            )
        })
    }

    /// Serves operators there until what this gives is dropped.
    pub(super) fn serve(self, router: &Router) -> io::Result<Served> {
        self.listener.set_nonblocking(true)?;
        let listener = tokio::net::UnixListener::from_std(self.listener)?;
        let (serves, ended) = oneshot::channel();
        tokio::spawn(operators(listener, router.clone(), ended));
        Ok(Served { place: self.place, router: router.clone(), _serves: serves })
    }
}

impl Served {
    /// Sees that operators find the socket: makes it again if it is gone, or is another's. One that is in its place is kept, with all who wait there for an answer.
    pub(super) fn restore(&mut self) -> Result<(), Problem> {
        let path = &self.place.path;
        if file_at(path).is_ok_and(|file| file == self.place.file) {
            return self.place.permit().map_err(|e| {
                problem!("who may use the control socket {} cannot be set: {e}", path.display())
            });
        }
        let socket = ControlSocket::bind_again(path)?;
        *self =
            socket.serve(&self.router).map_err(|e| problem!("the control socket cannot be served: {e}"))?;
        Ok(())
    }
}

impl Place {
    /// Lets root, the server's user and the group of operators connect.
    fn permit(&self) -> io::Result<()> {
        std::fs::set_permissions(&self.path, Permissions::from_mode(MODE))?;
        if let Some(group) = rights::operators() {
            match nix::unistd::chown(&self.path, None, Some(group.gid)) {
                // Who was started without root, and not in that group: the socket is its own and root's.
                Ok(()) | Err(Errno::EPERM) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }
}

/// Why there can be no control socket, and what to do: something that is no socket is in its place, and that is not heorot's to remove.
pub(crate) fn in_the_way(path: &Path) -> Option<String> {
    let is_socket = |file: std::fs::Metadata| file.file_type().is_socket();
    let is_other = std::fs::symlink_metadata(path).is_ok_and(|file| !is_socket(file));
    is_other.then(|| {
        format!(
            "{}, where the control socket is to be, is no socket: it is not written over\n  \
             set `server.control` to a place of its own, as /run/heorot/control.sock; or remove what is there, if nobody needs it",
            path.display()
        )
    })
}

/// Removes a socket, if there is one.
pub(crate) fn remove(path: &Path) -> io::Result<()> {
    match std::fs::symlink_metadata(path) {
        Ok(file) if file.file_type().is_socket() => std::fs::remove_file(path),
        Ok(_) => Err(io::ErrorKind::AlreadyExists.into()),
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(e) => Err(e),
    }
}

/// Device and inode. While the socket is open, nothing else has its inode.
fn file_at(path: &Path) -> io::Result<(u64, u64)> {
    let file = std::fs::symlink_metadata(path)?;
    Ok((file.dev(), file.ino()))
}

/// Serves operators until it is told to end, and whoever has found the socket before.
async fn operators(listener: tokio::net::UnixListener, router: Router, ended: oneshot::Receiver<()>) {
    let mut conversations = Conversations::default();
    let mut is_over = pin!(async {
        // Nobody says anything: what would is dropped.
        let _ = ended.await;
        tokio::time::sleep(LINGERS).await;
    });
    loop {
        let next = poll_fn(|context| match listener.poll_accept(context) {
            Poll::Ready(accepted) => Poll::Ready(Some(accepted)),
            Poll::Pending => is_over.as_mut().poll(context).map(|()| None),
        });
        match next.await {
            Some(Ok((stream, _))) => {
                conversations.make_room().await;
                conversations.begin(stream, router.clone());
            }
            Some(Err(_)) => tokio::time::sleep(ACCEPT_PAUSE).await,
            None => return,
        }
    }
}
