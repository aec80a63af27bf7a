CREATE FUNCTION public.ensure_month(month date) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    SET "TimeZone" TO 'UTC'
    SET client_min_messages TO 'warning'
    AS $$
DECLARE
    parent text;
BEGIN
    -- Two collectors may meet the same new month.
    PERFORM pg_advisory_xact_lock(hashtext('jishi ensure_month'));
    FOREACH parent IN ARRAY ARRAY['power_sample', 'run_state'] LOOP
        IF (SELECT relkind FROM pg_class WHERE oid = parent::regclass) = 'p' THEN
            EXECUTE format(
                'CREATE TABLE IF NOT EXISTS %I PARTITION OF %I FOR VALUES FROM (%L) TO (%L)',
                parent || to_char(month, '_YYYY_MM'), parent, month, (month + INTERVAL '1 month')::date
            );
        END IF;
    END LOOP;
END
$$;

CREATE FUNCTION public.trim_quarantine(keep integer) RETURNS void
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
    DELETE FROM quarantine WHERE NOT authentic AND quarantine_no <= (
        SELECT quarantine_no FROM quarantine WHERE NOT authentic ORDER BY quarantine_no DESC OFFSET keep LIMIT 1
    )
$$;

CREATE TABLE public.account (
    account_no bigint NOT NULL,
    name text NOT NULL,
    role text NOT NULL,
    unit_no bigint,
    key_sha256 bytea NOT NULL,
    created_at_ms bigint NOT NULL,
    expires_at_ms bigint,
    revoked_at_ms bigint,
    CONSTRAINT a_lab_names_its_unit CHECK (((role <> 'lab'::text) OR (unit_no IS NOT NULL))),
    CONSTRAINT account_check CHECK ((expires_at_ms > created_at_ms)),
    CONSTRAINT account_check1 CHECK ((revoked_at_ms >= created_at_ms)),
    CONSTRAINT account_key_sha256_check CHECK ((octet_length(key_sha256) = 32)),
    CONSTRAINT account_name_check CHECK ((name <> ''::text)),
    CONSTRAINT account_role_check CHECK ((role = ANY (ARRAY['lab'::text, 'evaluator'::text, 'auditor'::text, 'operator'::text])))
);

ALTER TABLE public.account ALTER COLUMN account_no ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.account_account_no_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.binding (
    binding_no bigint NOT NULL,
    instrument_no integer NOT NULL,
    gateway_no bigint NOT NULL,
    meter_no bigint NOT NULL,
    ct_primary_a integer NOT NULL,
    ct_secondary_a integer NOT NULL,
    role text NOT NULL,
    valid_from_ms bigint NOT NULL,
    valid_to_ms bigint,
    CONSTRAINT binding_check CHECK ((valid_to_ms > valid_from_ms)),
    CONSTRAINT binding_ct_primary_a_check CHECK ((ct_primary_a > 0)),
    CONSTRAINT binding_ct_secondary_a_check CHECK ((ct_secondary_a > 0)),
    CONSTRAINT binding_role_check CHECK ((role = ANY (ARRAY['sole'::text, 'part'::text, 'shared'::text, 'auxiliary'::text])))
);

ALTER TABLE public.binding ALTER COLUMN binding_no ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.binding_binding_no_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.frame (
    stream_no bigint NOT NULL,
    seq bigint NOT NULL,
    kind smallint NOT NULL,
    frame_hash bytea NOT NULL,
    prev_hash bytea NOT NULL,
    begin_ms bigint NOT NULL,
    end_ms bigint NOT NULL,
    received_at_ms bigint NOT NULL,
    stored_at timestamp with time zone DEFAULT now() NOT NULL,
    bytes bytea NOT NULL,
    CONSTRAINT frame_frame_hash_check CHECK ((octet_length(frame_hash) = 32)),
    CONSTRAINT frame_prev_hash_check CHECK ((octet_length(prev_hash) = 32)),
    CONSTRAINT frame_seq_check CHECK ((seq >= 0))
)
PARTITION BY HASH (stream_no);

CREATE TABLE public.frame_0 (
    stream_no bigint CONSTRAINT frame_stream_no_not_null NOT NULL,
    seq bigint CONSTRAINT frame_seq_not_null NOT NULL,
    kind smallint CONSTRAINT frame_kind_not_null NOT NULL,
    frame_hash bytea CONSTRAINT frame_frame_hash_not_null NOT NULL,
    prev_hash bytea CONSTRAINT frame_prev_hash_not_null NOT NULL,
    begin_ms bigint CONSTRAINT frame_begin_ms_not_null NOT NULL,
    end_ms bigint CONSTRAINT frame_end_ms_not_null NOT NULL,
    received_at_ms bigint CONSTRAINT frame_received_at_ms_not_null NOT NULL,
    stored_at timestamp with time zone DEFAULT now() CONSTRAINT frame_stored_at_not_null NOT NULL,
    bytes bytea CONSTRAINT frame_bytes_not_null NOT NULL,
    CONSTRAINT frame_frame_hash_check CHECK ((octet_length(frame_hash) = 32)),
    CONSTRAINT frame_prev_hash_check CHECK ((octet_length(prev_hash) = 32)),
    CONSTRAINT frame_seq_check CHECK ((seq >= 0))
);

