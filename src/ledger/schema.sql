-- Schema 1. Every state is a word under a CHECK, so that a flipped bit is no other state.
-- Moments are milliseconds since 1970, UTC.

CREATE TABLE ledger (
  one INTEGER PRIMARY KEY CHECK (one = 1),
  identity TEXT NOT NULL CHECK (length(identity) = 32),
  created INTEGER NOT NULL,
  epoch INTEGER NOT NULL DEFAULT 0,             -- raised by each sender
  sequence INTEGER NOT NULL DEFAULT 0,          -- raised by each commit of a sender
  ended TEXT NOT NULL DEFAULT 'clean' CHECK (ended IN ('clean', 'unclean')),
  first_published INTEGER
) STRICT;

CREATE TABLE secrets (
  name TEXT PRIMARY KEY,
  key BLOB NOT NULL CHECK (length(key) = 32)
) STRICT;

CREATE TABLE posts (
  number INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  source TEXT NOT NULL,                         -- empty: only mailed, never seen as a file
  digest TEXT NOT NULL,
  published TEXT NOT NULL CHECK (published IN ('yes', 'no')),
  mail TEXT NOT NULL CHECK (mail IN ('undecided', 'news', 'old'))
) STRICT;

CREATE TABLE subscribers (
  id INTEGER PRIMARY KEY,
  address TEXT NOT NULL,
  key TEXT NOT NULL UNIQUE,                     -- the address in lower case
  hash BLOB NOT NULL CHECK (length(hash) = 32), -- keyed hash of `key`
  name TEXT,
  topics TEXT NOT NULL,                         -- JSON array of texts
  cadence TEXT NOT NULL CHECK (cadence IN ('every', 'daily', 'weekly', 'monthly')),
  attributes TEXT NOT NULL,                     -- JSON object of texts
  state TEXT NOT NULL CHECK (state IN ('pending', 'active', 'unsubscribed', 'bounced', 'complained')),
  since INTEGER NOT NULL,
  changed INTEGER NOT NULL,                     -- when `state` or `removed` last changed
  removed TEXT NOT NULL DEFAULT 'no' CHECK (removed IN ('yes', 'no'))
) STRICT;

CREATE TABLE consents (
  id INTEGER PRIMARY KEY,
  subscriber INTEGER NOT NULL REFERENCES subscribers (id),
  source TEXT NOT NULL,
  at INTEGER NOT NULL,
  form TEXT
) STRICT;
CREATE INDEX consents_of ON consents (subscriber);

CREATE TABLE suppressions (
  hash BLOB PRIMARY KEY CHECK (length(hash) = 32),
  reason TEXT NOT NULL,
  at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE issues (
  number INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  post INTEGER NOT NULL REFERENCES posts (number),
  subject TEXT NOT NULL,
  web_url TEXT NOT NULL,
  commit_id TEXT,
  frozen BLOB NOT NULL
) STRICT;

CREATE TABLE campaigns (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  post INTEGER NOT NULL REFERENCES posts (number),
  issue INTEGER NOT NULL REFERENCES issues (number),
  generation INTEGER NOT NULL CHECK (generation >= 1),
  state TEXT NOT NULL CHECK (state IN ('drafting', 'planned', 'running', 'paused', 'finished', 'cancelled')),
  reason TEXT,
  opened INTEGER NOT NULL,
  not_before INTEGER,
  expires INTEGER,
  finished INTEGER
) STRICT;

CREATE TABLE exclusions (
  campaign INTEGER NOT NULL REFERENCES campaigns (id),
  reason TEXT NOT NULL,
  count INTEGER NOT NULL,
  PRIMARY KEY (campaign, reason)
) STRICT, WITHOUT ROWID;

CREATE TABLE deliveries (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  campaign INTEGER NOT NULL REFERENCES campaigns (id),
  subscriber INTEGER NOT NULL REFERENCES subscribers (id),
  state TEXT NOT NULL CHECK (state IN ('planned', 'claimed', 'begun', 'accepted', 'deferred', 'rejected',
    'in_doubt', 'abandoned', 'suppressed', 'cancelled', 'expired')),
  epoch INTEGER,                                -- of the sender that claimed it last
  attempt INTEGER NOT NULL DEFAULT 0,           -- number of the last attempt begun or settled
  tries INTEGER NOT NULL DEFAULT 0,             -- attempts that came to something
  failures INTEGER NOT NULL DEFAULT 0,          -- of those, the deferred ones
  first_try INTEGER,
  next INTEGER,                                 -- due, when deferred (or when a resend was)
  doubts INTEGER NOT NULL DEFAULT 0,            -- how often it came into doubt
  resend TEXT NOT NULL DEFAULT 'none' CHECK (resend IN ('none', 'ordered', 'spent', 'held')),
  date INTEGER,                                 -- frozen at the first begin, as are the next four
  merge TEXT,
  message_id TEXT,
  relay TEXT,
  digest BLOB CHECK (digest IS NULL OR length(digest) = 32),
  reply TEXT,                                   -- masked
  reason TEXT,
  feedback TEXT CHECK (feedback IN ('bounced', 'complained')),
  UNIQUE (campaign, subscriber),
  -- What may be with the relay is never planned again, nor side-stepped.
  CHECK (doubts = 0 OR state IN ('begun', 'in_doubt', 'accepted', 'rejected', 'abandoned')),
  CHECK (state <> 'in_doubt' OR doubts > 0),
  CHECK (state <> 'begun' OR (digest IS NOT NULL AND epoch IS NOT NULL))
) STRICT;
CREATE INDEX deliveries_by_state ON deliveries (campaign, state, next);
CREATE INDEX deliveries_ever_in_doubt ON deliveries (campaign) WHERE doubts > 0;
CREATE INDEX deliveries_with_feedback ON deliveries (campaign, feedback) WHERE feedback IS NOT NULL;

CREATE TABLE coverage (
  post INTEGER NOT NULL REFERENCES posts (number),
  generation INTEGER NOT NULL,
  subscriber INTEGER NOT NULL REFERENCES subscribers (id),
  delivery INTEGER NOT NULL,
  PRIMARY KEY (post, generation, subscriber)
) STRICT, WITHOUT ROWID;

CREATE TABLE attempts (
  delivery INTEGER NOT NULL REFERENCES deliveries (id),
  attempt INTEGER NOT NULL,
  epoch INTEGER NOT NULL,
  relay TEXT,
  begun INTEGER,
  settled INTEGER,
  outcome TEXT CHECK (outcome IN ('accepted', 'deferred', 'rejected', 'in_doubt', 'withdrawn', 'expired')),
  reply TEXT,
  reason TEXT,
  late TEXT,                                    -- an outcome that came after another sender had taken over
  PRIMARY KEY (delivery, attempt)
) STRICT, WITHOUT ROWID;

CREATE TABLE notices (
  kind TEXT NOT NULL CHECK (kind IN ('confirmation', 'welcome', 'still_there')),
  subscriber INTEGER NOT NULL REFERENCES subscribers (id),
  nonce TEXT NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('planned', 'claimed', 'begun', 'accepted', 'deferred', 'rejected',
    'in_doubt', 'abandoned', 'suppressed', 'cancelled', 'expired')),
  created INTEGER NOT NULL,
  next INTEGER,
  reply TEXT,
  reason TEXT,
  PRIMARY KEY (kind, subscriber, nonce)
) STRICT, WITHOUT ROWID;
