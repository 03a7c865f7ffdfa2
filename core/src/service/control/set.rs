//! Sets as operators write them: of nodes by their numbers and names, and of machines that have no number, which are meant by their state, their profile or their
//! hardware address.

use super::{fail, find, long, no_such_node, ok, row, typed};
use crate::cluster::node::Node;
use crate::cluster::orders::Exclusion;
use crate::cluster::stage::Stage;
use crate::hall::Turn;
use crate::limit::NODES_LISTED_MAX;
use crate::mac::Mac;
use crate::message::{Answer, Unwritten, UnwrittenOf};
use crate::time::Wall;
use heorot_names::{Members, NodeSet, Vocabulary};
use std::cell::{OnceCell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;
use std::sync::Arc;

/// Whom a text means.
pub(super) struct Chosen {
    /// Numbers, whether there are such nodes or not.
    pub(super) numbers: NodeSet,
    /// Machines without a number, as the text or the table has them. By its hardware address also one that was never heard.
    pub(super) machines: Vec<Mac>,
}

/// The nodes of a set; or one by its hardware address or address.
pub(super) fn list(turn: &Turn<'_>, wall: Wall, set: &str, without: Option<&str>) -> Answer {
    if let (Some(node), None) = (find(turn, set), without) {
        return ok(&[row(turn, wall, node)]);
    }
    let Chosen { numbers, machines } = match choose(turn, set, without) {
        Ok(chosen) => chosen,
        Err(answer) => return answer,
    };
    let machines: BTreeSet<Mac> = machines.into_iter().collect();
    let is_wanted = |node: &&Node| match node.number {
        Some(number) => numbers.contains(number),
        None => machines.contains(&node.mac),
    };
    let macs: Arc<[Mac]> = turn.hall.nodes.iter().filter(is_wanted).map(|node| node.mac).collect();
    if macs.is_empty() { nobody(turn, set) } else { long::list(turn, wall, macs) }
}

/// A set, folded: what scripts make of groups. Only what has a number has a name; how many have none is told. The words for machines that never have one mean an empty set, and are not
/// refused: ClusterShell lists no group any more after the first one that it is told to be wrong.
pub(super) fn folded(turn: &Turn<'_>, text: &str, without: Option<&str>) -> Answer {
    let Chosen { numbers: set, machines } = match choose_of(turn, Machines::with_names(), text, without) {
        Ok(chosen) => chosen,
        Err(answer) => return answer,
    };
    // Each name is written out.
    if set.size() > NODES_LISTED_MAX {
        return fail(400, format!("{text}: more than {NODES_LISTED_MAX} nodes"));
    }
    let directory = Arc::clone(&turn.hall.directory);
    let without_number = machines.len() as u64;
    Answer::Unwritten(Box::new(Unwritten(UnwrittenOf::NodeSet { directory, set, without_number })))
}

/// The names of the groups of the configuration.
pub(super) fn groups(turn: &Turn<'_>) -> Answer {
    ok(&turn.hall.directory.groups.keys().collect::<Vec<_>>())
}

/// Nobody was found.
pub(super) fn nobody(turn: &Turn<'_>, set: &str) -> Answer {
    let count = turn.hall.nodes.iter().filter(|node| node.number.is_none()).count();
    let is_one = typed::mac(turn, set).is_some()
        || set.parse::<u32>().is_ok()
        || turn.hall.directory.number(set).is_some();
    if count == 0 || is_one {
        return no_such_node(set);
    }
    let have = if count == 1 {
        "1 machine has no number: it is"
    } else {
        &format!("{count} machines have no number: they are")
    };
    fail(
        404,
        format!(
            "no such node: {} ({have} meant by state, as @state:temporary, or by hardware address; `heorot node list` shows all)",
            shortened(set)
        ),
    )
}

/// Whom a text means; without those whom another one means, if there is one.
pub(super) fn choose(turn: &Turn<'_>, set: &str, without: Option<&str>) -> Result<Chosen, Answer> {
    choose_of(turn, Machines::default(), set, without)
}

fn choose_of(
    turn: &Turn<'_>,
    machines: Machines,
    set: &str,
    without: Option<&str>,
) -> Result<Chosen, Answer> {
    let set = parse(turn, &machines, set)?;
    let Members { numbers, others } = match without {
        None => set,
        Some(without) => set.difference(&parse(turn, &machines, without)?),
    };
    let mut macs = machines.known.into_inner().0;
    let mut place = 0..;
    macs.retain(|_| place.next().is_some_and(|place| others.contains(place)));
    Ok(Chosen { numbers, machines: macs })
}

/// The machines without a number that texts speak of: by their places here they stand in sets.
#[derive(Default)]
struct Machines {
    known: RefCell<(Vec<Mac>, BTreeMap<Mac, u32>)>,
    /// Whether one alone is to be meant only if it has a name.
    with_names: bool,
    /// Why a text is refused, as it means others.
    refused: RefCell<Option<String>>,
}

impl Machines {
    fn with_names() -> Self {
        Self { with_names: true, ..Self::default() }
    }

    fn place(&self, mac: Mac) -> u32 {
        let mut machines = self.known.borrow_mut();
        let (macs, places) = &mut *machines;
        *places.entry(mac).or_insert_with(|| {
            macs.push(mac);
            u32::try_from(macs.len() - 1).expect("neither a text nor the table has so many machines")
        })
    }

    /// All that have something in common, by what that is.
    fn by<K: Ord>(&self, turn: &Turn<'_>, of: impl Fn(&Node) -> K) -> BTreeMap<K, Members> {
        let mut found: BTreeMap<K, (Vec<u32>, Vec<u32>)> = BTreeMap::new();
        for node in turn.hall.nodes.iter() {
            let (numbers, others) = found.entry(of(node)).or_default();
            match node.number {
                Some(number) => numbers.push(number),
                None => others.push(self.place(node.mac)),
            }
        }
        let members = |(numbers, others): (Vec<u32>, Vec<u32>)| Members {
            numbers: numbers.into_iter().collect(),
            others: others.into_iter().collect(),
        };
        found.into_iter().map(|(key, found)| (key, members(found))).collect()
    }

    /// One by its hardware address, or by an address that it has.
    fn one(&self, turn: &Turn<'_>, text: &str) -> Option<Members> {
        let at_its_address = || turn.machine_at(text.parse::<Ipv4Addr>().ok()?);
        let mac = typed::mac(turn, text).or_else(at_its_address)?;
        let (mac, number) = match turn.hall.nodes.get(mac) {
            Some(node) => (node.mac, node.number),
            None => (mac, turn.hall.listed.get(turn.config, mac).and_then(|listed| listed.number)),
        };
        let one = |number: u32| [number].into_iter().collect::<NodeSet>();
        match number {
            Some(number) => Some(one(number).into()),
            None if self.with_names => {
                self.refused.replace(Some(format!("{mac} has no number, and so no name")));
                None
            }
            None if mac.is_one_machine() => {
                Some(Members { others: one(self.place(mac)), ..Members::default() })
            }
            None => None,
        }
    }
}

/// A set by numbers and names, groups of the configuration, groups of what is known (`@state:up`, `@profile:default`), and hardware addresses.
fn parse(turn: &Turn<'_>, machines: &Machines, text: &str) -> Result<Members, Answer> {
    // However often a text speaks of them, all nodes are looked at once for each source.
    let (all, states, profiles) = (OnceCell::new(), OnceCell::new(), OnceCell::new());
    let all = || all.get_or_init(|| machines.by(turn, |_| ()).remove(&()).unwrap_or_default());
    let in_state = |name: &str| states.get_or_init(|| machines.by(turn, Node::state)).get(name).cloned();
    let with_profile = |name: &str| {
        let by = || machines.by(turn, |node| turn.profile_name(node).to_owned());
        profiles.get_or_init(by).get(name).cloned()
    };
    let group = |source: Option<&str>, name: &str| match (source, name) {
        // A listed node with a number is one before it was ever seen.
        (None, "*") => {
            let listed = turn.config.nodes.iter().filter_map(|node| node.number).collect();
            Some(all().numbers.union(&listed).into())
        }
        (Some("state" | "profile"), "*") => Some(all().clone()),
        (None, name) => turn.hall.directory.groups.get(name).cloned().map(Members::from),
        (Some("state"), name) if is_state(name) => Some(in_state(name).unwrap_or_default()),
        (Some("profile"), name) if turn.config.profiles.contains_key(name) => {
            Some(with_profile(name).unwrap_or_default())
        }
        (Some(_), _) => None,
    };
    let machine = |text: &str| machines.one(turn, text);
    let vocabulary = Vocabulary { directory: &turn.hall.directory, group: &group, machine: &machine };
    Members::parse(text, &vocabulary).map_err(|error| {
        let part = text.get(error.span.clone()).filter(|part| *part != text && !part.is_empty());
        let at = part.map(|part| format!("\"{part}\": ")).unwrap_or_default();
        let why = machines.refused.take().unwrap_or_else(|| error.to_string());
        fail(400, format!("{}: {at}{why}", shortened(text)))
    })
}

/// Of a long text the beginning alone.
fn shortened(text: &str) -> String {
    text.chars().take(80).collect()
}

fn is_state(word: &str) -> bool {
    Stage::is_word(word) || Exclusion::ALL.iter().any(|exclusion| exclusion.word() == word)
}
