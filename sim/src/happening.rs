//! Everything that the queue of moments can hold. What has a body has it elsewhere, and is named here by its place.

/// Something that happens in a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Happening {
    /// A frame has come to the server's interface.
    ToServer {
        /// Its place among the frames under way.
        frame: u32,
    },
    /// A frame has come to a machine's interface.
    ToMachine {
        /// Which machine.
        machine: u32,
        /// Its place among the frames under way.
        frame: u32,
    },
    /// A machine wanted to be woken now.
    MachineWake(u32),
    /// The server's processor is free for the next datagram.
    ServerTurn,
    /// The server's machine for nodes wanted to be woken now.
    HeorotWake,
    /// The server's machine for transfers wanted to be woken now.
    TransfersWake,
    /// The server's disk or store has done something.
    Done {
        /// In which life of the server it was asked for.
        life: u32,
        /// Its place among what is being done.
        place: u32,
    },
    /// A machine's question by HTTP comes to the server, or its answer to the machine.
    Http {
        /// Its place among the questions under way.
        place: u32,
    },
    /// A foreign host says that it has this address, which was asked for by ARP.
    ForeignHostAnswers(std::net::Ipv4Addr),
    /// The deed of this place in the run's plan is done.
    Planned(u32),
}
