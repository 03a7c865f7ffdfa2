/// What a reply says of its query (RFC 6895 2.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ResponseCode {
    /// There is such a name; perhaps without data of the type asked for.
    NoError,
    /// The message cannot be read.
    FormErr,
    /// Ours is the fault.
    ServFail,
    /// There is no such name.
    NxDomain,
    /// We do not do this kind of request.
    NotImp,
    /// We are not the one to ask.
    Refused,
    /// An EDNS version that we do not know.
    BadVers,
    /// It is signed wrong, or we are not the authority for what it means to change.
    NotAuth,
    /// An update is for when there is no such name (RFC 2136 2.2), and there is.
    YxDomain,
    /// For when there is no such set.
    YxRrset,
    /// For when there is such a set, and there is none.
    NxRrset,
    /// A name in an update is not in the zone that it is for.
    NotZone,
}

impl ResponseCode {
    /// All of them, in the order of their declaration.
    pub const ALL: [Self; 12] = [
        Self::NoError,
        Self::FormErr,
        Self::ServFail,
        Self::NxDomain,
        Self::NotImp,
        Self::Refused,
        Self::BadVers,
        Self::NotAuth,
        Self::YxDomain,
        Self::YxRrset,
        Self::NxRrset,
        Self::NotZone,
    ];

    /// The four bits of a header (RFC 1035 4.1.1); those of BADVERS are in an OPT record.
    pub(crate) fn low_bits(self) -> u8 {
        match self {
            Self::NoError | Self::BadVers => 0,
            Self::FormErr => 1,
            Self::ServFail => 2,
            Self::NxDomain => 3,
            Self::NotImp => 4,
            Self::Refused => 5,
            Self::YxDomain => 6,
            Self::YxRrset => 7,
            Self::NxRrset => 8,
            Self::NotAuth => 9,
            Self::NotZone => 10,
        }
    }

    /// As dig and the registry write it.
    pub fn name(self) -> &'static str {
        match self {
            Self::NoError => "NOERROR",
            Self::FormErr => "FORMERR",
            Self::ServFail => "SERVFAIL",
            Self::NxDomain => "NXDOMAIN",
            Self::NotImp => "NOTIMP",
            Self::Refused => "REFUSED",
            Self::BadVers => "BADVERS",
            Self::NotAuth => "NOTAUTH",
            Self::YxDomain => "YXDOMAIN",
            Self::YxRrset => "YXRRSET",
            Self::NxRrset => "NXRRSET",
            Self::NotZone => "NOTZONE",
        }
    }
}

/// Why a message got no reply at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Dropped {
    /// Shorter than a header: there is not even an id to answer.
    Short,
    /// It is a response. Who answers those can be made to talk to himself, or to his like, for ever (CVE-2024-2169).
    Response,
    /// A query that carries a response code: an error somewhere came back without its QR bit.
    Error,
    /// From port 0, where nobody listens.
    PortZero,
}

impl Dropped {
    /// All of them, in the order of their declaration.
    pub const ALL: [Self; 4] = [Self::Short, Self::Response, Self::Error, Self::PortZero];

    /// One word, for a metric's label.
    pub fn name(self) -> &'static str {
        match self {
            Self::Short => "short",
            Self::Response => "response",
            Self::Error => "error",
            Self::PortZero => "port_zero",
        }
    }
}

/// What a resolver has done since it began.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Statistics {
    /// Messages by UDP, whatever became of them.
    pub queries_udp: u64,
    /// Messages by TCP, whatever became of them.
    pub queries_tcp: u64,
    /// Replies with TC: the client was told to ask again by TCP.
    pub truncated: u64,
    /// Queries from who showed by a cookie of ours that he is where he says.
    pub cookies_known: u64,
    /// Copies of zones that were begun.
    pub transfers: u64,
    /// Notices of changes that were sent to secondaries.
    pub notices: u64,
    /// Updates that changed something.
    pub updates: u64,
    /// Snapshots or settings that were not taken, because a name in them is none.
    pub snapshots_refused: u64,
    replies: [u64; ResponseCode::ALL.len()],
    dropped: [u64; Dropped::ALL.len()],
}

impl Statistics {
    /// Replies with this code.
    pub fn replies(&self, code: ResponseCode) -> u64 {
        self.replies[code as usize]
    }

    /// Messages that got no reply for this reason.
    pub fn dropped(&self, reason: Dropped) -> u64 {
        self.dropped[reason as usize]
    }

    pub(crate) fn count_reply(&mut self, code: ResponseCode) {
        self.replies[code as usize] += 1;
    }

    /// A reply with these bits in its header.
    pub(crate) fn count_reply_bits(&mut self, bits: u8) {
        let code = ResponseCode::ALL.into_iter().find(|code| code.low_bits() == bits);
        self.count_reply(code.unwrap_or(ResponseCode::ServFail));
    }

    pub(crate) fn count_dropped(&mut self, reason: Dropped) {
        self.dropped[reason as usize] += 1;
    }
}
