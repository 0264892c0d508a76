-- Schema 2: what a send writes costs a third.
--
-- A claim is no longer written: there is one sender, and what it has claimed only it must know.
-- What begins is appended to a log, many deliveries in one row, and the delivery's own row is
-- written once for each attempt: when the attempt has come to something. What a second attempt
-- needs is frozen beside it then. The last attempt stands in the delivery's row; `attempts` keeps
-- the earlier ones.

-- No row may refer to the old table when it goes.
CREATE TEMP TABLE kept_attempts AS SELECT * FROM attempts;
CREATE TEMP TABLE kept_frozen AS SELECT id, state, epoch, attempt, relay, date, merge, message_id, digest
  FROM deliveries WHERE digest IS NOT NULL;
DELETE FROM attempts;

-- The words are compared one by one: for `IN` and three of them SQLite makes a table in memory, each
-- time a row is written, and that costs more than writing it.
CREATE TABLE deliveries_2 (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  campaign INTEGER NOT NULL REFERENCES campaigns (id),
  subscriber INTEGER NOT NULL REFERENCES subscribers (id),
  state TEXT NOT NULL CHECK (state = 'accepted' OR state = 'planned' OR state = 'deferred' OR state = 'rejected'
    OR state = 'in_doubt' OR state = 'abandoned' OR state = 'suppressed' OR state = 'cancelled' OR state = 'expired'),
  epoch INTEGER,                                -- of the sender that settled it last
  attempt INTEGER NOT NULL DEFAULT 0,           -- number of the last attempt settled
  tries INTEGER NOT NULL DEFAULT 0,             -- attempts that came to something
  failures INTEGER NOT NULL DEFAULT 0,          -- of those, the deferred ones
  first_try INTEGER,
  next INTEGER,                                 -- not before, when planned or deferred (or when a resend was)
  doubts INTEGER NOT NULL DEFAULT 0,            -- how often it came into doubt
  resend TEXT NOT NULL DEFAULT 'none' CHECK (resend IN ('none', 'ordered', 'spent', 'held')),
  message_id TEXT,                              -- of every attempt
  relay TEXT,                                   -- of the last attempt, as are the next five
  begun INTEGER,
  settled INTEGER,
  outcome TEXT CHECK (outcome = 'accepted' OR outcome = 'deferred' OR outcome = 'rejected' OR outcome = 'in_doubt'
    OR outcome = 'withdrawn' OR outcome = 'expired'),
  reply TEXT,                                   -- masked
  reason TEXT,
  feedback TEXT CHECK (feedback IN ('bounced', 'complained')),
  UNIQUE (campaign, subscriber),
  -- What may be with the relay is never planned again, nor side-stepped.
  CHECK (doubts = 0 OR state = 'in_doubt' OR state = 'accepted' OR state = 'rejected' OR state = 'abandoned'),
  CHECK (state <> 'in_doubt' OR doubts > 0)
) STRICT;

-- One row for all that began in one commit; it goes when all of it is settled. A delivery is under
-- way while an attempt stands here that its own row has not come to.
CREATE TABLE beginnings (
  number INTEGER PRIMARY KEY,
  epoch INTEGER NOT NULL,                       -- of the sender
  deliveries TEXT NOT NULL,                     -- JSON object: attempts by delivery
  letters BLOB NOT NULL                         -- postcard: of each, what is frozen of it
) STRICT;

INSERT INTO deliveries_2 (id, campaign, subscriber, state, epoch, attempt, tries, failures, first_try, next, doubts,
    resend, message_id, relay, begun, settled, outcome, reply, reason, feedback)
  SELECT d.id, d.campaign, d.subscriber,
    CASE WHEN d.state IN ('claimed', 'begun') THEN iif(d.doubts > 0, 'in_doubt', 'planned') ELSE d.state END,
    d.epoch, d.attempt - (d.state = 'begun'), d.tries, d.failures, d.first_try, d.next, d.doubts, d.resend,
    d.message_id, coalesce(a.relay, d.relay), a.begun, a.settled, a.outcome, d.reply, d.reason, d.feedback
  FROM deliveries d LEFT JOIN kept_attempts a ON a.delivery = d.id AND a.attempt = d.attempt - (d.state = 'begun');

DROP TABLE deliveries;
ALTER TABLE deliveries_2 RENAME TO deliveries;

-- What a second attempt needs. Most deliveries have only one, and are not here.
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
-- Their letters are written by the program, which then drops this table.
CREATE TEMP TABLE kept_begun AS SELECT * FROM kept_frozen WHERE state = 'begun';
INSERT INTO attempts SELECT k.* FROM kept_attempts k JOIN deliveries d ON d.id = k.delivery
  WHERE k.late IS NOT NULL OR k.attempt < d.attempt;
DROP TABLE kept_attempts;
DROP TABLE kept_frozen;

-- What was accepted is nearly all, and nothing is looked for among it: the index is without it. A
-- query goes by such an index only if it names the index's condition; the view does.
CREATE INDEX deliveries_by_state ON deliveries (campaign, state, next) WHERE state <> 'accepted';
CREATE VIEW not_accepted AS SELECT * FROM deliveries WHERE state <> 'accepted';
CREATE VIEW under_way AS SELECT d.id, d.campaign, d.state, b.epoch, e.value AS attempt
  FROM beginnings b CROSS JOIN json_each(b.deliveries) e CROSS JOIN deliveries d ON d.id = cast(e.key AS INTEGER)
  WHERE d.attempt < e.value;
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
