-- Hashes over the events of each contact, and signed checkpoints over all: docs/evidence.md.

DO $$
BEGIN
    IF EXISTS (SELECT FROM event) THEN
        RAISE EXCEPTION 'the events here are of before the first release and have no hashes; start with a new schema';
    END IF;
END
$$;

-- `head`, the hash, belongs to the newest event, as `last_seq` does; `sealed_seq` is the newest that a
-- checkpoint lists.
ALTER TABLE contact
    ADD COLUMN head       text NOT NULL DEFAULT '',
    ADD COLUMN sealed_seq bigint NOT NULL DEFAULT 0;
CREATE INDEX contact_unsealed ON contact (id) WHERE last_seq > sealed_seq;

ALTER TABLE event
    ADD COLUMN other_addresses json,
    ADD COLUMN statement       text NOT NULL
        CHECK (statement IN ('own', 'proven', 'reported', 'platform')),
    ADD COLUMN hash            text NOT NULL;

-- Now and then, the newest hash of each contact that has changed, signed. `previous` is the hash of the
-- checkpoint before; `contacts` and `events` count what this one and those before list.
CREATE TABLE checkpoint (
    seq        bigint PRIMARY KEY,
    at         bigint NOT NULL,
    contacts   bigint NOT NULL,
    events     bigint NOT NULL,
    heads      bigint NOT NULL,
    heads_hash text NOT NULL,
    previous   text NOT NULL,
    hash       text NOT NULL,
    token      text NOT NULL
);

-- What each of them lists.
CREATE TABLE checkpoint_head (
    contact_id text COLLATE "C" NOT NULL,
    checkpoint bigint NOT NULL,
    seq        bigint NOT NULL,
    hash       text NOT NULL,
    PRIMARY KEY (contact_id, checkpoint)
);
CREATE INDEX checkpoint_head_by_checkpoint ON checkpoint_head (checkpoint, contact_id);

CREATE TRIGGER checkpoint_is_never_changed BEFORE UPDATE OR DELETE OR TRUNCATE ON checkpoint
    FOR EACH STATEMENT EXECUTE FUNCTION is_never_changed();
CREATE TRIGGER checkpoint_head_is_never_changed BEFORE UPDATE OR DELETE OR TRUNCATE ON checkpoint_head
    FOR EACH STATEMENT EXECUTE FUNCTION is_never_changed();

-- Of somebody who was erased, the contact's row is left.
ALTER TABLE contact ADD COLUMN erased_at bigint;

-- What is left of events that were erased: the hash over what the row held, and its place in the chain.
CREATE TABLE erased_event (
    contact_id  text COLLATE "C" NOT NULL REFERENCES contact (id),
    seq         bigint NOT NULL,
    content     text NOT NULL,
    hash        text NOT NULL,
    recorded_at bigint NOT NULL,
    PRIMARY KEY (contact_id, seq)
);
CREATE FUNCTION is_erased() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM erased_event AS erased WHERE erased.contact_id = OLD.contact_id
        AND erased.seq = OLD.seq AND erased.hash = OLD.hash) THEN
        RAISE EXCEPTION 'rows of % are never changed or deleted', TG_TABLE_NAME;
    END IF;
    RETURN OLD;
END
$$;
DROP TRIGGER event_is_never_changed ON event;
CREATE TRIGGER event_is_never_changed BEFORE UPDATE OR TRUNCATE ON event
    FOR EACH STATEMENT EXECUTE FUNCTION is_never_changed();
CREATE TRIGGER event_is_never_deleted BEFORE DELETE ON event
    FOR EACH ROW EXECUTE FUNCTION is_erased();

-- The addresses of people who were erased and must not be written to, by a keyed hash (HMAC-SHA-256).
CREATE TABLE suppressed (
    address_hash text COLLATE "C" PRIMARY KEY,
    at           bigint NOT NULL,
    event_id     text NOT NULL
);

-- Which key that is: the hash of it.
CREATE TABLE suppression_key (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    key_id   text NOT NULL
);
