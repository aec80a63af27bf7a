-- What metering decided. A statement is never edited: a later one names the one it supersedes.

CREATE TABLE statement (
    statement_no bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    instrument_no integer NOT NULL REFERENCES instrument,
    day date NOT NULL,
    period_from_ms bigint NOT NULL,
    period_to_ms bigint NOT NULL CHECK (period_to_ms > period_from_ms),
    policy_hash bytea NOT NULL,
    evidence_digest bytea NOT NULL,
    rules_version text NOT NULL,
    code_version text NOT NULL,
    provisional boolean NOT NULL,
    level smallint NOT NULL CHECK (level BETWEEN 0 AND 4),
    document jsonb NOT NULL,
    digest bytea NOT NULL UNIQUE CHECK (octet_length(digest) = 32),
    supersedes bigint UNIQUE REFERENCES statement,
    decided_at_ms bigint NOT NULL
);
CREATE INDEX statement_by_period ON statement (instrument_no, period_from_ms);

CREATE TABLE statement_interval (
    statement_no bigint NOT NULL REFERENCES statement,
    from_ms bigint NOT NULL,
    to_ms bigint NOT NULL CHECK (to_ms > from_ms),
    kind text NOT NULL,
    level smallint NOT NULL CHECK (level BETWEEN 0 AND 4),
    PRIMARY KEY (statement_no, from_ms, kind)
);
