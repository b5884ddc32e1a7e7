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
