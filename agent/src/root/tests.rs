use super::*;

#[test]
fn roots_are_what_the_server_tells() {
    let share = |options: &str| Share {
        server: "10.77.0.1".to_owned(),
        path: "/srv/root".to_owned(),
        options: options.to_owned(),
    };
    let cases = [
        (
            r#"{"kind":"nfs","server":"10.77.0.1","path":"/srv/root","options":"vers=3,port=2049"}"#,
            Root::Nfs(share("vers=3,port=2049")),
        ),
        (r#"{"kind":"nfs4","server":"10.77.0.1","path":"/srv/root"}"#, Root::Nfs4(share(""))),
        (r#"{"kind":"http","url":"http://10.77.0.1/a"}"#, Root::Http { url: "http://10.77.0.1/a".into() }),
        (r#"{"kind":"iscsi","target":"x"}"#, Root::Unknown),
    ];
    for (json, root) in cases {
        assert_eq!(serde_json::from_str::<Root>(json).expect(json), root, "{json}");
    }
}

#[test]
fn a_url_may_name_its_host_and_nothing_else() {
    let mut modules = Modules::default();
    let here = Here { modules: &mut modules, name_servers: &[], domain: None, overlay: &Overlay::Usual };
    let url = here.url("http://10.77.0.1:8080/image").expect("a URL");
    assert_eq!((url.server.port(), url.path.as_str()), (8080, "/image"));
    for text in ["https://10.77.0.1/image", "image.squashfs", "http://head:port/x"] {
        assert!(matches!(here.url(text), Err(Trouble::Final(_))), "{text}");
    }
    // Nobody can be asked for its name here.
    assert!(matches!(here.url("http://head/image"), Err(Trouble::Waiting(_))));
}
