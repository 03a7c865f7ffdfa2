use super::*;
use crate::config::Interface;

#[test]
fn each_kind_of_root_is_told_as_the_agent_mounts_it() {
    let cases = [
        ("none", Value::Null),
        (
            "nfs:/srv/heorot/root",
            json!({
                "kind": "nfs", "server": "10.77.0.1", "path": "/srv/heorot/root",
                "options": "vers=3,proto=tcp,nolock,port=12049,mountport=12049",
            }),
        ),
        (
            "nfs:storage:/export/root",
            json!({
                "kind": "nfs", "server": "storage", "path": "/export/root",
                "options": "vers=3,proto=tcp,nolock",
            }),
        ),
        (
            "nfs4:storage:/export/root",
            json!({ "kind": "nfs4", "server": "storage", "path": "/export/root", "options": "proto=tcp" }),
        ),
        (
            "http:images/my+image.squashfs",
            json!({ "kind": "http", "url": "http://10.77.0.1:8080/images/my%2Bimage.squashfs" }),
        ),
        ("http://storage/image.squashfs", json!({ "kind": "http", "url": "http://storage/image.squashfs" })),
    ];
    let server = Ipv4Addr::new(10, 77, 0, 1);
    let interfaces = [Interface { name: "eth1".into(), addresses: vec![(server, 16)] }];
    for (root, told_as) in cases {
        let text = format!(
            "[[network]]\ninterface = \"eth1\"\naddress = \"10.77.0.1/16\"\nnumbers = \"0-1\"\nfirst = \"10.77.1.0\"\n\
             temporary = \"10.77.2.1-10.77.2.9\"\n[nfs]\nport = 12049\n[http]\nport = 8080\n\
             [profile.default]\nroot = \"{root}\"\n"
        );
        let (config, _) =
            Config::parse(&text, &interfaces).unwrap_or_else(|mistakes| panic!("{root}: {mistakes:?}"));
        let profile = config.profiles.get("default").expect("a profile");
        assert_eq!(told(&config, &profile.root, server), told_as, "{root}");
    }
}
