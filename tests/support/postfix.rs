//! A Postfix of our own: the relay most authors have, with TLS and AUTH as they have it.
//!
//! The instance lives in one temporary folder (configuration, queue, data, log, mailbox) and
//! listens on two free ports of 127.0.0.1: one with implicit TLS, one that demands STARTTLS.
//! Nothing of the system's Postfix is touched, nothing can leave the machine: mail for
//! example.org ends in one Maildir, other recipients are refused. Even a client on 127.0.0.1
//! must authenticate.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};

use super::corpora;

const USER: &str = "notes";
const PASSWORD: &str = "correct horse+battery";
/// Whom mail is delivered as: `virtual` refuses to work as root, and this user owns nothing else.
const NOBODY: u32 = 65534;
/// What has to be installed, by the programs we call.
const PROGRAMS: [(&str, &str); 2] = [("postfix", "postfix"), ("saslpasswd2", "sasl2-bin")];

/// A running Postfix, stopped with the value.
pub struct Postfix {
    /// TLS from the first byte.
    pub smtps_port: u16,
    /// Clear text until STARTTLS, without which there is no AUTH and no mail.
    pub starttls_port: u16,
    /// The only user; plain enough to stand in a URL as it is.
    pub user: String,
    /// The user's password; its blank and its sign would show a wrong encoding.
    pub password: String,
    /// The authority that signed the certificate for `localhost`.
    pub ca_pem: String,
    folder: tempfile::TempDir,
}

impl Postfix {
    /// Starts an instance; `None`, said loudly, where Postfix is not installed or we are not root.
    /// In continuous integration that is a failure.
    pub fn start_or_skip() -> Option<Self> {
        if let Some(reason) = obstacle() {
            corpora::skip(&reason);
            return None;
        }
        // A port found free may be taken by someone else before Postfix binds it.
        let mut said = String::new();
        for _ in 0..3 {
            match Self::start() {
                Ok(postfix) => return Some(postfix),
                Err(reason) => said = reason,
            }
        }
        panic!("Postfix does not start:\n{said}");
    }

    fn start() -> Result<Self, String> {
        let folder = tempfile::Builder::new().prefix("postfix-").tempdir().expect("a temporary folder");
        let (smtps_port, starttls_port) = free_ports();
        let postfix = Self {
            smtps_port,
            starttls_port,
            user: USER.to_owned(),
            password: PASSWORD.to_owned(),
            ca_pem: write_certificate(folder.path()),
            folder,
        };
        postfix.make_folders();
        postfix.write_configuration();
        postfix.write_login();
        let started = postfix.postfix("start");
        let ready = [smtps_port, starttls_port].into_iter().all(is_listening) && postfix.greets();
        if ready { Ok(postfix) } else { Err(format!("{started}\n{}", postfix.log())) }
    }

    /// A `[[relay]]` table for the port of implicit TLS; the CA and the password are expected in
    /// the two files it names.
    pub fn relay_table(&self) -> String {
        let files = "ca_file = \"relay-ca.pem\"\npassword_file = \"relay.password\"";
        let url = format!("smtps://{}@localhost:{}", self.user, self.smtps_port);
        format!("[[relay]]\nurl = \"{url}\"\n{files}\nconnections = 4\n")
    }

    /// Waits until every message taken is delivered or returned; fails after a minute.
    #[track_caller]
    pub fn wait_until_empty(&self) {
        self.wait_until_empty_for(Duration::from_mins(1));
    }

    /// The same with another patience.
    #[track_caller]
    pub fn wait_until_empty_for(&self, patience: Duration) {
        let end = Instant::now() + patience;
        loop {
            // In the order a message wanders, so that none can slip past the counting.
            let waiting = ["maildrop", "incoming", "active", "deferred"]
                .map(|queue| files_below(&self.file("queue").join(queue)));
            if waiting.iter().all(|files| *files == 0) {
                return;
            }
            assert!(Instant::now() < end, "after {patience:?} still in the queues: {waiting:?}\n{}", self.log());
            thread::sleep(Duration::from_millis(50));
        }
    }

    /// What lies in the mailbox, oldest second first, with the header fields Postfix adds.
    pub fn received(&self) -> Vec<Vec<u8>> {
        let mut files: Vec<PathBuf> = ["new", "cur"]
            .iter()
            .filter_map(|part| fs::read_dir(self.file("mail/all").join(part)).ok())
            .flatten()
            .map(|entry| entry.expect("the mailbox can be listed").path())
            .collect();
        files.sort_by_key(|path| path.file_name().map(ToOwned::to_owned));
        files.iter().map(|path| fs::read(path).expect("a message can be read")).collect()
    }

