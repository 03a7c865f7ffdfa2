//! Names without asking anybody: glibc with libnss_heorot.so.2 on a head node, and the tools that read what `heorot export` writes.

use heorot_lab::command::run;
use heorot_lab::server::program;
use std::collections::BTreeMap;
use std::process::Command;
use std::time::Duration;

/// Longer than a debug build takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(180);

const CONFIGURATION: &str = r#"
[server]
state = "/run/state"
control = "/run/heorot/control.sock"
[boot]
directory = "/run/boot"
[[network]]
interface = "eth1"
numbers = "0-4095"
first = "10.77.1.0"
temporary = "10.77.200.1-10.77.203.254"
[profile.default]
kernel = "vmlinuz"
[[node]]
mac = "52:54:00:00:00:17"
number = 23
name = "login"
[[node]]
mac = "52:54:00:00:00:05"
number = 5
[[host]]
mac = "52:54:00:00:00:99"
name = "switch"
address = "10.77.0.9"
[groups]
rack1 = "node[0-31]"
gpu = ["node[4-7]", "login"]
"#;

/// Runs commands on a head node. What each said, by command.
fn head_node(commands: &[&str]) -> Result<BTreeMap<String, String>, String> {
    let heorot = program()?;
    let mut command = Command::new("unshare");
    command.args(["--mount", "--net", "--pid", "--fork", "--kill-child", "sh", "-c"]);
    command.args([include_str!("nss/head_node.sh"), "sh"]);
    command.arg(&heorot).arg(heorot.with_file_name("libnss_heorot.so")).arg(CONFIGURATION).args(commands);
    let said = run(&mut command, PATIENCE)?;
    let parts = said.split("--- ").skip(1).filter_map(|part| part.split_once('\n'));
    let parts: BTreeMap<String, String> =
        parts.map(|(command, said)| (command.to_owned(), said.trim_end().to_owned())).collect();
    if parts.len() == commands.len() { Ok(parts) } else { Err(said) }
}

fn expect(table: &[(&str, &str)]) -> Result<(), String> {
    let commands: Vec<_> = table.iter().map(|(command, _)| *command).collect();
    let said = head_node(&commands)?;
    let wrong = |(command, expected): &&(&str, &str)| said[*command] != *expected;
    table.iter().find(wrong).map_or(Ok(()), |(command, expected)| {
        Err(format!("{command}: {:?} instead of {expected:?}", said[*command]))
    })
}

#[test]
fn glibc_resolves_names() -> Result<(), String> {
    expect(&[
        ("getent hosts node24", "10.77.1.24      node24.cluster node24"),
        ("getent hosts NODE4095.cluster", "10.77.16.255    node4095.cluster node4095"),
        ("getent hosts node4096", "exit code 2"),
        ("getent hosts node23", "10.77.1.23      login.cluster login node23.cluster node23"),
        ("getent hosts 10.77.16.255", "10.77.16.255    node4095.cluster node4095"),
        ("getent hosts 10.77.0.9", "10.77.0.9       switch.cluster switch"),
        ("getent hosts master", "10.77.0.1       heorot.cluster heorot master.cluster master"),
        ("getent hosts self", "10.77.0.1       heorot.cluster heorot master.cluster master"),
        ("getent ahosts login | head -1", "10.77.1.23      STREAM login.cluster"),
        ("getent hosts | wc -l", "4098"),
        (
            "getent netgroup gpu",
            "gpu                   (node4,-,) (node5,-,) (node6,-,) (node7,-,) (login,-,)",
        ),
        ("getent netgroup cluster | tr ')' '\\n' | grep -c node", "4095"),
        ("getent ethers node5 52:54:00:00:00:17", "52:54:0:0:0:5 node5\n52:54:0:0:0:17 login"),
        ("getent networks 10.77.0.0", "cluster               10.77.0.0"),
        // A static program loads the module too, and a member is one as nobody's user.
        ("/run/ask-static node24", "node24.cluster 10.77.1.24 1 0"),
        ("/run/ask-static node32", "node32.cluster 10.77.1.32 0 0"),
        ("/run/getent-setuid hosts node24", "10.77.1.24      node24.cluster node24"),
        ("readlink /etc/heorot/names", "/run/heorot/names"),
        ("stat -c '%U %a' /run/heorot/names", "heorot 644"),
        // Names change as the configuration does.
        (
            "sed -i 's/^rack1.*/rack1 = \"node[40-41]\"/' /run/heorot.toml && kill -HUP $server && sleep 2 && getent netgroup rack1",
            "rack1                 (node40,-,) (node41,-,)",
        ),
        // And stay when nothing runs.
        ("kill $server; wait $server; getent hosts node24", "10.77.1.24      node24.cluster node24"),
        ("getent hosts master self | sort -u", "10.77.0.1       heorot.cluster heorot master.cluster master"),
    ])
}

