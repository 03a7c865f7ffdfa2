//! Stories in text, with every answer written down.
//!
//! ```text
//! # What the story is about.
//! $ serve                              the server starts, with the configuration in the lines after "| ", or the usual one
//! $ A bios discover                    machine A speaks as a BIOS ROM
//!   OFFER 10.77.201.31 to A ...        what the server does: compared with what it did
//! $ wait 4s
//! ```
//! A line that begins with `$` is told to the world, one with `#` is for the reader, and everything else is what came of it.
//! Machines are named by letters: A is 52:54:00:00:00:0a. P is a Raspberry Pi by its maker's prefix.
//!
//! | command | |
//! |---|---|
//! | `serve`, `configure` | start, or read another configuration |
//! | `A SPEAKER discover` | SPEAKER: bios, uefi, uefi-http, ipxe, system, plain, ib-rom, ib-ipxe, ib-system, ib-plain, and others of `speaker.rs`; `broadcast`, `rapid`, `subnet=ADDRESS`, `relay=ADDRESS` with `link=ADDRESS`, `override=ADDRESS`, `port=N` and `own-port` may follow, `name=WORD` (option 12), `xid=N`, `quiet` where it does not ask for a broadcast although it hears nothing else, and after any of these `from=ADDRESS:PORT`, where it is not sent as such a program sends it |
//! | `A SPEAKER ask-4011 ADDRESS` | a REQUEST to port 4011 from this address; `entry=N` may follow: one of a menu; and `from=ADDRESS:PORT` |
//! | `A SPEAKER select\|reboot\|renew ADDRESS` | a REQUEST in the states of RFC 2131 4.4; `server=ADDRESS` may follow; of all packets `on=eth1,eth2`: what interfaces hear it, one after the other |
//! | `A SPEAKER decline\|release\|inform ADDRESS` | |
//! | `A overlay`, `A secrets`, `not-made WHY`, `files A` | its agent asks for small files; those that were told last cannot be made; what an operator sees of them |
//! | `A get PATH`, `A at ADDRESS get PATH` | by TFTP; `''` is a file without a name |
//! | `A fetch PATH` | by HTTP |
//! | `A ask`, `A names`, `A passes`, `A fails WHY`, `A up`, `A stuck WHY` | its agent, with the token from the last file that had one; `at ADDRESS` may come first |
//! | `A reports WORDS` | its trial: each word a check that passed, or `name=what-was-found`; `+B` is a card that it found in itself, `serial:7XK2` another fact |
//! | `A checks-in`, `A ends REASON` | its agent says that the system runs and will say so again, or that it ends |
//! | `store slow\|prompt\|refuses WHY` | |
//! | `crash` | power cut and restart, with the configuration in the lines after "\| " if there are some |
//! | `A lacks PATH WHY`, `A may-not-have PATH WHY` | a file it asked for is not there, or may not be read |
//! | `A begins PATH`, `A breaks-off PATH OCTETS WHY` | it asks by TFTP, and has not got it yet (with `get` it has); after so many octets nothing gets through any more |
//! | `A leaves PATH OCTETS WHY` | it ends the transfer itself: it has looked at the file, and does not want it |
//! | `A left-before\|lost-before PATH OCTETS WHY` | one by another port has ended only now, by which it had asked before |
//! | `A by-http begins\|began-before PATH`, `A by-http gets PATH OCTETS`, `A by-http gets-part PATH FROM-END of SIZE`, `A by-http loses\|breaks-off\|lost-before PATH OCTETS WHY` | what it fetched is on its way by HTTP, or has been by another connection of which nothing is known any more; it has it, or a part; after so many octets nothing gets through any more, or it broke off its connection, or one of the boot before is given up |
//! | `A distrusts WHY` | it ends HTTPS before it has begun |
//! | `A is-not-understood WHY` | so is what it asks by HTTP |
//! | `occupied ADDRESS X` | machine X answers a probe; `-` if the answer does not say who |
//! | `other SERVER offers\|grants\|refuses ADDRESS X` | another server answers machine X, and is heard; a boot file, `next=ADDRESS`, which has that, `class=WORD` (option 60) and `from=ADDRESS:PORT` may follow |
//! | `downloads ADDRESS`, `asks-for ADDRESS X` | blocks are acknowledged from an address; machine X asks for one by ARP |
//! | `disk AT hangs\|answers` | what is mounted at AT below the boot directory (`''`: that itself) does not answer from now on, or all do |
//! | `interface eth1 down\|no-carrier\|up` | it, and no other, hears nobody from now on |
//! | `link paced\|round-robin\|deferring` | how the link is used from now on |
//! | `wait TIME` | |
//! | `raw HEX` | any datagram to port 67 |
//! | `told` | what the journal has since the last time of files for hosts that are no nodes |
//! | `node A`, `explain A`, `trials A`, `troubles`, `nodes`, `pool`, `rogues`, `kept` | what operators see |
//! | `operator VERB SET …` | what they change: `number=N`, `profile=NAME`, `attributes.NAME=VALUE`, `dry-run`, `because …` may follow |

