use super::*;

#[test]
fn a_lease_goes_through_the_change_of_root_as_it_was() {
    let lease = lease_of(Ipv4Addr::new(10, 77, 1, 0));
    let url = "http://10.77.0.1:80/node/t0k".parse().expect("a URL");
    let left = Handover::new(&url, Mac([2, 0, 0, 0, 0, 1]), Some("node0"), "head:/root by NFS 3", &lease);
    let text = serde_json::to_string(&left).expect("written");
    let taken: Handover = serde_json::from_str(&text).expect(&text);
    assert_eq!(taken, left);
    assert_eq!(taken.url.parse::<Url>(), Ok(url));

    let mut again = taken.lease();
    let about =
        |one: Instant, other: Instant| one.max(other).duration_since(one.min(other)) < Duration::from_secs(3);
    assert!(about(again.renew_at, lease.renew_at), "{again:?} {lease:?}");
    assert!(about(again.rebind_at, lease.rebind_at), "{again:?} {lease:?}");
    assert!(about(again.expires_at, lease.expires_at), "{again:?} {lease:?}");
    (again.renew_at, again.rebind_at, again.expires_at) = (lease.renew_at, lease.rebind_at, lease.expires_at);
    assert_eq!(again, lease);
}

#[test]
fn an_agent_that_is_started_again_goes_on_with_the_lease_as_it_is_by_then() {
    let path = std::env::temp_dir().join(format!("heorot-handover-{}.json", std::process::id()));
    let url = "http://10.77.0.1:80/node/t0k".parse().expect("a URL");
    let lease = lease_of(Ipv4Addr::new(10, 77, 1, 0));
    let mut left = Handover::new(&url, Mac([2, 0, 0, 0, 0, 1]), Some("node0"), "head:/root by NFS 3", &lease);
    left.write(&path).expect("written");
    let moved = lease_of(Ipv4Addr::new(10, 77, 1, 9));
    left.lease = Written::of(&moved);
    left.write(&path).expect("written over what was there");
    let taken = Handover::read(&path).expect("whole");
    let mode = std::os::unix::fs::PermissionsExt::mode(&fs::metadata(&path).expect("there").permissions());
    fs::remove_file(&path).expect("there");
    assert_eq!((taken.lease().address, taken.url.as_str()), (moved.address, "http://10.77.0.1:80/node/t0k"));
    assert_eq!(mode & 0o777, 0o600, "the token in it is for root alone");
}

fn lease_of(address: Ipv4Addr) -> Lease {
    let after = |seconds| Instant::now() + Duration::from_secs(seconds);
    Lease {
        address,
        prefix: 16,
        server: Ipv4Addr::new(10, 77, 0, 1),
        router: None,
        name_servers: vec![Ipv4Addr::new(10, 77, 0, 1)],
        domain: Some("cluster".to_owned()),
        mtu: Some(9000),
        renew_at: after(100),
        rebind_at: after(200),
        expires_at: after(300),
    }
}
