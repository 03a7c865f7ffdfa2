//! The built library, opened and called as glibc opens and calls it, with a names file of its own.
//!
//! The library reads one path and no environment variable. So each test runs itself again in a namespace that has another `/etc`.
#![allow(unsafe_code, reason = "the interface is C's")]
#![allow(clippy::unwrap_used, reason = "what does not hold in a test shall fail it")]

mod common;

use common::{Library, Outcome, in_namespace, put, text};
use libc::{AF_INET, AF_INET6};
use std::sync::atomic::{AtomicBool, Ordering};

const SUCCESS: i32 = 1;
const NOT_FOUND: i32 = 0;
const UNAVAILABLE: i32 = -1;
const TRY_AGAIN: i32 = -2;
const RETURN: i32 = 2;

const HOST_NOT_FOUND: i32 = 1;
const NO_RECOVERY: i32 = 3;
const NO_DATA: i32 = 4;

#[test]
fn names_by_every_function() {
    in_namespace("names_by_every_function", || {
        put(&text("10.77.1.0"));
        let library = Library::open();
        let table: &[(&str, i32, &str)] = &[
            ("node23", AF_INET, "node23.cluster node23 | 10.77.1.23"),
            ("node23", AF_INET6, "node23.cluster node23 | fd00:77::1:17"),
            ("NODE23.cluster.", AF_INET, "node23.cluster node23 | 10.77.1.23"),
            ("storage", AF_INET, "storage.cluster storage node7.cluster node7 | 10.77.1.7"),
            ("node7-ib", AF_INET, "storage-ib.cluster storage-ib node7-ib.cluster node7-ib | 10.99.0.7"),
            ("switch", AF_INET, "switch.cluster switch | 10.77.0.20 10.77.0.22"),
            ("master", AF_INET, "head.cluster head master.cluster master | 10.77.0.1"),
            (".23", AF_INET, "node23.cluster node23 | 10.77.1.23"),
            ("self", AF_INET, "node23.cluster node23 | 10.77.1.23"),
        ];
        for (name, family, answer) in table {
            for version in 1..=3 {
                if version > 1 || *family == AF_INET {
                    let found = library.by_name(version, name, *family, 1024);
                    assert_eq!(found.answer.as_deref(), Some(*answer), "{name}, gethostbyname{version}_r");
                    assert_eq!((found.status, found.h_errno), (SUCCESS, 0), "{name}");
                }
            }
        }
        let both = library.by_name_4("node23", 1024);
        assert_eq!(both.answer.as_deref(), Some("node23.cluster | 10.77.1.23 fd00:77::1:17"));
        let none = library.by_name(2, "node9999", AF_INET, 1024);
        assert_eq!(none.told(), (NOT_FOUND, libc::ENOENT, HOST_NOT_FOUND));
        assert_eq!(library.by_name_4("node9999", 1024).told(), (NOT_FOUND, libc::ENOENT, HOST_NOT_FOUND));
        let no_data = library.by_name(2, "switch", AF_INET6, 1024);
        assert_eq!(no_data.told(), (NOT_FOUND, libc::ENOENT, NO_DATA));
        assert_eq!(library.by_name(2, "node23", libc::AF_UNIX, 1024).status, UNAVAILABLE);
    });
}

#[test]
fn addresses_by_both_functions() {
    in_namespace("addresses_by_both_functions", || {
        put(&text("10.77.1.0"));
        let library = Library::open();
        let table: &[(&[u8], i32, &str)] = &[
            (&[10, 77, 1, 23], AF_INET, "node23.cluster node23 | 10.77.1.23"),
            (&[10, 77, 0, 22], AF_INET, "switch.cluster switch | 10.77.0.22"),
            (&[10, 77, 0, 1], AF_INET, "head.cluster head master.cluster master | 10.77.0.1"),
            (
                &[0xfd, 0, 0, 0x77, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0x17],
                AF_INET6,
                "node23.cluster node23 | fd00:77::1:17",
            ),
            // RFC 4291 2.5.5.2: an IPv4 address in IPv6's form.
            (
                &[0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 10, 77, 1, 23],
                AF_INET6,
                "node23.cluster node23 | ::ffff:10.77.1.23",
            ),
        ];
        for (address, family, answer) in table {
            for version in 1..=2 {
                let found = library.by_address(version, address, *family, 1024);
                assert_eq!(found.answer.as_deref(), Some(*answer), "gethostbyaddr{version}_r");
            }
        }
        let none = library.by_address(1, &[10, 78, 1, 23], AF_INET, 1024);
        assert_eq!(none.told(), (NOT_FOUND, libc::ENOENT, HOST_NOT_FOUND));
        assert_eq!(library.by_address(1, &[10, 77, 1], AF_INET, 1024).status, UNAVAILABLE);
    });
}