CREATE TABLE public.frame_1 (
    stream_no bigint CONSTRAINT frame_stream_no_not_null NOT NULL,
    seq bigint CONSTRAINT frame_seq_not_null NOT NULL,
    kind smallint CONSTRAINT frame_kind_not_null NOT NULL,
    frame_hash bytea CONSTRAINT frame_frame_hash_not_null NOT NULL,
    prev_hash bytea CONSTRAINT frame_prev_hash_not_null NOT NULL,
    begin_ms bigint CONSTRAINT frame_begin_ms_not_null NOT NULL,
    end_ms bigint CONSTRAINT frame_end_ms_not_null NOT NULL,
    received_at_ms bigint CONSTRAINT frame_received_at_ms_not_null NOT NULL,
    stored_at timestamp with time zone DEFAULT now() CONSTRAINT frame_stored_at_not_null NOT NULL,
    bytes bytea CONSTRAINT frame_bytes_not_null NOT NULL,
    CONSTRAINT frame_frame_hash_check CHECK ((octet_length(frame_hash) = 32)),
    CONSTRAINT frame_prev_hash_check CHECK ((octet_length(prev_hash) = 32)),
    CONSTRAINT frame_seq_check CHECK ((seq >= 0))
);

CREATE TABLE public.frame_2 (
    stream_no bigint CONSTRAINT frame_stream_no_not_null NOT NULL,
    seq bigint CONSTRAINT frame_seq_not_null NOT NULL,
    kind smallint CONSTRAINT frame_kind_not_null NOT NULL,
    frame_hash bytea CONSTRAINT frame_frame_hash_not_null NOT NULL,
    prev_hash bytea CONSTRAINT frame_prev_hash_not_null NOT NULL,
    begin_ms bigint CONSTRAINT frame_begin_ms_not_null NOT NULL,
    end_ms bigint CONSTRAINT frame_end_ms_not_null NOT NULL,
    received_at_ms bigint CONSTRAINT frame_received_at_ms_not_null NOT NULL,
    stored_at timestamp with time zone DEFAULT now() CONSTRAINT frame_stored_at_not_null NOT NULL,
    bytes bytea CONSTRAINT frame_bytes_not_null NOT NULL,
    CONSTRAINT frame_frame_hash_check CHECK ((octet_length(frame_hash) = 32)),
    CONSTRAINT frame_prev_hash_check CHECK ((octet_length(prev_hash) = 32)),
    CONSTRAINT frame_seq_check CHECK ((seq >= 0))
);

CREATE TABLE public.frame_3 (
    stream_no bigint CONSTRAINT frame_stream_no_not_null NOT NULL,
    seq bigint CONSTRAINT frame_seq_not_null NOT NULL,
    kind smallint CONSTRAINT frame_kind_not_null NOT NULL,
    frame_hash bytea CONSTRAINT frame_frame_hash_not_null NOT NULL,
    prev_hash bytea CONSTRAINT frame_prev_hash_not_null NOT NULL,
    begin_ms bigint CONSTRAINT frame_begin_ms_not_null NOT NULL,
    end_ms bigint CONSTRAINT frame_end_ms_not_null NOT NULL,
    received_at_ms bigint CONSTRAINT frame_received_at_ms_not_null NOT NULL,
    stored_at timestamp with time zone DEFAULT now() CONSTRAINT frame_stored_at_not_null NOT NULL,
    bytes bytea CONSTRAINT frame_bytes_not_null NOT NULL,
    CONSTRAINT frame_frame_hash_check CHECK ((octet_length(frame_hash) = 32)),
    CONSTRAINT frame_prev_hash_check CHECK ((octet_length(prev_hash) = 32)),
    CONSTRAINT frame_seq_check CHECK ((seq >= 0))
);

CREATE TABLE public.frame_4 (
    stream_no bigint CONSTRAINT frame_stream_no_not_null NOT NULL,
    seq bigint CONSTRAINT frame_seq_not_null NOT NULL,
    kind smallint CONSTRAINT frame_kind_not_null NOT NULL,
    frame_hash bytea CONSTRAINT frame_frame_hash_not_null NOT NULL,
    prev_hash bytea CONSTRAINT frame_prev_hash_not_null NOT NULL,
    begin_ms bigint CONSTRAINT frame_begin_ms_not_null NOT NULL,
    end_ms bigint CONSTRAINT frame_end_ms_not_null NOT NULL,
    received_at_ms bigint CONSTRAINT frame_received_at_ms_not_null NOT NULL,
    stored_at timestamp with time zone DEFAULT now() CONSTRAINT frame_stored_at_not_null NOT NULL,
    bytes bytea CONSTRAINT frame_bytes_not_null NOT NULL,
    CONSTRAINT frame_frame_hash_check CHECK ((octet_length(frame_hash) = 32)),
    CONSTRAINT frame_prev_hash_check CHECK ((octet_length(prev_hash) = 32)),
    CONSTRAINT frame_seq_check CHECK ((seq >= 0))
);