mod files;
mod operator;
mod other_server;
mod trial;

use crate::speaker::{Packet, Speaker, USUAL_XID, describe};
use crate::world::{Mood, World};
use heorot_core::event::{Event, Kind};
use heorot_core::load::Regime;
use heorot_core::mac::Mac;
use heorot_core::message::{
    Answer, Datagram, Deaf, Input, Measured, Neighbour, Output, ProbeBy, Query, Request, RequestId, Via,
    WhoHas,
};
use heorot_core::service::view::StatusView;
use heorot_core::time::Time;
use heorot_core::transfer::Refusal;
use heorot_core::wire::dhcp::MessageType;
use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddrV4};
use std::time::Duration;

/// The usual configuration.
const USUAL: &str = r#"
[[network]]
interface = "eth1"
numbers = "0-1023"
first = "10.77.1.0"
temporary = "10.77.200.1-10.77.203.254"
[boot]
directory = "/srv/heorot"
bios = "pxelinux.0"
uefi-x64 = "ipxe.efi"
[profile.default]
cmdline = "console=ttyS0"
[[trial.check]]
kind = "memory"
at-least = "1GiB"
"#;

const SERVER: Ipv4Addr = Ipv4Addr::new(10, 77, 0, 1);

/// Tells a story again: the same text, with what comes of it now.
///
/// # Errors
/// A line that is no command, with its number.
pub fn retell(story: &str) -> Result<String, String> {
    let mut teller = Teller::default();
    let mut told = String::new();
    let mut lines = story.lines().enumerate().peekable();
    while let Some((number, line)) = lines.next() {
        if !line.starts_with(['$', '#', '|']) && !line.is_empty() {
            continue; // What came of it before.
        }
        told += &format!("{line}\n");
        let Some(command) = line.strip_prefix('$') else { continue };
        let mut block = String::new();
        while let Some((_, line)) = lines.next_if(|(_, line)| line.starts_with('|')) {
            told += &format!("{line}\n");
            block += &format!("{}\n", line.trim_start_matches('|'));
        }
        let words: Vec<_> = command.split_whitespace().collect();
        let outcome = teller.tell(&words, &block).ok_or_else(|| format!("line {}: {line}", number + 1))?;
        for line in outcome.iter().flat_map(|text| text.lines()) {
            told += &format!("  {}\n", teller.with_names(line));
        }
    }
    Ok(told)
}

#[derive(Default)]
struct Teller {
    world: Option<World>,
    addresses: BTreeMap<char, Ipv4Addr>,
    tokens: BTreeMap<char, String>,
    requests: u64,
    names: BTreeMap<char, Mac>,
    /// What was told of files that hosts asked for who are no nodes.
    quiet: Vec<String>,
    /// Whose files were to be made last, and when they were given if they were secrets.
    files: Option<(Mac, Option<Time>)>,
}

