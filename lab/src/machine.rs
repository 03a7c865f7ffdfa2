//! A machine in QEMU, emulated in software, that boots from its network card.

use crate::console::{Console, Line};
use crate::directory::Scratch;
use crate::network::Network;
use crate::qmp::Monitor;
use heorot_agent::frame::Mac;
use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant, SystemTime};

/// Which firmware a machine has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Firmware {
    /// SeaBIOS, with iPXE as the network card's ROM.
    Bios,
    /// OVMF, with its own network stack: PXE first.
    Uefi,
    /// The same, and it boots by HTTP only.
    UefiHttp,
    /// OVMF with Secure Boot and Microsoft's keys, as machines are sold: what is not signed is not started.
    UefiSecure,
}

impl Firmware {
    /// OVMF's code, and the variables that a new machine has.
    fn ovmf(self) -> Option<(&'static str, &'static str)> {
        match self {
            Self::Bios => None,
            Self::Uefi | Self::UefiHttp => {
                Some(("/usr/share/OVMF/OVMF_CODE_4M.fd", "/usr/share/OVMF/OVMF_VARS_4M.fd"))
            }
            Self::UefiSecure => {
                Some(("/usr/share/OVMF/OVMF_CODE_4M.ms.fd", "/usr/share/OVMF/OVMF_VARS_4M.ms.fd"))
            }
        }
    }
}

/// A running machine. It is switched off with its value.
#[derive(Debug)]
pub struct Machine {
    /// Its hardware address.
    pub mac: Mac,
    /// Its serial console.
    pub console: Console,
    /// When it was last switched on.
    pub powered_at: Instant,
    /// The same by the wall clock, to lay beside the server's records.
    pub powered_at_wall: SystemTime,
    /// The console's position when it was last switched on.
    position: usize,
    process: Child,
    monitor: Monitor,
    // Removed last: QEMU's sockets and firmware variables are in it.
    _scratch: Scratch,
}

impl Machine {
    /// A new machine, switched on.
    ///
    /// # Errors
    /// In words, if QEMU cannot be started.
    pub fn start(network: &Network, firmware: Firmware, mac: Mac) -> Result<Self, String> {
        let mut machine = Self::new(network, firmware, mac)?;
        machine.power_on()?;
        Ok(machine)
    }

    /// A new machine that waits for its power, so that several can be switched on in one moment.
    ///
    /// # Errors
    /// In words, if QEMU cannot be started.
    pub fn new(network: &Network, firmware: Firmware, mac: Mac) -> Result<Self, String> {
        let scratch = Scratch::new()?;
        let mut command = qemu(network, mac, &scratch)?;
        let card = format!("virtio-net-pci,netdev=net0,mac={mac},bootindex=1");
        match firmware.ovmf() {
            // Without graphics SeaBIOS and its ROMs speak on the serial port.
            None => {
                command.args(["-machine", "pc,graphics=off", "-device", &card]);
            }
            // Without a ROM of its own, OVMF drives the card.
            Some((code, new_variables)) => {
                let variables = scratch.join("variables.fd");
                fs::copy(new_variables, &variables).map_err(|error| format!("{new_variables}: {error}"))?;
                // Secure Boot's variables are kept by code that runs in system management mode alone.
                let machine = if firmware == Firmware::UefiSecure { "q35,smm=on" } else { "q35" };
                command.args(["-machine", machine, "-device", &format!("{card},romfile=")]);
                if firmware == Firmware::UefiSecure {
                    command.args(["-global", "driver=cfi.pflash01,property=secure,value=on"]);
                }
                if firmware == Firmware::UefiHttp {
                    for version in ["IPv4", "IPv6"] {
                        let without = format!("name=opt/org.tianocore/{version}PXESupport,string=n");
                        command.args(["-fw_cfg", &without]);
                    }
                }
                command.arg("-drive").arg(format!("if=pflash,format=raw,readonly=on,file={code}"));
                command.arg("-drive").arg(format!("if=pflash,format=raw,file={}", variables.display()));
                // OVMF wants randomness for its network stack's sequence numbers.
                command.args([
                    "-object",
                    "rng-random,id=rng0,filename=/dev/urandom",
                    "-device",
                    "virtio-rng-pci,rng=rng0",
                ]);
            }
        }
        Self::spawn(command, mac, scratch)
    }

