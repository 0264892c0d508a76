//! The tests' own long wire: it delays without throttling, stalls, and cuts where it is told to.

use std::io::{ErrorKind, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crate::support::proxy::{Cut, Loss, Proxy, Wire};

const DELAY: Duration = Duration::from_millis(60);

/// A server that sends back what it gets, and at the end tells how much that was.
fn echo() -> (SocketAddr, JoinHandle<u64>) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let address = listener.local_addr().unwrap();
    let serving = thread::spawn(move || {
        let (stream, _) = listener.accept().unwrap();
        let (mut read, mut write) = (stream.try_clone().unwrap(), stream);
        let (mut buffer, mut total) = ([0; 4096], 0);
        loop {
            match read.read(&mut buffer) {
                Ok(0) | Err(_) => return total,
                Ok(n) => {
                    total += n as u64;
                    if write.write_all(&buffer[..n]).is_err() {
                        return total;
                    }
                }
            }
        }
    });
    (address, serving)
}

fn connect(proxy: &Proxy) -> TcpStream {
    TcpStream::connect((Ipv4Addr::LOCALHOST, proxy.port())).unwrap()
}

fn numbers(count: u32) -> Vec<u8> {
    (0..count).flat_map(u32::to_le_bytes).collect()
}

#[test]
fn the_wire_delays_each_direction_and_carries_many_pieces_at_once_in_order() {
    let (target, server) = echo();
    let proxy = Proxy::start(target, Wire { delay: DELAY, ..Wire::default() }).unwrap();
    let start = Instant::now();
    let mut client = connect(&proxy);
    let sent = numbers(100_000);
    let mut writing = client.try_clone().unwrap();
    let pieces = sent.clone();
    let writer = thread::spawn(move || {
        for piece in pieces.chunks(40_000) {
            writing.write_all(piece).unwrap();
            thread::sleep(Duration::from_millis(2));
        }
        writing.shutdown(std::net::Shutdown::Write).unwrap();
    });
    let mut first = [0; 4];
    client.read_exact(&mut first).unwrap();
    assert!(start.elapsed() >= DELAY * 5, "three delays to connect, one there, one back: {:?}", start.elapsed());
    let mut received = first.to_vec();
    client.read_to_end(&mut received).unwrap();
    writer.join().unwrap();
    assert_eq!(received, sent);
    assert_eq!(server.join().unwrap(), sent.len() as u64);
    println!("{} pieces were on their way at once", proxy.most_under_way());
    assert!(proxy.most_under_way() > 2, "one piece for each round trip is no pipe");
}

#[test]
fn a_lost_piece_holds_up_what_is_behind_it_and_nothing_is_missing() {
    let (target, _server) = echo();
    let stall = Duration::from_millis(200);
    let proxy = Proxy::start(target, Wire { loss: Some(Loss { one_in: 5, stall }), ..Wire::default() }).unwrap();
    let mut client = connect(&proxy);
    let start = Instant::now();
    let mut received = Vec::new();
    for piece in numbers(30).chunks(4) {
        client.write_all(piece).unwrap();
        let mut back = [0; 4];
        client.read_exact(&mut back).unwrap();
        received.extend(back);
    }
    assert_eq!(received, numbers(30));
    println!("{} pieces were lost", proxy.lost_count());
    assert!(proxy.lost_count() > 2, "nothing was lost");
    // Reads of what is yet to come may have counted as lost, one in each direction.
    let waited = u32::try_from(proxy.lost_count() - 2).unwrap();
    assert!(start.elapsed() >= stall * waited, "{waited} stalls took {:?}", start.elapsed());
}

#[test]
fn a_cut_lets_so_many_bytes_through_resets_both_ends_and_spares_later_connections() {
    let (target, server) = echo();
    let proxy = Proxy::start(target, Wire { cut: Some(Cut { after: 1000, times: 1 }), ..Wire::default() }).unwrap();
    let mut client = connect(&proxy);
    client.write_all(&[7; 5000]).unwrap();
    let error = client.read_to_end(&mut Vec::new()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConnectionReset);
    assert!(server.join().unwrap() <= 1000);
    assert_eq!((proxy.cut_count(), proxy.connection_count()), (1, 1));

    let (target, server) = echo();
    let proxy = Proxy::start(target, Wire { cut: Some(Cut { after: 1000, times: 0 }), ..Wire::default() }).unwrap();
    let mut client = connect(&proxy);
    client.write_all(&[7; 5000]).unwrap();
    client.shutdown(std::net::Shutdown::Write).unwrap();
    let mut back = Vec::new();
    client.read_to_end(&mut back).unwrap();
    assert_eq!((back.len(), server.join().unwrap(), proxy.cut_count()), (5000, 5000, 0));
}
