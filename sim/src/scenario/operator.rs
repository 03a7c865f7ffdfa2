//! What operators ask, see and change, as a story tells it.

use super::Teller;
use heorot_core::message::{Answer, Input, Measured, Output, Query, RequestId, Verb};
use heorot_core::service::view::{
    ChangeRequest, ChangeView, ExplainView, FieldChangeView, NodeView, RogueServerView, StatusView,
};

impl Teller {
    pub(super) fn ask(&mut self, query: Query) -> Option<String> {
        let wall = self.world.as_ref()?.wall();
        let mut ask =
            |query| {
                let out = self.world()?.happen(Input::Operator { id: RequestId(0), wall, query });
                out.into_iter().find_map(|output| {
                    if let Output::Reply(_, answer) = output { Some(answer) } else { None }
                })
            };
        let Answer::Json(_, body) = ask(query)?.whole(ask)? else { return None };
        Some(body)
    }

    pub(super) fn node(&mut self, name: &str) -> Option<Vec<String>> {
        let name = self.mac(name).map_or_else(|| name.to_owned(), |mac| mac.to_string());
        let body = self.ask(Query::Node(name))?;
        Some(vec![serde_json::from_str(&body).map_or(body, |view| row(&view))])
    }

    /// What an operator changes: what came of it, in the order of its coming, and what he is told.
    pub(super) fn change(&mut self, verb: &str, set: &str, words: &[&str]) -> Option<Vec<String>> {
        let (_, verb) = Verb::NAMED.into_iter().find(|(name, _)| *name == verb)?;
        let meant = |part: &str| self.mac(part).map_or_else(|| part.to_owned(), |mac| mac.to_string());
        let set = set.split(',').map(meant).collect::<Vec<_>>().join(",");
        let mut request = ChangeRequest { set, ..ChangeRequest::default() };
        for (place, word) in words.iter().enumerate() {
            match word.split_once('=') {
                Some(("number", number)) => request.number = Some(number.parse().ok()?),
                Some(("profile", profile)) => request.profile = Some(profile.into()),
                Some((key, value)) => {
                    request.attributes.insert(key.strip_prefix("attributes.")?.into(), value.into());
                }
                None if *word == "dry-run" => request.dry_run = true,
                None if *word == "because" => {
                    request.reason = Some(words[place + 1..].join(" "));
                    break;
                }
                None => return None,
            }
        }
        let wall = self.world.as_ref()?.wall();
        let query = Query::Change(verb, Box::new(request));
        let out = self.world()?.happen(Input::Operator { id: RequestId(0), wall, query });
        let mut lines = Vec::new();
        for output in out {
            if let Output::Reply(_, Answer::Json(200, body)) = &output {
                lines.extend(changed(&serde_json::from_str(body).ok()?));
            } else {
                lines.extend(self.lines(vec![output], None));
            }
        }
        Some(lines)
    }

    pub(super) fn nodes(&mut self) -> Option<Vec<String>> {
        let views: Vec<NodeView> =
            serde_json::from_str(&self.ask(Query::Nodes { set: None, without: None })?).ok()?;
        Some(views.iter().map(row).collect())
    }

    pub(super) fn explain(&mut self, name: &str) -> Option<Vec<String>> {
        let name = self.mac(name).map_or_else(|| name.to_owned(), |mac| mac.to_string());
        let body = self.ask(Query::Explain(name))?;
        let Ok(view) = serde_json::from_str::<ExplainView>(&body) else { return Some(vec![body]) };
        let mut lines = vec![view.summary];
        lines.extend(view.last_asked.map(|asked| format!("asked: {asked}")));
        lines.extend(view.last_told.map(|told| format!("told: {told}")));
        lines.extend(view.to_do.map(|to_do| format!("to do: {to_do}")));
        Some(lines)
    }

    pub(super) fn rogues(&mut self) -> Option<Vec<String>> {
        let view: StatusView = serde_json::from_str(&self.ask(Query::Status(Measured::default()))?).ok()?;
        let line = |rogue: &RogueServerView| {
            let RogueServerView { address, network, count, last, .. } = rogue;
            let or_dash = |mac: &Option<String>| mac.clone().unwrap_or_else(|| "-".into());
            let (mac, client) = (or_dash(&rogue.mac), or_dash(&rogue.last_client));
            format!("{address} ({mac}) on {network}, heard {count} times: it {last} {client}")
        };
        Some(view.rogue_servers.iter().map(line).collect())
    }

    pub(super) fn pool(&mut self) -> Option<Vec<String>> {
        let view: StatusView = serde_json::from_str(&self.ask(Query::Status(Measured::default()))?).ok()?;
        let counts: Vec<_> = view.malformed.iter().map(|(word, count)| format!(" {word}={count}")).collect();
        Some(vec![format!(
            "{} of {} temporary addresses used{}",
            view.temporary.used,
            view.temporary.size,
            counts.concat()
        )])
    }
}

/// What an operator is told of his change.
fn changed(view: &ChangeView) -> Vec<String> {
    let or_dash = |value: &Option<String>| value.clone().unwrap_or_else(|| "-".into());
    let change = |change: &FieldChangeView| {
        let FieldChangeView { nodes, field, before, after } = change;
        format!("{nodes} {field}: {} -> {}", or_dash(before), or_dash(after))
    };
    let mut lines: Vec<_> = view.changes.iter().map(change).collect();
    lines.extend((!view.unchanged.is_empty()).then(|| format!("{}: nothing changes", view.unchanged)));
    lines.extend(view.refused.iter().map(|refusal| format!("{}: refused: {}", refusal.nodes, refusal.why)));
    lines
}

fn row(view: &NodeView) -> String {
    let phase = view.phase.as_ref().map(|phase| format!(" ({phase})")).unwrap_or_default();
    let number = view.number.map(|number| format!(" number={number}")).unwrap_or_default();
    let name = view.name.as_ref().map(|name| format!(" name={name}")).unwrap_or_default();
    let address = view.address.map(|address| format!(" address={address}")).unwrap_or_default();
    let temporary = view.temporary_address.map(|address| format!(" temporary={address}")).unwrap_or_default();
    let profile = match view.profile.as_str() {
        "default" | "trial" => String::new(),
        profile => format!(" profile={profile}"),
    };
    format!("{} {}{phase}{number}{name}{address}{temporary}{profile}", view.mac, view.state)
}
