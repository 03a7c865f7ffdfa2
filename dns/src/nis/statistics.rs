use heorot_rpc::Answer;

/// Why a call got no reply at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Ignored {
    /// From outside of the networks.
    Stranger,
    /// No call.
    Short,
    /// It is a reply itself.
    Reply,
    /// Who cannot say yes to this question says nothing.
    Silence,
}

impl Ignored {
    /// All of them, in the order of their declaration.
    pub const ALL: [Self; 4] = [Self::Stranger, Self::Short, Self::Reply, Self::Silence];

    /// One word, for a metric's label.
    pub fn name(self) -> &'static str {
        match self {
            Self::Stranger => "stranger",
            Self::Short => "short",
            Self::Reply => "reply",
            Self::Silence => "silence",
        }
    }
}

/// What a gateway has done since it began.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Statistics {
    /// Datagrams that came, whatever became of them.
    pub datagrams: u64,
    /// Messages that came by connections.
    pub messages: u64,
    /// Calls that succeeded, whole maps aside; "there is no such key" is a success.
    pub answered: u64,
    /// Whole maps that were begun.
    pub maps: u64,
    /// Calls of programs, versions or procedures that are not here: also the questions for rpcbind with which every client begins.
    pub unavailable: u64,
    /// Calls whose arguments could not be read.
    pub garbage: u64,
    /// Calls that nobody may make, or by credentials of a kind that is not understood.
    pub denied: u64,
    ignored: [u64; Ignored::ALL.len()],
}

impl Statistics {
    /// Calls that got no reply for this reason.
    pub fn ignored(&self, reason: Ignored) -> u64 {
        self.ignored[reason as usize]
    }

    pub(super) fn count_ignored(&mut self, reason: Ignored) {
        self.ignored[reason as usize] += 1;
    }

    pub(super) fn count(&mut self, answer: &Answer) {
        match answer {
            Answer::Success(_) => self.answered += 1,
            Answer::ProgramUnavailable | Answer::ProgramMismatch { .. } | Answer::ProcedureUnavailable => {
                self.unavailable += 1;
            }
            Answer::GarbageArguments => self.garbage += 1,
            Answer::Denied(_) => self.denied += 1,
        }
    }
}
