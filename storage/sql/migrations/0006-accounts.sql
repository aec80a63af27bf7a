-- Who may ask the api, and by which key. Of a key only its SHA-256 is here.
-- Services may look a key up; only the owner of the tables makes or revokes one: a service that is broken into cannot
-- make itself a key. A row is closed once (revoked), never edited otherwise.

CREATE TABLE account (
    account_no bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text NOT NULL CHECK (name <> ''),
    role text NOT NULL CHECK (role IN ('lab', 'evaluator', 'auditor', 'operator')),
    unit_no bigint REFERENCES unit,
    key_sha256 bytea NOT NULL UNIQUE CHECK (octet_length(key_sha256) = 32),
    created_at_ms bigint NOT NULL,
    expires_at_ms bigint CHECK (expires_at_ms > created_at_ms),
    revoked_at_ms bigint CHECK (revoked_at_ms >= created_at_ms),
    CONSTRAINT a_lab_names_its_unit CHECK (role <> 'lab' OR unit_no IS NOT NULL)
);
CREATE UNIQUE INDEX account_one_key_a_name ON account (name) WHERE revoked_at_ms IS NULL;

GRANT SELECT ON account TO jishi_service;

-- A frame by the name that statements and packs know it by. A hash index: 4 bytes an entry, and only equality is asked.
CREATE INDEX frame_by_hash ON frame USING hash (frame_hash);
