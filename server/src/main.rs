//! heorot: boots, addresses and names a diskless cluster. This program touches everything and decides nothing: what is to be done, `heorot-core` says.
//!
//! - [`cli`]: the command line; [`serve`]: the start, in order; [`run`]: the loop; [`wake`], [`ask`]: how threads and the loop talk to each other;
//! - network: [`interface`] (what is opened of each, and that it is still the same one), [`udp`] on [`netio`], [`link`] on [`frame`], [`neighbour`], [`http`], [`dns`], [`nis`] (with [`rpcbind`]), [`nfs`]; TCP connections: [`streams`];
//! - looking about: [`probe`] and [`echo`] (who has an address), [`overhear`] (other DHCP servers), [`traffic`] (what else goes out);
//! - disk: [`disks`] (threads that may wait for one), [`store`], [`images`], [`overlay`], [`notes`], [`names`] (the file for glibc), [`configuration`], [`plain_file`] (what operators write);
//! - [`initrd`]: what nodes boot, made from a kernel's modules;
//! - [`storm`]: the simulator's machines, with real packets; [`rehearse`]: the simulator whole;
//! - the rest of the host: [`clock`], [`journal`], [`rights`], [`settings`]; [`doctor`]: what it lacks, [`lacking`]: of that, the files, while it serves; [`overdue`]: disks that do not answer; [`problem`]: how that is said.

mod ask;
mod cli;
mod clock;
mod configuration;
mod disks;
#[cfg_attr(
    not(test),
    expect(dead_code, reason = "its counts are for the metrics, which there are none of yet")
)]
mod dns;
mod doctor;
mod echo;
mod frame;
mod http;
mod images;
mod initrd;
mod interface;
mod journal;
mod lacking;
mod link;
mod names;
mod neighbour;
mod netio;
mod nfs;
#[cfg_attr(
    not(test),
    expect(dead_code, reason = "its counts are for the metrics, which there are none of yet")
)]
mod nis;
mod notes;
mod overdue;
mod overhear;
mod overlay;
mod passed_over;
mod plain_file;
mod probe;
mod problem;
mod published;
mod rehearse;
mod rights;
mod rpcbind;
mod run;
mod serve;
mod settings;
mod store;
mod storm;
mod streams;
#[cfg(test)]
mod testing;
mod traffic;
mod udp;
mod wake;

use clap::Parser;
use std::process::ExitCode;

fn main() -> ExitCode {
    cli::run(cli::Cli::parse())
}
