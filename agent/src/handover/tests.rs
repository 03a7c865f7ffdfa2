use super::*;

#[test]
fn a_lease_goes_through_the_change_of_root_as_it_was() {
    let now = Instant::now();
    let after = |seconds| now + Duration::from_secs(seconds);
    let lease = Lease {
        address: Ipv4Addr::new(10, 77, 1, 0),
        prefix: 16,
        server: Ipv4Addr::new(10, 77, 0, 1),
        router: None,
        name_servers: vec![Ipv4Addr::new(10, 77, 0, 1)],
        domain: Some("cluster".to_owned()),
        mtu: Some(9000),
        renew_at: after(100),
        rebind_at: after(200),
        expires_at: after(300),
    };
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