CREATE TABLE public.frame_5 (
    stream_no bigint CONSTRAINT frame_stream_no_not_null NOT NULL,
    seq bigint CONSTRAINT frame_seq_not_null NOT NULL,
    kind smallint CONSTRAINT frame_kind_not_null NOT NULL,
    frame_hash bytea CONSTRAINT frame_frame_hash_not_null NOT NULL,
    prev_hash bytea CONSTRAINT frame_prev_hash_not_null NOT NULL,
    begin_ms bigint CONSTRAINT frame_begin_ms_not_null NOT NULL,
    end_ms bigint CONSTRAINT frame_end_ms_not_null NOT NULL,
    received_at_ms bigint CONSTRAINT frame_received_at_ms_not_null NOT NULL,
    stored_at timestamp with time zone DEFAULT now() CONSTRAINT frame_stored_at_not_null NOT NULL,
    bytes bytea CONSTRAINT frame_bytes_not_null NOT NULL,
    CONSTRAINT frame_frame_hash_check CHECK ((octet_length(frame_hash) = 32)),
    CONSTRAINT frame_prev_hash_check CHECK ((octet_length(prev_hash) = 32)),
    CONSTRAINT frame_seq_check CHECK ((seq >= 0))
);

CREATE TABLE public.frame_6 (
    stream_no bigint CONSTRAINT frame_stream_no_not_null NOT NULL,
    seq bigint CONSTRAINT frame_seq_not_null NOT NULL,
    kind smallint CONSTRAINT frame_kind_not_null NOT NULL,
    frame_hash bytea CONSTRAINT frame_frame_hash_not_null NOT NULL,
    prev_hash bytea CONSTRAINT frame_prev_hash_not_null NOT NULL,
    begin_ms bigint CONSTRAINT frame_begin_ms_not_null NOT NULL,
    end_ms bigint CONSTRAINT frame_end_ms_not_null NOT NULL,
    received_at_ms bigint CONSTRAINT frame_received_at_ms_not_null NOT NULL,
    stored_at timestamp with time zone DEFAULT now() CONSTRAINT frame_stored_at_not_null NOT NULL,
    bytes bytea CONSTRAINT frame_bytes_not_null NOT NULL,
    CONSTRAINT frame_frame_hash_check CHECK ((octet_length(frame_hash) = 32)),
    CONSTRAINT frame_prev_hash_check CHECK ((octet_length(prev_hash) = 32)),
    CONSTRAINT frame_seq_check CHECK ((seq >= 0))
);

CREATE TABLE public.frame_7 (
    stream_no bigint CONSTRAINT frame_stream_no_not_null NOT NULL,
    seq bigint CONSTRAINT frame_seq_not_null NOT NULL,
    kind smallint CONSTRAINT frame_kind_not_null NOT NULL,
    frame_hash bytea CONSTRAINT frame_frame_hash_not_null NOT NULL,
    prev_hash bytea CONSTRAINT frame_prev_hash_not_null NOT NULL,
    begin_ms bigint CONSTRAINT frame_begin_ms_not_null NOT NULL,
    end_ms bigint CONSTRAINT frame_end_ms_not_null NOT NULL,
    received_at_ms bigint CONSTRAINT frame_received_at_ms_not_null NOT NULL,
    stored_at timestamp with time zone DEFAULT now() CONSTRAINT frame_stored_at_not_null NOT NULL,
    bytes bytea CONSTRAINT frame_bytes_not_null NOT NULL,
    CONSTRAINT frame_frame_hash_check CHECK ((octet_length(frame_hash) = 32)),
    CONSTRAINT frame_prev_hash_check CHECK ((octet_length(prev_hash) = 32)),
    CONSTRAINT frame_seq_check CHECK ((seq >= 0))
);

CREATE TABLE public.gateway (
    gateway_no bigint NOT NULL,
    gateway_id text NOT NULL,
    site text NOT NULL,
    unit_no bigint NOT NULL
);

ALTER TABLE public.gateway ALTER COLUMN gateway_no ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.gateway_gateway_no_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.gateway_key (
    kid bytea NOT NULL,
    gateway_no bigint NOT NULL,
    public_key bytea NOT NULL,
    valid_from_ms bigint NOT NULL,
    valid_to_ms bigint,
    CONSTRAINT gateway_key_check CHECK ((valid_to_ms > valid_from_ms)),
    CONSTRAINT gateway_key_kid_check CHECK ((octet_length(kid) = 8)),
    CONSTRAINT gateway_key_public_key_check CHECK ((octet_length(public_key) = 32))
);

CREATE TABLE public.instrument (
    instrument_no integer NOT NULL,
    instrument_id text NOT NULL,
    unit_no bigint NOT NULL,
    name_zh text NOT NULL,
    name_en text NOT NULL,
    class text NOT NULL
);

ALTER TABLE public.instrument ALTER COLUMN instrument_no ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.instrument_instrument_no_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.intake (
    collector text NOT NULL,
    received bigint NOT NULL,
    stored bigint NOT NULL,
    duplicate bigint NOT NULL,
    quarantined bigint NOT NULL
);

CREATE TABLE public.meter (
    meter_no bigint NOT NULL,
    model text NOT NULL,
    serial text NOT NULL
);

