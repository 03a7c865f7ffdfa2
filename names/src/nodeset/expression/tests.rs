use super::*;

#[test]
fn what_fits() {
    let table: &[(&str, &[&str], &[&str])] = &[
        ("/node/", &["node1", "xnodex"], &["nod", ""]),
        ("/^node1$/", &["node1"], &["node12", "xnode1"]),
        ("/node1.*/", &["node1", "node12"], &["node2"]),
        ("/^n(1|22|)$/", &["n1", "n22", "n"], &["n2", "n122"]),
        ("/[13-5]$/", &["n1", "n4"], &["n2", "n6"]),
        ("/^n[^13-5]$/", &["n2", "n-"], &["n1", "n4", "n"]),
        ("/^a[-x]+$/", &["a-", "ax-x"], &["a", "ay"]),
        (r"/^n\d{2,3}$/", &["n12", "n123"], &["n1", "n1234"]),
        (r"/^n\d{2}$/", &["n12"], &["n1", "n123"]),
        (r"/^n\d{2,}$/", &["n12", "n12345"], &["n1"]),
        (r"/^\D+\d?$/", &["n", "n1"], &["n12"]),
        (r"/a\-b/", &["a-b"], &["ab"]),
        (r"/^(ab){2}c?$/", &["abab", "ababc"], &["ab", "ababab"]),
        ("/NODE/", &["node1"], &[]),
        ("//", &["", "anything"], &[]),
        ("/(a*)*b/", &["b", "aab"], &["a"]),
    ];
    for (text, fit, others) in table {
        let expression = Expression::parse(text).unwrap_or_else(|e| panic!("{text}: {e}"));
        for name in *fit {
            assert!(expression.fits(name), "{text} {name}");
        }
        for name in *others {
            assert!(!expression.fits(name), "{text} {name}");
        }
    }
    for (text, fit, other) in [
        ("node*", "node12", "xnode1"),
        ("n?de1", "node1", "node12"),
        ("*-ib", "node1-ib", "node1"),
        ("N*", "n1", "m"),
    ] {
        let expression = Expression::wildcards(text).unwrap();
        assert!(expression.fits(fit) && !expression.fits(other), "{text}");
    }
}

#[test]
fn what_is_no_expression() {
    use ExpressionError as E;
    let long = format!("/{}/", "x".repeat(257));
    let deep = format!("/{}{}/", "(".repeat(17), ")".repeat(17));
    let table = [
        ("/node", E::Slash),
        ("/a/b/", E::Slash),
        ("/(a/", E::Unbalanced),
        ("/a)/", E::Unbalanced),
        ("/[a/", E::Unbalanced),
        ("/a{2/", E::Unbalanced),
        ("/*a/", E::Repetition),
        ("/^*/", E::Repetition),
        ("/a{}/", E::Repetition),
        ("/a{3,2}/", E::Repetition),
        ("/a{999}/", E::Repetition),
        (r"/\b/", E::Escape),
        (&long, E::TooLong),
        (&deep, E::TooLong),
        ("/((((a{99}){99}){99}){99})/", E::TooLong),
    ];
    for (text, error) in table {
        assert_eq!(Expression::parse(text).err(), Some(error), "{text}");
    }
}
