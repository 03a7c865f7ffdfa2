//! Machines ask for files, and talk about themselves: the same conversation by TFTP and HTTP.
//!
//! ```text
//!  GET  boot.ipxe, pxelinux.cfg/*, grub.cfg, grub.cfg-*     made for the node that asks
//!  GET  /node                         where am I to talk about myself?
//!  GET  /node/TOKEN                   what am I, and what shall I check?
//!  GET  /node/TOKEN/names             the names of all nodes, for my system
//!  GET  /node/TOKEN/overlay           my small files
//!  POST /node/TOKEN/secrets           those that nobody else may have: once a boot
//!  POST /node/TOKEN/trial             what I found
//!  POST /node/TOKEN/up                my system runs
//!  POST /node/TOKEN/down              it ends, or how the last one did
//!  POST /node/TOKEN/trouble           why it does not
//!  GET  anything else                 a file of the boot directory
//! ```

mod check_in;
mod delivery;
mod distrust;
mod name;
mod overlay;
mod root;
mod stranger;
mod trial;

use delivery::{asks_again, begins, phase_of};

pub(crate) use check_in::{silence_due, watch_again};
pub(crate) use delivery::{sending, transferred, unavailable};
pub(crate) use distrust::{distrusts, misunderstood};
pub(crate) use overlay::not_made;
pub(crate) use trial::try_anew;

use crate::cluster::boot;
use crate::cluster::loader_file::{Generated, generated};
use crate::cluster::network;
use crate::cluster::node::Node;
use crate::cluster::orders::Exclusion;
use crate::cluster::plan::Plan;
use crate::cluster::stage::{Phase, Stage, Step};
use crate::cluster::trial::Report;
use crate::cluster::trouble::Beside;
use crate::config::{FileValues, Mode, Values, setting_of_ipxe};
use crate::event::{self, Kind};
use crate::hall::Turn;
use crate::limit::{
    MACS_PER_NODE_MAX, REASON_LETTERS_MAX, REFUSED_LETTERS_MAX, TOLD_LETTERS_MAX,
    WHOLE_COMMAND_LINE_OCTETS_MAX,
};
use crate::mac::Mac;
use crate::message::{Answer, Output, Request, Unwritten, Via};
use crate::promise::Promise;
use heorot_names::file::{Me, Place};
use serde_json::json;
use std::net::Ipv4Addr;
use std::sync::Arc;

/// Takes a request.
pub(crate) fn handle(turn: &mut Turn<'_>, request: Request) {
    let machine = turn.machine_at(request.from);
    turn.alive(request.from);
    if let Some(refusal) = machine.and_then(|mac| shut_out(turn, mac)) {
        asked(turn, &request, &printable(&request.path), machine, &refusal);
        return answer(turn, &request, refusal);
    }
    let path = match name::meant(turn, &request, machine) {
        Ok(path) => path,
        Err(refusal) => {
            let path = printable(&request.path);
            asked(turn, &request, &path, machine, &refusal);
            return answer(turn, &request, refusal);
        }
    };
    match (path.strip_prefix("node/"), &request.via) {
        (Some(rest), Via::HttpGet | Via::HttpPost(_)) => about_itself(turn, &request, rest, machine),
        (None, Via::HttpGet) if path == "node" => own_url(turn, &request, machine),
        (None, Via::HttpPost(_)) => {
            answer(turn, &request, Answer::Missing("nothing is to be posted here".into()))
        }
        (_, Via::Tftp(_) | Via::HttpGet) => file(turn, &request, &path, machine),
    }
}

/// What a machine is answered that is to get no answers: over a connection it already has, that is this.
fn shut_out(turn: &Turn<'_>, mac: Mac) -> Option<Answer> {
    let orders = &turn.hall.nodes.get(mac)?.orders;
    let standing = orders.standing.as_ref().filter(|_| orders.are_to_ignore())?;
    Some(Answer::Refused(printable(&standing.to_string())))
}

fn answer(turn: &mut Turn<'_>, request: &Request, answer: Answer) {
    turn.out.push(Output::Reply(request.id, answer));
}