    /// How many messages were delivered so far.
    pub fn delivered_count(&self) -> usize {
        fs::read_dir(self.file("mail/all/new")).map_or(0, Iterator::count)
    }

    /// What Postfix said so far.
    pub fn log(&self) -> String {
        fs::read_to_string(self.file("mail.log")).unwrap_or_default()
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn make_folders(&self) {
        // Postfix's own user has to get through to the queue.
        fs::set_permissions(self.folder.path(), fs::Permissions::from_mode(0o755)).expect("the mode can be set");
        let postfix = user_id("postfix");
        for (name, owner) in [("etc", 0), ("etc/sasl", 0), ("queue", 0), ("data", postfix), ("mail", NOBODY)] {
            fs::create_dir(self.file(name)).expect("a folder can be made");
            chown(self.file(name), Some(owner), None).expect("root may give files away");
        }
    }

    fn write_configuration(&self) {
        let folder = self.folder.path().display();
        fs::write(self.file("etc/main.cf"), main_cf(&folder.to_string())).expect("main.cf can be written");
        let master = master_cf(self.smtps_port, self.starttls_port);
        fs::write(self.file("etc/master.cf"), master).expect("master.cf can be written");
        let sasl = format!(
            "pwcheck_method: auxprop\nauxprop_plugin: sasldb\nmech_list: PLAIN LOGIN\nsasldb_path: {folder}/users\n"
        );
        // Debian looks beside main.cf and nowhere else.
        fs::write(self.file("etc/sasl/smtpd.conf"), sasl).expect("smtpd.conf can be written");
    }

    /// Puts the only user into the file that Cyrus SASL reads in `smtpd`, as Postfix's user.
    fn write_login(&self) {
        let users = self.file("users");
        let mut saslpasswd2 = Command::new("saslpasswd2")
            .args(["-p", "-c", "-u", "localhost", "-f"])
            .args([users.as_os_str(), USER.as_ref()])
            .stdin(Stdio::piped())
            .spawn()
            .expect("saslpasswd2 runs");
        saslpasswd2.stdin.take().expect("a pipe").write_all(PASSWORD.as_bytes()).expect("the password can be said");
        assert!(saslpasswd2.wait().expect("saslpasswd2 ends").success(), "saslpasswd2 failed");
        chown(users, Some(user_id("postfix")), None).expect("root may give files away");
    }

    /// `postfix start` or `stop` for this instance only; what it said.
    fn postfix(&self, verb: &str) -> String {
        let said = self.file("postfix.said");
        // A file and not a pipe: the daemon inherits it, and a pipe would never end.
        let output = fs::File::create(&said).expect("a file can be made");
        let status = Command::new("postfix")
            .arg("-c")
            .arg(self.file("etc"))
            .arg(verb)
            .stdin(Stdio::null())
            .stdout(output.try_clone().expect("a handle can be cloned"))
            .stderr(output)
            .status()
            .expect("postfix runs");
        format!("postfix {verb}: {status}\n{}", fs::read_to_string(said).unwrap_or_default())
    }

    /// Whether the port that speaks first greets as Postfix does: then it is ours that listens.
    fn greets(&self) -> bool {
        let Ok(stream) = TcpStream::connect((Ipv4Addr::LOCALHOST, self.starttls_port)) else { return false };
        stream.set_read_timeout(Some(Duration::from_secs(20))).expect("a time-out can be set");
        let mut greeting = String::new();
        BufReader::new(stream).read_line(&mut greeting).is_ok() && greeting.starts_with("220 localhost ESMTP Postfix")
    }
}

impl Drop for Postfix {
    /// Stops the master process named in this instance's own pid file, and so its children.
    #[expect(clippy::print_stderr, reason = "a test that fails shows what Postfix said")]
    fn drop(&mut self) {
        let said = self.postfix("stop");
        if thread::panicking() {
            eprintln!("{said}\n{}", self.log());
        }
    }
}

/// Why no instance can be started here.
fn obstacle() -> Option<String> {
    if !rustix::process::geteuid().is_root() {
        return Some("only root can start a Postfix".to_owned());
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    let has = |program: &str| std::env::split_paths(&path).any(|folder| folder.join(program).is_file());
    let (_, package) = PROGRAMS.iter().find(|(program, _)| !has(program))?;
    Some(format!("there is no Postfix with AUTH here (Debian: apt install {package})"))
}

fn user_id(name: &str) -> u32 {
    let users = fs::read_to_string("/etc/passwd").expect("there is a list of users");
    let user = users.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':')).expect("the user exists");
    user.split(':').nth(1).and_then(|id| id.parse().ok()).expect("a user has a number")
}

