use super::connection::Connection;
use heorot_nfs::limit::CONNECTIONS_PER_CLIENT_MAX;
use std::collections::BTreeMap;
use std::net::{Ipv4Addr, TcpStream};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// All connections: by key, which is never used twice, and by client.
pub(super) struct Table {
    most: usize,
    most_per_client: usize,
    open: BTreeMap<u64, Arc<Slot>>,
    by_client: BTreeMap<Ipv4Addr, Vec<u64>>,
    next_key: u64,
}

/// A connection, for the threads: epoll tells one of them at a time.
pub(super) struct Slot {
    connection: Mutex<Connection>,
    /// Its name.
    pub(super) key: u64,
    /// Its own, for whoever must not wait for the connection.
    pub(super) socket: Arc<TcpStream>,
    /// Octets that it was granted and does not know of yet.
    pub(super) granted: AtomicU64,
    pub(super) peer: Ipv4Addr,
    /// When it was last told of, in milliseconds since the start.
    pub(super) moved: AtomicU64,
    /// When the loop was last told that this client lives, in the same.
    pub(super) life_told: AtomicU64,
}

impl Slot {
    pub(super) fn connection(&self) -> MutexGuard<'_, Connection> {
        // A thread that panicked over it ends it; see there.
        self.connection.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Unless a thread has it right now.
    pub(super) fn if_idle(&self) -> Option<MutexGuard<'_, Connection>> {
        self.connection.try_lock().ok()
    }
}

impl Table {
    pub(super) fn new(first_key: u64, most: usize) -> Self {
        Self {
            most,
            most_per_client: CONNECTIONS_PER_CLIENT_MAX,
            open: BTreeMap::new(),
            by_client: BTreeMap::new(),
            next_key: first_key,
        }
    }

    /// Takes a connection in. Its key, and those that had to give way to it.
    pub(super) fn insert(&mut self, connection: Connection, now: u64) -> (u64, Vec<u64>) {
        let peer = connection.peer;
        let mut gone = Vec::new();
        if self.by_client.get(&peer).is_some_and(|keys| keys.len() >= self.most_per_client) {
            gone.extend(self.longest_silent(self.by_client.get(&peer).into_iter().flatten().copied()));
        } else if self.open.len() >= self.most {
            gone.extend(self.longest_silent(self.open.keys().copied()));
        }
        for key in &gone {
            self.remove(*key);
        }
        let key = self.next_key;
        self.next_key += 1;
        let slot = Slot {
            key,
            socket: Arc::clone(&connection.socket),
            granted: AtomicU64::new(0),
            connection: Mutex::new(connection),
            peer,
            moved: AtomicU64::new(now),
            life_told: AtomicU64::new(0),
        };
        self.open.insert(key, Arc::new(slot));
        self.by_client.entry(peer).or_default().push(key);
        (key, gone)
    }

    pub(super) fn get(&self, key: u64) -> Option<Arc<Slot>> {
        self.open.get(&key).cloned()
    }

    /// Forgets one; its socket closes when no thread has it any more.
    pub(super) fn remove(&mut self, key: u64) -> Option<Arc<Slot>> {
        let slot = self.open.remove(&key)?;
        if let Some(keys) = self.by_client.get_mut(&slot.peer) {
            keys.retain(|other| *other != key);
            if keys.is_empty() {
                self.by_client.remove(&slot.peer);
            }
        }
        Some(slot)
    }

    pub(super) fn len(&self) -> usize {
        self.open.len()
    }

    /// All of them, with their keys.
    pub(super) fn all(&self) -> Vec<(u64, Arc<Slot>)> {
        self.open.iter().map(|(key, slot)| (*key, Arc::clone(slot))).collect()
    }

    fn longest_silent(&self, keys: impl Iterator<Item = u64>) -> Option<u64> {
        let moved = |key: &u64| self.open.get(key).map(|slot| slot.moved.load(Ordering::Relaxed));
        keys.min_by_key(moved)
    }

    /// With smaller bounds, for a test.
    #[cfg(test)]
    pub(super) fn bounded(most: usize, most_per_client: usize) -> Self {
        Self { most_per_client, ..Self::new(0, most) }
    }
}
