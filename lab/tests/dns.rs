//! `dig` from another namespace, over UDP and TCP: names are computed, and what does not exist is told apart from what has no such record.

use heorot_lab::demo::dig;
use heorot_lab::server::{Server, Settings};

/// What is asked, the status, and the one answer's data if there is one.
const CASES: [(&[&str], &str, Option<&str>); 12] = [
    (&["node0.cluster", "A"], "NOERROR", Some("10.77.1.0")),
    (&["node23.cluster", "A"], "NOERROR", Some("10.77.1.23")),
    (&["NODE23.Cluster", "A"], "NOERROR", Some("10.77.1.23")),
    (&["node1023.cluster", "A"], "NOERROR", Some("10.77.4.255")),
    (&["node23.cluster", "AAAA"], "NOERROR", None),
    (&["cluster", "A"], "NOERROR", None),
    (&["node1024.cluster", "A"], "NXDOMAIN", None),
    (&["node023.cluster", "A"], "NXDOMAIN", None),
    (&["nobody.cluster", "A"], "NXDOMAIN", None),
    (&["-x", "10.77.1.23"], "NOERROR", Some("node23.cluster.")),
    (&["-x", "10.77.200.1"], "NXDOMAIN", None),
    (&["example.org", "A"], "REFUSED", None),
];

#[test]
fn names_are_answered_over_udp_and_tcp() {
    let server = Server::start(&Settings::default()).expect("the lab and the server start");
    for transport in ["+notcp", "+tcp"] {
        for (question, status, data) in CASES {
            let options = [transport, "+noall", "+comments", "+answer"];
            let answer =
                dig(&server.network, &[options.as_slice(), question].concat()).expect("dig is answered");
            let shown = format!("{transport} {question:?}: {answer}");
            assert!(answer.contains(&format!("status: {status},")), "{shown}");
            let found: Vec<_> =
                answer.lines().filter(|line| !line.starts_with(';') && !line.is_empty()).collect();
            assert_eq!(found.len(), usize::from(data.is_some()), "{shown}");
            for line in found {
                assert_eq!(line.split_whitespace().last(), data, "{shown}");
            }
        }
    }
}
