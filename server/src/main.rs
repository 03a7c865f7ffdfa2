//! heorot: boots, addresses and names a diskless cluster.
mod ask;
mod clock;
mod frame;
mod http;
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
#[allow(dead_code)]
mod dns;
fn main() {}