/// Memory of every size, beginning at every place in a word: it is answered within it, or glibc is asked to come with more.
#[test]
fn memory_of_every_size() {
    in_namespace("memory_of_every_size", || {
        put(&text("10.77.1.0"));
        let library = Library::open();
        let too_small = (TRY_AGAIN, libc::ERANGE, -1);
        let ask: [&dyn Fn(usize, usize) -> Outcome; 8] = [
            &|octets, shift| library.shifted(shift).by_name(1, "storage", AF_INET, octets),
            &|octets, shift| library.shifted(shift).by_name(3, "node23", AF_INET6, octets),
            &|octets, shift| library.shifted(shift).by_name(2, "switch", AF_INET, octets),
            &|octets, shift| library.shifted(shift).by_name_4("node23", octets),
            &|octets, shift| library.shifted(shift).by_address(2, &[10, 77, 1, 7], AF_INET, octets),
            &|octets, shift| library.shifted(shift).network("cluster", octets),
            &|octets, shift| library.shifted(shift).ether("node23", octets),
            &|octets, shift| library.shifted(shift).ether_at([0x52, 0x54, 0, 0, 0, 0x17], octets),
        ];
        for (case, ask) in ask.iter().enumerate() {
            for shift in 0..8 {
                let enough = (0..400).find(|octets| ask(*octets, shift).status == SUCCESS).unwrap();
                assert!(enough > 6, "case {case}");
                for octets in 0..400 {
                    let found = ask(octets, shift);
                    if octets >= enough {
                        assert_eq!(found.answer, ask(400, shift).answer, "case {case}, {octets} octets");
                    } else {
                        let has_h_errno = case < 6;
                        let told = found.told();
                        assert_eq!(
                            (told.0, told.1),
                            (too_small.0, too_small.1),
                            "case {case}, {octets} octets"
                        );
                        assert!(!has_h_errno || told.2 == too_small.2, "case {case}, {octets} octets");
                    }
                }
            }
        }
    });
}

#[test]
fn a_file_that_is_missing_wrong_or_new() {
    in_namespace("a_file_that_is_missing_wrong_or_new", || {
        let library = Library::open();
        let ask = |name: &str| library.by_name(2, name, AF_INET, 1024);
        // `self` is this machine whoever it is, and everything else is left to the next service.
        assert_eq!(ask("node23").told(), (UNAVAILABLE, libc::ENOENT, NO_RECOVERY));
        assert_eq!(ask("master").told(), (UNAVAILABLE, libc::ENOENT, NO_RECOVERY));
        assert_eq!(ask("self").answer.as_deref(), Some("localhost | 127.0.0.1"));
        put(&text("10.77.1.0"));
        assert_eq!(ask("node0").answer.as_deref(), Some("node0.cluster node0 | 10.77.1.0"));
        put(&text("10.78.1.0"));
        assert_eq!(ask("node0").answer.as_deref(), Some("node0.cluster node0 | 10.78.1.0"));
        put(text("10.77.1.0").strip_suffix("end\n").unwrap());
        assert_eq!(ask("node0").told(), (UNAVAILABLE, libc::EINVAL, NO_RECOVERY));
        assert_eq!(ask("self").answer.as_deref(), Some("localhost | 127.0.0.1"));
        std::fs::write("/etc/heorot/names", [0xff, 0xfe, b'\n']).unwrap();
        assert_eq!(ask("node0").told(), (UNAVAILABLE, libc::EINVAL, NO_RECOVERY));
        put(&text("10.77.1.0"));
        assert_eq!(ask("node0").answer.as_deref(), Some("node0.cluster node0 | 10.77.1.0"));
        std::fs::remove_file("/etc/heorot/names").unwrap();
        assert_eq!(ask("node0").told(), (UNAVAILABLE, libc::ENOENT, NO_RECOVERY));
        std::fs::create_dir("/etc/heorot/names").unwrap();
        assert_eq!(ask("node0").told(), (UNAVAILABLE, libc::EINVAL, NO_RECOVERY));
        // A name that is no text is nobody's.
        assert_eq!(library.by_octets(b"n\xff\0").status, NOT_FOUND);
    });
}