ALTER TABLE public.meter ALTER COLUMN meter_no ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.meter_meter_no_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.policy (
    policy_no bigint NOT NULL,
    policy_id text NOT NULL,
    version integer NOT NULL,
    instrument_no integer,
    class text,
    document jsonb NOT NULL,
    content_hash bytea NOT NULL,
    proposed_by text NOT NULL,
    proposed_body text NOT NULL,
    approved_by text NOT NULL,
    approved_body text NOT NULL,
    approved_at_ms bigint NOT NULL,
    valid_from_ms bigint NOT NULL,
    valid_to_ms bigint,
    CONSTRAINT approved_by_another_body CHECK ((approved_body <> proposed_body)),
    CONSTRAINT for_an_instrument_or_a_class CHECK ((num_nonnulls(instrument_no, class) = 1)),
    CONSTRAINT not_in_force_before_approval CHECK ((valid_from_ms >= approved_at_ms)),
    CONSTRAINT policy_check CHECK ((valid_to_ms > valid_from_ms)),
    CONSTRAINT policy_content_hash_check CHECK ((octet_length(content_hash) = 32)),
    CONSTRAINT policy_version_check CHECK ((version > 0))
);

ALTER TABLE public.policy ALTER COLUMN policy_no ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.policy_policy_no_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.power_sample (
    taken_at timestamp with time zone NOT NULL,
    instrument_no integer NOT NULL,
    power_mw bigint NOT NULL
)
PARTITION BY RANGE (taken_at);

COMMENT ON TABLE public.power_sample IS 'active power, mW, consumption positive';

CREATE TABLE public.quarantine (
    quarantine_no bigint NOT NULL,
    received_at_ms bigint NOT NULL,
    stored_at timestamp with time zone DEFAULT now() NOT NULL,
    topic text NOT NULL,
    authentic boolean NOT NULL,
    gateway_no bigint,
    stream_no bigint,
    seq bigint,
    reason text NOT NULL,
    detail text NOT NULL,
    sha256 bytea NOT NULL,
    size_bytes integer NOT NULL,
    bytes bytea,
    CONSTRAINT quarantine_sha256_check CHECK ((octet_length(sha256) = 32)),
    CONSTRAINT whole_where_authentic CHECK (
CASE
    WHEN authentic THEN (num_nulls(gateway_no, stream_no, seq, bytes) = 0)
    ELSE (num_nonnulls(gateway_no, stream_no, seq, bytes) = 0)
END)
);

ALTER TABLE public.quarantine ALTER COLUMN quarantine_no ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.quarantine_quarantine_no_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.readmission (
    quarantine_no bigint NOT NULL,
    readmitted_at_ms bigint NOT NULL,
    readmitted_by text NOT NULL,
    registry_revision bigint NOT NULL,
    stored_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT readmission_readmitted_by_check CHECK ((readmitted_by <> ''::text))
);

CREATE SEQUENCE public.receipt_counter
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;

CREATE TABLE public.registry_mark (
    only_row boolean DEFAULT true NOT NULL,
    simulation boolean NOT NULL,
    revision bigint NOT NULL,
    CONSTRAINT registry_mark_only_row_check CHECK (only_row)
);

CREATE TABLE public.run_state (
    taken_at timestamp with time zone NOT NULL,
    instrument_no integer NOT NULL,
    closed_lines bigint NOT NULL
)
PARTITION BY RANGE (taken_at);

COMMENT ON TABLE public.run_state IS 'at the first tick of a frame and at each change: bit i is line i of the frame, 1 = closed';

CREATE TABLE public.statement (
    statement_no bigint NOT NULL,
    instrument_no integer NOT NULL,
    day date NOT NULL,
    period_from_ms bigint NOT NULL,
    period_to_ms bigint NOT NULL,
    policy_hash bytea NOT NULL,
    evidence_digest bytea NOT NULL,
    rules_version text NOT NULL,
    code_version text NOT NULL,
    provisional boolean NOT NULL,
    level smallint NOT NULL,
    document jsonb NOT NULL,
    digest bytea NOT NULL,
    supersedes bigint,
    decided_at_ms bigint NOT NULL,
    CONSTRAINT statement_check CHECK ((period_to_ms > period_from_ms)),
    CONSTRAINT statement_digest_check CHECK ((octet_length(digest) = 32)),
    CONSTRAINT statement_level_check CHECK (((level >= 0) AND (level <= 4)))
);

CREATE TABLE public.statement_interval (
    statement_no bigint NOT NULL,
    from_ms bigint NOT NULL,
    to_ms bigint NOT NULL,
    kind text NOT NULL,
    level smallint NOT NULL,
    CONSTRAINT statement_interval_check CHECK ((to_ms > from_ms)),
    CONSTRAINT statement_interval_level_check CHECK (((level >= 0) AND (level <= 4)))
);

ALTER TABLE public.statement ALTER COLUMN statement_no ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.statement_statement_no_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.store_epoch (
    only_row boolean DEFAULT true NOT NULL,
    epoch bytea NOT NULL,
    CONSTRAINT store_epoch_epoch_check CHECK ((octet_length(epoch) = 8)),
    CONSTRAINT store_epoch_only_row_check CHECK (only_row)
);

CREATE TABLE public.stream (
    stream_no bigint NOT NULL,
    stream_id bytea NOT NULL,
    gateway_no bigint NOT NULL,
    instrument_no integer,
    CONSTRAINT stream_stream_id_check CHECK ((octet_length(stream_id) = 16))
);

CREATE TABLE public.stream_head (
    stream_no bigint NOT NULL,
    upto bigint NOT NULL,
    upto_hash bytea NOT NULL,
    held jsonb NOT NULL,
    version bigint NOT NULL,
    CONSTRAINT stream_head_upto_check CHECK ((upto >= '-1'::integer)),
    CONSTRAINT stream_head_upto_hash_check CHECK ((octet_length(upto_hash) = 32))
)
WITH (fillfactor='50');

