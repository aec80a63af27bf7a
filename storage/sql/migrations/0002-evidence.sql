-- What the gateways signed, where it stands in its chain, and what was refused. Nothing here is dropped by age.

CREATE TABLE store_epoch (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    epoch bytea NOT NULL CHECK (octet_length(epoch) = 8)
);
INSERT INTO store_epoch (epoch) VALUES (substring(sha256(uuid_send(gen_random_uuid())) FOR 8));

CREATE SEQUENCE receipt_counter;

-- The instrument of a stream is known from its first stored frame on, and never changes.
CREATE TABLE stream (
    stream_no bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    stream_id bytea NOT NULL UNIQUE CHECK (octet_length(stream_id) = 16),
    gateway_no bigint NOT NULL REFERENCES gateway,
    instrument_no integer REFERENCES instrument
);
CREATE INDEX stream_by_gateway ON stream (gateway_no);
CREATE INDEX stream_by_instrument ON stream (instrument_no);

-- Custody: seq 0..upto, and the runs in `held` beyond it: [[first, last, prev_hash of first, frame_hash of last], ...].
CREATE TABLE stream_head (
    stream_no bigint PRIMARY KEY REFERENCES stream,
    upto bigint NOT NULL CHECK (upto >= -1),
    upto_hash bytea NOT NULL CHECK (octet_length(upto_hash) = 32),
    held jsonb NOT NULL,
    version bigint NOT NULL
) WITH (fillfactor = 50);

-- Partitioned by the stream, so that UNIQUE (stream_no, seq) is real whatever the clocks said.
CREATE TABLE frame (
    stream_no bigint NOT NULL REFERENCES stream,
    seq bigint NOT NULL CHECK (seq >= 0),
    kind smallint NOT NULL,
    frame_hash bytea NOT NULL CHECK (octet_length(frame_hash) = 32),
    prev_hash bytea NOT NULL CHECK (octet_length(prev_hash) = 32),
    begin_ms bigint NOT NULL,
    end_ms bigint NOT NULL,
    received_at_ms bigint NOT NULL,
    stored_at timestamptz NOT NULL DEFAULT now(),
    bytes bytea NOT NULL,
    UNIQUE (stream_no, seq)
) PARTITION BY HASH (stream_no);
CREATE INDEX frame_by_time ON frame (stream_no, end_ms);

CREATE TABLE frame_0 PARTITION OF frame FOR VALUES WITH (MODULUS 8, REMAINDER 0);
CREATE TABLE frame_1 PARTITION OF frame FOR VALUES WITH (MODULUS 8, REMAINDER 1);
CREATE TABLE frame_2 PARTITION OF frame FOR VALUES WITH (MODULUS 8, REMAINDER 2);
CREATE TABLE frame_3 PARTITION OF frame FOR VALUES WITH (MODULUS 8, REMAINDER 3);
CREATE TABLE frame_4 PARTITION OF frame FOR VALUES WITH (MODULUS 8, REMAINDER 4);
CREATE TABLE frame_5 PARTITION OF frame FOR VALUES WITH (MODULUS 8, REMAINDER 5);
CREATE TABLE frame_6 PARTITION OF frame FOR VALUES WITH (MODULUS 8, REMAINDER 6);
CREATE TABLE frame_7 PARTITION OF frame FOR VALUES WITH (MODULUS 8, REMAINDER 7);

-- Authentic bytes keep their place in the stream and are kept whole; all others are known by hash, in bounded number.
CREATE TABLE quarantine (
    quarantine_no bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    received_at_ms bigint NOT NULL,
    stored_at timestamptz NOT NULL DEFAULT now(),
    topic text NOT NULL,
    authentic boolean NOT NULL,
    gateway_no bigint REFERENCES gateway,
    stream_no bigint REFERENCES stream,
    seq bigint,
    reason text NOT NULL,
    detail text NOT NULL,
    sha256 bytea NOT NULL CHECK (octet_length(sha256) = 32),
    size_bytes integer NOT NULL,
    bytes bytea,
    CONSTRAINT whole_where_authentic CHECK (
        CASE WHEN authentic THEN num_nulls(gateway_no, stream_no, seq, bytes) = 0
        ELSE num_nonnulls(gateway_no, stream_no, seq, bytes) = 0 END
    )
);
CREATE UNIQUE INDEX quarantine_authentic ON quarantine (stream_no, seq, sha256) WHERE authentic;
CREATE INDEX quarantine_other ON quarantine (quarantine_no) WHERE NOT authentic;

CREATE FUNCTION trim_quarantine(keep integer) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp
AS $$
    DELETE FROM quarantine WHERE NOT authentic AND quarantine_no <= (
        SELECT quarantine_no FROM quarantine WHERE NOT authentic ORDER BY quarantine_no DESC OFFSET keep LIMIT 1
    )
$$;

-- received = stored + duplicate + quarantined, summed over all the collector's life.
CREATE TABLE intake (
    collector text PRIMARY KEY,
    received bigint NOT NULL,
    stored bigint NOT NULL,
    duplicate bigint NOT NULL,
    quarantined bigint NOT NULL
);