/// No descriptor is to be had: that is over in a moment, and is not remembered.
#[test]
fn no_descriptor_is_left() {
    in_namespace("no_descriptor_is_left", || {
        put(&text("10.77.1.0"));
        let library = Library::open();
        let set = |limit| {
            let limit = libc::rlimit { rlim_cur: limit, rlim_max: 1024 };
            assert_eq!(unsafe { libc::setrlimit(libc::RLIMIT_NOFILE, &raw const limit) }, 0);
        };
        set(0);
        let refused = library.by_name(2, "node23", AF_INET, 1024);
        set(1024);
        assert_eq!((refused.status, refused.errno), (TRY_AGAIN, libc::EAGAIN));
        assert_eq!(library.by_name(2, "node23", AF_INET, 1024).status, SUCCESS);
    });
}

#[test]
fn walks_over_all() {
    in_namespace("walks_over_all", || {
        put(&text("10.77.1.0"));
        let library = Library::open();
        let hosts = library.all_hosts();
        assert_eq!(hosts.len(), 2 * 1024 + 2);
        assert_eq!(hosts[23], "node23.cluster node23 | 10.77.1.23");
        assert_eq!(hosts[1024], "node0-ib.cluster node0-ib | 10.99.0.0");
        assert_eq!(
            hosts[2048..],
            [
                "switch.cluster switch | 10.77.0.20 10.77.0.22",
                "head.cluster head master.cluster master | 10.77.0.1"
            ]
        );
        assert_eq!(library.all_hosts(), hosts, "and again");
        assert_eq!(library.all_networks(), ["cluster 10.77.0.0", "cluster-ib 10.99.0.0"]);
        assert_eq!(library.all_ethers(), ["storage 52:54:00:00:00:07", "node23 52:54:00:00:00:17"]);
        let network = library.network("Cluster-IB", 1024);
        assert_eq!(network.answer.as_deref(), Some("cluster-ib 10.99.0.0"));
        assert_eq!(library.network_at(0x0a4d_0000).answer.as_deref(), Some("cluster 10.77.0.0"));
        // As it was written once, without the zeros at the end: 10.77
        assert_eq!(library.network_at(0x0a4d).answer.as_deref(), Some("cluster 10.77.0.0"));
        assert_eq!(library.network_at(0x0a4e_0000).status, NOT_FOUND);
        assert_eq!(library.ether("node24", 100).status, NOT_FOUND);
        assert_eq!(library.ether_at([1, 2, 3, 4, 5, 6], 100).status, NOT_FOUND);
    });
}

#[test]
fn groups_member_by_member() {
    in_namespace("groups_member_by_member", || {
        put(&text("10.77.1.0"));
        let library = Library::open();
        let nodes = |numbers: &[u32]| numbers.iter().map(|n| format!("(node{n},-,)")).collect::<Vec<_>>();
        assert_eq!(library.members("rack1"), Ok(nodes(&[0, 1, 2, 40])));
        assert_eq!(library.members("none"), Ok(Vec::new()));
        assert_eq!(library.members("cluster").unwrap().len(), 1024);
        assert_eq!(library.members("cluster").unwrap()[7], "(storage,-,)");
        assert_eq!(library.members("other"), Err(NOT_FOUND));
        // Memory that is too small for the next name: it is asked for again and not lost.
        let mut walk = library.walk("rack1").unwrap();
        assert_eq!(walk.next(5), Err((TRY_AGAIN, libc::ERANGE)));
        assert_eq!(walk.next(6), Ok("(node0,-,)".into()));
        // The file changes meanwhile: a walk is over what it began with.
        put(&text("10.78.1.0").replace("group rack1 0-2,40", "group rack1 5"));
        assert_eq!(library.members("rack1"), Ok(nodes(&[5])));
        assert_eq!(walk.next(100), Ok("(node1,-,)".into()));
        assert_eq!(walk.next(100), Ok("(node2,-,)".into()));
        assert_eq!(walk.next(100), Ok("(node40,-,)".into()));
        assert_eq!(walk.next(100), Err((RETURN, 0)));
        assert_eq!(walk.next(100), Err((RETURN, 0)));
    });
}

