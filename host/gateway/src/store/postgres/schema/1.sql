-- Times are milliseconds since 1970-01-01T00:00:00Z:
--   SELECT to_timestamp(said_at / 1000.0), body, intent, rule FROM event;
--
-- Every key begins with the contact, so that a distributed PostgreSQL can spread the tables by it: by
-- `contact.id`, `contact_id` everywhere else, and `address.value`, which leads to the contact.

-- A person. `last_seq` and `last_recorded_at` belong to the newest event. Whoever writes about somebody
-- locks this row first.
CREATE TABLE contact (
    id               text COLLATE "C" PRIMARY KEY,
    created_at       bigint NOT NULL,
    last_seq         bigint NOT NULL,
    last_recorded_at bigint NOT NULL
);

-- Telephone numbers (E.164), WhatsApp user ids and e-mail addresses. An opt-out that arrives on one
-- of a contact's addresses counts for all. It refers to no contact, as the two may lie on different
-- machines; both are made in one transaction.
CREATE TABLE address (
    value      text COLLATE "C" PRIMARY KEY,
    contact_id text COLLATE "C" NOT NULL
);
CREATE INDEX address_by_contact ON address (contact_id);

-- What was said. Rows are added, never changed.
CREATE TABLE event (
    contact_id       text COLLATE "C" NOT NULL REFERENCES contact (id),
    seq              bigint NOT NULL,
    id               text COLLATE "C" NOT NULL,
    kind             text NOT NULL CHECK (kind IN ('inbound', 'reported')),
    address          text NOT NULL,
    channel          text COLLATE "C",
    business_address text,
    message_id       text COLLATE "C",
    body             text,
    selection        json,
    footer           text,
    question         text,
    last_category    text,
    country          text,
    contact_language text,
    answered         boolean NOT NULL,
    source           text,
    actor            text,
    evidence         json,
    intent           text,
    scope            text,
    review           boolean NOT NULL,
    rule             text,
    matched          text,
    language         text,
    reply            text,
    asks             text,
    route            text,
    priority         text,
    policy           text,
    changes          json NOT NULL,
    said_at          bigint NOT NULL,
    recorded_at      bigint NOT NULL,
    PRIMARY KEY (contact_id, seq)
);
CREATE UNIQUE INDEX event_by_message ON event (contact_id, channel, message_id)
    WHERE message_id IS NOT NULL;

-- What a person must look at. Who did is an event of the message 'review:' and the event's id.
CREATE INDEX event_to_review ON event (id) WHERE review;

-- What holds, built from the events: the newest statement of each kind. The category '*' is what
-- was said in general. `status` is what holds for the row's channel and category.
CREATE TABLE consent (
    contact_id             text COLLATE "C" NOT NULL REFERENCES contact (id),
    channel                text COLLATE "C" NOT NULL,
    category               text COLLATE "C" NOT NULL,
    status                 text NOT NULL CHECK (status IN ('OPTIN', 'OPTOUT', 'NONE')),
    own_opt_out_at         bigint,
    own_opt_out_event      text,
    reported_opt_out_at    bigint,
    reported_opt_out_event text,
    own_opt_in_at          bigint,
    own_opt_in_event       text,
    proven_opt_in_at       bigint,
    proven_opt_in_event    text,
    reported_opt_in_at     bigint,
    reported_opt_in_event  text,
    release_at             bigint,
    release_event          text,
    platform_stop_at       bigint,
    platform_stop_event    text,
    platform_resume_at     bigint,
    platform_resume_event  text,
    PRIMARY KEY (contact_id, channel, category)
);

-- When a contact last wrote, by channel, and last began a chat from an advertisement.
CREATE TABLE last_inbound (
    contact_id  text COLLATE "C" NOT NULL REFERENCES contact (id),
    channel     text COLLATE "C" NOT NULL,
    at          bigint NOT NULL,
    ad_entry_at bigint,
    PRIMARY KEY (contact_id, channel)
);

-- Until when a platform asked to leave a contact alone.
CREATE TABLE backoff (
    contact_id text COLLATE "C" NOT NULL REFERENCES contact (id),
    channel    text COLLATE "C" NOT NULL,
    category   text COLLATE "C" NOT NULL,
    until      bigint NOT NULL,
    PRIMARY KEY (contact_id, channel, category)
);

-- Messages that were allowed and count against a limit, or answer an event, which each may do once.
CREATE TABLE sent (
    contact_id  text COLLATE "C" NOT NULL REFERENCES contact (id),
    at          bigint NOT NULL,
    decision_id text COLLATE "C" NOT NULL,
    channel     text NOT NULL,
    category    text NOT NULL,
    answers     text COLLATE "C",
    PRIMARY KEY (contact_id, at, decision_id)
);
CREATE UNIQUE INDEX sent_by_answer ON sent (contact_id, answers) WHERE answers IS NOT NULL;

-- What was stopped for a reason that somebody should look at.
CREATE TABLE alert (
    id               text COLLATE "C" PRIMARY KEY,
    hour             bigint NOT NULL,
    reason           text NOT NULL,
    channel          text NOT NULL,
    category         text NOT NULL,
    count            bigint NOT NULL,
    first_at         bigint NOT NULL,
    last_at          bigint NOT NULL,
    last_decision_id text NOT NULL,
    delivered_at     bigint,
    UNIQUE (hour, reason, channel, category)
);
CREATE INDEX alert_to_deliver ON alert (id) WHERE delivered_at IS NULL;

-- The newest decisions, with what the policy was told: `contact` is what was known of the contact, and
-- `question` what was asked of a message that was to go out. What came in is in the event that has the
-- same id. There is no address in it.
CREATE TABLE decision (
    seq      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id       text COLLATE "C" NOT NULL,
    at       bigint NOT NULL,
    policy   text NOT NULL,
    contact  json NOT NULL,
    question json,
    verdict  text CHECK (verdict IN ('allow', 'deny', 'defer')),
    reason   text,
    retry_at bigint
);

-- Policies that were added, by digest.
CREATE TABLE policy (
    digest    text COLLATE "C" PRIMARY KEY,
    name      text NOT NULL,
    version   text NOT NULL,
    engine    text NOT NULL,
    component bytea NOT NULL,
    signature text,
    added_at  bigint NOT NULL,
    added_by  text NOT NULL
);

-- Which one became active, by whom and why. Rows are added, never changed. Each number is the one
-- after the newest, and no two changes get the same: they are seen in the order of their numbers.
CREATE TABLE policy_change (
    seq    bigint PRIMARY KEY,
    kind   text NOT NULL CHECK (kind IN ('activate', 'rollback')),
    digest text NOT NULL,
    actor  text NOT NULL,
    reason text NOT NULL,
    at     bigint NOT NULL
);

CREATE FUNCTION is_never_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'rows of % are never changed or deleted', TG_TABLE_NAME;
END
$$;
CREATE TRIGGER event_is_never_changed BEFORE UPDATE OR DELETE OR TRUNCATE ON event
    FOR EACH STATEMENT EXECUTE FUNCTION is_never_changed();
CREATE TRIGGER policy_change_is_never_changed BEFORE UPDATE OR DELETE OR TRUNCATE ON policy_change
    FOR EACH STATEMENT EXECUTE FUNCTION is_never_changed();
