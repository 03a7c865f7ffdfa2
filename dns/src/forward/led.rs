//! Names of ours that are aliases of names elsewhere: who may ask others is told the rest of the answer too, because stubs follow no alias (RFC 1034 4.3.2, step 5).

use super::{Client, Forwarder, Sink};
use crate::asked::{AA, Asked, header_and_question};
use crate::cache::{Age, CachedAnswer};
use crate::name::Name;
use crate::resolver::Query;
use crate::statistics::ResponseCode;
use crate::upstream::records::{Record, Section, Writer, read};

/// The aliases that led from what was asked to a name elsewhere.
pub(crate) struct Led {
    aliases: Vec<Record>,
}

impl Led {
    /// Of what our zones say to the question. None: it is none that we have written.
    pub(crate) fn by(message: &[u8], question_octets: usize) -> Option<Self> {
        let mut aliases = read(message, question_octets)?;
        aliases.retain(|record| record.section == Section::Answer);
        Some(Self { aliases })
    }
}

impl Forwarder {
    /// Whether the rest of the answer to this is asked of others: whom we ask them for, and where somebody is that can be asked.
    pub(crate) fn goes_on(&self, query: &Query<'_>, asked: &Asked<'_>, target: &Name) -> bool {
        asked.recursion_desired() && self.serves(query.from.ip()) && self.has_servers_for(target.octets())
    }

    /// Answers a question for a name of ours that leads to `target`, now or later.
    pub(crate) fn follow(
        &mut self,
        now: u64,
        query: &Query<'_>,
        (asked, led, target): (&Asked<'_>, Led, &Name),
        sink: &mut Sink<'_>,
    ) {
        let client = Client::of(query, asked, Some(Box::new(led)));
        let there = asked.of_another_name(target.octets());
        let there = Asked::read(&there).expect("it is the client's, with a name that is one");
        self.ask_for_client(now, client, &there, sink);
    }
}

/// What is told: the aliases, and behind them what is known of the name that they lead to. The first name is ours, and so AA is set (RFC 1035 4.1.1); nobody signed
/// it, and so AD is not (RFC 4035 3.2.3). None: it is longer than any message.
pub(super) fn after(led: &Led, question: &[u8], kept: &CachedAnswer, age: Age) -> Option<CachedAnswer> {
    let mut head = header_and_question(&question.to_ascii_lowercase(), 256);
    // RFC 6604 2.1: of several names, the code is that of the last.
    head[3] = kept.code();
    let records = match kept.code() == ResponseCode::ServFail.low_bits() {
        true => Vec::new(),
        false => {
            head[2] = AA;
            let there = read(&kept.message(age), kept.question().len())?;
            led.aliases.iter().cloned().chain(there).collect()
        }
    };
    let mut writer = Writer::new(head);
    for record in &records {
        writer.push(record, record.ttl_seconds)?;
    }
    let (octets, ttl_offsets) = writer.finish();
    Some(CachedAnswer::new(octets, ttl_offsets, question.len()).because_of(kept))
}
