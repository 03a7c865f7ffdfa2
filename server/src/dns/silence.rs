//! Names of others that nobody answers: the loop is told so, which tells the operator, and that it is over.

use heorot_dns::Unanswered;
use std::net::SocketAddr;

/// Whom nobody answers for, as it was told last.
#[derive(Default)]
pub(super) struct Silence {
    told: Vec<Silent>,
    /// Groups whose files name nobody.
    pub(super) unnamed: Vec<Silent>,
    /// Others are asked than before: what was said of those is over without a word, unless it was said of a file that still counts.
    others: Option<Others>,
}

/// Why others are asked.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Others {
    /// The configuration says so.
    Configured,
    /// A file says so.
    Named,
}

/// A group of servers of which none answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Silent {
    /// Empty for all names that no other group has.
    pub(super) domain: String,
    pub(super) why: Why,
}

/// Why none does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Why {
    /// They say nothing.
    Silence(Vec<SocketAddr>),
    /// These files, which should name them, name none.
    Unnamed(Vec<String>),
}

/// What is told of one: what is so, and what to do.
pub(crate) type Told = (String, String);

/// Servers and files that are named one by one.
const NAMED_MAX: usize = 4;

impl Silence {
    /// Others are asked from now on, or may be.
    pub(super) fn ask_others(&mut self, others: Others) {
        self.others = Some(others);
    }

    /// What is to be told of those of whom nobody answers, and which is over, if that is news. It is told again until [`Self::was_told`].
    pub(super) fn news(&mut self, silent: Vec<Unanswered>) -> Option<(Vec<Silent>, Vec<String>)> {
        let silent = silent.into_iter().map(Silent::from).chain(self.unnamed.iter().cloned());
        let silent: Vec<Silent> = silent.collect();
        if silent == self.told {
            self.others = None;
            return None;
        }
        let is_over = |old: &&Silent| silent.iter().all(|new| new.domain != old.domain);
        let over = self.told.iter().filter(is_over).filter_map(|old| old.over(self.others)).collect();
        Some((silent, over))
    }

    pub(super) fn was_told(&mut self, silent: Vec<Silent>) {
        (self.told, self.others) = (silent, None);
    }
}

impl From<Unanswered> for Silent {
    fn from(Unanswered { domain, servers }: Unanswered) -> Self {
        Self { domain, why: Why::Silence(servers) }
    }
}

impl Silent {
    pub(super) fn told(&self) -> Told {
        let option = self.option();
        let names = if self.domain.is_empty() {
            "names of others".into()
        } else {
            format!("names below {}", self.domain)
        };
        match &self.why {
            Why::Silence(servers) => {
                let first =
                    servers.first().map(|server| format!(": dig @{} -p {}", server.ip(), server.port()));
                let what = format!("no server of {option} answers ({})", some_of(servers));
                (
                    what,
                    format!(
                        "{names} are told from the cache alone; see whether this host reaches it{}",
                        first.unwrap_or_default()
                    ),
                )
            }
            Why::Unnamed(files) => {
                let what = format!("{option} has no server, for none is named in {}", some_of(files));
                (
                    what,
                    format!(
                        "{names} are refused; there have to be lines `nameserver ADDRESS`, and addresses of this server do not count"
                    ),
                )
            }
        }
    }

    /// What is said when it is over.
    fn over(&self, others: Option<Others>) -> Option<String> {
        let option = self.option();
        match (&self.why, others) {
            (Why::Silence(_), None) => Some(format!("a server of {option} answers again")),
            (Why::Unnamed(files), None | Some(Others::Named)) => {
                Some(format!("a server of {option} is named in {}", some_of(files)))
            }
            (Why::Silence(_), Some(_)) | (Why::Unnamed(_), Some(Others::Configured)) => None,
        }
    }

    fn option(&self) -> String {
        if self.domain.is_empty() { "dns.upstream".into() } else { format!("dns.forward {}", self.domain) }
    }
}

fn some_of(all: &[impl ToString]) -> String {
    let mut named: Vec<_> = all.iter().take(NAMED_MAX).map(ToString::to_string).collect();
    if all.len() > NAMED_MAX {
        named.push(format!("{} more", all.len() - NAMED_MAX));
    }
    named.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn upstream() -> Unanswered {
        Unanswered { domain: String::new(), servers: vec!["10.77.0.99:53".parse().unwrap()] }
    }

    #[test]
    fn what_nobody_answers_is_told_once_and_when_it_is_over() {
        let mut silence = Silence::default();
        assert_eq!(silence.news(vec![]), None);
        let told = |silence: &mut Silence, silent: &[Unanswered]| {
            let (now, over) = silence.news(silent.to_vec())?;
            silence.was_told(now.clone());
            Some((now.iter().map(|silent| silent.told().0).collect::<Vec<_>>(), over))
        };
        let what = "no server of dns.upstream answers (10.77.0.99:53)".to_owned();
        // As long as the loop did not hear it, it is news.
        assert!(silence.news(vec![upstream()]).is_some());
        assert_eq!(told(&mut silence, &[upstream()]), Some((vec![what.clone()], vec![])));
        // A configuration that changes nothing of it.
        silence.ask_others(Others::Configured);
        assert_eq!(told(&mut silence, &[upstream()]), None);
        let again = "a server of dns.upstream answers again".to_owned();
        assert_eq!(told(&mut silence, &[]), Some((vec![], vec![again])));
        // Others are asked, who may answer or not.
        assert!(told(&mut silence, &[upstream()]).is_some());
        silence.ask_others(Others::Named);
        assert_eq!(told(&mut silence, &[]), Some((vec![], vec![])));
    }

    #[test]
    fn files_that_name_nobody_are_told_until_they_do() {
        let mut silence = Silence::default();
        let why = Why::Unnamed(vec!["/run/resolv".into()]);
        let unnamed = Silent { domain: "k8s.cluster".into(), why };
        for (others, over) in [
            (Others::Named, &["a server of dns.forward k8s.cluster is named in /run/resolv"][..]),
            (Others::Configured, &[]),
        ] {
            silence.unnamed = vec![unnamed.clone()];
            let (now, none) = silence.news(vec![]).unwrap();
            assert_eq!(
                now[0].told().0,
                "dns.forward k8s.cluster has no server, for none is named in /run/resolv"
            );
            assert_eq!(none, <[String; 0]>::default());
            silence.was_told(now);
            silence.unnamed.clear();
            silence.ask_others(others);
            assert_eq!(silence.news(vec![]), Some((vec![], over.iter().map(ToString::to_string).collect())));
            silence.was_told(vec![]);
        }
    }
}
