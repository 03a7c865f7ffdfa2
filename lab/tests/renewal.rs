//! What follows a firmware's DISCOVER on the same machine: the agent's own DHCP client gets the same temporary address, and keeps it for
//! as long as it runs, far past the lease's first end.

use heorot_agent::client::{self, Lease};
use heorot_agent::keeper::Keeper;
use heorot_agent::netlink;
use heorot_lab::demo::machine_mac;
use heorot_lab::host::SimulatedHost;
use heorot_lab::server::{Server, Settings};
use std::thread;
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(20);

#[test]
fn a_temporary_address_is_kept_by_renewing_it() {
    let settings = Settings { network: "temporary-lease = \"10s\"".to_owned(), ..Settings::default() };
    let server = Server::start(&settings).expect("the lab and the server start");
    let outcome = keep(&server);
    let (first, last, noted) = server.explain_failure(outcome).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(first.address, last.address);
    assert_eq!(noted.last(), Some(&last), "who starts again goes on with what was noted last");
    assert!(last.expires_at >= first.expires_at + Duration::from_secs(10), "it was renewed more than once");
}

fn keep(server: &Server) -> Result<(Lease, Lease, Vec<Lease>), String> {
    let mut firmware = SimulatedHost::new(server.network.host(machine_mac(1))?)?;
    let address = firmware.boot()?;
    let interface = firmware.host().interface()?;
    // Threads and sockets that begin here stay in the machine's namespace.
    firmware.host().namespace.enter(|| {
        let first = client::acquire(&interface, false, PATIENCE)?;
        if first.address != address {
            return Err(format!("the firmware had {address}, and its agent has {}", first.address));
        }
        netlink::add_address(interface.index, first.address, first.prefix)
            .map_err(|error| error.to_string())?;
        let (note, noted) = std::sync::mpsc::channel();
        let keeper = Keeper::start(&interface, first.clone(), move |lease: &Lease| {
            let _ = note.send(lease.clone());
        })
        .map_err(|error| error.to_string())?;
        thread::sleep(Duration::from_secs(23));
        let last = keeper.stop().ok_or("the lease's thread has died")?;
        Ok((first, last, noted.iter().collect()))
    })
}
