//! What NFS clients read leaves firmware its share of the link, and all of it is theirs without.

use heorot_lab::directory::Scratch;
use heorot_lab::server::{Server, Settings};
use std::fs;
use std::path::Path;
use std::process::{Child, Stdio};
use std::thread;
use std::time::{Duration, Instant};

#[test]
fn roots_share_the_link_with_files_and_have_it_all_without() {
    let root = Scratch::new().expect("a directory");
    let big = root.path().join("big");
    fs::File::create(&big).and_then(|file| file.set_len(100 << 30)).expect("a file that takes no room");
    let settings = Settings {
        further: format!(
            "\n[load]\nlink = \"80Mbit\"\n\n[profile.nfs]\nroot = \"nfs:{}\"\n",
            root.path().display()
        ),
        ..Settings::default()
    };
    let server = Server::start(&settings).expect("the lab and the server start");
    let outcome = share(&server, &big);
    server.explain_failure(outcome).unwrap_or_else(|error| panic!("{error}"));
}

fn share(server: &Server, big: &Path) -> Result<(), String> {
    const LINK_OCTETS: f64 = 80e6 / 8.0;
    let fail = |error: std::io::Error| error.to_string();
    fs::write(server.boot_file("image"), vec![7; 100_000_000]).map_err(fail)?;
    let part_of_link = |of: Duration| -> Result<f64, String> {
        let (begun, before) = (Instant::now(), sent(server)?);
        thread::sleep(of);
        Ok((sent(server)? - before) as f64 / begun.elapsed().as_secs_f64() / LINK_OCTETS)
    };
    let _readers = Readers::of(server, big, 8)?;
    thread::sleep(Duration::from_secs(1));
    let alone = part_of_link(Duration::from_secs(1))?;
    if alone < 2.0 {
        return Err(format!("without others NFS has {alone} of what was said of the link"));
    }
    // A file by TFTP, in lock-step: a client that loses its turn is late.
    let url = "tftp://10.77.0.1/image";
    let words = ["--silent", "--max-time", "60", "--tftp-blksize", "1428", "-o", "/dev/null", url];
    let mut loads = server
        .network
        .client
        .command("curl")
        .args(words)
        .spawn()
        .map_err(|error| format!("curl: {error}"))?;
    thread::sleep(Duration::from_secs(2));
    let shared = part_of_link(Duration::from_secs(3));
    let still_loads = loads.try_wait().map_err(fail)?.is_none();
    let _ = loads.kill();
    let _ = loads.wait();
    let shared = shared?;
    // No more than the link, of which a busy host may leave a part unused.
    if !still_loads || !(0.3..1.1).contains(&shared) {
        return Err(format!("with a file under way {shared} of the link is used; it loads: {still_loads}"));
    }
    let status = server.ask(&["status"])?;
    if status["nfs"]["bytes"].as_u64().is_none_or(|octets| octets < 10_000_000) {
        return Err(format!("NFS is not counted: {status}"));
    }
    Ok(())
}

/// Octets that the server's interface has sent.
fn sent(server: &Server) -> Result<u64, String> {
    let text = server.network.server.ask("cat", &["/sys/class/net/eth1/statistics/tx_bytes"])?;
    text.trim().parse().map_err(|_| format!("{text} octets"))
}

/// Clients that read a file without end.
struct Readers(Vec<Child>);

impl Readers {
    fn of(server: &Server, path: &Path, count: usize) -> Result<Self, String> {
        let url = format!("nfs://10.77.0.1{}?version=3", path.display());
        let read = |_| {
            let mut command = server.network.client.command("nfs-cat");
            command.arg(&url).stdout(Stdio::null()).stderr(Stdio::null());
            command.spawn().map_err(|error| format!("nfs-cat: {error}"))
        };
        (0..count).map(read).collect::<Result<_, _>>().map(Self)
    }
}

impl Drop for Readers {
    fn drop(&mut self) {
        for child in &mut self.0 {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}
