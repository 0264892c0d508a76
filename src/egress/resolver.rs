//! Questions to DNS: what a domain says of itself, and why there is no answer.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use hickory_resolver::TokioResolver;
use hickory_resolver::config::{
    ConnectionConfig, NameServerConfig, ResolveHosts, ResolverConfig, ResolverOpts, ServerOrderingStrategy,
};
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::net::{DnsError, NetError, NoRecords};
use hickory_resolver::proto::op::ResponseCode;
use hickory_resolver::proto::rr::{Name, RData, RecordType};

/// A server is waited for so long, each of [`TRIES`] times.
const DNS_PATIENCE: Duration = Duration::from_secs(4);
/// So often is a question asked that nobody answers.
const TRIES: usize = 2;

/// What DNS says to a question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer<T> {
    /// At least one record.
    Records(Vec<T>),
    /// The name is there, and has no record of that kind.
    NoRecords,
    /// There is no such name (NXDOMAIN).
    NoName,
    /// Nobody can say; it may be there all the same.
    Unanswered(Unanswered),
}

/// Why nobody can say.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unanswered {
    /// SERVFAIL: the servers of the domain cannot be reached, or contradict each other.
    #[error("the domain's servers fail (SERVFAIL)")]
    ServerFailure,
    /// The resolver answers with another refusal, such as REFUSED.
    #[error("the resolver refuses: {0}")]
    Refused(String),
    /// No answer in time.
    #[error("no answer in time")]
    TooLate,
    /// The resolver cannot be reached, or what it says is no DNS.
    #[error("the resolver cannot be asked: {0}")]
    Unreachable(String),
}

/// One mail exchange of a domain.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Exchange {
    /// The lowest is tried first.
    pub preference: u16,
    /// Its name, in lower case and without a dot at the end; empty for a null MX (RFC 7505).
    pub host: String,
}

/// A TXT record: its strings. What it says is their join, with nothing in between.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Text(pub Vec<String>);

impl Text {
    /// The strings joined; bytes that are no UTF-8 are replaced.
    pub fn joined(&self) -> String {
        self.0.concat()
    }
}

/// The system names no DNS server.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the system's DNS settings cannot be used: {0}")]
pub struct NoResolver(String);

/// Somebody who can be asked about DNS. Cheap to clone; answers are remembered.
#[derive(Clone)]
pub struct Resolver(TokioResolver);

impl Resolver {
    /// The servers that the system names (`/etc/resolv.conf`).
    pub fn system() -> Result<Self, NoResolver> {
        let (config, _) = hickory_resolver::system_conf::read_system_conf().map_err(|error| unusable(&error))?;
        Self::of(config, DNS_PATIENCE)
    }

    /// One server.
    pub fn at(server: SocketAddr) -> Result<Self, NoResolver> {
        Self::with_patience(server, DNS_PATIENCE)
    }

    fn with_patience(server: SocketAddr, patience: Duration) -> Result<Self, NoResolver> {
        let connections = [ConnectionConfig::udp(), ConnectionConfig::tcp()]
            .map(|connection| {
                let mut connection = connection;
                connection.port = server.port();
                connection
            })
            .to_vec();
        let server = NameServerConfig::new(server.ip(), true, connections);
        Self::of(ResolverConfig::from_parts(None, Vec::new(), vec![server]), patience)
    }

    fn of(config: ResolverConfig, patience: Duration) -> Result<Self, NoResolver> {
        let mut options = ResolverOpts::default();
        options.timeout = patience;
        options.attempts = TRIES;
        options.edns0 = true;
        // Receivers do not see this machine's own list of hosts.
        options.use_hosts_file = ResolveHosts::Never;
        options.server_ordering_strategy = ServerOrderingStrategy::UserProvidedOrder;
        let builder = TokioResolver::builder_with_config(config, TokioRuntimeProvider::default());
        builder.with_options(options).build().map(Self).map_err(|error| unusable(&error))
    }

    /// The addresses of a name, of both kinds.
    pub async fn addresses(&self, name: &str) -> Answer<IpAddr> {
        let address = |data: &RData| match data {
            RData::A(ip) => Some(IpAddr::V4(ip.0)),
            RData::AAAA(ip) => Some(IpAddr::V6(ip.0)),
            _ => None,
        };
        let (four, six) =
            tokio::join!(self.ask(name, RecordType::A, address), self.ask(name, RecordType::AAAA, address));
        either(four, six)
    }

    /// The mail exchanges of a domain, the preferred first.
    pub async fn exchanges(&self, name: &str) -> Answer<Exchange> {
        self.ask(name, RecordType::MX, |data| match data {
            RData::MX(mx) => Some(Exchange { preference: mx.preference, host: plain_name(&mx.exchange) }),
            _ => None,
        })
        .await
    }

    /// The texts that a name has.
    pub async fn texts(&self, name: &str) -> Answer<Text> {
        self.ask(name, RecordType::TXT, |data| match data {
            RData::TXT(txt) => {
                Some(Text(txt.txt_data.iter().map(|one| String::from_utf8_lossy(one).into_owned()).collect()))
            }
            _ => None,
        })
        .await
    }

