//! Keeps a lease alive in the background, for as long as the address is used.

use crate::client::{self, Lease, Renewal};
use crate::net::Interface;
use crate::{netlink, say};
use std::io;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// A thread that renews one lease.
#[derive(Debug)]
pub struct Keeper {
    stop: Sender<()>,
    thread: JoinHandle<Lease>,
}

impl Keeper {
    /// Starts to keep `lease`, whose address the interface has. Whenever it is another one, by a renewal or a change of address, `note` is told.
    ///
    /// # Errors
    /// If no thread can be had.
    pub fn start(
        interface: &Interface,
        lease: Lease,
        note: impl FnMut(&Lease) + Send + 'static,
    ) -> io::Result<Self> {
        let (stop, stopped) = mpsc::channel();
        let interface = interface.clone();
        let thread = thread::Builder::new()
            .name("lease".to_owned())
            .spawn(move || keep(&interface, lease, &stopped, note))?;
        Ok(Self { stop, thread })
    }

    /// Stops to keep it, and returns the lease as it stands. `None` if the thread has died.
    #[must_use]
    pub fn stop(self) -> Option<Lease> {
        let Self { stop, thread } = self;
        drop(stop);
        thread.join().ok()
    }
}

fn keep(
    interface: &Interface,
    mut lease: Lease,
    stopped: &Receiver<()>,
    mut note: impl FnMut(&Lease),
) -> Lease {
    let mut due = lease.renew_at;
    loop {
        match stopped.recv_timeout(due.saturating_duration_since(Instant::now())) {
            Err(RecvTimeoutError::Timeout) => {}
            Ok(()) | Err(RecvTimeoutError::Disconnected) => return lease,
        }
        let renewal = client::renew(&lease, interface.mac).unwrap_or_else(|error| {
            say!("renewing {}: {error}", lease.address);
            Renewal::Silence
        });
        let lost = match renewal {
            Renewal::Kept(kept) => {
                lease = *kept;
                note(&lease);
                due = lease.renew_at;
                false
            }
            Renewal::Refused => true,
            Renewal::Silence => {
                // RFC 2131 section 4.4.5: half of what is left until the next turn, but not more often than this.
                let now = Instant::now();
                let turn = if now < lease.rebind_at { lease.rebind_at } else { lease.expires_at };
                due = now + (turn.saturating_duration_since(now) / 2).max(Duration::from_secs(5));
                now >= lease.expires_at
            }
        };
        if lost {
            say!("lost {}, asking for an address anew", lease.address);
            match client::acquire(interface, true, Duration::from_secs(60)) {
                Ok(fresh) => {
                    if fresh.address != lease.address {
                        replace(interface, &lease, &fresh);
                    }
                    due = fresh.renew_at;
                    lease = fresh;
                    note(&lease);
                }
                Err(error) => {
                    say!("{error}");
                    due = Instant::now() + Duration::from_secs(5);
                }
            }
        }
    }
}

fn replace(interface: &Interface, old: &Lease, fresh: &Lease) {
    say!("moving from {} to {}", old.address, fresh.address);
    let steps = interface
        .promote_secondaries()
        .and_then(|()| netlink::add_address(interface.index, fresh.address, fresh.prefix))
        .and_then(|()| netlink::remove_address(interface.index, old.address, old.prefix))
        .and_then(|()| fresh.router.map_or(Ok(()), |router| netlink::default_route(interface.index, router)));
    if let Err(error) = steps {
        say!("moving to {}: {error}", fresh.address);
    }
}