ALTER TABLE public.stream ALTER COLUMN stream_no ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.stream_stream_no_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.unit (
    unit_no bigint NOT NULL,
    unit_id text NOT NULL,
    name_zh text NOT NULL,
    name_en text NOT NULL,
    time_zone text NOT NULL
);

ALTER TABLE public.unit ALTER COLUMN unit_no ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.unit_unit_no_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.usage_session (
    session_id text NOT NULL,
    instrument_no integer NOT NULL,
    start_ms bigint NOT NULL,
    end_ms bigint NOT NULL,
    party text NOT NULL,
    purpose text NOT NULL,
    way text NOT NULL,
    attribution smallint NOT NULL,
    entered_at_ms bigint NOT NULL,
    commitment bytea,
    CONSTRAINT usage_session_attribution_check CHECK (((attribution >= 0) AND (attribution <= 3))),
    CONSTRAINT usage_session_check CHECK ((end_ms > start_ms)),
    CONSTRAINT usage_session_commitment_check CHECK ((octet_length(commitment) = 32))
);

ALTER TABLE ONLY public.frame ATTACH PARTITION public.frame_0 FOR VALUES WITH (modulus 8, remainder 0);

ALTER TABLE ONLY public.frame ATTACH PARTITION public.frame_1 FOR VALUES WITH (modulus 8, remainder 1);

ALTER TABLE ONLY public.frame ATTACH PARTITION public.frame_2 FOR VALUES WITH (modulus 8, remainder 2);

ALTER TABLE ONLY public.frame ATTACH PARTITION public.frame_3 FOR VALUES WITH (modulus 8, remainder 3);

ALTER TABLE ONLY public.frame ATTACH PARTITION public.frame_4 FOR VALUES WITH (modulus 8, remainder 4);

ALTER TABLE ONLY public.frame ATTACH PARTITION public.frame_5 FOR VALUES WITH (modulus 8, remainder 5);

ALTER TABLE ONLY public.frame ATTACH PARTITION public.frame_6 FOR VALUES WITH (modulus 8, remainder 6);

ALTER TABLE ONLY public.frame ATTACH PARTITION public.frame_7 FOR VALUES WITH (modulus 8, remainder 7);

ALTER TABLE ONLY public.binding
    ADD CONSTRAINT a_sole_meter_serves_one_instrument EXCLUDE USING gist (int8range(meter_no, meter_no, '[]'::text) WITH =, int8range(valid_from_ms, valid_to_ms) WITH &&) WHERE ((role = 'sole'::text));

ALTER TABLE ONLY public.account
    ADD CONSTRAINT account_key_sha256_key UNIQUE (key_sha256);

ALTER TABLE ONLY public.account
    ADD CONSTRAINT account_pkey PRIMARY KEY (account_no);

ALTER TABLE ONLY public.binding
    ADD CONSTRAINT binding_instrument_no_gateway_no_meter_no_valid_from_ms_key UNIQUE (instrument_no, gateway_no, meter_no, valid_from_ms);

ALTER TABLE ONLY public.binding
    ADD CONSTRAINT binding_pkey PRIMARY KEY (binding_no);

ALTER TABLE ONLY public.frame
    ADD CONSTRAINT frame_stream_no_seq_key UNIQUE (stream_no, seq);

ALTER TABLE ONLY public.frame_0
    ADD CONSTRAINT frame_0_stream_no_seq_key UNIQUE (stream_no, seq);

ALTER TABLE ONLY public.frame_1
    ADD CONSTRAINT frame_1_stream_no_seq_key UNIQUE (stream_no, seq);

ALTER TABLE ONLY public.frame_2
    ADD CONSTRAINT frame_2_stream_no_seq_key UNIQUE (stream_no, seq);

ALTER TABLE ONLY public.frame_3
    ADD CONSTRAINT frame_3_stream_no_seq_key UNIQUE (stream_no, seq);

ALTER TABLE ONLY public.frame_4
    ADD CONSTRAINT frame_4_stream_no_seq_key UNIQUE (stream_no, seq);

ALTER TABLE ONLY public.frame_5
    ADD CONSTRAINT frame_5_stream_no_seq_key UNIQUE (stream_no, seq);

ALTER TABLE ONLY public.frame_6
    ADD CONSTRAINT frame_6_stream_no_seq_key UNIQUE (stream_no, seq);

ALTER TABLE ONLY public.frame_7
    ADD CONSTRAINT frame_7_stream_no_seq_key UNIQUE (stream_no, seq);

ALTER TABLE ONLY public.gateway
    ADD CONSTRAINT gateway_gateway_id_key UNIQUE (gateway_id);

ALTER TABLE ONLY public.gateway_key
    ADD CONSTRAINT gateway_key_pkey PRIMARY KEY (kid);

ALTER TABLE ONLY public.gateway
    ADD CONSTRAINT gateway_pkey PRIMARY KEY (gateway_no);

ALTER TABLE ONLY public.instrument
    ADD CONSTRAINT instrument_instrument_id_key UNIQUE (instrument_id);

ALTER TABLE ONLY public.instrument
    ADD CONSTRAINT instrument_pkey PRIMARY KEY (instrument_no);

ALTER TABLE ONLY public.intake
    ADD CONSTRAINT intake_pkey PRIMARY KEY (collector);

