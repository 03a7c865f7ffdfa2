//! Who asks: one thread that hardly ever sleeps, so that it asks when it should.
//!
//! When an answer came is the kernel's word (SO_TIMESTAMPNS), taken when it is put into our socket: it is the same whatever else this thread does.

use nix::cmsg_space;
use nix::errno::Errno;
use nix::sys::socket::sockopt::ReceiveTimestampns;
use nix::sys::socket::{ControlMessageOwned, MsgFlags, MultiHeaders, recvmmsg, sendmmsg, setsockopt};
use nix::sys::time::TimeSpec;
use std::io::{IoSlice, IoSliceMut};
use std::net::{SocketAddr, UdpSocket};
use std::os::fd::AsRawFd as _;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// How it asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Load {
    /// So many are under way at a time: the next one when one is answered.
    AtOnce(usize),
    /// So many a second, one after the other, whether they are answered or not.
    EachSecond(u32),
    /// The same, but asleep in between: where others need the processor.
    Gently(u32),
}

/// What came of it.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Outcome {
    pub(super) seconds: f64,
    /// How long each answer took, in nanoseconds.
    pub(super) took: Vec<u32>,
    /// Questions without an answer.
    pub(super) lost: u32,
    /// Answers that are errors, or have nothing in them.
    pub(super) wrong: u32,
}

/// A socket to one server, and what is under way.
pub(super) struct Asker {
    socket: UdpSocket,
    messages: Vec<Vec<u8>>,
    /// When the question of an id left, in nanoseconds since 1970; 0: it is free.
    left: Vec<u64>,
    under_way: usize,
    next_id: u16,
    chance: u64,
    headers: MultiHeaders<()>,
    room: Vec<u8>,
    outcome: Outcome,
}

/// Messages taken or given in one system call.
const BATCH: usize = 32;
/// The longest answer that is expected.
const ANSWER_OCTETS_MAX: usize = 512;
/// Who has not answered by then has lost the question.
const PATIENCE: Duration = Duration::from_secs(1);
/// How often it is looked for such questions.
const LOOK_EVERY: Duration = Duration::from_millis(100);

impl Asker {
    /// In the namespace of the thread that calls.
    ///
    /// # Errors
    /// The kernel's, in words.
    pub(super) fn new(server: SocketAddr, messages: Vec<Vec<u8>>, seed: u64) -> Result<Self, String> {
        let words = |error: std::io::Error| error.to_string();
        let socket = UdpSocket::bind("0.0.0.0:0").map_err(words)?;
        socket.connect(server).map_err(words)?;
        socket.set_nonblocking(true).map_err(words)?;
        setsockopt(&socket, ReceiveTimestampns, &true).map_err(|error| error.to_string())?;
        Ok(Self {
            socket,
            messages,
            left: vec![0; 1 << 16],
            under_way: 0,
            next_id: 0,
            chance: seed,
            headers: MultiHeaders::preallocate(BATCH, Some(cmsg_space!(TimeSpec))),
            room: vec![0; BATCH * ANSWER_OCTETS_MAX],
            outcome: Outcome::default(),
        })
    }

    /// Waits until the server answers, and then asks each question until it was answered right.
    ///
    /// # Errors
    /// In words: it takes too long.
    pub(super) fn warm_up(&mut self, patience: Duration) -> Result<(), String> {
        let began = Instant::now();
        for number in 0..self.messages.len() {
            loop {
                self.outcome = Outcome::default();
                self.send(&[number])?;
                let asked = Instant::now();
                while self.under_way > 0 && asked.elapsed() < PATIENCE / 2 {
                    // A port that nobody has bound yet is refused.
                    if self.receive().is_err() {
                        self.forget_all();
                    }
                }
                if self.outcome.took.len() == 1 && self.outcome.wrong == 0 {
                    break;
                }
                if began.elapsed() > patience {
                    return Err(format!("question {number} is not answered: {:?}", self.outcome));
                }
                self.forget_all();
                std::thread::sleep(Duration::from_millis(5));
            }
        }
        Ok(())
    }

