use std::io::{Read, Write};
use std::net::TcpListener;

use super::*;

/// A server that answers each connection with the next of some texts; returns where it is.
fn server(answers: &'static [&'static str]) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for answer in answers {
            let (mut stream, _) = listener.accept().unwrap();
            let mut head = [0; 2048];
            let _ = stream.read(&mut head);
            let _ = stream.write_all(answer.replace("{here}", &address.to_string()).as_bytes());
        }
    });
    address
}

fn status(reach: Reach, url: &str) -> Result<u16, EgressError> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(Client::new(reach).status(url))
}

#[test]
fn a_page_that_is_there_and_one_that_is_gone_are_told_apart() {
    let here = server(&["HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n"]);
    assert_eq!(status(Reach::Anywhere, &format!("http://{here}/a?b=c")), Ok(200));
    let here = server(&["HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n"; 2]);
    assert_eq!(status(Reach::Anywhere, &format!("http://{here}/")), Ok(404));
}

#[test]
fn a_server_that_knows_no_head_is_asked_again() {
    let here = server(&[
        "HTTP/1.1 405 Method Not Allowed\r\ncontent-length: 0\r\n\r\n",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n",
    ]);
    assert_eq!(status(Reach::Anywhere, &format!("http://{here}/")), Ok(200));
}

#[test]
fn redirects_are_followed_and_not_for_ever() {
    let here = server(&[
        "HTTP/1.1 301 Moved\r\nlocation: http://{here}/b\r\ncontent-length: 0\r\n\r\n",
        "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n",
    ]);
    assert_eq!(status(Reach::Anywhere, &format!("http://{here}/")), Ok(200));
    let here = server(&["HTTP/1.1 302 Found\r\nlocation: /again\r\ncontent-length: 0\r\n\r\n"; 8]);
    assert_eq!(status(Reach::Anywhere, &format!("http://{here}/")), Err(EgressError::Redirects));
}

#[test]
fn nothing_private_is_asked_in_any_spelling() {
    for host in [
        "127.0.0.1",
        "localhost",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "2130706433",
        "0x7f.1",
        "0",
        "10.1",
        "169.254.169.254",
    ] {
        let answer = status(Reach::Public, &format!("http://{host}:9/"));
        assert!(matches!(answer, Err(EgressError::Private(_))), "{host}: {answer:?}");
    }
}

#[test]
fn what_is_no_web_page_is_not_asked_for() {
    for url in ["ftp://a.example/", "file:///etc/passwd", "http://", "x"] {
        assert!(matches!(status(Reach::Anywhere, url), Err(EgressError::Address(_))), "{url}");
    }
    let here = server(&["220 mail ESMTP\r\n", "220 mail ESMTP\r\n"]);
    assert!(matches!(status(Reach::Anywhere, &format!("http://{here}/")), Err(EgressError::NoAnswer(_))));
    assert!(matches!(status(Reach::Public, "http://no-such-host.invalid/"), Err(EgressError::NoHost(_))));
}