    /// A new machine, switched on, that starts this kernel with this initial RAM disk at once, without firmware that looks for them by network.
    ///
    /// # Errors
    /// In words, if QEMU cannot be started.
    pub fn start_kernel(
        network: &Network,
        (kernel, initrd): (&Path, &Path),
        command_line: &str,
        mac: Mac,
    ) -> Result<Self, String> {
        let scratch = Scratch::new()?;
        let mut command = qemu(network, mac, &scratch)?;
        command.args(["-machine", "pc,graphics=off", "-device"]);
        command.arg(format!("virtio-net-pci,netdev=net0,mac={mac},romfile="));
        command.arg("-kernel").arg(kernel).arg("-initrd").arg(initrd).args(["-append", command_line]);
        let mut machine = Self::spawn(command, mac, scratch)?;
        machine.power_on()?;
        Ok(machine)
    }

    fn spawn(mut command: Command, mac: Mac, scratch: Scratch) -> Result<Self, String> {
        let (socket, errors) = (scratch.join("monitor"), scratch.join("errors"));
        let errors_file =
            fs::File::create(&errors).map_err(|error| format!("{}: {error}", errors.display()))?;
        let (powered_at, powered_at_wall) = (Instant::now(), SystemTime::now());
        let mut process = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(errors_file)
            .spawn()
            .map_err(|error| format!("qemu-system-x86_64: {error}"))?;
        let console = Console::read(process.stdout.take().expect("stdout is piped"));
        let monitor = Monitor::connect(&socket).map_err(|error| {
            let _ = process.kill();
            let _ = process.wait();
            format!("{error}\n{}", fs::read_to_string(&errors).unwrap_or_default())
        })?;
        Ok(Self {
            mac,
            console,
            powered_at,
            powered_at_wall,
            position: 0,
            process,
            monitor,
            _scratch: scratch,
        })
    }

    /// Switches it on.
    ///
    /// # Errors
    /// In words, if QEMU does not answer.
    pub fn power_on(&mut self) -> Result<(), String> {
        (self.powered_at, self.powered_at_wall) = (Instant::now(), SystemTime::now());
        self.monitor.command("cont")
    }

    /// Switches it off and on, as far as its software can tell.
    ///
    /// # Errors
    /// In words, if QEMU does not answer.
    pub fn power_cycle(&mut self) -> Result<(), String> {
        self.position = self.console.position();
        (self.powered_at, self.powered_at_wall) = (Instant::now(), SystemTime::now());
        self.monitor.command("system_reset")
    }

    /// Presses a key of its keyboard; the name is QEMU's, as `f8` or `ret`.
    ///
    /// # Errors
    /// In words, if QEMU does not answer.
    pub fn press(&mut self, key: &str) -> Result<(), String> {
        self.monitor.press(key)
    }

    /// Waits for a line on its console since it was last switched on.
    ///
    /// # Errors
    /// If it does not come within `patience`: with the console's last lines.
    pub fn wait_for(&self, text: &str, patience: Duration) -> Result<Line, String> {
        let mac = self.mac;
        self.console
            .wait_for(text, self.position, patience)
            .map_err(|error| format!("machine {mac}: {error}"))
    }

    /// What it wrote since it was last switched on.
    #[must_use]
    pub fn lines(&self) -> Vec<Line> {
        self.console.lines_from(self.position)
    }

    /// How long it has been running when `at` came.
    #[must_use]
    pub fn elapsed(&self, at: Instant) -> Duration {
        at.saturating_duration_since(self.powered_at)
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// QEMU with what all machines have, but for their firmware and network card.
fn qemu(network: &Network, mac: Mac, scratch: &Scratch) -> Result<Command, String> {
    let tap = network.tap()?;
    let mut command = network.segment.command("qemu-system-x86_64");
    command.args(["-S", "-nodefaults", "-display", "none", "-monitor", "none", "-serial", "stdio"]);
    command.args(["-accel", "tcg,thread=multi", "-m", "512", "-smp", "1", "-no-user-config"]);
    command.arg("-uuid").arg(uuid(mac));
    command.arg("-qmp").arg(format!("unix:{},server=on,wait=off", scratch.join("monitor").display()));
    command.arg("-netdev").arg(format!("tap,id=net0,ifname={tap},script=no,downscript=no"));
    Ok(command)
}

/// Says what is missing for a kind of firmware.
///
/// # Errors
/// In words, with the package to install.
pub fn check_firmware(firmware: Firmware) -> Result<(), String> {
    let (file, package) = match firmware.ovmf() {
        None => ("/usr/lib/ipxe/qemu/pxe-virtio.rom", "ipxe-qemu"),
        Some((code, _)) => (code, "ovmf"),
    };
    if Path::new(file).exists() { Ok(()) } else { Err(format!("{file} is missing: install {package}")) }
}

/// A UUID that tells machines apart, made of the hardware address.
fn uuid(mac: Mac) -> String {
    let digits = mac.to_string().replace(':', "");
    format!("68656f72-6f74-4c61-8000-{digits}")
}
