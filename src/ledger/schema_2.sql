-- Schema 2: what a send writes costs half as much.
--
-- A claim is no longer written: there is one sender, and what it has claimed only it must know.
-- What is frozen at the first `begin` has a table of its own, which is only appended to, so that
-- a change of state rewrites a short row. The last attempt stands in the delivery's row; `attempts`
-- keeps the earlier ones.

-- No row may refer to the old table when it goes.
CREATE TEMP TABLE kept_attempts AS SELECT * FROM attempts;
CREATE TEMP TABLE kept_frozen AS SELECT id, date, merge, message_id, digest FROM deliveries WHERE digest IS NOT NULL;
DELETE FROM attempts;

CREATE TABLE deliveries_2 (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  campaign INTEGER NOT NULL REFERENCES campaigns (id),
  subscriber INTEGER NOT NULL REFERENCES subscribers (id),
  state TEXT NOT NULL CHECK (state IN ('planned', 'begun', 'accepted', 'deferred', 'rejected',
    'in_doubt', 'abandoned', 'suppressed', 'cancelled', 'expired')),
  epoch INTEGER,                                -- of the sender that began it last
  attempt INTEGER NOT NULL DEFAULT 0,           -- number of the last attempt begun or settled
  tries INTEGER NOT NULL DEFAULT 0,             -- attempts that came to something
  failures INTEGER NOT NULL DEFAULT 0,          -- of those, the deferred ones
  first_try INTEGER,
  next INTEGER,                                 -- not before, when planned or deferred (or when a resend was)
  doubts INTEGER NOT NULL DEFAULT 0,            -- how often it came into doubt
  resend TEXT NOT NULL DEFAULT 'none' CHECK (resend IN ('none', 'ordered', 'spent', 'held')),
  relay TEXT,                                   -- of the last attempt, as are the next five
  begun INTEGER,
  settled INTEGER,
  outcome TEXT CHECK (outcome IN ('accepted', 'deferred', 'rejected', 'in_doubt', 'withdrawn', 'expired')),
  reply TEXT,                                   -- masked
  reason TEXT,
  feedback TEXT CHECK (feedback IN ('bounced', 'complained')),
  UNIQUE (campaign, subscriber),
  -- What may be with the relay is never planned again, nor side-stepped.
  CHECK (doubts = 0 OR state IN ('begun', 'in_doubt', 'accepted', 'rejected', 'abandoned')),
  CHECK (state <> 'in_doubt' OR doubts > 0),
  CHECK (state <> 'begun' OR (begun IS NOT NULL AND epoch IS NOT NULL))
) STRICT;

INSERT INTO deliveries_2 (id, campaign, subscriber, state, epoch, attempt, tries, failures, first_try, next, doubts,
    resend, relay, begun, settled, outcome, reply, reason, feedback)
  SELECT d.id, d.campaign, d.subscriber, iif(d.state = 'claimed', 'planned', d.state), d.epoch, d.attempt, d.tries,
    d.failures, d.first_try, d.next, d.doubts, d.resend, d.relay, coalesce(a.begun, d.date), a.settled, a.outcome,
    d.reply, d.reason, d.feedback
  FROM deliveries d LEFT JOIN kept_attempts a ON a.delivery = d.id AND a.attempt = d.attempt;

DROP TABLE deliveries;
ALTER TABLE deliveries_2 RENAME TO deliveries;

CREATE TABLE frozen (
  delivery INTEGER PRIMARY KEY REFERENCES deliveries (id),
  date INTEGER NOT NULL,
  merge TEXT NOT NULL,                          -- JSON object of the recipient's values
  message_id TEXT NOT NULL,
  keys TEXT NOT NULL,                           -- ids of the keys that signed it, divided by spaces
  digest BLOB NOT NULL CHECK (length(digest) = 32)
) STRICT;

INSERT INTO frozen (delivery, date, merge, message_id, keys, digest)
  SELECT id, date, merge, message_id, '', digest FROM kept_frozen;
INSERT INTO attempts SELECT * FROM kept_attempts WHERE late IS NOT NULL
  OR attempt <> (SELECT attempt FROM deliveries WHERE deliveries.id = kept_attempts.delivery);
DROP TABLE kept_attempts;
DROP TABLE kept_frozen;

-- A delivery is begun for some milliseconds: of it the large index says nothing, so that one way
-- through a relay costs that two changes and not four. A query goes by an index only if it names the
-- index's condition; these two views do.
CREATE INDEX deliveries_by_state ON deliveries (campaign, state, next) WHERE state <> 'begun';
CREATE INDEX deliveries_begun ON deliveries (campaign) WHERE state = 'begun';
CREATE VIEW at_rest AS SELECT * FROM deliveries WHERE state <> 'begun';
CREATE VIEW under_way AS SELECT * FROM deliveries WHERE state = 'begun';
CREATE INDEX deliveries_ever_in_doubt ON deliveries (campaign) WHERE doubts > 0;
CREATE INDEX deliveries_with_feedback ON deliveries (campaign, feedback) WHERE feedback IS NOT NULL;
CREATE INDEX campaigns_open ON campaigns (id) WHERE state IN ('planned', 'running', 'paused');

-- The posts that a digest carries. Its campaign's own `post` is the name of the digest.
CREATE TABLE carried (
  campaign INTEGER NOT NULL REFERENCES campaigns (id),
  post INTEGER NOT NULL REFERENCES posts (number),
  PRIMARY KEY (campaign, post)
) STRICT, WITHOUT ROWID;

-- What a sender says of its relays, its paces and itself, for `status` and for the next sender.
CREATE TABLE sender_notes (
  scope TEXT PRIMARY KEY,
  note TEXT NOT NULL,                           -- JSON
  at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
