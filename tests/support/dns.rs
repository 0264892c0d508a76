//! A real DNS server with the records of one test: dnsmasq, on a free port of this machine.

use std::net::{Ipv4Addr, UdpSocket};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use super::corpora;

/// A running dnsmasq, ended with the value.
pub struct Dns {
    /// Where it listens, on 127.0.0.1.
    pub port: u16,
    process: Child,
}

impl Dns {
    /// Starts a server that knows these records, in dnsmasq's own options (`mx-host=…`), and says of
    /// everything else that it is not there. `None`, said loudly, where dnsmasq is not installed; in
    /// continuous integration that is a failure.
    pub fn start_or_skip(records: &[String]) -> Option<Self> {
        if Command::new("dnsmasq").arg("--version").stdout(Stdio::null()).status().is_err() {
            corpora::skip("there is no dnsmasq here (Debian: apt install dnsmasq-base)");
            return None;
        }
        // A port found free may be taken by someone else before dnsmasq binds it.
        let started = (0..5).find_map(|_| Self::start(records));
        Some(started.expect("dnsmasq starts"))
    }

    fn start(records: &[String]) -> Option<Self> {
        let free = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port is free");
        let port = free.local_addr().expect("a socket has an address").port();
        drop(free);
        let options =
            ["--no-daemon", "--conf-file=/dev/null", "--no-resolv", "--no-hosts", "--bind-interfaces", "--local=/#/"];
        let process = Command::new("dnsmasq")
            .args(options)
            .args([format!("--port={port}"), "--listen-address=127.0.0.1".to_owned()])
            .args(records.iter().map(|record| format!("--{record}")))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("dnsmasq runs");
        let mut server = Self { port, process };
        server.answers().then_some(server)
    }

    /// Waits until a question is answered; `false` when the process has ended before.
    fn answers(&mut self) -> bool {
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port is free");
        socket.set_read_timeout(Some(Duration::from_millis(100))).expect("a time-out can be set");
        // The root's addresses (RFC 1035, 4.1).
        let question = [0, 1, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 1];
        let end = Instant::now() + Duration::from_secs(20);
        while Instant::now() < end {
            if self.process.try_wait().expect("a child can be asked").is_some() {
                return false;
            }
            let _ = socket.send_to(&question, (Ipv4Addr::LOCALHOST, self.port));
            if socket.recv(&mut [0; 512]).is_ok() {
                return true;
            }
            thread::sleep(Duration::from_millis(20));
        }
        false
    }
}

impl Drop for Dns {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