impl Teller {
    fn tell(&mut self, words: &[&str], block: &str) -> Option<Vec<String>> {
        let config = if block.is_empty() { USUAL } else { block };
        match words {
            ["serve"] => match World::new(config) {
                Ok((world, out)) => {
                    self.world = Some(world);
                    Some(self.lines(out, None))
                }
                Err(mistakes) => Some(vec![mistakes]),
            },
            ["configure"] => match self.world()?.configure(config) {
                Ok(out) => Some(self.lines(out, None)),
                Err(mistakes) => Some(vec![mistakes]),
            },
            ["store", mood, why @ ..] => {
                let mood = match *mood {
                    "slow" => Mood::Slow,
                    "prompt" => Mood::Prompt,
                    "refuses" => Mood::Refusing(why.join(" ")),
                    _ => return None,
                };
                let out = self.world()?.set_mood(mood);
                Some(self.lines(out, None))
            }
            ["link", word] => {
                let regimes = [Regime::Paced, Regime::RoundRobin, Regime::Deferring];
                let regime = regimes.into_iter().find(|regime| regime.word() == *word)?;
                let out = self.world()?.happen(Input::Regime { link: 0, regime });
                Some(self.lines(out, None))
            }
            ["crash"] if block.is_empty() => {
                let out = self.world()?.crash();
                Some(self.lines(out, None))
            }
            ["crash"] => match self.world()?.crash_into(block) {
                Ok(out) => Some(self.lines(out, None)),
                Err(mistakes) => Some(vec![mistakes]),
            },
            ["wait", duration] => self.wait(duration),
            ["occupied", address, name] => {
                let mac = if *name == "-" { None } else { Some(self.mac(name)?) };
                let out = self.world()?.happen(Input::Occupied { address: address.parse().ok()?, mac });
                Some(self.lines(out, None))
            }
            ["other", server, verb, address, name, rest @ ..] => {
                self.another_server((server, verb), address, name, rest)
            }
            ["asks-for", address, name] => {
                let from = (self.mac(name)?, Ipv4Addr::new(10, 77, 0, 5));
                let asked = WhoHas { interface: "eth1", address: address.parse().ok()?, from };
                let out = self.world()?.happen(Input::WhoHas(asked));
                Some(self.lines(out, None))
            }
            ["interface", name, how] => {
                let why = match *how {
                    "down" => Some(Deaf::Down),
                    "no-carrier" => Some(Deaf::NoCarrier),
                    "up" => None,
                    _ => return None,
                };
                let deaf = why.into_iter().map(|why| ((*name).to_owned(), why)).collect();
                let out = self.world()?.happen(Input::InterfacesDeaf(deaf));
                Some(self.lines(out, None))
            }
            ["disk", at, how] => {
                let is_out = match *how {
                    "hangs" => true,
                    "answers" => false,
                    _ => return None,
                };
                let what =
                    (at.trim_matches('\'').to_owned(), format!("the disk of {at}, which does not answer"));
                let held_up = is_out.then_some(what).into_iter().collect();
                let out = self.world()?.happen(Input::FilesHeldUp(held_up));
                Some(self.lines(out, None))
            }
            ["downloads", address] => {
                let out = self.world()?.happen(Input::SignOfLife(address.parse().ok()?));
                Some(self.lines(out, None))
            }
            ["raw", hex @ ..] => {
                let hex = hex.concat();
                let octet = |at| u8::from_str_radix(hex.get(at..at + 2)?, 16).ok();
                let payload = (0..hex.len()).step_by(2).map(octet).collect::<Option<Vec<u8>>>()?;
                let out = self.dhcp(SocketAddrV4::new(Ipv4Addr::UNSPECIFIED, 68), &payload)?;
                Some(self.lines(out, None))
            }
            ["told"] => Some(std::mem::take(&mut self.quiet)),
            ["nodes"] => self.nodes(),
            ["pool"] => self.pool(),
            ["rogues"] => self.rogues(),
            ["kept"] => {
                // How far serials are reserved, and how nodes are numbered, tells nothing of a story.
                let kept = self.world.as_ref()?.kept();
                let told = kept
                    .iter()
                    .filter(|(key, _)| !key.starts_with("serial/") && !key.starts_with("numbering/"));
                Some(told.map(|(k, v)| format!("{k} {v}")).collect())
            }
            ["node", name] => self.node(name),
            ["operator", verb, set, rest @ ..] => self.change(verb, set, rest),
            ["explain", name] => self.explain(name),
            ["files", name] => self.files_of(name),
            ["not-made", why @ ..] => self.not_made(&why.join(" ")),
            ["trials", name] => {
                let name = self.mac(name).map_or_else(|| (*name).to_owned(), |mac| mac.to_string());
                trial::lines(&self.ask(Query::Node(name))?)
            }
            ["troubles"] => {
                let status: StatusView =
                    serde_json::from_str(&self.ask(Query::Status(Measured::default()))?).ok()?;
                Some(status.troubles)
            }
            [name, "at", address, rest @ ..] => {
                let letter = letter(name)?;
                self.addresses.insert(letter, address.parse().ok()?);
                self.machine(letter, rest)
            }
            [name, rest @ ..] => self.machine(letter(name)?, rest),
            [] => None,
        }
    }