    /// The records of one kind in their order; aliases have been followed.
    async fn ask<T: Ord>(&self, name: &str, kind: RecordType, read: impl Fn(&RData) -> Option<T>) -> Answer<T> {
        // With the final dot nobody appends the domain of this machine.
        let Ok(name) = Name::from_ascii(format!("{}.", name.trim_end_matches('.'))) else { return Answer::NoName };
        match self.0.lookup(name, kind).await {
            Ok(lookup) => {
                let mut records: Vec<T> = lookup.answers().iter().filter_map(|record| read(&record.data)).collect();
                records.sort();
                if records.is_empty() { Answer::NoRecords } else { Answer::Records(records) }
            }
            Err(error) => no_records(error),
        }
    }
}

fn no_records<T>(error: NetError) -> Answer<T> {
    match error {
        NetError::Dns(DnsError::NoRecordsFound(NoRecords { response_code, .. })) => match response_code {
            ResponseCode::NXDomain => Answer::NoName,
            ResponseCode::NoError => Answer::NoRecords,
            code => refused(code),
        },
        NetError::Dns(DnsError::ResponseCode(code)) => refused(code),
        NetError::Timeout => Answer::Unanswered(Unanswered::TooLate),
        other => Answer::Unanswered(Unanswered::Unreachable(other.to_string())),
    }
}

fn refused<T>(code: ResponseCode) -> Answer<T> {
    Answer::Unanswered(match code {
        ResponseCode::ServFail => Unanswered::ServerFailure,
        code => Unanswered::Refused(code.to_str().to_owned()),
    })
}

/// What two questions about one name say together.
fn either<T>(one: Answer<T>, other: Answer<T>) -> Answer<T> {
    match (one, other) {
        (Answer::Records(mut all), Answer::Records(more)) => {
            all.extend(more);
            Answer::Records(all)
        }
        (Answer::Records(all), _) | (_, Answer::Records(all)) => Answer::Records(all),
        (Answer::Unanswered(why), _) | (_, Answer::Unanswered(why)) => Answer::Unanswered(why),
        (Answer::NoName, Answer::NoName) => Answer::NoName,
        (Answer::NoRecords, _) | (_, Answer::NoRecords) => Answer::NoRecords,
    }
}

fn plain_name(name: &Name) -> String {
    name.to_ascii().trim_end_matches('.').to_ascii_lowercase()
}

fn unusable(error: &NetError) -> NoResolver {
    NoResolver(error.to_string())
}

#[cfg(test)]
mod tests {
    use std::net::UdpSocket;

    use super::*;

    /// A DNS server that answers every question with a response code and no record, or not at all.
    fn server(code: Option<u8>) -> SocketAddr {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        let address = socket.local_addr().unwrap();
        std::thread::spawn(move || {
            let mut question = [0; 512];
            while let Ok((length, asker)) = socket.recv_from(&mut question) {
                let Some(code) = code else { continue };
                // The question itself, as a response (RFC 1035, 4.1.1), without additional records.
                let end = 12 + question[12..length].iter().position(|byte| *byte == 0).unwrap() + 5;
                let mut answer = question[..end].to_vec();
                answer[2] |= 0x80;
                answer[3] = 0x80 | code;
                answer[6..12].fill(0);
                let _ = socket.send_to(&answer, asker);
            }
        });
        address
    }

    fn texts(server: SocketAddr) -> Answer<Text> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let resolver = Resolver::with_patience(server, Duration::from_millis(200)).unwrap();
            resolver.texts("example.org").await
        })
    }

    #[test]
    fn what_is_missing_and_what_could_not_be_asked_are_told_apart() {
        assert_eq!(texts(server(Some(0))), Answer::NoRecords);
        assert_eq!(texts(server(Some(3))), Answer::NoName);
        assert_eq!(texts(server(Some(2))), Answer::Unanswered(Unanswered::ServerFailure));
        assert_eq!(texts(server(Some(5))), Answer::Unanswered(Unanswered::Refused("Query Refused".to_owned())));
        assert_eq!(texts(server(None)), Answer::Unanswered(Unanswered::TooLate));
    }

    #[test]
    fn two_kinds_of_address_are_one_answer() {
        let unknown = || Answer::<u8>::Unanswered(Unanswered::TooLate);
        assert_eq!(either(Answer::Records(vec![1]), Answer::Records(vec![2])), Answer::Records(vec![1, 2]));
        assert_eq!(either(unknown(), Answer::Records(vec![2])), Answer::Records(vec![2]));
        assert_eq!(either(Answer::NoRecords, unknown()), unknown());
        assert_eq!(either::<u8>(Answer::NoName, Answer::NoRecords), Answer::NoRecords);
        assert_eq!(either::<u8>(Answer::NoName, Answer::NoName), Answer::NoName);
    }
}