/// A file, made or kept.
fn file(turn: &mut Turn<'_>, request: &Request, path: &str, machine: Option<Mac>) {
    let reply = match (generated(path), machine) {
        (None, Some(mac)) => kept_file(turn, request, path, mac),
        // What is made for a node goes to that node alone: it holds its token. Who is no node has no profile; where others boot from here, there may be such a file for them.
        (_, None) => name::file(turn, request, path, machine),
        (Some(generated), Some(mac)) => {
            // Power was cut before the first record of this boot was durable: it begins here.
            if turn.hall.nodes.node(mac).is_some_and(|node| node.boot.token.is_empty()) {
                turn.begin_boot(mac);
            }
            // It has come so far, also if there is nothing for it; what is in its way is told after that, or the step would take it for overcome.
            turn.phase(mac, Phase::Loader);
            made_for(turn, request, generated, mac)
        }
    };
    let holds_token = matches!(&reply, Answer::Text(_));
    if let Some(mac) = machine {
        asks_again(turn, mac, path);
        asked(turn, request, path, machine, &reply);
        if let Some(node) = turn.hall.nodes.get_mut(mac) {
            node.boot.file = Some(path.into());
        }
        let phase = phase_of(turn, mac, path);
        turn.phase(mac, phase);
        turn.hears_us(mac);
        begins(turn, request, mac, path, &reply);
        if holds_token {
            return answer_with_token(turn, request, mac, reply);
        }
    }
    answer(turn, request, reply);
}

/// Answers with what holds the token of a boot: when that is durable, or its machine could never speak of itself after a power cut. Where nothing can be kept it boots all
/// the same: known nodes do not need a disk that works. One that hangs holds nobody up for more than two seconds.
fn answer_with_token(turn: &mut Turn<'_>, request: &Request, mac: Mac, reply: Answer) {
    if turn.keep_token(mac) || turn.hall.promises.are_stuck(turn.now) {
        return answer(turn, request, reply);
    }
    turn.promise_token(request.id, reply);
}

/// A file of the boot directory, for a node. Its kernel and its RAM disks are those of one moment.
fn kept_file(turn: &mut Turn<'_>, request: &Request, path: &str, mac: Mac) -> Answer {
    let is_booting = turn.hall.nodes.get(mac).is_some_and(|node| node.stage.is_booting());
    let plan = if is_booting { turn.plan(mac) } else { None };
    let Some(plan) = plan.filter(|plan| plan.has_file(path)) else {
        return name::file(turn, request, path, Some(mac));
    };
    if let Some(why) = held(turn, mac) {
        return Answer::Refused(printable(&why));
    }
    together(turn, request.from, mac, &plan);
    name::file(turn, request, path, Some(mac))
}

/// Has the files of a boot belong together from now on.
fn together(turn: &mut Turn<'_>, from: Ipv4Addr, mac: Mac, plan: &Plan) {
    let Some(node) = turn.hall.nodes.get_mut(mac).filter(|node| !node.boot.is_together) else { return };
    node.boot.is_together = true;
    let is_resumed = node.boot.is_resumed;
    let files = plan.files().map(str::to_owned).collect();
    turn.out.push(Output::Together { from, files, is_resumed });
}

/// Why a machine has to wait in its loader, if it has to.
fn held(turn: &Turn<'_>, mac: Mac) -> Option<String> {
    let standing = turn.hall.nodes.get(mac)?.orders.standing.as_ref()?;
    (standing.state == Exclusion::Held).then(|| standing.to_string())
}

/// What a machine asked for, and whether it is to be had: for its history, and once as long as it asks for the same. Of who is no node the journal has what he is refused.
fn asked(turn: &mut Turn<'_>, request: &Request, path: &str, machine: Option<Mac>, reply: &Answer) {
    let by = if request.via.is_tftp() { "TFTP" } else { "HTTP" };
    let text = printable(path);
    let asked = match reply {
        Answer::Missing(why) | Answer::Refused(why) => {
            format!("{text} by {by}: {}", event::printable(why, REFUSED_LETTERS_MAX))
        }
        Answer::Text(_)
        | Answer::File(_)
        | Answer::FirstOf(_)
        | Answer::Json(..)
        | Answer::Part(..)
        | Answer::Unwritten(_)
        | Answer::Files(_)
        | Answer::HostKeys(_) => {
            format!("{text} by {by}")
        }
    };
    let (now, name) = (turn.now, path);
    let Some(node) = machine.and_then(|mac| turn.hall.nodes.get_mut(mac)) else {
        if matches!(reply, Answer::Missing(_) | Answer::Refused(_)) {
            turn.event_by_stranger(Kind::File, format!("{} asks for {asked}", request.from));
        }
        return;
    };
    (node.asked_at, node.boot.has_asked) = (Some(now), true);
    // Firmware that loads the same once more does not run what it has.
    if node.boot.loaded.as_ref().is_some_and(|(_, loaded)| loaded != name) {
        node.boot.went_on = Some(now);
    }
    if node.asked.as_deref() != Some(&asked) {
        let asked: Arc<str> = asked.into();
        node.asks(turn.now, Arc::clone(&asked));
        turn.event(machine, Kind::File, asked);
    }
}