    fn machine(&mut self, letter: char, words: &[&str]) -> Option<Vec<String>> {
        let mac = self.mac(&letter.to_string())?;
        let via = match words {
            ["get", "''"] => return self.gets(letter, ""),
            ["get", path] => return self.gets(letter, path),
            ["fetch", path] => return self.asks(letter, Via::HttpGet, path),
            ["begins" | "breaks-off" | "leaves" | "left-before" | "lost-before", ..] => {
                return self.by_tftp(letter, words);
            }
            ["lacks", path, why @ ..] => {
                return self.unavailable(letter, path, Refusal::Missing(why.join(" ")));
            }
            ["may-not-have", path, why @ ..] => {
                return self.unavailable(letter, path, Refusal::Denied(why.join(" ")));
            }
            ["by-http", what @ ..] => return self.by_http(letter, what),
            ["distrusts", why @ ..] => {
                let input = Input::Distrusts(*self.addresses.get(&letter)?, why.join(" "));
                let out = self.world()?.happen(input);
                return Some(self.lines(out, Some(letter)));
            }
            ["is-not-understood", why @ ..] => {
                let input = Input::Misunderstood(*self.addresses.get(&letter)?, why.join(" "));
                let out = self.world()?.happen(input);
                return Some(self.lines(out, Some(letter)));
            }
            ["ask"] => (Via::HttpGet, ""),
            ["names"] => (Via::HttpGet, "/names"),
            ["overlay"] => (Via::HttpGet, "/overlay"),
            ["secrets"] => (Via::HttpPost(Vec::new()), "/secrets"),
            ["passes"] => {
                let report = r#"{"passed":true,"checks":[{"name":"memory","passed":true,"detail":"2 GiB"}],"facts":{}}"#;
                (Via::HttpPost(report.into()), "/trial")
            }
            ["fails", why @ ..] => {
                let report = format!(
                    r#"{{"passed":false,"checks":[{{"name":"memory","passed":false,"detail":"{}"}}]}}"#,
                    why.join(" ")
                );
                (Via::HttpPost(report.into()), "/trial")
            }
            ["reports", words @ ..] => {
                let report = trial::report(words, |card| self.mac(card));
                (Via::HttpPost(report.into()), "/trial")
            }
            ["up"] => (Via::HttpPost(Vec::new()), "/up"),
            ["checks-in"] => (Via::HttpPost(r#"{"checks_in":true}"#.into()), "/up"),
            ["ends", why @ ..] => {
                let report = format!(r#"{{"reason":"{}","last_words":"Rebooting."}}"#, why.join(" "));
                (Via::HttpPost(report.into()), "/down")
            }
            ["stuck", why @ ..] => {
                let report = format!(r#"{{"reason":"{}"}}"#, why.join(" "));
                (Via::HttpPost(report.into()), "/trouble")
            }
            [speaker, verb, rest @ ..] => {
                let packet = packet(Speaker::named(speaker)?, mac, verb, rest)?;
                let out = match *verb {
                    "ask-4011" => self.boot_server(said_source(rest), &packet)?,
                    _ => self.heard_on(rest, source(&packet, rest), &packet.write())?,
                };
                return Some(self.lines(out, Some(letter)));
            }
            _ => return None,
        };
        let Some(token) = self.tokens.get(&letter) else {
            return Some(vec!["(it was given no token)".into()]);
        };
        let path = format!("node/{token}{}", via.1);
        self.asks(letter, via.0, &path)
    }

    fn unavailable(&mut self, letter: char, path: &str, refusal: Refusal) -> Option<Vec<String>> {
        let from = *self.addresses.get(&letter)?;
        let out = self.world()?.happen(Input::Unavailable { from, path: path.into(), refusal });
        Some(self.lines(out, Some(letter)))
    }

    fn asks(&mut self, letter: char, via: Via, path: &str) -> Option<Vec<String>> {
        self.requests += 1;
        let Some(from) = self.addresses.get(&letter).copied() else {
            return Some(vec!["(it has no address to ask from)".into()]);
        };
        let id = RequestId(self.requests);
        let request = Request { id, from, local: SERVER, via, path: path.into() };
        let out = self.world()?.happen(Input::Request(request));
        Some(self.lines(out, Some(letter)))
    }

    fn dhcp(&mut self, source: SocketAddrV4, payload: &[u8]) -> Option<Vec<Output>> {
        let datagram = Datagram { interface: "eth1", source, destination: SERVER, payload };
        Some(self.world()?.happen(Input::Dhcp(datagram)))
    }

    /// The same by each interface that hears it, if the story names some.
    fn heard_on(&mut self, rest: &[&str], source: SocketAddrV4, payload: &[u8]) -> Option<Vec<Output>> {
        let Some(names) = rest.iter().find_map(|word| word.strip_prefix("on=")) else {
            return self.dhcp(source, payload);
        };
        let mut all = Vec::new();
        for interface in names.split(',') {
            let datagram = Datagram { interface, source, destination: Ipv4Addr::BROADCAST, payload };
            all.extend(self.world()?.happen(Input::Dhcp(datagram)));
        }
        Some(all)
    }

    /// A packet to port 4011: EDK2 sends it from there too, if nothing else is said.
    fn boot_server(&mut self, said: Option<SocketAddrV4>, packet: &Packet) -> Option<Vec<Output>> {
        let source = said.unwrap_or_else(|| SocketAddrV4::new(packet.ciaddr, 4011));
        let payload = &packet.write();
        let datagram = Datagram { interface: "eth1", source, destination: SERVER, payload };
        Some(self.world()?.happen(Input::BootServer(datagram)))
    }

    fn wait(&mut self, duration: &str) -> Option<Vec<String>> {
        let (number, unit) = duration.split_at(duration.find(|c: char| c.is_ascii_alphabetic())?);
        let number: f64 = number.parse().ok()?;
        let seconds = match unit {
            "ms" => number / 1000.0,
            "s" => number,
            "m" => number * 60.0,
            "h" => number * 3600.0,
            _ => return None,
        };
        let all = self.world()?.wait(Duration::from_secs_f64(seconds));
        let mut lines = Vec::new();
        for (at, output) in all {
            let at = at.as_secs_f64();
            lines.extend(self.lines(vec![output], None).into_iter().map(|line| format!("{at:.1} s: {line}")));
        }
        Some(lines)
    }

    /// What came of it. Of events, those that tell what nothing else shows.
    fn lines(&mut self, out: Vec<Output>, letter: Option<char>) -> Vec<String> {
        let mut lines = Vec::new();
        for output in out {
            lines.push(match output {
                Output::Record(..) => continue,
                Output::Dhcp(send) => {
                    if let Some(letter) = letter {
                        self.learn_address(letter, &describe(&send));
                    }
                    describe(&send)
                }
                Output::Neighbour(Neighbour::Set { address, mac, .. }) => {
                    format!("neighbour {address} is {mac}")
                }
                Output::Neighbour(Neighbour::Drop { address, .. }) => format!("neighbour {address} dropped"),
                Output::Probe { address, by: ProbeBy::Arp, .. } => format!("who has {address}?"),
                Output::Probe { address, by: ProbeBy::Echo, .. } => format!("echo to {address}"),
                Output::AnswerArp { address, mac, to: (to, _), .. } => {
                    format!("{to} is told that {address} is {mac}")
                }
                Output::Reply(_, answer) => {
                    let text = match answer {
                        Answer::Unwritten(unwritten) => {
                            let written = unwritten.write();
                            if let Answer::Text(text) = written { text } else { format!("{written:?}") }
                        }
                        Answer::HostKeys(keys) => {
                            format!("host keys of {}", keys.directory.fold(&keys.numbers))
                        }
                        Answer::Text(text) => text,
                        Answer::File(path) => format!("file {path}"),
                        Answer::FirstOf(paths) => format!("file {}", paths.join(", or else ")),
                        Answer::Json(status, body) => format!("{status} {body}"),
                        Answer::Part(body, _) => format!("200 {body}..."),
                        Answer::Missing(why) => format!("missing: {why}"),
                        Answer::Refused(why) => format!("refused: {why}"),
                        Answer::Files(files) => {
                            self.files = Some((files.mac, files.given));
                            files::shown(&files)
                        }
                    };
                    if let Some(letter) = letter {
                        self.learn_token(letter, &text);
                    }
                    text
                }
                Output::Together { .. } => continue,
                Output::Publish(_, changes) if changes.is_empty() => continue,
                Output::Publish(_, changes) => names_told(&changes),
                Output::Names(changes) => names_told(&changes.changes),
                Output::Updated(_, kept) => format!("update: {kept:?}"),
                Output::Event(event) if is_of_a_file_for_nobody(&event) => {
                    self.quiet.push(event.to_string());
                    continue;
                }
                Output::Event(event) => match event.kind {
                    Kind::Stage
                    | Kind::Number
                    | Kind::Trouble
                    | Kind::Load
                    | Kind::Shadow
                    | Kind::Update
                    | Kind::Operator => {
                        format!("* {event}")
                    }
                    Kind::Discover
                    | Kind::Offer
                    | Kind::Ack
                    | Kind::Nak
                    | Kind::Release
                    | Kind::Decline
                    | Kind::File
                    | Kind::Transfer
                    | Kind::Agent
                    | Kind::Check => continue,
                },
            });
        }
        lines
    }

    fn learn_address(&mut self, letter: char, line: &str) {
        let address = line.strip_prefix("ACK ").and_then(|rest| rest.split(' ').next()?.parse().ok());
        if let Some(address) = address {
            self.addresses.insert(letter, address);
        }
    }

    fn learn_token(&mut self, letter: char, text: &str) {
        let token = text.split_once("/node/").and_then(|(_, rest)| rest.split_whitespace().next());
        if let Some(token) = token {
            self.tokens.insert(letter, token.into());
        }
    }

    fn world(&mut self) -> Option<&mut World> {
        self.world.as_mut()
    }

    fn mac(&mut self, name: &str) -> Option<Mac> {
        let letter = letter(name)?;
        let place = 0x0a + (letter as u8 - b'A');
        let maker = if letter == 'P' { [0xdc, 0xa6, 0x32] } else { [0x52, 0x54, 0] };
        let mac = Mac([maker[0], maker[1], maker[2], 0, 0, place]);
        self.names.insert(letter, mac);
        Some(mac)
    }

    fn with_names(&self, line: &str) -> String {
        self.names
            .iter()
            .fold(line.to_owned(), |line, (letter, mac)| line.replace(&mac.to_string(), &letter.to_string()))
    }
}

fn names_told(changes: &[impl ToString]) -> String {
    let told: Vec<_> = changes.iter().map(ToString::to_string).collect();
    format!("names: {}", told.join("; "))
}

fn is_of_a_file_for_nobody(event: &Event) -> bool {
    event.machine.is_none() && matches!(event.kind, Kind::File | Kind::Transfer)
}

fn letter(name: &str) -> Option<char> {
    let mut letters = name.chars();
    let letter = letters.next().filter(char::is_ascii_uppercase)?;
    letters.next().is_none().then_some(letter)
}

/// Where the story says that a packet comes from.
fn said_source(rest: &[&str]) -> Option<SocketAddrV4> {
    rest.iter().find_map(|word| word.strip_prefix("from=")?.parse().ok())
}

/// Where a packet comes from: its relay, or the address that its client has, if it has one.
fn source(packet: &Packet, rest: &[&str]) -> SocketAddrV4 {
    let usual = if packet.relay.is_unspecified() {
        SocketAddrV4::new(packet.ciaddr, 68)
    } else {
        SocketAddrV4::new(packet.relay, 67)
    };
    said_source(rest).unwrap_or(usual)
}

fn packet(speaker: Speaker, mac: Mac, verb: &str, rest: &[&str]) -> Option<Packet> {
    let none = Ipv4Addr::UNSPECIFIED;
    let address = rest.first().and_then(|word| word.parse::<Ipv4Addr>().ok());
    let word = |key: &str| rest.iter().find_map(|word| word.strip_prefix(key)?.strip_prefix('='));
    let set_text = |key: &str| word(key).map(str::to_owned);
    let set = |key: &str| word(key)?.parse().ok();
    let mut packet = Packet {
        speaker,
        mac,
        message_type: MessageType::Request,
        ciaddr: none,
        requested: None,
        server: set("server"),
        broadcast: rest.contains(&"broadcast"),
        relay: set("relay").unwrap_or(none),
        entry: set_text("entry").and_then(|entry| entry.parse().ok()),
        link: set("link"),
        stands_for: set("override"),
        port: set_text("port").and_then(|port| port.parse().ok()),
        subnet: set("subnet"),
        rapid: rest.contains(&"rapid"),
        own_port: rest.contains(&"own-port"),
        name: set_text("name"),
        quiet: rest.contains(&"quiet"),
        xid: set_text("xid").and_then(|xid| xid.parse().ok()).unwrap_or(USUAL_XID),
    };
    match verb {
        "discover" => packet.message_type = MessageType::Discover,
        "select" => (packet.requested, packet.server) = (Some(address?), packet.server.or(Some(SERVER))),
        "reboot" => packet.requested = Some(address?),
        "renew" | "ask-4011" => packet.ciaddr = address?,
        "decline" => {
            packet.message_type = MessageType::Decline;
            (packet.requested, packet.server) = (Some(address?), Some(SERVER));
        }
        "release" => {
            packet.message_type = MessageType::Release;
            (packet.ciaddr, packet.server) = (address?, packet.server.or(Some(SERVER)));
        }
        "inform" => (packet.message_type, packet.ciaddr) = (MessageType::Inform, address?),
        _ => return None,
    }
    Some(packet)
}
