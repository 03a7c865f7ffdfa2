//! Interfaces that are there and hear nobody.

/// Why one does not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deaf {
    /// It is down.
    Down,
    /// Nothing is at the other end of its cable, or there is none.
    NoCarrier,
}

impl Deaf {
    /// What is told of an interface, and what to do; `since` follows what is so.
    pub fn told(self, interface: &str, since: &str) -> String {
        match self {
            Self::Down => {
                format!("{interface} is down{since}, and nobody there is heard: ip link set {interface} up")
            }
            Self::NoCarrier => format!(
                "{interface} has no carrier{since}, and nobody there is heard: see its cable, and that what is at the other end is on"
            ),
        }
    }
}
