use super::*;
use heorot_core::service::view::RefusalView;

fn change(nodes: &str, field: &str, before: Option<&str>, after: Option<&str>) -> FieldChangeView {
    let text = |text: Option<&str>| text.map(str::to_owned);
    FieldChangeView { nodes: nodes.into(), field: field.into(), before: text(before), after: text(after) }
}

#[test]
fn a_difference_is_told_once_for_all_nodes_that_it_is_of() {
    let view = ChangeView {
        changes: vec![
            change("node[0-9]", "profile", Some("default"), Some("new")),
            change("node10", "profile", Some("old"), Some("new")),
            change("node[0-9]", "attributes.rack", None, Some("a7")),
            change("node[0-9]", "attributes.row", Some("3"), None),
        ],
        ..ChangeView::default()
    };
    assert_eq!(
        difference(&view),
        "node10\n- profile: old\n+ profile: new\n\
         node[0-9]\n- profile: default\n+ profile: new\n+ attributes.rack: a7\n- attributes.row: 3\n"
    );
}

#[test]
fn settings() {
    let parsed = |settings: &[&str]| {
        let settings: Vec<_> = settings.iter().map(|setting| (*setting).to_owned()).collect();
        parse(&settings)
    };
    let (profile, attributes) = parsed(&["profile=new", "attributes.rack=a=7", "attributes.row="]).unwrap();
    assert_eq!(profile.as_deref(), Some("new"));
    let attributes: Vec<_> = attributes.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    assert_eq!(attributes, [("rack", "a=7"), ("row", "")]);
    for (settings, problem) in [
        (&["profile"][..], "profile: it is written KEY=VALUE"),
        (&["kernel=x"], "kernel=x: there is profile=NAME and attributes.NAME=VALUE to be set"),
        (&["profile=a", "profile=b"], "profile is set twice"),
    ] {
        assert_eq!(parsed(settings).unwrap_err(), problem);
    }
}

#[test]
fn whoever_could_not_be_changed_makes_the_command_fail() {
    let how = |output| How { dry_run: false, yes: true, output, control: PathBuf::new() };
    let refused = RefusalView { nodes: "node3".into(), why: "it is not retired".into() };
    for (refused, expected) in [(vec![], Exit::Ok), (vec![refused], Exit::Failed)] {
        let view = ChangeView { refused, ..ChangeView::default() };
        let answer = serde_json::to_string(&view).unwrap();
        for output in [Form::Table, Form::Json] {
            assert_eq!(show(Ok(answer.clone()), &how(output), true), expected);
        }
    }
    assert_eq!(show(Ok("[]".into()), &how(Form::Table), true), Exit::Failed);
}