ALTER TABLE ONLY public.meter
    ADD CONSTRAINT meter_model_serial_key UNIQUE (model, serial);

ALTER TABLE ONLY public.meter
    ADD CONSTRAINT meter_pkey PRIMARY KEY (meter_no);

ALTER TABLE ONLY public.policy
    ADD CONSTRAINT one_policy_at_a_time EXCLUDE USING gist (int8range((instrument_no)::bigint, (instrument_no)::bigint, '[]'::text) WITH =, int8range(valid_from_ms, valid_to_ms) WITH &&) WHERE ((instrument_no IS NOT NULL));

ALTER TABLE ONLY public.binding
    ADD CONSTRAINT one_sole_meter_for_an_instrument EXCLUDE USING gist (int8range((instrument_no)::bigint, (instrument_no)::bigint, '[]'::text) WITH =, int8range(valid_from_ms, valid_to_ms) WITH &&) WHERE ((role = 'sole'::text));

ALTER TABLE ONLY public.policy
    ADD CONSTRAINT policy_pkey PRIMARY KEY (policy_no);

ALTER TABLE ONLY public.policy
    ADD CONSTRAINT policy_policy_id_version_key UNIQUE (policy_id, version);

ALTER TABLE ONLY public.quarantine
    ADD CONSTRAINT quarantine_pkey PRIMARY KEY (quarantine_no);

ALTER TABLE ONLY public.readmission
    ADD CONSTRAINT readmission_pkey PRIMARY KEY (quarantine_no);

ALTER TABLE ONLY public.registry_mark
    ADD CONSTRAINT registry_mark_pkey PRIMARY KEY (only_row);

ALTER TABLE ONLY public.statement
    ADD CONSTRAINT statement_digest_key UNIQUE (digest);

ALTER TABLE ONLY public.statement_interval
    ADD CONSTRAINT statement_interval_pkey PRIMARY KEY (statement_no, from_ms, kind);

ALTER TABLE ONLY public.statement
    ADD CONSTRAINT statement_pkey PRIMARY KEY (statement_no);

ALTER TABLE ONLY public.statement
    ADD CONSTRAINT statement_supersedes_key UNIQUE (supersedes);

ALTER TABLE ONLY public.store_epoch
    ADD CONSTRAINT store_epoch_pkey PRIMARY KEY (only_row);

ALTER TABLE ONLY public.stream_head
    ADD CONSTRAINT stream_head_pkey PRIMARY KEY (stream_no);

ALTER TABLE ONLY public.stream
    ADD CONSTRAINT stream_pkey PRIMARY KEY (stream_no);

ALTER TABLE ONLY public.stream
    ADD CONSTRAINT stream_stream_id_key UNIQUE (stream_id);

ALTER TABLE ONLY public.unit
    ADD CONSTRAINT unit_pkey PRIMARY KEY (unit_no);

ALTER TABLE ONLY public.unit
    ADD CONSTRAINT unit_unit_id_key UNIQUE (unit_id);

ALTER TABLE ONLY public.usage_session
    ADD CONSTRAINT usage_session_pkey PRIMARY KEY (session_id);

CREATE UNIQUE INDEX account_one_key_a_name ON public.account USING btree (name) WHERE (revoked_at_ms IS NULL);

CREATE INDEX frame_by_hash ON ONLY public.frame USING hash (frame_hash);

CREATE INDEX frame_0_frame_hash_idx ON public.frame_0 USING hash (frame_hash);

CREATE INDEX frame_by_time ON ONLY public.frame USING btree (stream_no, end_ms);

CREATE INDEX frame_0_stream_no_end_ms_idx ON public.frame_0 USING btree (stream_no, end_ms);

CREATE INDEX frame_1_frame_hash_idx ON public.frame_1 USING hash (frame_hash);

CREATE INDEX frame_1_stream_no_end_ms_idx ON public.frame_1 USING btree (stream_no, end_ms);

CREATE INDEX frame_2_frame_hash_idx ON public.frame_2 USING hash (frame_hash);

CREATE INDEX frame_2_stream_no_end_ms_idx ON public.frame_2 USING btree (stream_no, end_ms);

CREATE INDEX frame_3_frame_hash_idx ON public.frame_3 USING hash (frame_hash);

CREATE INDEX frame_3_stream_no_end_ms_idx ON public.frame_3 USING btree (stream_no, end_ms);

CREATE INDEX frame_4_frame_hash_idx ON public.frame_4 USING hash (frame_hash);

CREATE INDEX frame_4_stream_no_end_ms_idx ON public.frame_4 USING btree (stream_no, end_ms);

CREATE INDEX frame_5_frame_hash_idx ON public.frame_5 USING hash (frame_hash);

CREATE INDEX frame_5_stream_no_end_ms_idx ON public.frame_5 USING btree (stream_no, end_ms);

CREATE INDEX frame_6_frame_hash_idx ON public.frame_6 USING hash (frame_hash);

CREATE INDEX frame_6_stream_no_end_ms_idx ON public.frame_6 USING btree (stream_no, end_ms);

CREATE INDEX frame_7_frame_hash_idx ON public.frame_7 USING hash (frame_hash);

CREATE INDEX frame_7_stream_no_end_ms_idx ON public.frame_7 USING btree (stream_no, end_ms);

