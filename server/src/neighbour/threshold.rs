//! Whether the kernel's neighbour table is large enough for the cluster.
//!
//! Our own entries, permanent, are not counted by its garbage collector; but a node that is up is an ordinary host again and needs an ordinary entry.
//! Beyond `gc_thresh3` of them the kernel drops packets and says "neighbour: arp_cache: neighbor table overflow!" (arp(7)).

use heorot_core::config::{Config, Network};
use std::net::Ipv4Addr;

/// Where the kernel says how many entries there may be. It is there in the first network namespace only, for which it holds.
const HARD_LIMIT: &str = "/proc/sys/net/ipv4/neigh/default/gc_thresh3";

/// What to warn of on this host, if there is something.
pub(crate) fn warning(config: &Config) -> Option<String> {
    let limit = std::fs::read_to_string(HARD_LIMIT).ok()?.trim().parse().ok()?;
    advice(hosts(config), limit)
}

/// How many hosts with an address of their own there can be on our links.
fn hosts(config: &Config) -> u64 {
    let on_link = config.networks.iter().filter(|network| network.on_link);
    let count = |network: &Network| {
        let numbers = network.numbering.numbers;
        let guests = network.guests.map_or(0, |guests| guests.size());
        let is_further = |address: &Ipv4Addr| {
            network.contains(*address) && !network.guests.is_some_and(|guests| guests.contains(*address))
        };
        let further = config.hosts.iter().filter_map(|host| host.address).filter(is_further).count();
        u64::from(numbers.highest - numbers.lowest) + 1 + guests + further as u64
    };
    on_link.map(count).sum()
}

/// Hosts that no list has: routers, name servers, switches, what is on trial. The kernel drops packets as soon as there are as many entries as it may have, of whomever they are.
const FURTHER_HOSTS: u64 = 32;

/// What to say where so many hosts meet such a limit. The figures leave room for as many hosts again: switches, management boards, what comes and goes.
/// Below the lowest of them nothing is collected.
fn advice(hosts: u64, limit: u64) -> Option<String> {
    if hosts + FURTHER_HOSTS <= limit {
        return None;
    }
    let lowest = (hosts + FURTHER_HOSTS).next_multiple_of(1024);
    let (middle, highest) = (lowest * 2, lowest * 4);
    Some(format!(
        "there can be {hosts} hosts on the links, and routers and others beside them, and the kernel keeps no more than {limit} neighbour entries: nodes that are up would lose packets\n  \
         sysctl -w net.ipv4.neigh.default.gc_thresh3={highest} net.ipv4.neigh.default.gc_thresh2={middle} net.ipv4.neigh.default.gc_thresh1={lowest}\n  \
         and the same lines in /etc/sysctl.d/, for the next start"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_that_is_too_small_is_told_of_with_its_remedy() {
        assert_eq!(advice(992, 1024), None);
        // A cluster of 1,024 nodes has a router too.
        assert!(advice(1024, 1024).is_some_and(|text| text.contains("gc_thresh3=8192 ")));
        assert_eq!(advice(10_000, 65_536), None);
        let text = advice(1025, 1024).unwrap();
        assert!(text.contains("1025 hosts") && text.contains("1024 neighbour entries"), "{text}");
        assert!(
            text.contains(
                "sysctl -w net.ipv4.neigh.default.gc_thresh3=8192 net.ipv4.neigh.default.gc_thresh2=4096 \
                 net.ipv4.neigh.default.gc_thresh1=2048\n"
            ),
            "{text}"
        );
        let text = advice(10_000, 1024).unwrap();
        assert!(text.contains("gc_thresh3=40960 "), "{text}");
    }

    #[test]
    fn only_hosts_on_our_links_count() {
        let interface = heorot_core::config::Interface {
            name: "eth1".into(),
            addresses: vec![([10, 77, 0, 1].into(), 16)],
        };
        let network = |second: u8, numbers: &str, further: &str| {
            format!(
                "[[network]]\ninterface = \"eth1\"\naddress = \"10.{second}.0.1/16\"\nnumbers = \"{numbers}\"\n\
                 first = \"10.{second}.1.0\"\ntemporary = \"10.{second}.200.1-10.{second}.200.9\"\n{further}"
            )
        };
        let guests = "guests = \"10.77.210.1-10.77.210.10\"\n";
        let text = network(77, "0-1023", guests) + &network(78, "2000-2999", "");
        let host = |address: &str, last: u8| {
            format!("[[host]]\nmac = \"52:54:00:00:00:{last:02x}\"\naddress = \"{address}\"\n")
        };
        let listed = host("10.77.0.20", 1) + &host("10.77.210.3", 2) + &host("10.78.0.20", 3);
        let config = Config::parse(&(text + &listed), &[interface]).unwrap().0;
        assert_eq!(hosts(&config), 1035, "nodes, guests, and one host beside them");
    }
}
