//! heorot: boots, addresses and names a diskless cluster.
mod clock;
mod frame;
mod images;
mod journal;
mod link;
mod neighbour;
mod netio;
mod notes;
mod problem;
mod rights;
mod store;
#[cfg(test)]
mod testing;
mod udp;
mod wake;
mod dns;
fn main() {}
