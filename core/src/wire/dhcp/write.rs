//! A packet's octets: in which order options stand, and what is done when there is not room for all.

use super::{BROADCAST_FLAG, COOKIE, FILE, MAGIC, Message, OPTIONS, Op, SNAME, WRITTEN_OCTETS_MIN, option};

impl Message {
    /// The packet's octets: at most `size_max`, but never fewer than [`WRITTEN_OCTETS_MIN`]. An option that no longer fits is left out. What a relay said may stand beside that, if it is long.
    ///
    /// `size_max` is of the UDP payload. Option 57 counts the IP and UDP headers too, and is to be clamped by the caller: a firmware is known that says 65280.
    pub fn write(&self, size_max: usize) -> Vec<u8> {
        self.fit(size_max, false).octets
    }

    /// The packet's octets, as [`Message::write`] gives them, and which options were left out: of those that do not fit together, those that are
    /// needed least, and of these the later.
    ///
    /// With `may_overload`, what does not fit goes into the fields `file` and `sname`, as far as these are empty (option 52, RFC 2132 9.3).
    pub fn fit(&self, size_max: usize, may_overload: bool) -> Fitted {
        let size_max = size_max.max(WRITTEN_OCTETS_MIN);
        let layout = self.lay_out(size_max - OPTIONS, may_overload);
        let mut octets = Vec::with_capacity(WRITTEN_OCTETS_MIN.max(OPTIONS + layout.options.len()));
        let op = match self.op {
            Op::BootRequest => 1,
            Op::BootReply => 2,
        };
        octets.extend([op, self.htype, self.hlen, self.hops]);
        octets.extend(self.xid.to_be_bytes());
        octets.extend(self.secs.to_be_bytes());
        octets.extend(if self.broadcast { BROADCAST_FLAG } else { 0 }.to_be_bytes());
        for address in [self.ciaddr, self.yiaddr, self.siaddr, self.giaddr] {
            octets.extend(address.octets());
        }
        octets.extend(self.chaddr);
        put_field(&mut octets, &self.sname, &layout.sname, FILE);
        put_field(&mut octets, &self.file, &layout.file, COOKIE);
        octets.extend(MAGIC);
        octets.extend(layout.options);
        octets.resize(octets.len().max(WRITTEN_OCTETS_MIN), option::PAD);
        Fitted { octets, left_out: layout.left_out }
    }

    /// Puts every option into the first field that has room for it.
    fn lay_out(&self, room: usize, may_overload: bool) -> Layout {
        let whole_room = room - 1; // for the end
        // The relay's own option comes last and room is kept for it: without it the relay may not know where the answer goes (RFC 3046 2.2).
        let relay = self.options.get(option::RELAY_AGENT);
        let of_relay = relay.map_or(0, |relay| encoded_octets(option::RELAY_AGENT, relay));
        let room = self.room_beside(of_relay, whole_room, may_overload);
        let relay = relay.filter(|_| room.is_some());
        let mut layout = Layout::default();
        if room.is_none() {
            layout.left_out.push(option::RELAY_AGENT);
        }
        let room = room.unwrap_or(whole_room);
        // The type comes first: iPXE and some ROMs look for it there.
        let kind = self.options.get(option::MESSAGE_TYPE).map(|kind| (option::MESSAGE_TYPE, kind));
        let is_other = |code: u8| !matches!(code, option::MESSAGE_TYPE | option::RELAY_AGENT);
        let others = || self.options.iter().filter(|(code, _)| is_other(*code));
        let all = || kind.into_iter().chain(others());
        let wanted = all().map(|(code, value)| encoded_octets(code, value)).sum::<usize>();
        let is_full = wanted > room;
        // And what follows them: the relay's, and the end.
        layout.options.reserve(wanted.min(room) + OVERLOAD_OCTETS + of_relay + 1);
        let spare = |field: &[u8], octets: usize| {
            if is_full && may_overload && field.is_empty() { octets - 1 } else { 0 }
        };
        let (file_room, sname_room) = (spare(&self.file, COOKIE - FILE), spare(&self.sname, FILE - SNAME));
        let room = if file_room + sname_room > 0 { room - OVERLOAD_OCTETS } else { room };
        let classes = if is_full { &Need::ALL[..] } else { &[Need::All] };
        let in_order =
            classes.iter().flat_map(|class| all().filter(|(code, value)| class.has(self, *code, value)));
        for (code, value) in in_order {
            let octets = encoded_octets(code, value);
            let fields =
                [(&mut layout.options, room), (&mut layout.file, file_room), (&mut layout.sname, sname_room)];
            match fields.into_iter().find(|(field, room)| field.len() + octets <= *room) {
                Some((field, _)) => encode(field, code, value),
                None if Need::Twice.has(self, code, value) => {}
                None => layout.left_out.push(code),
            }
        }
        let overload = u8::from(!layout.file.is_empty()) | u8::from(!layout.sname.is_empty()) << 1;
        if overload > 0 {
            let at = if self.message_type().is_some() { TYPE_OCTETS } else { 0 };
            layout.options.splice(at..at, [option::OVERLOAD, 1, overload]);
        }
        if let Some(relay) = relay {
            encode(&mut layout.options, option::RELAY_AGENT, relay);
        }
        layout.options.push(option::END);
        layout
    }

