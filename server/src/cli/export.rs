//! `heorot export`: the table of nodes as another tool reads it, from the server or from a configuration.

use super::client::Client;
use super::{Exit, complain, exit_of, print, print_error};
use crate::configuration;
use crate::http::control::KNOWN_HOSTS;
use clap::{Args, ValueEnum};
use heorot_core::cluster::export::of_configuration;
use heorot_names::export::Export;
use std::path::PathBuf;

#[derive(Debug, Args)]
pub(super) struct ExportCommand {
    /// For whom
    #[arg(value_enum)]
    form: ExportForm,
    /// From this configuration, without a server: with every number that there may be
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// What Ansible asks an inventory script: all groups, with the variables of all nodes
    #[arg(long)]
    list: bool,
    /// What Ansible asks an inventory script about one host: nothing that was not in the list
    #[arg(long, value_name = "NAME", conflicts_with = "list")]
    host: Option<String>,
    /// Path of the server's control socket
    #[arg(long, value_name = "PATH", env = "HEOROT_CONTROL", default_value = "/run/heorot/control.sock")]
    control: PathBuf,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum ExportForm {
    /// /etc/hosts: all names and addresses
    Hosts,
    /// /etc/ethers: hardware addresses
    Ethers,
    /// A configuration file of dnsmasq: addresses by hardware address, all names
    Dnsmasq,
    /// NodeName lines of slurm.conf
    Slurm,
    /// An inventory of Ansible: a file, and with --list or --host a script's answer
    Ansible,
    /// /etc/genders, also for pdsh
    Genders,
    /// A file of /etc/clustershell/groups.d
    Clustershell,
    /// /etc/exports, for a kernel's own NFS server in the place of ours
    Exports,
    /// /etc/ssh/ssh_known_hosts: the host keys of all nodes, where profiles have `ssh-host-key`
    KnownHosts,
}

pub(super) fn run(wanted: &ExportCommand) -> Exit {
    if wanted.form == ExportForm::KnownHosts {
        return known_hosts(wanted);
    }
    let is_for_a_script = wanted.list || wanted.host.is_some();
    let export = match wanted.form {
        ExportForm::Hosts => Export::Hosts,
        ExportForm::Ethers => Export::Ethers,
        ExportForm::Dnsmasq => Export::Dnsmasq,
        ExportForm::Slurm => Export::Slurm,
        ExportForm::Ansible if wanted.list => Export::AnsibleList,
        ExportForm::Ansible => Export::Ansible,
        ExportForm::Genders => Export::Genders,
        ExportForm::Clustershell => Export::Clustershell,
        ExportForm::Exports | ExportForm::KnownHosts => Export::Exports,
    };
    if is_for_a_script && wanted.form != ExportForm::Ansible {
        return complain(&"--list and --host are for ansible", Exit::Usage);
    }
    if wanted.host.is_some() {
        print("{}\n");
        return Exit::Ok;
    }
    let text = match &wanted.config {
        Some(path) => match configuration::read_elsewhere(path) {
            Ok(read) => of_configuration(&read.config, export).map_err(|e| (e.to_string(), Exit::Usage)),
            Err(mistakes) => {
                print_error(mistakes.trim_end());
                return Exit::Usage;
            }
        },
        None => {
            let named =
                Export::NAMED.iter().find(|(_, other)| *other == export).map_or("", |(name, _)| *name);
            let answer = (Client { socket: &wanted.control }).get(&format!("/v1/export/{named}"));
            answer.map_err(|failure| (failure.to_string(), exit_of(&failure)))
        }
    };
    match text {
        Ok(text) => {
            print(&text);
            Exit::Ok
        }
        Err((problem, exit)) => complain(&problem, exit),
    }
}

/// They are made from the server's secret, which no configuration has.
fn known_hosts(wanted: &ExportCommand) -> Exit {
    if wanted.config.is_some() {
        return complain(&"host keys are the server's: leave out --config", Exit::Usage);
    }
    match (Client { socket: &wanted.control }).get(&format!("/v1/export/{KNOWN_HOSTS}")) {
        Ok(text) => {
            print(&text);
            Exit::Ok
        }
        Err(failure) => complain(&failure, exit_of(&failure)),
    }
}
