//! Answers that are checked before anybody hears them.
//!
//! The question of a client becomes one that nobody is asked: it waits for others, which ask for the answer with all signatures, and for what leads to
//! it from an anchor. Those are questions like any other, kept and shared like any other; servers are told not to check (CD, RFC 6840 5.9),
//! so that what is wrong is seen here, and not a SERVFAIL that says nothing.

use super::{Asker, Client, Forwarder, Key, Question, Sink, tell};
use crate::asked::{AD, header_and_question};
use crate::cache::{Age, CachedAnswer, Freshness, Wishes};
use crate::forwarding::{Forwarding, Validation};
use crate::limit::{CALENDAR_LEAST_SECONDS, FAILURE_LASTS_SECONDS, QUESTIONS_MAX};
use crate::name::{Name, NameError};
use crate::statistics::ResponseCode;
use crate::upstream::records::{Record, Writer, rtype};
use crate::validate::{Check, Date, Said, Step, Verdict, Zones};
use std::collections::{BTreeMap, BTreeSet};

/// What the forwarder knows for it.
pub(super) struct Checks {
    pub(super) zones: Zones,
    /// What the calendar says at zero of the clock, in nanoseconds, wrapping.
    calendar: u64,
    /// A day that has come, in seconds since 1970: before it the calendar was never set.
    reached: u64,
    was_set: bool,
}

/// A question that is over when its answer was checked.
pub(super) struct Checked {
    check: Check,
    waits_for: Option<Key>,
    /// Of the answer, in seconds.
    lasts: u32,
    /// The answer was there already: it may be what somebody asked for who wants it unchecked.
    was_kept: bool,
    /// The servers that said the answer, or what was no true word of a zone.
    suspects: Vec<usize>,
    /// The latter was said.
    heard_untruth: bool,
    /// Others are being asked for the same.
    asks_others: bool,
}

/// With signatures, and unchecked.
const RAW: Wishes = Wishes { dnssec_ok: true, checking_disabled: true };

/// Domains that are nobody's in the world: what is said of them cannot be signed by who has the names above (RFC 6303 4, RFC 6761 6, RFC 8375 4).
const PRIVATE: [&str; 14] = [
    "test",
    "internal",
    "home.arpa",
    "10.in-addr.arpa",
    "168.192.in-addr.arpa",
    "254.169.in-addr.arpa",
    "127.in-addr.arpa",
    "d.f.ip6.arpa",
    "8.e.f.ip6.arpa",
    "9.e.f.ip6.arpa",
    "a.e.f.ip6.arpa",
    "b.e.f.ip6.arpa",
    "localhost",
    "local",
];
/// 172.16.0.0/12, of which each is a domain.
const PRIVATE_172: std::ops::Range<u8> = 16..32;

impl Checks {
    /// None: nothing is to be checked.
    pub(super) fn new(settings: &Forwarding) -> Result<Option<Self>, NameError> {
        let Some(Validation { anchors, insecure }) = &settings.validation else { return Ok(None) };
        let mut trusted: BTreeMap<Name, Vec<_>> = BTreeMap::new();
        for anchor in anchors {
            let domain = if anchor.domain.is_empty() { Name::root() } else { Name::parse(&anchor.domain)? };
            trusted.entry(domain).or_default().push(anchor.digest.clone());
        }
        let private_172 = PRIVATE_172.map(|octet| format!("{octet}.172.in-addr.arpa"));
        let forwarded = settings.groups.iter().map(|group| group.domain.clone());
        let names = PRIVATE.map(str::to_owned).into_iter().chain(private_172).chain(forwarded);
        let names = names.chain(insecure.iter().cloned()).filter(|domain| !domain.is_empty());
        let insecure = names.map(|domain| Name::parse(&domain)).collect::<Result<BTreeSet<_>, _>>()?;
        Ok(Some(Self { zones: Zones::new(trusted, insecure), calendar: 0, reached: 0, was_set: false }))
    }

