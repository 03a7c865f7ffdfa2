//! `heorot doctor`.

use super::client::{Client, Failure};
use super::{Exit, Form, USUAL_CONFIGURATION, print, print_error};
use crate::configuration;
use crate::doctor::{self, Finding, Grade, Server};
use clap::Args;
use std::path::PathBuf;

/// What is to be looked at.
#[derive(Debug, Args)]
pub(super) struct DoctorCommand {
    /// The configuration
    #[arg(long, value_name = "FILE", default_value = USUAL_CONFIGURATION)]
    config: PathBuf,
    /// Form of the answer
    #[arg(short, long, value_enum, default_value_t = Form::Table)]
    output: Form,
    /// Path of the server's control socket, instead of `server.control`
    #[arg(long, value_name = "PATH", env = "HEOROT_CONTROL")]
    control: Option<PathBuf>,
}

/// Examines, and tells.
pub(super) fn run(wanted: &DoctorCommand) -> Exit {
    let (config, warnings) = match configuration::read(&wanted.config) {
        Ok(read) => (read.config, read.warnings),
        Err(mistakes) => {
            print_error(mistakes.trim_end());
            return Exit::Usage;
        }
    };
    let socket = wanted.control.clone().unwrap_or_else(|| PathBuf::from(&config.server.control));
    let server = match (Client { socket: &socket }).get("/v1/status") {
        Ok(text) => serde_json::from_str(&text).map_or(Server::None, Server::Says),
        Err(failure @ (Failure::Lost(_) | Failure::Late(_))) => Server::Unheard(failure.to_string()),
        Err(Failure::Unreachable(_) | Failure::Answered { .. }) => Server::None,
    };
    let mut findings: Vec<Finding> = doctor::configuration(&warnings).collect();
    findings.extend(doctor::configuration_file(&wanted.config, &config));
    findings.extend(doctor::examine(&config, &server));
    match wanted.output {
        Form::Table => print(&table(&findings)),
        Form::Json => print(&(serde_json::to_string(&findings).unwrap_or_default() + "\n")),
    }
    if findings.iter().any(|finding| finding.grade == Grade::Fault) { Exit::Failed } else { Exit::Ok }
}

fn table(findings: &[Finding]) -> String {
    let width = findings.iter().map(|finding| finding.subject.chars().count()).max().unwrap_or(0);
    let line = |finding: &Finding| {
        let grade = match finding.grade {
            Grade::Ok => "ok",
            Grade::Warning => "warning",
            Grade::Fault => "FAULT",
        };
        format!("{grade:<8}{:<width$}  {}\n", finding.subject, finding.said)
    };
    let count = |grade| findings.iter().filter(|finding| finding.grade == grade).count();
    let of = |count, what| match count {
        0 => format!("no {what}"),
        1 => format!("1 {what}"),
        many => format!("{many} {what}s"),
    };
    let end = match (count(Grade::Fault), count(Grade::Warning)) {
        (0, 0) => "nothing was found that keeps nodes from booting\n".to_owned(),
        (faults, 0) => of(faults, "fault") + "\n",
        (faults, warnings) => format!("{}, {}\n", of(faults, "fault"), of(warnings, "warning")),
    };
    findings.iter().map(line).collect::<String>() + &end
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is merely warned of may be what keeps nodes from booting.
    #[test]
    fn the_last_line_is_good_news_only_where_nothing_was_found() {
        use Grade::{Fault, Ok, Warning};
        for (grades, expected) in [
            (&[Ok, Ok][..], "nothing was found that keeps nodes from booting"),
            (&[Ok, Warning], "no fault, 1 warning"),
            (&[Warning, Warning, Fault], "1 fault, 2 warnings"),
            (&[Fault, Fault], "2 faults"),
        ] {
            let findings: Vec<_> = grades.iter().map(|grade| Finding::new(*grade, "it", "is so")).collect();
            assert_eq!(table(&findings).lines().last(), Some(expected));
        }
    }
}
