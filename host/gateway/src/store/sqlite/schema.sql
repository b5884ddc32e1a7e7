-- Times are milliseconds since 1970-01-01T00:00:00Z:
--   SELECT datetime(said_at / 1000, 'unixepoch'), body, intent, rule FROM event;

-- A person. `last_seq`, `last_recorded_at` and `head`, the hash, belong to the newest event; `sealed_seq`
-- is the newest that a checkpoint lists. Of somebody who was erased, this row is left.
CREATE TABLE contact (
    id               TEXT PRIMARY KEY,
    created_at       INTEGER NOT NULL,
    last_seq         INTEGER NOT NULL,
    last_recorded_at INTEGER NOT NULL,
    head             TEXT NOT NULL,
    sealed_seq       INTEGER NOT NULL,
    erased_at        INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX contact_unsealed ON contact (id) WHERE last_seq > sealed_seq;

-- Telephone numbers (E.164), WhatsApp user ids and e-mail addresses. An opt-out that arrives on one
-- of a contact's addresses counts for all.
CREATE TABLE address (
    value      TEXT PRIMARY KEY,
    contact_id TEXT NOT NULL REFERENCES contact (id)
) STRICT, WITHOUT ROWID;
CREATE INDEX address_by_contact ON address (contact_id);

-- What was said. Rows are added, never changed. `hash` is over the row and the one before: docs/evidence.md.
CREATE TABLE event (
    contact_id       TEXT NOT NULL REFERENCES contact (id),
    seq              INTEGER NOT NULL,
    id               TEXT NOT NULL,
    kind             TEXT NOT NULL CHECK (kind IN ('inbound', 'reported')),
    address          TEXT NOT NULL,
    other_addresses  TEXT,
    channel          TEXT,
    business_address TEXT,
    message_id       TEXT,
    body             TEXT,
    selection        TEXT,
    footer           TEXT,
    question         TEXT,
    last_category    TEXT,
    country          TEXT,
    contact_language TEXT,
    answered         INTEGER NOT NULL,
    source           TEXT,
    actor            TEXT,
    evidence         TEXT,
    intent           TEXT,
    scope            TEXT,
    review           INTEGER NOT NULL,
    rule             TEXT,
    matched          TEXT,
    language         TEXT,
    reply            TEXT,
    asks             TEXT,
    route            TEXT,
    priority         TEXT,
    policy           TEXT,
    changes          TEXT NOT NULL,
    said_at          INTEGER NOT NULL,
    recorded_at      INTEGER NOT NULL,
    statement        TEXT NOT NULL CHECK (statement IN ('own', 'proven', 'reported', 'platform')),
    hash             TEXT NOT NULL,
    PRIMARY KEY (contact_id, seq)
) STRICT;
CREATE UNIQUE INDEX event_by_message ON event (contact_id, channel, message_id)
    WHERE message_id IS NOT NULL;
-- What a person must look at. Who did is an event of the message 'review:' and the event's id.
CREATE INDEX event_to_review ON event (id) WHERE review;
CREATE TRIGGER event_is_never_changed BEFORE UPDATE ON event
    BEGIN SELECT RAISE(ABORT, 'events are never changed'); END;

-- What is left of events that were erased: the hash over what the row held, and its place in the chain.
CREATE TABLE erased_event (
    contact_id  TEXT NOT NULL REFERENCES contact (id),
    seq         INTEGER NOT NULL,
    content     TEXT NOT NULL,
    hash        TEXT NOT NULL,
    recorded_at INTEGER NOT NULL,
    PRIMARY KEY (contact_id, seq)
) STRICT, WITHOUT ROWID;
CREATE TRIGGER event_is_never_deleted BEFORE DELETE ON event
    WHEN NOT EXISTS (SELECT 1 FROM erased_event AS erased
        WHERE erased.contact_id = OLD.contact_id AND erased.seq = OLD.seq AND erased.hash = OLD.hash)
    BEGIN SELECT RAISE(ABORT, 'events are never deleted'); END;

-- The addresses of people who were erased and must not be written to, by a keyed hash (HMAC-SHA-256).
CREATE TABLE suppressed (
    address_hash TEXT PRIMARY KEY,
    at           INTEGER NOT NULL,
    event_id     TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- Which key that is: the hash of it.
CREATE TABLE suppression_key (
    only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
    key_id   TEXT NOT NULL
) STRICT;

-- Now and then, the newest hash of each contact that has changed, signed. `previous` is the hash of the
-- checkpoint before; `contacts` and `events` count what this one and those before list.
CREATE TABLE checkpoint (
    seq        INTEGER PRIMARY KEY,
    at         INTEGER NOT NULL,
    contacts   INTEGER NOT NULL,
    events     INTEGER NOT NULL,
    heads      INTEGER NOT NULL,
    heads_hash TEXT NOT NULL,
    previous   TEXT NOT NULL,
    hash       TEXT NOT NULL,
    token      TEXT NOT NULL
) STRICT;
CREATE TRIGGER checkpoint_is_never_changed BEFORE UPDATE ON checkpoint
    BEGIN SELECT RAISE(ABORT, 'checkpoints are never changed'); END;
CREATE TRIGGER checkpoint_is_never_deleted BEFORE DELETE ON checkpoint
    BEGIN SELECT RAISE(ABORT, 'checkpoints are never deleted'); END;

-- What each of them lists.
CREATE TABLE checkpoint_head (
    contact_id TEXT NOT NULL,
    checkpoint INTEGER NOT NULL REFERENCES checkpoint (seq),
    seq        INTEGER NOT NULL,
    hash       TEXT NOT NULL,
    PRIMARY KEY (contact_id, checkpoint)
) STRICT, WITHOUT ROWID;
CREATE INDEX checkpoint_head_by_checkpoint ON checkpoint_head (checkpoint, contact_id);
CREATE TRIGGER checkpoint_head_is_never_changed BEFORE UPDATE ON checkpoint_head
    BEGIN SELECT RAISE(ABORT, 'checkpoints are never changed'); END;
CREATE TRIGGER checkpoint_head_is_never_deleted BEFORE DELETE ON checkpoint_head
    BEGIN SELECT RAISE(ABORT, 'checkpoints are never deleted'); END;

-- What holds, built from the events: the newest statement of each kind. The category '*' is what
-- was said in general. `status` is what holds for the row's channel and category.
CREATE TABLE consent (
    contact_id             TEXT NOT NULL REFERENCES contact (id),
    channel                TEXT NOT NULL,
    category               TEXT NOT NULL,
    status                 TEXT NOT NULL CHECK (status IN ('OPTIN', 'OPTOUT', 'NONE')),
    own_opt_out_at         INTEGER,
    own_opt_out_event      TEXT,
    reported_opt_out_at    INTEGER,
    reported_opt_out_event TEXT,
    own_opt_in_at          INTEGER,
    own_opt_in_event       TEXT,
    proven_opt_in_at       INTEGER,
    proven_opt_in_event    TEXT,
    reported_opt_in_at     INTEGER,
    reported_opt_in_event  TEXT,
    release_at             INTEGER,
    release_event          TEXT,
    platform_stop_at       INTEGER,
    platform_stop_event    TEXT,
    platform_resume_at     INTEGER,
    platform_resume_event  TEXT,
    PRIMARY KEY (contact_id, channel, category)
) STRICT, WITHOUT ROWID;

-- When a contact last wrote, by channel, and last began a chat from an advertisement.
CREATE TABLE last_inbound (
    contact_id  TEXT NOT NULL REFERENCES contact (id),
    channel     TEXT NOT NULL,
    at          INTEGER NOT NULL,
    ad_entry_at INTEGER,
    PRIMARY KEY (contact_id, channel)
) STRICT, WITHOUT ROWID;

-- Until when a platform asked to leave a contact alone.
CREATE TABLE backoff (
    contact_id TEXT NOT NULL REFERENCES contact (id),
    channel    TEXT NOT NULL,
    category   TEXT NOT NULL,
    until      INTEGER NOT NULL,
    PRIMARY KEY (contact_id, channel, category)
) STRICT, WITHOUT ROWID;

-- Messages that were allowed and count against a limit, or answer an event, which each may do once.
CREATE TABLE sent (
    contact_id  TEXT NOT NULL REFERENCES contact (id),
    at          INTEGER NOT NULL,
    decision_id TEXT NOT NULL,
    channel     TEXT NOT NULL,
    category    TEXT NOT NULL,
    answers     TEXT,
    PRIMARY KEY (contact_id, at, decision_id)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX sent_by_answer ON sent (contact_id, answers) WHERE answers IS NOT NULL;

-- What was stopped for a reason that somebody should look at.
CREATE TABLE alert (
    id               TEXT PRIMARY KEY,
    hour             INTEGER NOT NULL,
    reason           TEXT NOT NULL,
    channel          TEXT NOT NULL,
    category         TEXT NOT NULL,
    count            INTEGER NOT NULL,
    first_at         INTEGER NOT NULL,
    last_at          INTEGER NOT NULL,
    last_decision_id TEXT NOT NULL,
    delivered_at     INTEGER,
    UNIQUE (hour, reason, channel, category)
) STRICT, WITHOUT ROWID;
CREATE INDEX alert_to_deliver ON alert (id) WHERE delivered_at IS NULL;

-- The newest decisions, with what the policy was told: `contact` is what was known of the contact, and
-- `question` what was asked of a message that was to go out, both JSON. What came in is in the event that
-- has the same id. There is no address in it.
CREATE TABLE decision (
    seq      INTEGER PRIMARY KEY AUTOINCREMENT,
    id       TEXT NOT NULL,
    at       INTEGER NOT NULL,
    policy   TEXT NOT NULL,
    contact  TEXT NOT NULL,
    question TEXT,
    verdict  TEXT CHECK (verdict IN ('allow', 'deny', 'defer')),
    reason   TEXT,
    retry_at INTEGER
) STRICT;

-- Policies that were added, by digest.
CREATE TABLE policy (
    digest    TEXT PRIMARY KEY,
    name      TEXT NOT NULL,
    version   TEXT NOT NULL,
    engine    TEXT NOT NULL,
    component BLOB NOT NULL,
    signature TEXT,
    added_at  INTEGER NOT NULL,
    added_by  TEXT NOT NULL
) STRICT;

-- Which one became active, by whom and why. Rows are added, never changed.
CREATE TABLE policy_change (
    seq    INTEGER PRIMARY KEY AUTOINCREMENT,
    kind   TEXT NOT NULL CHECK (kind IN ('activate', 'rollback')),
    digest TEXT NOT NULL,
    actor  TEXT NOT NULL,
    reason TEXT NOT NULL,
    at     INTEGER NOT NULL
) STRICT;
CREATE TRIGGER policy_change_is_never_changed BEFORE UPDATE ON policy_change
    BEGIN SELECT RAISE(ABORT, 'changes of the policy are never changed'); END;
CREATE TRIGGER policy_change_is_never_deleted BEFORE DELETE ON policy_change
    BEGIN SELECT RAISE(ABORT, 'changes of the policy are never deleted'); END;