    fn date(&self, now: u64) -> Date {
        let seconds = self.calendar.wrapping_add(now) / 1_000_000_000;
        match seconds >= self.reached.max(CALENDAR_LEAST_SECONDS) {
            // RFC 4034 3.1.5: 32 bits, which wrap.
            true => Date::Seconds(u32::try_from(seconds & u64::from(u32::MAX)).unwrap_or_default()),
            false => Date::Unknown,
        }
    }
}

impl Forwarder {
    /// What the calendar says at zero of the clock, and which day has come in any case. What was learned, and told, without one is learned anew.
    pub(crate) fn set_calendar(&mut self, now: u64, calendar: u64, reached: u64) {
        let Some(checks) = &mut self.checks else { return };
        (checks.calendar, checks.reached) = (calendar, reached);
        let is_set = checks.date(now) != Date::Unknown;
        if !std::mem::replace(&mut checks.was_set, is_set) && is_set {
            checks.zones.forget();
            self.cache.clear();
        }
    }

    /// Whether the answer to this has to be checked.
    pub(super) fn must_check(&self, name: &[u8], wishes: Wishes) -> bool {
        let checks = self.checks.as_ref().filter(|_| !wishes.checking_disabled);
        checks.is_some_and(|checks| checks.zones.cover(&Name::from_wire(name)))
    }

    /// Begins with a client's question.
    pub(super) fn begin_check(
        &mut self,
        now: u64,
        (key, group): (Key, usize),
        client: Client,
        stale_waits: bool,
        sink: &mut Sink<'_>,
    ) {
        let (name, wanted) = read_question(&key.0);
        let number = self.new_number();
        let checked = Checked::new(Check::new(name, wanted));
        let question = Question {
            retry_at: u64::MAX,
            stale_waits,
            checked: Some(Box::new(checked)),
            ..Question::of(client, key.clone(), group, now)
        };
        self.clients_waiting += 1;
        self.enter(number, question);
        self.by_key.insert(key, number);
        self.set_timer(number);
        self.advance(now, number, sink);
    }

    /// Something that this question may wait for is known.
    pub(super) fn heard(
        &mut self,
        now: u64,
        number: u64,
        (key, answer, lasts, server): (&Key, &CachedAnswer, u32, usize),
        sink: &mut Sink<'_>,
    ) {
        let checked = self.questions.get_mut(&number).and_then(|question| question.checked.as_mut());
        if checked.is_none_or(|checked| checked.waits_for.as_ref() != Some(key)) {
            return;
        }
        self.take_in(now, number, key, (&answer.message(Age::Seconds(0)), lasts), Some(server));
        self.advance(now, number, sink);
    }

    /// Goes on with a check as far as what is known goes.
    fn advance(&mut self, now: u64, number: u64, sink: &mut Sink<'_>) {
        loop {
            let Some(checks) = &self.checks else { return };
            let date = checks.date(now);
            let checked = self.questions.get_mut(&number).and_then(|question| question.checked.as_mut());
            let Some(checked) = checked else { return };
            let (name, wanted) = match checked.check.step(now, date, &checks.zones) {
                Step::Ask(name, wanted) => (name, wanted),
                Step::Done(verdict) => return self.conclude(now, number, verdict, sink),
            };
            let key = (question_of(&name, wanted), RAW);
            checked.waits_for = Some(key.clone());
            match self.cache.find(now, &key.0, RAW) {
                Some(hit) if hit.kept.code() == ResponseCode::ServFail.low_bits() => {
                    let Freshness::Fresh(_) = hit.freshness else {
                        return self.ask_for(now, number, key, sink);
                    };
                    return self.fail(now, number, sink);
                }
                Some(hit) => {
                    let Freshness::Fresh(age) = hit.freshness else {
                        return self.ask_for(now, number, key, sink);
                    };
                    checked.was_kept |= checked.check.answer().is_none();
                    let (message, lasts) =
                        (hit.kept.message(Age::Seconds(age)), hit.lasts_seconds.saturating_sub(age));
                    self.take_in(now, number, &key, (&message, lasts), None);
                }
                None => return self.ask_for(now, number, key, sink),
            }
        }
    }

