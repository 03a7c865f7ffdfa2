//! What is told without a look at the zones: what was told before, what stands in files, and what others know.

use super::{Output, Query, Resolver, TCP_OCTETS_MAX, Transport};
use crate::asked::{Asked, HEADER_OCTETS, RD};
use crate::cache::{Age, CachedAnswer, Freshness, Hit, Wishes};
use crate::data::Type;
use crate::forward::{ForwardCounts, Forwarder, Led, Sink, octets_max};
use crate::forwarding::Forwarding;
use crate::hosts_file::HostNames;
use crate::limit::OWN_ANSWERS_LAST_SECONDS;
use crate::local;
use crate::name::Name;
use crate::upstream::{ServerStatus, Unanswered};
use crate::wire::{self, Proof};
use crate::zone::Answer;
use std::sync::Arc;

impl Resolver {
    /// What it has done with names that are not ours.
    pub fn forward_counts(&self) -> ForwardCounts {
        self.forwarder.as_ref().map(|forwarder| forwarder.counts()).unwrap_or_default()
    }

    /// How those do whom it asks.
    pub fn servers(&self, now_nanoseconds: u64) -> Vec<ServerStatus> {
        self.forwarder.as_ref().map(|forwarder| forwarder.servers(now_nanoseconds)).unwrap_or_default()
    }

    /// The groups of them of which nobody answers any more.
    pub fn unanswered(&self, now_nanoseconds: u64) -> Vec<Unanswered> {
        self.forwarder.as_ref().map(|forwarder| forwarder.unanswered(now_nanoseconds)).unwrap_or_default()
    }

    /// Names of ours are others from now on.
    pub(super) fn forget_answers(&mut self) {
        self.own.outdate();
        // What was somebody else's name may be ours now.
        if let Some(forwarder) = &mut self.forwarder {
            forwarder.forget_answers();
        }
    }

    /// Answers a plain question, or begins to ask others for the answer. False: the zones have to be looked at, or it is no plain question.
    pub(super) fn tell(&mut self, now: u64, query: &Query<'_>, out: &mut Vec<Output>) -> bool {
        let Some(asked) = Asked::read(query.payload) else { return false };
        if !asked.wants_data() || query.from.port() == 0 {
            return false;
        }
        let cookies_known = self.statistics.cookies_known;
        let wall_seconds = self.wall_seconds(now);
        let asked = &match asked.cookie() {
            Some(cookie) => asked.with_cookie_back(self.cookie(query, &cookie, wall_seconds)),
            None => asked,
        };
        let told = self.tell_own(now, query, asked, out) || self.tell_of_others(now, query, asked, out);
        match told {
            true => self.count_query(query.transport),
            // Its cookie is looked at once more.
            false => self.statistics.cookies_known = cookies_known,
        }
        told
    }

    pub(super) fn count_query(&mut self, transport: Transport) {
        match transport {
            Transport::Udp => self.statistics.queries_udp += 1,
            Transport::Tcp => self.statistics.queries_tcp += 1,
        }
    }

    pub(super) fn change_hosts(&mut self, hosts: Arc<HostNames>) {
        if hosts == self.hosts {
            return;
        }
        self.hosts = hosts;
        self.forget_answers();
    }

    /// What is being asked is asked anew by those who still want it.
    pub(super) fn forward(&mut self, now: u64, forwarding: Forwarding, out: &mut Vec<Output>) {
        let same_but_seed = self.forwarder.as_ref().is_some_and(|forwarder| {
            *forwarder.settings() == Forwarding { seed: forwarder.settings().seed, ..forwarding.clone() }
        });
        if same_but_seed {
            return;
        }
        let is_on = forwarding.is_on();
        let Ok(forwarder) = Forwarder::new(forwarding) else {
            self.statistics.snapshots_refused += 1;
            return;
        };
        self.with_forwarder(out, |forwarder, sink| forwarder.abandon(now, sink));
        if let Some(forwarder) = &self.forwarder {
            self.last_number = forwarder.last_number();
        }
        self.forwarder = is_on.then(|| Box::new(forwarder.after(self.last_number)));
        // What our zones said may be for others to say now, and the other way round.
        self.own.outdate();
        let (calendar, reached) = (self.calendar, self.reached);
        self.with_forwarder(out, |forwarder, sink| {
            forwarder.set_calendar(now, calendar, reached);
            forwarder.wake(now, sink);
        });
    }