#[test]
fn other_tools_read_the_table() -> Result<(), String> {
    // The file of groups is the one of the configuration's table; the source that is asked as needed, the one that is shipped.
    let shipped = heorot_lab::directory::workspace().join("packaging/clustershell/heorot.conf");
    let groups = format!(
        "mkdir -p /etc/clustershell/groups.d /etc/clustershell/groups.conf.d && cd /etc/clustershell && \
        printf '[Main]\\ndefault: file\\nautodir: /etc/clustershell/groups.d\\nconfdir: /etc/clustershell/groups.conf.d\\n' > groups.conf && \
        heorot export clustershell --config /run/heorot.toml | sed s/^heorot:/file:/ > groups.d/file.yaml && \
        cp {} groups.conf.d/",
        shipped.display()
    );
    const SCRIPT: &str = "printf '#!/bin/sh\\nexec heorot export ansible --config /run/heorot.toml \"$@\"\\n' > /run/inventory && chmod +x /run/inventory";
    const GPU: &str = "@gpu:\n  |--node4\n  |--node5\n  |--node6\n  |--node7\n  |--login";
    expect(&[
        (groups.as_str(), ""),
        ("nodeset -f @gpu", "login,node[4-7]"),
        ("nodeset -c '@*'", "4096"),
        ("nodeset -f @heorot:gpu", "login,node[4-7]"),
        ("nodeset -f @heorot:*", "login,node5"),
        ("nodeset -f @state:up", ""),
        ("nodeset -s state -l | sort | head -2", "@state:booting\n@state:denied"),
        ("nodeset -l -s heorot | sort", "@heorot:gpu\n@heorot:rack1"),
        // A file of before has states whose machines have no names: whoever lists all groups gets them all.
        (
            "sed -i 's/list: echo ready.*/list: echo seen failed up/' /etc/clustershell/groups.conf.d/heorot.conf && \
            nodeset -LL 2> /dev/null > /run/states && grep -c ^@state: /run/states",
            "3",
        ),
        (
            "heorot export genders --config /run/heorot.toml > /run/genders; nodeattr -f /run/genders -q gpu",
            "login,node[4-7]",
        ),
        ("nodeattr -f /run/genders -v login number", "23"),
        (
            "heorot export ansible --config /run/heorot.toml > /run/hosts.json; ansible-inventory -i /run/hosts.json --graph gpu",
            GPU,
        ),
        (SCRIPT, ""),
        ("ansible-inventory -i /run/inventory --graph gpu", GPU),
        (
            "ansible-inventory -i /run/inventory --host login | grep -c '\"ansible_host\": \"10.77.1.23\"'",
            "1",
        ),
        (
            "heorot export dnsmasq > /run/dnsmasq.conf; dnsmasq --test -C /run/dnsmasq.conf",
            "dnsmasq: syntax check OK.",
        ),
        ("heorot export slurm", "NodeName=node5,login Feature=gpu,rack1 State=UNKNOWN"),
        (
            "heorot export hosts > /etc/hosts; getent -s files hosts login",
            "10.77.1.23      login.cluster login node23.cluster node23",
        ),
        ("heorot export ethers", "52:54:00:00:00:05 node5\n52:54:00:00:00:17 login"),
        ("heorot nodeset '@rack1!@gpu'", "node[0-3,8-22,24-31]"),
        ("echo 'node3 node[4-5] # three' | heorot nodeset -e -S, -x node4 -", "node3,node5"),
        (
            "heorot nodeset 'node[5-3]'",
            "heorot: node[5-3]: \"5-3\": a range goes from the lower number to the higher\nexit code 2",
        ),
    ])
}