    /// What was said, now by this server, or before.
    fn take_in(
        &mut self,
        now: u64,
        number: u64,
        key: &Key,
        (message, lasts): (&[u8], u32),
        server: Option<usize>,
    ) {
        let checked = self.questions.get_mut(&number).and_then(|question| question.checked.as_mut());
        let (Some(checked), Some(checks)) = (checked, &mut self.checks) else { return };
        checked.waits_for = None;
        let said = Said::read(message, key.0.len()).expect("we have written it ourselves");
        let is_answer = checked.check.answer().is_none();
        if is_answer {
            checked.lasts = lasts;
        }
        let (name, wanted) = read_question(&key.0);
        let date = checks.date(now);
        let is_believed = checked.check.hear((&name, wanted), said, now, date, &mut checks.zones);
        if is_answer || !is_believed {
            checked.suspects.extend(server);
        }
        if !is_believed {
            // It is asked for again when this is forgotten.
            checked.heard_untruth = true;
            self.cache.forget(&key.0, RAW);
        }
    }

    /// Waits for the answer to that, which is asked for unless it is already.
    fn ask_for(&mut self, now: u64, number: u64, key: Key, sink: &mut Sink<'_>) {
        if let Some(raw) = self.by_key.get(&key)
            && let Some(question) = self.questions.get_mut(raw)
        {
            question.dependents.push(number);
            self.unwanted.remove(raw);
            // Were it of a client's share any more, that client could have it give way, and this with it.
            if let Some(asker) = question.asker.take() {
                self.shares.leave(asker, *raw);
            }
            return;
        }
        let name = &key.0[..key.0.len() - 4];
        let group = self.upstreams.group_of(name);
        let checked = self.questions.get(&number).and_then(|question| question.checked.as_ref());
        let heard = checked.filter(|checked| checked.asks_others).map(|checked| checked.suspects.as_slice());
        let heard = heard.unwrap_or_default();
        let best = group.and_then(|group| Some((group, self.upstreams.best(group, heard, now)?)));
        // Those who wait have a place already: what leads to their answers needs one beside it.
        let (Some((group, best)), true) = (best, self.questions.len() < 2 * QUESTIONS_MAX) else {
            return self.fail(now, number, sink);
        };
        let raw = self.new_number();
        // It is the client's question that counts.
        let question = Question { dependents: vec![number], ..Question::new(key.clone(), group, now) };
        self.enter(raw, question);
        self.by_key.insert(key, raw);
        self.send_first(now, raw, (group, best), sink);
    }

    /// A question is over. What it still waited for is the first client's who asked for just that, or gives way where there is no room, unless another question waits for it.
    pub(super) fn waits_no_more(&mut self, number: u64, question: &Question) {
        let key = question.checked.as_ref().and_then(|checked| checked.waits_for.as_ref());
        if let Some(raw) = key.and_then(|key| self.by_key.get(key))
            && let Some(question) = self.questions.get_mut(raw)
        {
            question.dependents.retain(|dependent| *dependent != number);
            if question.dependents.is_empty() && question.asker.is_none() {
                question.asker = question.clients.first().map(|client| Asker::of(client.from.ip()));
                match question.asker {
                    Some(asker) => self.shares.enter(asker, *raw),
                    None => _ = self.unwanted.insert(*raw),
                }
            }
        }
    }