/// Each answer is one of the two files', whole, and none is missing.
#[test]
fn a_hundred_threads_while_the_file_changes() {
    in_namespace("a_hundred_threads_while_the_file_changes", || {
        let (one, other) = (text("10.77.1.0"), text("10.78.1.0"));
        put(&one);
        let library = Library::open();
        let done = AtomicBool::new(false);
        std::thread::scope(|scope| {
            let ask = |thread: u32| {
                let library = &library;
                move || {
                    for turn in 0..50 {
                        let number = (thread * 7 + turn) % 250;
                        let name = if number == 7 { "storage".to_owned() } else { format!("node{number}") };
                        let found = library.by_name(2, &name, AF_INET, 1024).answer.unwrap();
                        let address = found.rsplit(' ').next().unwrap().to_owned();
                        assert!(
                            address == format!("10.77.1.{number}") || address == format!("10.78.1.{number}"),
                            "{found}"
                        );
                        let members = library.members("rack1").unwrap();
                        assert_eq!(members.len(), 4);
                    }
                }
            };
            let threads: Vec<_> = (0..100).map(|thread| scope.spawn(ask(thread))).collect();
            scope.spawn(|| {
                while !done.load(Ordering::Relaxed) {
                    put(&other);
                    put(&one);
                    std::thread::sleep(std::time::Duration::from_millis(1));
                }
            });
            for thread in threads {
                thread.join().unwrap();
            }
            done.store(true, Ordering::Relaxed);
        });
    });
}

/// What a thread held when another one forked is held for ever in the child, which is answered all the same.
#[test]
fn children_of_a_busy_process() {
    in_namespace("children_of_a_busy_process", || {
        let (one, other) = (text("10.77.1.0"), text("10.78.1.0"));
        put(&one);
        let library = Library::open();
        let done = AtomicBool::new(false);
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    while !done.load(Ordering::Relaxed) {
                        assert!(library.by_name(2, "node23", AF_INET, 1024).answer.is_some());
                    }
                });
            }
            scope.spawn(|| {
                while !done.load(Ordering::Relaxed) {
                    put(&other);
                    put(&one);
                }
            });
            for _ in 0..100 {
                // SAFETY: the child calls the library and ends.
                let child = unsafe { libc::fork() };
                assert!(child >= 0);
                if child == 0 {
                    // A child that hangs is ended by its alarm.
                    let found = unsafe {
                        libc::alarm(20);
                        library.by_name(2, "node23", AF_INET, 1024)
                    };
                    let right = found.status == SUCCESS && library.members("rack1").is_ok();
                    unsafe { libc::_exit(if right { 0 } else { 1 }) };
                }
                let mut status = -1;
                assert_eq!(unsafe { libc::waitpid(child, &raw mut status, 0) }, child);
                assert_eq!(status, 0, "the child was not answered");
            }
            done.store(true, Ordering::Relaxed);
        });
    });
}

/// What a look-up costs inside our functions. `cargo test --release -p heorot-nss -- --ignored cost --nocapture`
#[test]
#[ignore = "a measurement"]
fn cost() {
    in_namespace("cost", || {
        // 10,000 nodes that were all seen: the largest file of one server.
        let ethers: String = (0..10_000_u32)
            .map(|n| format!("ether 52:54:00:00:{:02x}:{:02x} {n}\n", n / 256, n % 256))
            .collect();
        let full = text("10.77.1.0").replace("0-1023", "0-9999").replace("end\n", "");
        let full = full.lines().filter(|line| !line.starts_with("ether")).collect::<Vec<_>>().join("\n");
        put(&format!("{full}\n{ethers}end\n"));
        let library = Library::open();
        let start = std::time::Instant::now();
        assert_eq!(library.by_name(2, "node9999", AF_INET, 1024).status, SUCCESS);
        println!("first look-up, with the reading of the file: {:?}", start.elapsed());
        let measure = |what: &str, ask: &dyn Fn()| {
            let mut rounds: Vec<_> = (0..5)
                .map(|_| {
                    let start = std::time::Instant::now();
                    (0..100_000).for_each(|_| ask());
                    start.elapsed() / 100_000
                })
                .collect();
            rounds.sort();
            println!("{what}: {:?}", rounds[2]);
            assert!(rounds[2] < std::time::Duration::from_micros(5), "{what}: {rounds:?}");
        };
        let call = library.call_quickly();
        measure("gethostbyname2_r node4711", &|| assert_eq!(call.name(c"node4711"), SUCCESS));
        measure("gethostbyname4_r node4711", &|| assert_eq!(call.name_4(c"node4711"), SUCCESS));
        measure("gethostbyaddr_r 10.77.1.23", &|| assert_eq!(call.address([10, 77, 1, 23]), SUCCESS));
        measure("a name of nobody", &|| assert_eq!(call.name(c"www.example.org"), NOT_FOUND));
    });
}