    pub(super) fn with_forwarder(
        &mut self,
        out: &mut Vec<Output>,
        act: impl FnOnce(&mut Forwarder, &mut Sink<'_>),
    ) {
        if let Some(forwarder) = &mut self.forwarder {
            act(forwarder, &mut Sink { out, statistics: &mut self.statistics });
        }
    }

    /// The way that nearly all questions take: what was said before is copied. False: it was not said before.
    fn tell_own(&mut self, now: u64, query: &Query<'_>, asked: &Asked<'_>, out: &mut Vec<Output>) -> bool {
        let recursion = self.recurses(query);
        let manner = asked.manner();
        let told = self.own.find(now, asked.lower(), Wishes::default()).and_then(
            |Hit { kept, freshness, .. }| {
                let Freshness::Fresh(_) = freshness else { return None };
                let octets_max = octets_max(query.transport, &manner);
                let payload =
                    kept.reply(asked.question(), &manner, Age::Seconds(0), octets_max, recursion)?;
                Some((payload, kept.code()))
            },
        );
        let Some((payload, code)) = told else { return false };
        self.statistics.count_reply_bits(code);
        reply(query, payload, out);
        true
    }

    /// False: the name is ours, or nobody is asked.
    fn tell_of_others(
        &mut self,
        now: u64,
        query: &Query<'_>,
        asked: &Asked<'_>,
        out: &mut Vec<Output>,
    ) -> bool {
        // RD clear: of what is below a cut, others are told who has it (RFC 1034 4.3.2), also where we were told.
        if let Some(forwarder) = self.forwarder.as_mut().filter(|_| asked.recursion_desired()) {
            let sink = &mut Sink { out, statistics: &mut self.statistics };
            if forwarder.tell_what_is_kept(now, query, asked, sink) {
                return true;
            }
        }
        let name = Name::from_wire(asked.name());
        let holder = self.zones.holder(&name, Type(asked.rtype()));
        let is_cut_off = holder.as_ref().is_some_and(|(_, is_cut_off)| *is_cut_off);
        let is_ours =
            holder.is_some_and(|(apex, _)| !self.is_left_to_others(query, asked, &apex, is_cut_off));
        if is_ours || self.find_elsewhere(&name, Type(asked.rtype())).is_some() {
            // Below a cut it depends on who asks, and how.
            if is_cut_off && self.forwarder.is_some() {
                return false;
            }
            return self.keep_own(now, query, asked, out) || self.tell_own(now, query, asked, out);
        }
        let is_forwarded = self.forwarder.is_some();
        self.with_forwarder(out, |forwarder, sink| forwarder.ask(now, query, asked, sink));
        is_forwarded
    }

    /// Whether others are asked for a name of our zones: in a domain that has servers of its own, or below a cut, for a client that cannot follow a referral.
    fn is_left_to_others(&self, query: &Query<'_>, asked: &Asked<'_>, apex: &Name, is_cut_off: bool) -> bool {
        self.forwarder.as_ref().is_some_and(|forwarder| {
            let wants_all = || is_cut_off && asked.recursion_desired() && forwarder.serves(query.from.ip());
            forwarder.goes_before(apex, asked.name())
                || (wants_all() && forwarder.has_servers_for(asked.name()))
        })
    }

    /// Keeps what our zones say to this, as if it came by TCP from somebody without EDNS. True: it is told, or will be, because it is an alias of a name elsewhere, and what is told depends on
    /// who asks.
    fn keep_own(&mut self, now: u64, query: &Query<'_>, asked: &Asked<'_>, out: &mut Vec<Output>) -> bool {
        let plain = asked.without_edns();
        let Ok(request) = wire::read(&plain) else { return false };
        let (code, answer) = self.decide(now, &request.body);
        let mut payload =
            wire::write(&request, code, answer.as_ref(), TCP_OCTETS_MAX, Proof::default()).payload;
        let lower = asked.lower();
        if let (Some(target), Some(forwarder)) =
            (answer.and_then(|answer| answer.leads_to), self.forwarder.as_mut())
        {
            let goes_on = forwarder.goes_on(query, asked, &target);
            let led = Led::by(&payload, lower.len()).filter(|_| goes_on);
            return led.is_some_and(|led| {
                let sink = &mut Sink { out, statistics: &mut self.statistics };
                forwarder.follow(now, query, (asked, led, &target), sink);
                true
            });
        }
        payload[2] &= !RD;
        payload[HEADER_OCTETS..HEADER_OCTETS + lower.len()].copy_from_slice(lower);
        let kept = CachedAnswer::new(payload, Vec::new(), lower.len());
        // Loans end by themselves; all else changes with a new snapshot, which clears this.
        let lasts_seconds = if self.zones.lend_any() { OWN_ANSWERS_LAST_SECONDS } else { u32::MAX };
        self.own.keep(now, kept, Wishes::default(), lasts_seconds);
        false
    }

    /// A name of no zone of ours that others are not asked for.
    pub(super) fn find_elsewhere(&self, name: &Name, wanted: Type) -> Option<Answer> {
        self.hosts.find(name, wanted).or_else(|| local::find(name, wanted))
    }

    /// An alias of a name that stands in a file.
    pub(super) fn go_on_in_files(&self, mut answer: Answer, wanted: Type) -> Answer {
        let target = answer.leads_to.as_ref().filter(|_| answer.authority.is_none());
        let there = target.and_then(|target| Some((target.clone(), self.find_elsewhere(target, wanted)?)));
        if let Some((target, there)) = there {
            answer.answer.extend(there.answer.into_iter().map(|(_, set)| (Some(target.clone()), set)));
            answer.leads_to = None;
        }
        answer
    }
}

fn reply(query: &Query<'_>, payload: Vec<u8>, out: &mut Vec<Output>) {
    let Query { transport, from: to, id, .. } = *query;
    out.push(Output::Reply { transport, to, id, payload });
}