/// The file that is made for this node.
fn made_for(turn: &mut Turn<'_>, request: &Request, generated: Generated<'_>, mac: Mac) -> Answer {
    let cards = turn.hall.nodes.get(mac).into_iter().flat_map(Node::cards);
    if !generated.is_of(cards, request.from) {
        return Answer::Missing("not the name of this machine".into());
    }
    if let Some(why) = held(turn, mac) {
        return Answer::Text(generated.waiting(&why, mac));
    }
    let plan = if turn.hall.nodes.node(mac).is_some() { turn.plan(mac) } else { None };
    let Some(plan) = plan else { return Answer::Missing("it has no profile".into()) };
    together(turn, request.from, mac, &plan);
    match written(turn, request, generated, mac, &plan) {
        Ok(text) => Answer::Text(text),
        Err(why) => {
            let to_do =
                format!("mend the command line, the files or the template of profile {}", plan.profile);
            turn.trouble_once(mac, format!("it has nothing to boot by: {why}"), Some(to_do));
            Answer::Missing(why)
        }
    }
}

/// A plan as this loader reads it.
fn written(
    turn: &Turn<'_>,
    request: &Request,
    generated: Generated<'_>,
    mac: Mac,
    plan: &Plan,
) -> Result<String, String> {
    let node = turn.hall.nodes.get(mac).ok_or("no such node")?;
    let values = Values {
        node_name: node.number.map(|number| turn.name(number)),
        node_number: node.number,
        node_mac: node.mac.to_string(),
        node_address: request.from,
        node_attributes: plan.attributes.clone(),
        cluster_name: turn.config.cluster.name.clone(),
        server_address: request.local,
    };
    let http = boot::http_base(turn.config, network::served_to(turn.config, request.local, request.from));
    let mut cmdline = plan.cmdline.render(&values)?;
    if let Some(setting) = setting_of_ipxe(&cmdline).filter(|_| generated == Generated::Ipxe) {
        return Err(format!(
            "its command line has {setting} in it: iPXE would put a value of its own for that"
        ));
    }
    // The hardware address tells the system which of its interfaces it was booted by, as PXELINUX's IPAPPEND 2 does: the card that has the address.
    let lent_to = turn.hall.leases.get(request.from).map(|lease| lease.mac);
    let boot_interface = format!("01-{}", boot::hyphenated(lent_to.unwrap_or_else(|| node.present())));
    if !cmdline.is_empty() {
        cmdline.push(' ');
    }
    cmdline += &format!("heorot={http}/node/{} BOOTIF={boot_interface}", node.boot.token);
    if node.boot.is_u_boot && plan.initrd.len() > 1 && matches!(generated, Generated::Pxelinux { .. }) {
        return Err(format!(
            "U-Boot loads one RAM disk, and there are {}: make one of them",
            plan.initrd.len()
        ));
    }
    let octets = cmdline.len() + added_by_loaders(plan);
    if octets > WHOLE_COMMAND_LINE_OCTETS_MAX {
        return Err(format!(
            "with what is added, the command line has {octets} octets, and a kernel takes {WHOLE_COMMAND_LINE_OCTETS_MAX}"
        ));
    }
    // iPXE goes on by the protocol that its script came by.
    let base = if request.via.is_tftp() { format!("tftp://{}", request.local) } else { http.clone() };
    let architecture = node.boot.machine.map(|machine| machine.row().key.to_owned()).unwrap_or_default();
    let (profile, kernel, initrd) = (plan.profile.clone(), plan.kernel.clone(), plan.initrd.clone());
    let values = FileValues { values, profile, architecture, kernel, initrd, cmdline, http };
    let template = turn.config.boot.made.get(&generated.file()).ok_or("no template")?;
    template.render(&generated.written(values, &base))
}