CREATE UNIQUE INDEX quarantine_authentic ON public.quarantine USING btree (stream_no, seq, sha256) WHERE authentic;

CREATE INDEX quarantine_other ON public.quarantine USING btree (quarantine_no) WHERE (NOT authentic);

CREATE INDEX statement_by_period ON public.statement USING btree (instrument_no, period_from_ms);

CREATE INDEX stream_by_gateway ON public.stream USING btree (gateway_no);

CREATE INDEX stream_by_instrument ON public.stream USING btree (instrument_no);

CREATE INDEX usage_session_by_time ON public.usage_session USING btree (instrument_no, start_ms);

ALTER INDEX public.frame_by_hash ATTACH PARTITION public.frame_0_frame_hash_idx;

ALTER INDEX public.frame_by_time ATTACH PARTITION public.frame_0_stream_no_end_ms_idx;

ALTER INDEX public.frame_stream_no_seq_key ATTACH PARTITION public.frame_0_stream_no_seq_key;

ALTER INDEX public.frame_by_hash ATTACH PARTITION public.frame_1_frame_hash_idx;

ALTER INDEX public.frame_by_time ATTACH PARTITION public.frame_1_stream_no_end_ms_idx;

ALTER INDEX public.frame_stream_no_seq_key ATTACH PARTITION public.frame_1_stream_no_seq_key;

ALTER INDEX public.frame_by_hash ATTACH PARTITION public.frame_2_frame_hash_idx;

ALTER INDEX public.frame_by_time ATTACH PARTITION public.frame_2_stream_no_end_ms_idx;

ALTER INDEX public.frame_stream_no_seq_key ATTACH PARTITION public.frame_2_stream_no_seq_key;

ALTER INDEX public.frame_by_hash ATTACH PARTITION public.frame_3_frame_hash_idx;

ALTER INDEX public.frame_by_time ATTACH PARTITION public.frame_3_stream_no_end_ms_idx;

ALTER INDEX public.frame_stream_no_seq_key ATTACH PARTITION public.frame_3_stream_no_seq_key;

ALTER INDEX public.frame_by_hash ATTACH PARTITION public.frame_4_frame_hash_idx;

ALTER INDEX public.frame_by_time ATTACH PARTITION public.frame_4_stream_no_end_ms_idx;

ALTER INDEX public.frame_stream_no_seq_key ATTACH PARTITION public.frame_4_stream_no_seq_key;

ALTER INDEX public.frame_by_hash ATTACH PARTITION public.frame_5_frame_hash_idx;

ALTER INDEX public.frame_by_time ATTACH PARTITION public.frame_5_stream_no_end_ms_idx;

ALTER INDEX public.frame_stream_no_seq_key ATTACH PARTITION public.frame_5_stream_no_seq_key;

ALTER INDEX public.frame_by_hash ATTACH PARTITION public.frame_6_frame_hash_idx;

ALTER INDEX public.frame_by_time ATTACH PARTITION public.frame_6_stream_no_end_ms_idx;

ALTER INDEX public.frame_stream_no_seq_key ATTACH PARTITION public.frame_6_stream_no_seq_key;

ALTER INDEX public.frame_by_hash ATTACH PARTITION public.frame_7_frame_hash_idx;

ALTER INDEX public.frame_by_time ATTACH PARTITION public.frame_7_stream_no_end_ms_idx;

ALTER INDEX public.frame_stream_no_seq_key ATTACH PARTITION public.frame_7_stream_no_seq_key;

ALTER TABLE ONLY public.account
    ADD CONSTRAINT account_unit_no_fkey FOREIGN KEY (unit_no) REFERENCES public.unit(unit_no);

ALTER TABLE ONLY public.binding
    ADD CONSTRAINT binding_gateway_no_fkey FOREIGN KEY (gateway_no) REFERENCES public.gateway(gateway_no);

ALTER TABLE ONLY public.binding
    ADD CONSTRAINT binding_instrument_no_fkey FOREIGN KEY (instrument_no) REFERENCES public.instrument(instrument_no);

ALTER TABLE ONLY public.binding
    ADD CONSTRAINT binding_meter_no_fkey FOREIGN KEY (meter_no) REFERENCES public.meter(meter_no);

ALTER TABLE public.frame
    ADD CONSTRAINT frame_stream_no_fkey FOREIGN KEY (stream_no) REFERENCES public.stream(stream_no);

ALTER TABLE ONLY public.gateway_key
    ADD CONSTRAINT gateway_key_gateway_no_fkey FOREIGN KEY (gateway_no) REFERENCES public.gateway(gateway_no);

ALTER TABLE ONLY public.gateway
    ADD CONSTRAINT gateway_unit_no_fkey FOREIGN KEY (unit_no) REFERENCES public.unit(unit_no);

ALTER TABLE ONLY public.instrument
    ADD CONSTRAINT instrument_unit_no_fkey FOREIGN KEY (unit_no) REFERENCES public.unit(unit_no);

ALTER TABLE ONLY public.policy
    ADD CONSTRAINT policy_instrument_no_fkey FOREIGN KEY (instrument_no) REFERENCES public.instrument(instrument_no);

ALTER TABLE ONLY public.quarantine
    ADD CONSTRAINT quarantine_gateway_no_fkey FOREIGN KEY (gateway_no) REFERENCES public.gateway(gateway_no);

