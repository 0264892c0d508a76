//! The sink itself: a script as a text, and what it remembers.

use super::*;

#[tokio::test]
async fn a_sink_does_what_its_text_says() {
    let script = Script::read(
        "# a relay for a rehearsal\noffer PIPELINING\noffer LIMITS MAILMAX=99\ndelay 1ms\nkeep digests\n\
         share 100 once-tempfail # everybody, once\nonly bob@example.net data-554\nrefuse VRFY 252 who knows\n",
    );
    let sink = Sink::start(script.unwrap());
    let mut session = connect_clear(&sink).await;
    assert_eq!(session.capabilities().mail_limit(), Some(99));
    assert_eq!(refusal(send(&mut session, "ada").await), (Stage::Recipient, 451));
    assert_eq!(refusal(send(&mut session, "bob").await), (Stage::Recipient, 451));
    send(&mut session, "ada").await.unwrap();
    assert_eq!(sink.commands(), Vec::<String>::new());
    let messages = sink.messages();
    assert_eq!((messages[0].bytes.len(), messages[0].size), (0, MESSAGE.len()));
    assert_eq!(messages[0].digest, digest(MESSAGE));
}

#[tokio::test]
async fn a_counting_sink_keeps_nothing() {
    let sink = Sink::start(Script::read("keep count\nonly bob@example.net 550\nshare 0 451").unwrap());
    let mut session = connect_clear(&sink).await;
    send(&mut session, "ada").await.unwrap();
    assert_eq!(refusal(send(&mut session, "bob").await), (Stage::Recipient, 550));
    assert_eq!((sink.accepted_count(), sink.messages().len()), (1, 0));
    assert_eq!(Script::read("keep bodies").unwrap().keep, Keep::Bodies);
}

#[test]
fn a_text_that_says_nothing_known_is_refused_by_line() {
    for bad in ["offre X", "delay 5", "share 5 nice", "keep all", "lie white", "tls maybe", "refuse MAIL", "lose 5 by"]
    {
        let refused = Script::read(&format!("\n{bad}")).unwrap_err();
        assert!(refused.contains("line 2") && refused.contains(bad), "{refused}");
    }
    for good in
        ["lie endless-replies", "tls starttls", "login PLAIN ada secret", "lose 5 reset", "record a.tsv", "greylist 3"]
    {
        Script::read(good).unwrap();
    }
}

#[tokio::test]
async fn the_sink_takes_no_bdat_that_breaks_the_rules() {
    let sink = Sink::start(chunking(vec![]));
    let mut stream = TcpStream::connect(("127.0.0.1", sink.port())).await.unwrap();
    let opening = "MAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\n";
    let dialogue = [
        "EHLO x\r\nBDAT 2 LAST\r\nab",
        &format!("RSET\r\n{opening}BDAT 2\r\nabDATA\r\n"),
        "BDAT x\r\nBDAT 1 FIRST\r\n",
        &format!("BDAT 2 LAST\r\ncd{opening}DATA\r\n.\r\nQUIT\r\n"),
    ];
    stream.write_all(dialogue.concat().as_bytes()).await.unwrap();
    let mut said = String::new();
    stream.read_to_string(&mut said).await.unwrap();
    let codes: Vec<&str> = said.lines().filter(|line| line.as_bytes()[3] == b' ').map(|line| &line[..3]).collect();
    let wanted = "220 250 554 250 250 250 250 503 501 501 250 250 250 354 250 221";
    assert_eq!(codes.join(" "), wanted);
    assert_eq!(sink.messages()[0].bytes, b"abcd");
}