/// How many octets loaders may add to a command line: PXELINUX and GRUB say `BOOT_IMAGE=/KERNEL`, PXELINUX `initrd=::FILE,::FILE`, and our script for iPXE `initrd=initrd0` for each.
fn added_by_loaders(plan: &Plan) -> usize {
    let of_file = |file: &String| (file.len() + ",::".len()).max(" initrd=initrd10".len());
    " BOOT_IMAGE=:: initrd=".len() + plan.kernel.len() + plan.initrd.iter().map(of_file).sum::<usize>()
}

/// The URL of a node, for a system whose command line lacks it. It goes to that node's address alone, as files with the token in them do.
fn own_url(turn: &mut Turn<'_>, request: &Request, machine: Option<Mac>) {
    let machine = machine.filter(|mac| turn.hall.nodes.node(*mac).is_some());
    let Some(mac) = machine.map(|mac| turn.hall.nodes.identity(mac)) else {
        let why = format!("{} is no node's address", request.from);
        stranger::tell_nobody(turn, request);
        return answer(turn, request, error(404, &why));
    };
    if turn.hall.nodes.get(mac).is_some_and(|node| node.boot.token.is_empty()) {
        turn.begin_boot(mac);
    }
    let token = turn.hall.nodes.get(mac).map_or_else(String::new, |node| node.boot.token.clone());
    let url = format!(
        "{}/node/{token}",
        boot::http_base(turn.config, network::served_to(turn.config, request.local, request.from))
    );
    answer_with_token(turn, request, mac, Answer::Json(200, json!({ "url": url }).to_string()));
}

/// `/node/TOKEN` and what is below it.
fn about_itself(turn: &mut Turn<'_>, request: &Request, rest: &str, machine: Option<Mac>) {
    let (token, verb) = rest.split_once('/').unwrap_or((rest, ""));
    let is_its_own = |mac: &Mac| turn.hall.nodes.get(*mac).is_some_and(|node| node.has_token(token));
    let its_own = machine.filter(is_its_own);
    let Some(mac) = its_own.or_else(|| stranger::comes_back(turn, request, token, machine)) else {
        let why = format!("this token is not that of the present boot of the machine at {}", request.from);
        return answer(turn, request, error(404, &why));
    };
    let mac = turn.hall.nodes.identity(mac);
    turn.no_trouble(mac, Beside::Elsewhere);
    turn.no_trouble(mac, Beside::Token);
    match (verb, &request.via) {
        ("", Via::HttpGet) => ask(turn, request, mac),
        ("names", Via::HttpGet) => names(turn, request, mac),
        ("overlay", Via::HttpGet) => overlay::open(turn, request, mac),
        ("secrets", Via::HttpPost(_)) => overlay::secrets(turn, request, mac),
        ("trial", Via::HttpPost(body)) => trial(turn, request, mac, body),
        ("up", Via::HttpPost(body)) => up(turn, request, mac, body),
        ("down", Via::HttpPost(body)) => {
            let said = check_in::ended(turn, mac, body);
            answer(turn, request, said);
        }
        ("trouble", Via::HttpPost(body)) => trouble(turn, request, mac, body),
        _ => {
            let why = "GET here, /names or /overlay below, or POST to /secrets, /trial, /up, /down or /trouble below";
            answer(turn, request, error(404, why));
        }
    }
}

/// The agent asks what its machine is, and what it shall check.
fn ask(turn: &mut Turn<'_>, request: &Request, mac: Mac) {
    if turn.hall.nodes.get(mac).is_some_and(|node| node.phase < Some(Phase::Agent) && node.stage.is_booting())
    {
        turn.event(Some(mac), Kind::Agent, "its agent runs and asks what to do");
    }
    if let Some(node) = turn.hall.nodes.get_mut(mac) {
        node.asks(turn.now, "what to do, by its agent");
    }
    turn.phase(mac, Phase::Agent);
    // Who passed, or was told to wait, is not on trial again by asking what has become of it.
    if turn.hall.nodes.get(mac).is_some_and(|node| node.boot.tries == 0) {
        turn.step(mac, Step::AgentAsked, "its agent runs the trial");
    }
    let is_numbered_late = trial::give_number_late(turn, mac);
    // That of the boot's plan: the kernel and its modules may be of another version by now.
    let plan = turn.plan(mac);
    let root = plan.as_ref().map_or(json!(null), |plan| root::told(turn.config, &plan.root, request.local));
    let mut more = vec![("checks", trial::checks(turn, plan.as_deref())), ("root", root)];
    more.extend(turn.hall.nodes.get(mac).map(|node| trial::told(turn, node)).unwrap_or_default());
    more.extend(overlay::told(plan.as_deref()));
    let body = Answer::Json(200, identity(turn, mac, &more));
    if !is_numbered_late {
        return answer(turn, request, body);
    }
    turn.promise(Promise::Reply { id: request.id, answer: body, refused: unrecorded() });
}

