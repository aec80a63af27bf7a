-- Who owns what, who may sign, which meter serves which instrument, by which rules, and who used it.
-- Validities are half-open, POSIX ms; an open end is NULL. Rows are closed once, never edited otherwise.

CREATE TABLE registry_mark (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    simulation boolean NOT NULL,
    revision bigint NOT NULL
);

CREATE TABLE unit (
    unit_no bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    unit_id text NOT NULL UNIQUE,
    name_zh text NOT NULL,
    name_en text NOT NULL,
    time_zone text NOT NULL
);

CREATE TABLE gateway (
    gateway_no bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    gateway_id text NOT NULL UNIQUE,
    site text NOT NULL,
    unit_no bigint NOT NULL REFERENCES unit
);

CREATE TABLE gateway_key (
    kid bytea PRIMARY KEY CHECK (octet_length(kid) = 8),
    gateway_no bigint NOT NULL REFERENCES gateway,
    public_key bytea NOT NULL CHECK (octet_length(public_key) = 32),
    valid_from_ms bigint NOT NULL,
    valid_to_ms bigint CHECK (valid_to_ms > valid_from_ms)
);

CREATE TABLE instrument (
    instrument_no integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    instrument_id text NOT NULL UNIQUE,
    unit_no bigint NOT NULL REFERENCES unit,
    name_zh text NOT NULL,
    name_en text NOT NULL,
    class text NOT NULL
);

CREATE TABLE meter (
    meter_no bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    model text NOT NULL,
    serial text NOT NULL,
    UNIQUE (model, serial)
);

-- int8range(n, n, '[]') stands for "the same n" in a GiST index: the embedded server carries no btree_gist.
CREATE TABLE binding (
    binding_no bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    instrument_no integer NOT NULL REFERENCES instrument,
    gateway_no bigint NOT NULL REFERENCES gateway,
    meter_no bigint NOT NULL REFERENCES meter,
    ct_primary_a integer NOT NULL CHECK (ct_primary_a > 0),
    ct_secondary_a integer NOT NULL CHECK (ct_secondary_a > 0),
    role text NOT NULL CHECK (role IN ('sole', 'part', 'shared', 'auxiliary')),
    valid_from_ms bigint NOT NULL,
    valid_to_ms bigint CHECK (valid_to_ms > valid_from_ms),
    UNIQUE (instrument_no, gateway_no, meter_no, valid_from_ms),
    CONSTRAINT one_sole_meter_for_an_instrument EXCLUDE USING gist (
        int8range(instrument_no, instrument_no, '[]') WITH =, int8range(valid_from_ms, valid_to_ms) WITH &&
    ) WHERE (role = 'sole'),
    CONSTRAINT a_sole_meter_serves_one_instrument EXCLUDE USING gist (
        int8range(meter_no, meter_no, '[]') WITH =, int8range(valid_from_ms, valid_to_ms) WITH &&
    ) WHERE (role = 'sole')
);

CREATE TABLE policy (
    policy_no bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    policy_id text NOT NULL,
    version integer NOT NULL CHECK (version > 0),
    instrument_no integer REFERENCES instrument,
    class text,
    document jsonb NOT NULL,
    content_hash bytea NOT NULL CHECK (octet_length(content_hash) = 32),
    proposed_by text NOT NULL,
    proposed_body text NOT NULL,
    approved_by text NOT NULL,
    approved_body text NOT NULL CONSTRAINT approved_by_another_body CHECK (approved_body <> proposed_body),
    approved_at_ms bigint NOT NULL,
    valid_from_ms bigint NOT NULL CONSTRAINT not_in_force_before_approval CHECK (valid_from_ms >= approved_at_ms),
    valid_to_ms bigint CHECK (valid_to_ms > valid_from_ms),
    UNIQUE (policy_id, version),
    CONSTRAINT for_an_instrument_or_a_class CHECK (num_nonnulls(instrument_no, class) = 1),
    CONSTRAINT one_policy_at_a_time EXCLUDE USING gist (
        int8range(instrument_no, instrument_no, '[]') WITH =, int8range(valid_from_ms, valid_to_ms) WITH &&
    ) WHERE (instrument_no IS NOT NULL)
);

-- Personal fields and their salt will stand in a table beside this one; only their commitment is part of the record.
CREATE TABLE usage_session (
    session_id text PRIMARY KEY,
    instrument_no integer NOT NULL REFERENCES instrument,
    start_ms bigint NOT NULL,
    end_ms bigint NOT NULL CHECK (end_ms > start_ms),
    party text NOT NULL,
    purpose text NOT NULL,
    way text NOT NULL,
    attribution smallint NOT NULL CHECK (attribution BETWEEN 0 AND 3),
    entered_at_ms bigint NOT NULL,
    commitment bytea CHECK (octet_length(commitment) = 32)
);
CREATE INDEX usage_session_by_time ON usage_session (instrument_no, start_ms);