ALTER TABLE ONLY public.quarantine
    ADD CONSTRAINT quarantine_stream_no_fkey FOREIGN KEY (stream_no) REFERENCES public.stream(stream_no);

ALTER TABLE ONLY public.readmission
    ADD CONSTRAINT readmission_quarantine_no_fkey FOREIGN KEY (quarantine_no) REFERENCES public.quarantine(quarantine_no);

ALTER TABLE ONLY public.statement
    ADD CONSTRAINT statement_instrument_no_fkey FOREIGN KEY (instrument_no) REFERENCES public.instrument(instrument_no);

ALTER TABLE ONLY public.statement_interval
    ADD CONSTRAINT statement_interval_statement_no_fkey FOREIGN KEY (statement_no) REFERENCES public.statement(statement_no);

ALTER TABLE ONLY public.statement
    ADD CONSTRAINT statement_supersedes_fkey FOREIGN KEY (supersedes) REFERENCES public.statement(statement_no);

ALTER TABLE ONLY public.stream
    ADD CONSTRAINT stream_gateway_no_fkey FOREIGN KEY (gateway_no) REFERENCES public.gateway(gateway_no);

ALTER TABLE ONLY public.stream_head
    ADD CONSTRAINT stream_head_stream_no_fkey FOREIGN KEY (stream_no) REFERENCES public.stream(stream_no);

ALTER TABLE ONLY public.stream
    ADD CONSTRAINT stream_instrument_no_fkey FOREIGN KEY (instrument_no) REFERENCES public.instrument(instrument_no);

ALTER TABLE ONLY public.usage_session
    ADD CONSTRAINT usage_session_instrument_no_fkey FOREIGN KEY (instrument_no) REFERENCES public.instrument(instrument_no);

GRANT USAGE ON SCHEMA public TO jishi_service;

REVOKE ALL ON FUNCTION public.ensure_month(month date) FROM PUBLIC;
GRANT ALL ON FUNCTION public.ensure_month(month date) TO jishi_service;

REVOKE ALL ON FUNCTION public.trim_quarantine(keep integer) FROM PUBLIC;
GRANT ALL ON FUNCTION public.trim_quarantine(keep integer) TO jishi_service;

GRANT SELECT ON TABLE public.account TO jishi_service;

GRANT SELECT,INSERT ON TABLE public.binding TO jishi_service;

GRANT UPDATE(valid_to_ms) ON TABLE public.binding TO jishi_service;

GRANT USAGE ON SEQUENCE public.binding_binding_no_seq TO jishi_service;

GRANT SELECT,INSERT ON TABLE public.frame TO jishi_service;

GRANT SELECT,INSERT ON TABLE public.gateway TO jishi_service;

GRANT USAGE ON SEQUENCE public.gateway_gateway_no_seq TO jishi_service;

GRANT SELECT,INSERT ON TABLE public.gateway_key TO jishi_service;

GRANT UPDATE(valid_to_ms) ON TABLE public.gateway_key TO jishi_service;

GRANT SELECT,INSERT ON TABLE public.instrument TO jishi_service;

GRANT USAGE ON SEQUENCE public.instrument_instrument_no_seq TO jishi_service;

GRANT SELECT,INSERT,UPDATE ON TABLE public.intake TO jishi_service;

GRANT SELECT,INSERT ON TABLE public.meter TO jishi_service;

GRANT USAGE ON SEQUENCE public.meter_meter_no_seq TO jishi_service;

GRANT SELECT,INSERT ON TABLE public.policy TO jishi_service;

GRANT UPDATE(valid_to_ms) ON TABLE public.policy TO jishi_service;

GRANT USAGE ON SEQUENCE public.policy_policy_no_seq TO jishi_service;

GRANT SELECT,INSERT ON TABLE public.power_sample TO jishi_service;

GRANT SELECT,INSERT ON TABLE public.quarantine TO jishi_service;

GRANT USAGE ON SEQUENCE public.quarantine_quarantine_no_seq TO jishi_service;

GRANT SELECT,INSERT ON TABLE public.readmission TO jishi_service;

GRANT USAGE ON SEQUENCE public.receipt_counter TO jishi_service;

GRANT SELECT,INSERT ON TABLE public.registry_mark TO jishi_service;

GRANT UPDATE(revision) ON TABLE public.registry_mark TO jishi_service;

GRANT SELECT,INSERT ON TABLE public.run_state TO jishi_service;

GRANT SELECT,INSERT ON TABLE public.statement TO jishi_service;

GRANT SELECT,INSERT ON TABLE public.statement_interval TO jishi_service;

GRANT USAGE ON SEQUENCE public.statement_statement_no_seq TO jishi_service;

GRANT SELECT ON TABLE public.store_epoch TO jishi_service;

GRANT SELECT,INSERT ON TABLE public.stream TO jishi_service;

GRANT UPDATE(instrument_no) ON TABLE public.stream TO jishi_service;

GRANT SELECT,INSERT,UPDATE ON TABLE public.stream_head TO jishi_service;

GRANT USAGE ON SEQUENCE public.stream_stream_no_seq TO jishi_service;

GRANT SELECT,INSERT ON TABLE public.unit TO jishi_service;

GRANT USAGE ON SEQUENCE public.unit_unit_no_seq TO jishi_service;

GRANT SELECT,INSERT ON TABLE public.usage_session TO jishi_service;