    /// The check is over.
    fn conclude(&mut self, now: u64, number: u64, verdict: Verdict, sink: &mut Sink<'_>) {
        if matches!(verdict, Verdict::Bogus(_)) && self.begins_anew(now, number) {
            return self.advance(now, number, sink);
        }
        let question = &self.questions[&number];
        let key = question.key.clone();
        let checked = question.checked.as_ref().expect("it was checked a moment ago");
        let answer = checked.check.answer();
        let kept = match (verdict, answer) {
            (Verdict::Bogus(reason), _) => Err(reason),
            (Verdict::Secure(seconds), Some(said)) => {
                let lasts = checked.lasts.min(seconds);
                Ok((write(&key, said, AD, lasts), lasts))
            }
            (Verdict::Insecure, Some(said)) => Ok((write(&key, said, 0, u32::MAX), checked.lasts)),
            (Verdict::Secure(_) | Verdict::Insecure, None) => unreachable!("nothing was judged yet"),
        };
        let (kept, lasts) = match kept {
            Ok((Some(kept), lasts)) => (kept, lasts),
            Ok((None, _)) => return self.fail(now, number, sink),
            Err(reason) => {
                self.cache.forget(&key.0, RAW);
                let mut octets = header_and_question(&key.0, 0);
                octets[3] = ResponseCode::ServFail.low_bits();
                let kept =
                    CachedAnswer::new(octets, Vec::new(), key.0.len()).because(reason.extended_error());
                (kept, FAILURE_LASTS_SECONDS)
            }
        };
        let has_date = self.checks.as_ref().is_some_and(|checks| checks.date(now) != Date::Unknown);
        match verdict {
            Verdict::Secure(_) => self.counts.secure += 1,
            Verdict::Insecure if has_date => self.counts.insecure += 1,
            Verdict::Insecure => self.counts.undated += 1,
            Verdict::Bogus(_) => self.counts.bogus += 1,
        }
        if lasts > 0 {
            self.cache.keep(now, kept.clone(), key.1, lasts);
        }
        self.finish(number, &kept, sink);
    }

    /// An answer that is not believed is worth another question, once: if it was there already, or if there is a server that said
    /// none of what may be wrong. One of them may be broken, or somebody on the way to it.
    fn begins_anew(&mut self, now: u64, number: u64) -> bool {
        let Some(question) = self.questions.get_mut(&number) else { return false };
        let (Some(checked), Some(checks)) = (&mut question.checked, &mut self.checks) else { return false };
        if !std::mem::take(&mut checked.was_kept) {
            let other = self.upstreams.other(question.group, &checked.suspects, now);
            if other.is_none() || std::mem::replace(&mut checked.asks_others, true) {
                return false;
            }
            if std::mem::take(&mut checked.heard_untruth) {
                checks.zones.forget_untruths();
            }
        }
        checked.check.begin_anew();
        self.cache.forget(&question.key.0, RAW);
        true
    }

    /// What was asked for is refused, and so is all that waits for it.
    pub(super) fn refuse(&mut self, number: u64, sink: &mut Sink<'_>) {
        let Some(question) = self.take(number, sink) else { return };
        for client in &question.clients {
            tell(sink, client, ResponseCode::Refused);
        }
        for dependent in question.dependents {
            self.refuse(dependent, sink);
        }
    }
}

impl Checked {
    fn new(check: Check) -> Self {
        Self {
            check,
            waits_for: None,
            lasts: 0,
            was_kept: false,
            suspects: Vec::new(),
            heard_untruth: false,
            asks_others: false,
        }
    }
}

/// The answer as it is told and kept: signatures and proofs only to who asks for them (RFC 4035 3.2.1), no record longer than `seconds`.
fn write(key: &Key, said: &Said, flags: u8, seconds: u32) -> Option<CachedAnswer> {
    let (_, wanted) = read_question(&key.0);
    let mut head = header_and_question(&key.0, 256);
    head[3] = flags | said.code();
    let mut writer = Writer::new(head);
    let is_told = |record: &&Record| {
        let is_proof = matches!(record.rtype, rtype::RRSIG | rtype::NSEC | rtype::NSEC3);
        key.1.dnssec_ok || !is_proof || wanted == record.rtype || wanted == rtype::ANY
    };
    for record in said.records.iter().filter(is_told) {
        writer.push(record, record.ttl_seconds.min(seconds))?;
    }
    let (octets, ttl_offsets) = writer.finish();
    Some(CachedAnswer::new(octets, ttl_offsets, key.0.len()))
}

/// Name and type of a question in lower case.
fn read_question(question: &[u8]) -> (Name, u16) {
    let (name, tail) = question.split_at(question.len() - 4);
    (Name::from_wire(name), u16::from_be_bytes([tail[0], tail[1]]))
}

/// And back, of class IN.
fn question_of(name: &Name, wanted: u16) -> Vec<u8> {
    [name.octets(), &wanted.to_be_bytes(), &[0, 1]].concat()
}