    /// Asks in this way for so long.
    ///
    /// # Errors
    /// The kernel's, in words.
    pub(super) fn run(&mut self, load: Load, within: Duration) -> Result<Outcome, String> {
        self.forget_all();
        self.outcome = Outcome::default();
        let began = Instant::now();
        let (mut looked, mut sent) = (began, 0_u64);
        loop {
            let now = Instant::now();
            let elapsed = now - began;
            if elapsed >= within {
                break;
            }
            if now - looked > LOOK_EVERY {
                looked = now;
                self.give_up(PATIENCE);
            }
            let wanted = match load {
                Load::AtOnce(count) => count.saturating_sub(self.under_way),
                Load::EachSecond(rate) | Load::Gently(rate) => {
                    let due = (elapsed.as_nanos() * u128::from(rate) / 1_000_000_000) as u64;
                    usize::try_from(due.saturating_sub(sent)).unwrap_or(usize::MAX)
                }
            };
            sent += self.ask(wanted.min(BATCH))? as u64;
            if let Load::Gently(rate) = load {
                std::thread::sleep(Duration::from_secs(1) / rate);
            }
            self.receive()?;
        }
        self.outcome.seconds = began.elapsed().as_secs_f64();
        let over = Instant::now();
        while self.under_way > 0 && over.elapsed() < PATIENCE {
            self.receive()?;
        }
        self.give_up(Duration::ZERO);
        Ok(std::mem::take(&mut self.outcome))
    }

    /// Sends so many questions by chance. How many.
    fn ask(&mut self, count: usize) -> Result<usize, String> {
        let mut numbers = [0; BATCH];
        for number in &mut numbers[..count] {
            // Knuth's MMIX.
            self.chance =
                self.chance.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            *number = (self.chance >> 33) as usize % self.messages.len();
        }
        self.send(&numbers[..count])
    }