    /// Octets for all that is not the relay's, which has so many. Where that would leave none for what a client cannot do without, it stands beside what the client has room for: its relay takes it out
    /// before the client has the packet (RFC 3046 2.1). None: no link takes both, and "it SHALL send the response without" the relay's (2.2).
    fn room_beside(&self, of_relay: usize, whole_room: usize, may_overload: bool) -> Option<usize> {
        if of_relay == 0 {
            return Some(whole_room);
        }
        let first = self.options.iter().filter(|(code, value)| Need::First.has(self, *code, value));
        let first: usize = first.map(|(code, value)| encoded_octets(code, value)).sum();
        let first = first + if may_overload { OVERLOAD_OCTETS } else { 0 };
        if first + of_relay <= whole_room {
            return Some(whole_room - of_relay);
        }
        let beside = whole_room.min((RELAYED_OCTETS_MAX - OPTIONS - 1).saturating_sub(of_relay));
        (beside >= first.min(whole_room)).then_some(beside)
    }
}

/// A packet as it is sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fitted {
    /// The UDP payload.
    pub octets: Vec<u8>,
    /// The options for which there was no room, but for what stands in a field of the packet all the same.
    pub left_out: Vec<u8>,
}

/// How much a client needs an option, where there is not room for all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Need {
    /// There is room for all: none goes before another.
    All,
    /// Without it the client has no address that it can use: whose answer it is, for how long, mask and router.
    First,
    /// Firmware boots by it: that this is a PXE server's answer and what such a one says, the file and its server.
    Boot,
    /// It comes back because it was sent (RFC 4578 2.3, RFC 6842 3, RFC 3011 4), and clients go on without it.
    Echo,
    /// What a site says beside.
    Usual,
    /// The client reckons the same by itself (RFC 2131 4.4.5).
    Default,
    /// It stands in a field of the packet already.
    Twice,
}

impl Need {
    /// Of a full packet, the most needed first.
    const ALL: [Self; 6] = [Self::First, Self::Boot, Self::Echo, Self::Usual, Self::Default, Self::Twice];

    fn has(self, message: &Message, code: u8, value: &[u8]) -> bool {
        let own = match code {
            option::BOOT_FILE if value == message.file => Self::Twice,
            option::TFTP_SERVER if value == message.sname => Self::Twice,
            option::MESSAGE_TYPE
            | option::SERVER_IDENTIFIER
            | option::LEASE_TIME
            | option::SUBNET_MASK
            | option::ROUTER
            // RFC 4039 3.1: without it an ACK to a DISCOVER is none.
            | option::RAPID_COMMIT => Self::First,
            option::VENDOR_SPECIFIC
            | option::VENDOR_CLASS
            | option::BOOT_FILE
            | option::TFTP_SERVER => Self::Boot,
            option::CLIENT_IDENTIFIER
            | option::ARCHITECTURE
            | option::CLIENT_NDI
            | option::CLIENT_MACHINE
            | option::SUBNET_SELECTION => Self::Echo,
            option::T1 | option::T2 => Self::Default,
            _ => Self::Usual,
        };
        self == Self::All || self == own
    }
}

/// Octets of a packet that a link to a relay takes: an Ethernet frame's, without the IP and UDP headers.
const RELAYED_OCTETS_MAX: usize = 1472;

/// Octets of options 53 and 52, which both stand in the field for options.
const TYPE_OCTETS: usize = 3;
const OVERLOAD_OCTETS: usize = 3;

/// Which options go where, written.
#[derive(Default)]
struct Layout {
    options: Vec<u8>,
    file: Vec<u8>,
    sname: Vec<u8>,
    left_out: Vec<u8>,
}

/// Octets of an option in the packet.
fn encoded_octets(code: u8, value: &[u8]) -> usize {
    let parts = value.len().div_ceil(PART_OCTETS_MAX).max(1);
    value.len() + 2 * parts + usize::from(code == option::BOOT_FILE)
}

/// Appends an option; more than 255 octets are split (RFC 3396 6).
fn encode(octets: &mut Vec<u8>, code: u8, value: &[u8]) {
    let (mut part, mut rest) = value.split_at(value.len().min(PART_OCTETS_MAX));
    loop {
        octets.push(code);
        octets.extend(u8::try_from(part.len()));
        octets.extend_from_slice(part);
        if rest.is_empty() {
            break;
        }
        (part, rest) = rest.split_at(rest.len().min(PART_OCTETS_MAX));
    }
    if code == option::BOOT_FILE {
        // ROMs are known that take the name as if it ended in a zero. One octet of padding makes it so.
        octets.push(option::PAD);
    }
}

/// Octets that the length of an option can say.
const PART_OCTETS_MAX: usize = 255;

/// Appends a field that ends at offset `end`: a name, with at least one zero at its end, or options with their end ("the last option in each
/// field is 'end'", RFC 2131 4.1).
fn put_field(bytes: &mut Vec<u8>, name: &[u8], options: &[u8], end: usize) {
    if options.is_empty() {
        let room = end - bytes.len() - 1;
        bytes.extend(name.iter().take(room));
    } else {
        bytes.extend(options);
        bytes.push(option::END);
    }
    bytes.resize(end, 0);
}