/// Two ports nobody listens on; held together, so that they differ.
fn free_ports() -> (u16, u16) {
    let listen = || TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port is free");
    let port = |listener: &TcpListener| listener.local_addr().expect("a listener has an address").port();
    let (one, other) = (listen(), listen());
    (port(&one), port(&other))
}

fn is_listening(port: u16) -> bool {
    let end = Instant::now() + Duration::from_secs(20);
    while Instant::now() < end {
        if TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_ok() {
            return true;
        }
        thread::sleep(Duration::from_millis(50));
    }
    false
}

fn files_below(folder: &Path) -> usize {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries.map(|entry| if entry.path().is_dir() { files_below(&entry.path()) } else { 1 }).sum()
}

/// Writes key and chain of a certificate for `localhost`; returns the authority that signed it.
fn write_certificate(folder: &Path) -> String {
    let mut ca = CertificateParams::new(Vec::new()).expect("no name is a valid list of names");
    ca.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    // Names that differ: OpenSSL takes a certificate named like its issuer for self-signed.
    ca.distinguished_name.push(DnType::CommonName, "Postfix test authority");
    let ca_key = KeyPair::generate().expect("a key can be made");
    let ca_pem = ca.self_signed(&ca_key).expect("a certificate can be signed").pem();
    let issuer = Issuer::new(ca, ca_key);
    let names = vec!["localhost".to_owned(), "127.0.0.1".to_owned()];
    let mut leaf = CertificateParams::new(names).expect("the names are valid");
    leaf.distinguished_name.push(DnType::CommonName, "localhost");
    let key = KeyPair::generate().expect("a key can be made");
    let chain = leaf.signed_by(&key, &issuer).expect("a certificate can be signed").pem();
    // Key first, then certificate: the order Postfix wants in one file.
    let file = folder.join("tls.pem");
    fs::write(&file, key.serialize_pem() + &chain).expect("the certificate can be written");
    fs::set_permissions(file, fs::Permissions::from_mode(0o600)).expect("the mode can be set");
    ca_pem
}

fn main_cf(folder: &str) -> String {
    format!(
        "compatibility_level = 3.6
queue_directory = {folder}/queue
data_directory = {folder}/data
maillog_file = {folder}/mail.log
maillog_file_prefixes = {folder}
syslog_name = postfix-test

myhostname = localhost
mydestination =
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
mynetworks_style = host
mynetworks =
alias_maps =
alias_database =
biff = no
append_dot_mydomain = no
smtpd_peername_lookup = no
smtpd_banner = localhost ESMTP Postfix
smtpd_client_connection_count_limit = 0
in_flow_delay = 0

smtpd_tls_chain_files = {folder}/tls.pem
smtpd_tls_auth_only = yes
smtpd_sasl_auth_enable = yes
smtpd_sasl_type = cyrus
smtpd_sasl_path = smtpd
smtpd_sasl_local_domain = localhost
cyrus_sasl_config_path = {folder}/etc/sasl
smtpd_relay_restrictions = permit_sasl_authenticated, reject
smtpd_recipient_restrictions = permit_sasl_authenticated, reject

virtual_mailbox_domains = example.org
virtual_mailbox_base = {folder}/mail
virtual_mailbox_maps = static:all/
virtual_uid_maps = static:{NOBODY}
virtual_gid_maps = static:{NOBODY}
virtual_mailbox_limit = 0
default_transport = error:5.1.2 nothing leaves this machine
relay_transport = error:5.1.2 nothing leaves this machine
"
    )
}

/// The services a submission needs; none in a chroot, which would want files of the system.
fn master_cf(smtps_port: u16, starttls_port: u16) -> String {
    format!(
        "127.0.0.1:{smtps_port} inet n - n - - smtpd -o smtpd_tls_wrappermode=yes
127.0.0.1:{starttls_port} inet n - n - - smtpd -o smtpd_tls_security_level=encrypt
postlog   unix-dgram n - n - 1 postlogd
pickup    unix n - n 60 1 pickup
cleanup   unix n - n - 0 cleanup
qmgr      unix n - n 300 1 qmgr
tlsmgr    unix - - n 1000? 1 tlsmgr
rewrite   unix - - n - - trivial-rewrite
bounce    unix - - n - 0 bounce
defer     unix - - n - 0 bounce
trace     unix - - n - 0 bounce
verify    unix - - n - 1 verify
flush     unix n - n 1000? 0 flush
proxymap  unix - - n - - proxymap
showq     unix n - n - - showq
error     unix - - n - - error
retry     unix - - n - - error
virtual   unix - n n - - virtual
anvil     unix - - n - 1 anvil
"
    )
}