/// The agent fetches the names file for its system. A node resolves names by it without asking anybody; hardware addresses, of which there
/// may be thousands and which change with every machine, stand in the head node's own file. With ten thousand names it takes milliseconds to write: whoever asked does.
fn names(turn: &mut Turn<'_>, request: &Request, mac: Mac) {
    let number = turn.hall.nodes.get(mac).and_then(|node| node.number);
    let place = network::place(turn.config, number.map(Me::Node));
    let place = Place { without_hardware_addresses: true, ..place };
    let directory = Arc::clone(&turn.hall.directory);
    answer(turn, request, Answer::Unwritten(Box::new(Unwritten::of_names(directory, place))));
}

/// The agent reports the trial. The same report gets the same answer, however often it is repeated.
fn trial(turn: &mut Turn<'_>, request: &Request, mac: Mac, body: &[u8]) {
    let report = match Report::parse(body) {
        Ok(report) => report,
        Err(why) => return answer(turn, request, error(400, &why)),
    };
    let Some(node) = turn.hall.nodes.get(mac) else { return };
    match node.promised() {
        None => take_report(turn, mac, report),
        Some(_) => trial::judge_again(turn, mac, &report),
    }
    let mut more = vec![("reboot", json!(false))];
    more.extend(turn.hall.nodes.get(mac).map(|node| trial::told(turn, node)).unwrap_or_default());
    let kept = Answer::Json(200, identity(turn, mac, &more));
    turn.promise(Promise::Reply { id: request.id, answer: kept, refused: unrecorded() });
}

/// The report of a machine without a number.
fn take_report(turn: &mut Turn<'_>, mac: Mac, report: Report) {
    let macs = report.macs();
    let earned = trial::judge(turn, mac, &report);
    if let Some(node) = turn.hall.nodes.get_mut(mac) {
        node.facts = report.facts;
    }
    // Whose the cards are that the configuration names, it says itself.
    let place = turn.hall.listed.place(mac);
    let is_its = |card: &Mac| turn.hall.listed.place_with_mac(*card).is_none_or(|of| Some(of) == place);
    let macs: Vec<_> = macs.into_iter().filter(is_its).collect();
    trial::take_in(turn, mac, &macs);
    // Who reports may say anything: a machine has so many cards and no more, of which those that it boots by and those that are listed stay.
    let granted_to = turn.hall.nodes.get(mac).and_then(|node| node.granted_to);
    let listed = &turn.hall.listed;
    let stays = |card: Mac| Some(card) == granted_to || listed.place_with_mac(card).is_some();
    turn.hall.nodes.join_found(mac, &macs, MACS_PER_NODE_MAX, stays);
    let Some(reason) = earned else { return };
    trial::give_number(turn, mac, reason);
}