    fn send(&mut self, numbers: &[usize]) -> Result<usize, String> {
        if numbers.is_empty() {
            return Ok(0);
        }
        let first = self.next_id;
        let mut ids = [[0; 2]; BATCH];
        let mut count = 0;
        for id in ids.iter_mut().take(numbers.len()) {
            if self.left[usize::from(self.next_id)] != 0 {
                // All 65,536 ids are under way: there is no telling answers apart.
                break;
            }
            *id = self.next_id.to_be_bytes();
            self.next_id = self.next_id.wrapping_add(1);
            count += 1;
        }
        let slices: Vec<[IoSlice<'_>; 2]> = (ids.iter().zip(numbers).take(count))
            .map(|(id, number)| [IoSlice::new(id), IoSlice::new(&self.messages[*number][2..])])
            .collect();
        let mut headers = MultiHeaders::<()>::preallocate(count, None);
        let nobody = [None; BATCH];
        let now = now();
        let sent = match sendmmsg(
            self.socket.as_raw_fd(),
            &mut headers,
            &slices,
            nobody,
            [],
            MsgFlags::MSG_DONTWAIT,
        ) {
            Ok(sent) => sent.count(),
            Err(Errno::EAGAIN | Errno::EINTR | Errno::ENOBUFS | Errno::ECONNREFUSED) => 0,
            Err(error) => return Err(error.to_string()),
        };
        self.next_id = first.wrapping_add(sent as u16);
        for offset in 0..sent {
            self.left[usize::from(first.wrapping_add(offset as u16))] = now;
        }
        self.under_way += sent;
        Ok(sent)
    }

    fn receive(&mut self) -> Result<(), String> {
        let mut slices: Vec<[IoSliceMut<'_>; 1]> =
            self.room.chunks_exact_mut(ANSWER_OCTETS_MAX).map(|room| [IoSliceMut::new(room)]).collect();
        let received =
            recvmmsg(self.socket.as_raw_fd(), &mut self.headers, &mut slices, MsgFlags::MSG_DONTWAIT, None);
        let received = match received {
            Ok(received) => received,
            Err(Errno::EAGAIN | Errno::EINTR) => return Ok(()),
            Err(error) => return Err(error.to_string()),
        };
        let arrived = received.map(|message| {
            let stamps = message.cmsgs().into_iter().flatten().filter_map(|control| match control {
                ControlMessageOwned::ScmTimestampns(at) => {
                    Some(at.tv_sec() as u64 * 1_000_000_000 + at.tv_nsec() as u64)
                }
                _ => None,
            });
            (message.bytes, stamps.last())
        });
        let arrived: Vec<(usize, Option<u64>)> = arrived.collect();
        for ((octets, at), room) in arrived.into_iter().zip(self.room.chunks_exact(ANSWER_OCTETS_MAX)) {
            let Some([high, low, flags, code, _, _, answers_high, answers_low, ..]) = room.get(..octets)
            else {
                continue;
            };
            let id = usize::from(u16::from_be_bytes([*high, *low]));
            let left = std::mem::take(&mut self.left[id]);
            if left == 0 {
                continue;
            }
            self.under_way -= 1;
            let took = at.unwrap_or_else(now).saturating_sub(left);
            self.outcome.took.push(u32::try_from(took).unwrap_or(u32::MAX));
            let is_answer = flags & 0x80 != 0 && code & 0x0f == 0 && [*answers_high, *answers_low] != [0, 0];
            self.outcome.wrong += u32::from(!is_answer);
        }
        Ok(())
    }

    fn give_up(&mut self, after: Duration) {
        let now = now();
        for left in self.left.iter_mut().filter(|left| **left != 0) {
            if u128::from(now.saturating_sub(*left)) >= after.as_nanos() {
                *left = 0;
                self.under_way -= 1;
                self.outcome.lost += 1;
            }
        }
    }

    fn forget_all(&mut self) {
        self.left.fill(0);
        self.under_way = 0;
    }
}

/// The clock of the kernel's stamps.
fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A server that answers all but every tenth, and one of ten with an error.
    fn serve(socket: &UdpSocket, until: Instant) {
        let mut room = [0; 512];
        let mut count = 0;
        while Instant::now() < until {
            let Ok((octets, from)) = socket.recv_from(&mut room) else { continue };
            count += 1;
            (room[2], room[7]) = (0x80, 1);
            room[3] = if count % 10 == 1 { 3 } else { 0 };
            if count % 10 != 0 {
                let _ = socket.send_to(&room[..octets], from);
            }
        }
    }

    #[test]
    fn every_question_is_answered_lost_or_wrong() {
        let server = UdpSocket::bind("127.0.0.1:0").unwrap();
        server.set_read_timeout(Some(Duration::from_millis(20))).unwrap();
        let address = server.local_addr().unwrap();
        let messages = super::super::questions::Asked::Names.messages();
        let outcome = std::thread::scope(|scope| {
            scope.spawn(|| serve(&server, Instant::now() + Duration::from_secs(3)));
            let mut asker = Asker::new(address, messages, 1).unwrap();
            asker.run(Load::EachSecond(1000), Duration::from_millis(500)).unwrap()
        });
        let asked = outcome.took.len() + outcome.lost as usize;
        assert!((400..=500).contains(&asked), "{asked}");
        assert!(outcome.lost as usize >= asked / 10 && outcome.wrong as usize >= asked / 11, "{outcome:?}");
        assert!(outcome.took.iter().all(|took| *took > 0 && *took < 1_000_000_000));
    }

    #[test]
    fn so_many_are_under_way_at_a_time() {
        let server = UdpSocket::bind("127.0.0.1:0").unwrap();
        let address = server.local_addr().unwrap();
        let messages = super::super::questions::Asked::Names.messages();
        let mut asker = Asker::new(address, messages, 1).unwrap();
        let outcome = asker.run(Load::AtOnce(7), Duration::from_millis(50)).unwrap();
        assert_eq!((outcome.lost, outcome.took.len()), (7, 0));
    }
}
