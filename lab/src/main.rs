//! `heorot-lab`: what `make` calls to show and to check heorot with real clients.

use heorot_lab::demo::{self, Up, machine_mac};
use heorot_lab::machine::{Firmware, Machine, check_firmware};
use heorot_lab::server::{Server, Settings};
use heorot_lab::timeline::Timeline;
use heorot_lab::{kill, loss, packages};
use std::io::Write;
use std::process::ExitCode;
use std::time::{SystemTime, UNIX_EPOCH};

const USAGE: &str = "usage: heorot-lab COMMAND
  fetch              download and unpack the boot files that the lab needs into .lab
  demo               two machines from power-on to a number, names, and a second boot
  boot bios|uefi|uefi-http|uefi-secure  one machine from power-on to a number
  kill [ROUNDS [SEED]]  kill the server at random moments of a boot, 20 times if not told otherwise
  loss [ROUNDS]      a UEFI machine boots through GRUB without loss and with 1 %, 5 times if not told otherwise
";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let mut output = std::io::stdout();
    let (title, outcome) = match words.as_slice() {
        ["fetch"] => ("fetch", fetch()),
        ["demo"] => ("demo", demo::run(&mut output)),
        ["boot", "bios"] => ("boot", boot(Firmware::Bios, &mut output)),
        ["boot", "uefi"] => ("boot", boot(Firmware::Uefi, &mut output)),
        ["boot", "uefi-http"] => ("boot", boot(Firmware::UefiHttp, &mut output)),
        ["boot", "uefi-secure"] => ("boot", boot(Firmware::UefiSecure, &mut output)),
        ["kill"] => ("kill", kill::run(20, seed_of_the_moment(), &mut output)),
        ["kill", rounds, seed @ ..] => {
            match (rounds.parse(), seed.first().map(|seed| seed.parse()).transpose()) {
                (Ok(rounds), Ok(seed)) => {
                    ("kill", kill::run(rounds, seed.unwrap_or_else(seed_of_the_moment), &mut output))
                }
                _ => return usage(),
            }
        }
        ["loss"] => ("loss", loss::run(5, &mut output)),
        ["loss", rounds] => match rounds.parse() {
            Ok(rounds) => ("loss", loss::run(rounds, &mut output)),
            Err(_) => return usage(),
        },
        _ => return usage(),
    };
    let (verdict, detail, code) = match outcome {
        Ok(detail) => ("PASS", detail, ExitCode::SUCCESS),
        Err(detail) => ("FAIL", detail, ExitCode::FAILURE),
    };
    // The verdict is one line, and the last: what explains a failure comes before it.
    let (line, explanation) = detail.split_once('\n').unwrap_or((&detail, ""));
    let _ = write!(output, "{explanation}\n{title}: {verdict} {line}\n");
    code
}

fn usage() -> ExitCode {
    let _ = std::io::stderr().write_all(USAGE.as_bytes());
    ExitCode::from(2)
}

fn fetch() -> Result<String, String> {
    packages::check_installed()?;
    packages::fetch().map(|files| format!("kernel {}", files.kernel().display()))
}

fn boot(firmware: Firmware, output: &mut impl Write) -> Result<String, String> {
    check_firmware(firmware)?;
    let server = Server::start(&settings_for(firmware))?;
    let booted = Machine::start(&server.network, firmware, machine_mac(1)).and_then(|machine| {
        let up = Up::wait(&machine)?;
        let _ = writeln!(output, "{}", Timeline::of(&machine, &server)?);
        Ok(format!("{} in {:.1} s", up.name, up.after.as_secs_f64()))
    });
    server.explain_failure(booted)
}

fn settings_for(firmware: Firmware) -> Settings {
    match firmware {
        Firmware::Bios => Settings::through_pxelinux(),
        Firmware::Uefi | Firmware::UefiHttp => Settings::default(),
        Firmware::UefiSecure => Settings { uefi_loader: "shimx64.efi".to_owned(), ..Settings::default() },
    }
}

fn seed_of_the_moment() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}
