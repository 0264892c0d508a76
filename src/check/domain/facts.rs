//! What DNS has said so far, and what verdicts would still like to know.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use tokio::task::JoinSet;

use crate::egress::{Answer, Exchange, Resolver, Text};

/// Answers by name, and the questions that had none.
#[derive(Debug, Default)]
pub(super) struct Facts {
    addresses: BTreeMap<String, Answer<IpAddr>>,
    exchanges: BTreeMap<String, Answer<Exchange>>,
    texts: BTreeMap<String, Answer<Text>>,
    missing: RefCell<BTreeSet<Question>>,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Question {
    Addresses(String),
    Exchanges(String),
    Texts(String),
}

enum Fact {
    Addresses(String, Answer<IpAddr>),
    Exchanges(String, Answer<Exchange>),
    Texts(String, Answer<Text>),
}

impl Facts {
    /// The addresses of a name; `None` as long as nobody was asked.
    pub fn addresses(&self, name: &str) -> Option<&Answer<IpAddr>> {
        self.known(&self.addresses, name, Question::Addresses)
    }

    /// The mail exchanges of a domain; `None` as long as nobody was asked.
    pub fn exchanges(&self, name: &str) -> Option<&Answer<Exchange>> {
        self.known(&self.exchanges, name, Question::Exchanges)
    }

    /// The texts of a name; `None` as long as nobody was asked.
    pub fn texts(&self, name: &str) -> Option<&Answer<Text>> {
        self.known(&self.texts, name, Question::Texts)
    }

    fn known<'f, T>(
        &self,
        answers: &'f BTreeMap<String, Answer<T>>,
        name: &str,
        question: fn(String) -> Question,
    ) -> Option<&'f Answer<T>> {
        let found = answers.get(name);
        if found.is_none() {
            self.missing.borrow_mut().insert(question(name.to_owned()));
        }
        found
    }

    /// Asks everything that was missing, at once; whether there was anything.
    pub async fn ask_what_is_missing(&mut self, resolver: &Resolver) -> bool {
        let missing = std::mem::take(self.missing.get_mut());
        let mut asked = JoinSet::new();
        for question in missing {
            asked.spawn(answered(question, resolver.clone()));
        }
        let facts = asked.join_all().await;
        let is_more = !facts.is_empty();
        for fact in facts {
            self.learn(fact);
        }
        is_more
    }

    fn learn(&mut self, fact: Fact) {
        match fact {
            Fact::Addresses(name, answer) => drop(self.addresses.insert(name, answer)),
            Fact::Exchanges(name, answer) => drop(self.exchanges.insert(name, answer)),
            Fact::Texts(name, answer) => drop(self.texts.insert(name, answer)),
        }
    }
}

async fn answered(question: Question, resolver: Resolver) -> Fact {
    match question {
        Question::Addresses(name) => {
            let answer = resolver.addresses(&name).await;
            Fact::Addresses(name, answer)
        }
        Question::Exchanges(name) => {
            let answer = resolver.exchanges(&name).await;
            Fact::Exchanges(name, answer)
        }
        Question::Texts(name) => {
            let answer = resolver.texts(&name).await;
            Fact::Texts(name, answer)
        }
    }
}

/// A world for tests: what is not said of a name is not there.
#[cfg(test)]
impl Facts {
    pub fn texts_are(mut self, name: &str, texts: &[&str]) -> Self {
        let texts = texts.iter().map(|text| Text(vec![(*text).to_owned()])).collect();
        self.texts.insert(name.to_owned(), Answer::Records(texts));
        self
    }

    pub fn addresses_are(mut self, name: &str, addresses: &[&str]) -> Self {
        let addresses = addresses.iter().map(|address| address.parse().unwrap()).collect();
        self.addresses.insert(name.to_owned(), Answer::Records(addresses));
        self
    }

    pub fn exchange_is(mut self, name: &str, host: &str) -> Self {
        let exchange = Exchange { preference: 10, host: host.to_owned() };
        self.exchanges.insert(name.to_owned(), Answer::Records(vec![exchange]));
        self
    }

    pub fn no_exchange(mut self, name: &str) -> Self {
        self.exchanges.insert(name.to_owned(), Answer::NoRecords);
        self
    }

    pub fn no_domain(mut self, name: &str) -> Self {
        self.texts.insert(name.to_owned(), Answer::NoName);
        self.addresses.insert(name.to_owned(), Answer::NoName);
        self.exchanges.insert(name.to_owned(), Answer::NoName);
        self
    }

    pub fn unanswered(mut self, name: &str, why: &crate::egress::Unanswered) -> Self {
        self.texts.insert(name.to_owned(), Answer::Unanswered(why.clone()));
        self.addresses.insert(name.to_owned(), Answer::Unanswered(why.clone()));
        self.exchanges.insert(name.to_owned(), Answer::Unanswered(why.clone()));
        self
    }

    /// Answers what is missing: nothing is there. Whether anything was.
    pub fn deny_what_is_missing(&mut self) -> bool {
        let missing = std::mem::take(self.missing.get_mut());
        let is_more = !missing.is_empty();
        for question in missing {
            self.learn(match question {
                Question::Addresses(name) => Fact::Addresses(name, Answer::NoName),
                Question::Exchanges(name) => Fact::Exchanges(name, Answer::NoRecords),
                Question::Texts(name) => Fact::Texts(name, Answer::NoName),
            });
        }
        is_more
    }
}
