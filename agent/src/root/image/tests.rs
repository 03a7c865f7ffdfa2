use super::*;
use std::io::Write;
use std::net::TcpListener;

#[test]
fn the_first_bytes_tell_what_a_file_is() {
    let mut erofs = vec![0; 1028];
    erofs[1024..].copy_from_slice(&[0xe2, 0xe1, 0xf5, 0xe0]);
    let cases: [(&[u8], Option<Form>); 7] = [
        (b"hsqs....", Some(Form::Squashfs)),
        (&erofs, Some(Form::Erofs)),
        (b"0707010000", Some(Form::Cpio)),
        (&[0x1f, 0x8b, 8], Some(Form::Gzip)),
        (b"<html>", None),
        (&[0x28, 0xb5, 0x2f, 0xfd], None),
        (b"", None),
    ];
    for (head, form) in cases {
        assert_eq!(Form::of(head), form, "{head:?}");
    }
}

/// Answers connection after connection with these texts, and returns the URL.
fn serve(answers: &[&'static str]) -> Url {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let answers = answers.to_vec();
    thread::spawn(move || {
        for answer in answers {
            let (mut stream, _) = listener.accept().expect("a connection");
            let mut asked = Vec::new();
            while !asked.ends_with(b"\r\n\r\n") {
                let mut byte = [0];
                stream.read_exact(&mut byte).expect("a request");
                asked.extend(byte);
            }
            stream.write_all(answer.as_bytes()).expect("written");
        }
    });
    format!("http://127.0.0.1:{port}/image").parse().expect("a URL")
}

fn read(url: &Url) -> Result<String, String> {
    let mut text = String::new();
    Resuming::open(url)?.read_to_string(&mut text).map_err(|error| error.to_string())?;
    Ok(text)
}

#[test]
fn a_download_that_breaks_off_goes_on() {
    let url = serve(&[
        "HTTP/1.1 200 OK\r\nETag: \"1\"\r\nContent-Length: 10\r\n\r\n0123",
        "HTTP/1.1 503 Later\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 206 Partial Content\r\nETag: \"1\"\r\nContent-Length: 6\r\n\r\n456789",
    ]);
    assert_eq!(read(&url), Ok("0123456789".to_owned()));
}

#[test]
fn a_file_that_is_another_one_meanwhile_is_not_mixed_with_the_first() {
    let url = serve(&[
        "HTTP/1.1 200 OK\r\nETag: \"1\"\r\nContent-Length: 10\r\n\r\n0123",
        "HTTP/1.1 200 OK\r\nETag: \"2\"\r\nContent-Length: 10\r\n\r\nabcdefghij",
    ]);
    assert!(read(&url).is_err_and(|why| why.contains("another file")));
}

#[test]
fn a_file_that_is_not_there_is_said_so() {
    let url = serve(&["HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"]);
    assert_eq!(read(&url), Err("the server says 404".to_owned()));
}