/// The agent says that its machine's system runs.
fn up(turn: &mut Turn<'_>, request: &Request, mac: Mac, body: &[u8]) {
    let stage = turn.hall.nodes.get(mac).map(|node| node.stage);
    if !stage.is_some_and(Stage::is_numbered) {
        return answer(turn, request, error(409, "this machine has no number yet"));
    }
    if stage != Some(Stage::Up) {
        turn.event(
            Some(mac),
            Kind::Agent,
            format!("its agent at {} says that its system runs", request.from),
        );
    }
    let more = check_in::heard(turn, mac, body);
    turn.step(mac, Step::ReportedUp, "its agent says so");
    let cards: Vec<_> = turn.hall.nodes.get(mac).into_iter().flat_map(Node::cards).collect();
    check_in::has_lease(turn, mac, request.from);
    let mut settled = Vec::new();
    for place in 0..turn.config.networks.len() {
        // Where it has an address of its own it has left the temporary one, or does when it renews that.
        if turn.permanent_address(mac, place).is_some() {
            cards.iter().for_each(|card| turn.hall.leases.supersede(*card, place));
        }
        settled.extend(turn.settled_address(mac, place));
    }
    // It has left mid-boot: from now on the kernel finds it as any other host.
    if turn.hall.nodes.get(mac).is_some_and(|node| turn.elsewhere(node).is_some()) {
        // Its number has no address where it is: it goes on with what is lent to it.
        settled.extend(lent_to(turn, &cards));
    }
    for address in &settled {
        turn.unpin(*address);
    }
    settled.extend(lent_to(turn, &cards));
    all_loaded(turn, mac, settled);
    let body = identity(turn, mac, &more);
    answer(turn, request, Answer::Json(200, body));
}

/// The agent could not go on, and starts its machine anew soon. It stands in `explain` until the node gets further.
fn trouble(turn: &mut Turn<'_>, request: &Request, mac: Mac, body: &[u8]) {
    let reason = serde_json::from_slice::<serde_json::Value>(body).ok();
    let Some(reason) = reason.as_ref().and_then(|value| value["reason"].as_str()) else {
        return answer(turn, request, error(400, "not {\"reason\": \"…\"}"));
    };
    let reason = event::printable(reason, REASON_LETTERS_MAX);
    let what = format!("its agent says: {reason}");
    let says = |node: &Node| node.beside.get(&Beside::Agent).is_some_and(|says| says.what == what);
    if !turn.hall.nodes.get(mac).is_some_and(says) {
        let to_do = "mend what its agent says: it starts anew by itself, and tries again";
        turn.trouble_beside(mac, Beside::Agent, what, Some(to_do.into()));
        turn.keep_boot(mac);
    }
    answer(turn, request, Answer::Json(200, identity(turn, mac, &[])));
}

/// The addresses that are lent to cards of a machine.
fn lent_to(turn: &Turn<'_>, cards: &[Mac]) -> Vec<Ipv4Addr> {
    cards.iter().flat_map(|card| turn.hall.leases.of(*card)).map(|(address, _)| address).collect()
}

/// A boot is over: what its machine asks for from now on, from any of its addresses, is whatever is there.
fn all_loaded(turn: &mut Turn<'_>, mac: Mac, addresses: Vec<Ipv4Addr>) {
    let Some(node) = turn.hall.nodes.get_mut(mac) else { return };
    if !std::mem::take(&mut node.boot.is_together) {
        return;
    }
    for from in addresses {
        turn.out.push(Output::Together { from, files: Vec::new(), is_resumed: false });
    }
}

/// What a node is told of itself. A number that is being recorded is told with the answer that waits for it.
fn identity(turn: &Turn<'_>, mac: Mac, more: &[(&str, serde_json::Value)]) -> String {
    let node = turn.hall.nodes.get(mac);
    let number = node.and_then(|node| node.number.or(node.claim));
    let place = node.and_then(|node| node.network);
    let stage = |node: &Node| if node.claim.is_some() { Stage::Ready.word() } else { node.state() };
    let state = node.map_or_else(|| Stage::Seen.word(), stage);
    let name = number.map(|number| turn.name(number));
    let address: Option<Ipv4Addr> = number.and_then(|number| {
        let settings = turn.config.networks.get(place?)?;
        // Where another server gives the addresses, it goes on with the one that it has.
        match settings.mode {
            Mode::Serve | Mode::Shadow => settings.numbering.address(number),
            Mode::Proxy => turn.settled_address(mac, place?),
        }
    });
    let mut body = json!({ "state": state, "number": number, "name": name, "address": address });
    for (key, value) in more {
        body[*key] = value.clone();
    }
    body.to_string()
}

/// What is answered where a machine would have its number, if that could be recorded.
fn unrecorded() -> Answer {
    error(503, "the number could not be recorded: ask again")
}

fn error(status: u16, why: &str) -> Answer {
    Answer::Json(status, json!({ "error": why }).to_string())
}

/// A machine's text as it may stand in a journal.
fn printable(text: &str) -> String {
    event::printable(text, TOLD_LETTERS_MAX)
}
