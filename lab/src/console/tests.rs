use super::*;

const LONG: Duration = Duration::from_secs(10);

#[test]
fn lines_are_cleaned_and_found() {
    let console = Console::read(b"\x1b[2J\x1b[1;1Hfirst\r\nsecond up\r\n\x1bcthird up\nopen end".as_slice());
    let found = console.wait_for("up", 0, LONG).expect("a line");
    assert_eq!(found.text, "second up");
    assert_eq!(console.wait_for("up", 2, LONG).expect("a line").text, "third up");
    let lines: Vec<_> = console.lines_from(0).into_iter().map(|line| line.text).collect();
    assert_eq!(lines, ["first", "second up", "third up"]);
    let error = console.wait_for("never", 0, LONG).expect_err("the stream has ended");
    assert!(
        error.contains("ended") && error.contains("| third up") && error.contains("| open end"),
        "{error}"
    );
}

#[test]
fn waiting_ends() {
    let (reader, _writer) = std::io::pipe().expect("a pipe");
    let console = Console::read(reader);
    let error = console.wait_for("never", 0, Duration::from_millis(50)).expect_err("nothing comes");
    assert!(error.contains("passed"), "{error}");
}

#[test]
fn a_line_without_end_is_cut() {
    let console = Console::read(vec![b'x'; MAXIMUM_LINE * 2 + 10].leak() as &[u8]);
    console.wait_for("never", 0, LONG).expect_err("the stream has ended");
    assert_eq!(console.position(), 2);
}
