-- Every statement this project sends to PostgreSQL, by name. Parameters are psycopg's.

-- name: lock_migrations
SELECT pg_advisory_lock(hashtext('jishi migrate'))

-- name: timescaledb_version
SELECT extversion FROM pg_extension WHERE extname = 'timescaledb'

-- name: heads
SELECT s.stream_id, s.stream_no, h.version, g.gateway_id, i.instrument_id, h.upto, h.upto_hash, h.held
FROM stream s
JOIN stream_head h USING (stream_no)
JOIN gateway g USING (gateway_no)
LEFT JOIN instrument i USING (instrument_no)
WHERE s.stream_id = ANY (%s::bytea[])

-- name: make_streams
WITH made AS (
    INSERT INTO stream (stream_id, gateway_no)
    SELECT n.stream_id, g.gateway_no
    FROM unnest(%s::bytea[], %s::text[]) AS n (stream_id, gateway_id)
    JOIN gateway g USING (gateway_id)
    ON CONFLICT DO NOTHING
    RETURNING stream_no, stream_id
), head AS (
    INSERT INTO stream_head (stream_no, upto, upto_hash, held, version)
    SELECT stream_no, -1, decode(repeat('00', 32), 'hex'), '[]', 0 FROM made
)
SELECT stream_no, stream_id FROM made

-- name: move_heads
UPDATE stream_head h
SET upto = n.upto, upto_hash = n.upto_hash, held = n.held, version = h.version + 1
FROM unnest(%s::bigint[], %s::bigint[], %s::bigint[], %s::bytea[], %s::jsonb[])
    AS n (stream_no, version, upto, upto_hash, held)
WHERE h.stream_no = n.stream_no AND h.version = n.version

-- name: name_instruments
UPDATE stream s
SET instrument_no = i.instrument_no
FROM unnest(%s::bigint[], %s::text[]) AS n (stream_no, instrument_id)
JOIN instrument i USING (instrument_id)
WHERE s.stream_no = n.stream_no AND s.instrument_no IS NULL

-- name: known_hashes
SELECT n.stream_no, n.seq, f.frame_hash
FROM unnest(%s::bigint[], %s::bigint[]) AS n (stream_no, seq)
JOIN frame f USING (stream_no, seq)
UNION ALL
SELECT n.stream_no, n.seq, q.sha256
FROM unnest(%s::bigint[], %s::bigint[]) AS n (stream_no, seq)
JOIN quarantine q USING (stream_no, seq)
WHERE q.authentic

-- name: instrument_numbers
SELECT instrument_id, instrument_no FROM instrument WHERE instrument_id = ANY (%s)

-- name: ensure_month
SELECT ensure_month(%s)

-- name: copy_frames
COPY frame (stream_no, seq, kind, frame_hash, prev_hash, begin_ms, end_ms, received_at_ms, bytes)
FROM STDIN (FORMAT BINARY)

-- name: copy_power_samples
COPY power_sample (taken_at, instrument_no, power_mw) FROM STDIN (FORMAT BINARY)

-- name: copy_run_states
COPY run_state (taken_at, instrument_no, closed_lines) FROM STDIN (FORMAT BINARY)

-- name: quarantine
INSERT INTO quarantine
    (received_at_ms, topic, authentic, gateway_no, stream_no, seq, reason, detail, sha256, size_bytes, bytes)
SELECT n.received_at_ms, n.topic, n.bytes IS NOT NULL, g.gateway_no, n.stream_no, n.seq, n.reason, n.detail, n.sha256,
    n.size_bytes, n.bytes
FROM unnest(
    %s::bigint[], %s::text[], %s::text[], %s::bigint[], %s::bigint[], %s::text[], %s::text[], %s::bytea[],
    %s::integer[], %s::bytea[]
) WITH ORDINALITY
    AS n (received_at_ms, topic, gateway_id, stream_no, seq, reason, detail, sha256, size_bytes, bytes, at)
LEFT JOIN gateway g USING (gateway_id)
ORDER BY n.at
ON CONFLICT DO NOTHING

-- name: trim_quarantine
SELECT trim_quarantine(%s)

-- name: count_intake
INSERT INTO intake AS i (collector, received, stored, duplicate, quarantined)
VALUES (%s, %s, %s, %s, %s)
ON CONFLICT (collector) DO UPDATE SET
    received = i.received + excluded.received,
    stored = i.stored + excluded.stored,
    duplicate = i.duplicate + excluded.duplicate,
    quarantined = i.quarantined + excluded.quarantined

-- name: receipt_marks
SELECT g.gateway_id, g.site, e.epoch, nextval('receipt_counter')
FROM gateway g, store_epoch e
WHERE g.gateway_id = ANY (%s::text[])

-- name: custody
SELECT g.gateway_id, s.stream_id, h.upto, h.upto_hash, h.held
FROM gateway g
JOIN stream s USING (gateway_no)
JOIN stream_head h USING (stream_no)
WHERE g.gateway_id = ANY (%s::text[])
ORDER BY s.stream_no DESC

-- name: streams_of_instrument
SELECT s.stream_no FROM stream s JOIN instrument i USING (instrument_no) WHERE i.instrument_id = %s ORDER BY s.stream_no

-- name: read_frames
SELECT bytes FROM frame WHERE stream_no = %s AND begin_ms < %s AND end_ms >= %s ORDER BY seq

-- name: newest_of_instrument
-- By the unique index of each stream: never a scan of all frames.
SELECT f.bytes
FROM instrument i
JOIN stream s USING (instrument_no)
CROSS JOIN LATERAL (SELECT bytes FROM frame WHERE stream_no = s.stream_no ORDER BY seq DESC LIMIT 1) f
WHERE i.instrument_id = %s

-- name: equivocated
SELECT s.stream_id, min(q.seq)
FROM instrument i
JOIN stream s USING (instrument_no)
JOIN quarantine q USING (stream_no)
WHERE i.instrument_id = %s AND q.reason = 'equivocation'
GROUP BY s.stream_id

-- name: counters
SELECT
    coalesce(sum(received), 0)::bigint AS received,
    coalesce(sum(stored), 0)::bigint AS stored,
    coalesce(sum(duplicate), 0)::bigint AS duplicate,
    coalesce(sum(quarantined), 0)::bigint AS quarantined,
    (SELECT count(*) FROM frame) AS frames,
    (SELECT count(*) FROM power_sample) AS samples,
    (SELECT count(*) FROM stream) AS streams,
    (SELECT count(*) FROM quarantine WHERE reason = 'equivocation') AS equivocations,
    (SELECT count(*) FROM readmission) AS readmitted
FROM intake

-- name: one_moment
SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY

-- name: lock_registry
SELECT pg_advisory_xact_lock(hashtext('jishi registry'))

-- name: mark_registry
INSERT INTO registry_mark (simulation, revision) VALUES (%s, 1) ON CONFLICT DO NOTHING

-- name: revise_registry
UPDATE registry_mark SET revision = revision + 1

-- name: registry_mark
SELECT simulation, revision FROM registry_mark

-- name: all_unit
SELECT unit_id, name_zh, name_en, time_zone FROM unit

-- name: add_unit
INSERT INTO unit (unit_id, name_zh, name_en, time_zone)
VALUES (%(unit_id)s, %(name_zh)s, %(name_en)s, %(time_zone)s)

-- name: all_gateway
SELECT gateway_id, site, unit_id AS unit FROM gateway JOIN unit USING (unit_no)

-- name: add_gateway
INSERT INTO gateway (gateway_id, site, unit_no)
SELECT %(gateway_id)s, %(site)s, unit_no FROM unit WHERE unit_id = %(unit)s

-- name: all_gateway_key
SELECT kid, gateway_id AS gateway, public_key, valid_from_ms, valid_to_ms
FROM gateway_key JOIN gateway USING (gateway_no)

-- name: add_gateway_key
INSERT INTO gateway_key (kid, gateway_no, public_key, valid_from_ms, valid_to_ms)
SELECT %(kid)s, gateway_no, %(public_key)s, %(valid_from_ms)s, %(valid_to_ms)s
FROM gateway WHERE gateway_id = %(gateway)s

-- name: close_gateway_key
UPDATE gateway_key SET valid_to_ms = %(valid_to_ms)s WHERE kid = %(kid)s AND valid_to_ms IS NULL

-- name: all_instrument
SELECT instrument_id, unit_id AS unit, i.name_zh, i.name_en, class AS instrument_class
FROM instrument i JOIN unit USING (unit_no)

-- name: add_instrument
INSERT INTO instrument (instrument_id, unit_no, name_zh, name_en, class)
SELECT %(instrument_id)s, unit_no, %(name_zh)s, %(name_en)s, %(instrument_class)s
FROM unit WHERE unit_id = %(unit)s

-- name: all_meter
SELECT model, serial FROM meter

-- name: add_meter
INSERT INTO meter (model, serial) VALUES (%(model)s, %(serial)s)

-- name: all_binding
SELECT instrument_id AS instrument, gateway_id AS gateway, model AS meter_model, serial AS meter_serial, ct_primary_a,
    ct_secondary_a, role, valid_from_ms, valid_to_ms
FROM binding
JOIN instrument USING (instrument_no)
JOIN gateway USING (gateway_no)
JOIN meter USING (meter_no)

-- name: add_binding
INSERT INTO binding
    (instrument_no, gateway_no, meter_no, ct_primary_a, ct_secondary_a, role, valid_from_ms, valid_to_ms)
SELECT instrument_no, gateway_no, meter_no, %(ct_primary_a)s, %(ct_secondary_a)s, %(role)s, %(valid_from_ms)s,
    %(valid_to_ms)s
FROM instrument, gateway, meter
WHERE instrument_id = %(instrument)s AND gateway_id = %(gateway)s
    AND model = %(meter_model)s AND serial = %(meter_serial)s

-- name: close_binding
UPDATE binding b
SET valid_to_ms = %(valid_to_ms)s
FROM instrument i, gateway g, meter m
WHERE b.instrument_no = i.instrument_no AND b.gateway_no = g.gateway_no AND b.meter_no = m.meter_no
    AND i.instrument_id = %(instrument)s AND g.gateway_id = %(gateway)s
    AND m.model = %(meter_model)s AND m.serial = %(meter_serial)s
    AND b.valid_from_ms = %(valid_from_ms)s AND b.valid_to_ms IS NULL

-- name: all_policy
SELECT policy_id, version, instrument_id AS instrument, document AS rules, content_hash, proposed_by, proposed_body,
    approved_by, approved_body, approved_at_ms, valid_from_ms, valid_to_ms
FROM policy LEFT JOIN instrument USING (instrument_no)

-- name: add_policy
INSERT INTO policy
    (policy_id, version, instrument_no, document, content_hash, proposed_by, proposed_body, approved_by, approved_body,
    approved_at_ms, valid_from_ms, valid_to_ms)
SELECT %(policy_id)s, %(version)s, instrument_no, %(rules)s, %(content_hash)s, %(proposed_by)s, %(proposed_body)s,
    %(approved_by)s, %(approved_body)s, %(approved_at_ms)s, %(valid_from_ms)s, %(valid_to_ms)s
FROM instrument WHERE instrument_id = %(instrument)s

-- name: close_policy
UPDATE policy SET valid_to_ms = %(valid_to_ms)s
WHERE policy_id = %(policy_id)s AND version = %(version)s AND valid_to_ms IS NULL

-- name: all_session
SELECT session_id, instrument_id AS instrument, start_ms, end_ms, party, purpose, way, attribution, entered_at_ms
FROM usage_session JOIN instrument USING (instrument_no)

-- name: add_session
INSERT INTO usage_session
    (session_id, instrument_no, start_ms, end_ms, party, purpose, way, attribution, entered_at_ms)
SELECT %(session_id)s, instrument_no, %(start_ms)s, %(end_ms)s, %(party)s, %(purpose)s, %(way)s, %(attribution)s,
    %(entered_at_ms)s
FROM instrument WHERE instrument_id = %(instrument)s

-- name: snapshot_keys
SELECT kid, site, gateway_id AS gateway, public_key, valid_from_ms, valid_to_ms
FROM gateway_key JOIN gateway USING (gateway_no)

-- name: instruments
SELECT instrument_id AS instrument, unit_id AS unit, i.name_zh, i.name_en, class AS instrument_class, time_zone
FROM instrument i JOIN unit USING (unit_no)
ORDER BY instrument_id

-- name: bindings
SELECT instrument_id, gateway_id, model, serial, ct_primary_a, ct_secondary_a, role, valid_from_ms, valid_to_ms
FROM binding
JOIN instrument USING (instrument_no)
JOIN gateway USING (gateway_no)
JOIN meter USING (meter_no)
WHERE %s::text IS NULL OR instrument_id = %s
ORDER BY valid_from_ms, binding_no

-- name: policies
SELECT policy_id, version, instrument_id AS instrument, document AS rules, content_hash, proposed_by, proposed_body,
    approved_by, approved_body, approved_at_ms, valid_from_ms, valid_to_ms
FROM policy JOIN instrument USING (instrument_no)
WHERE instrument_id = %s AND valid_from_ms < %s AND (valid_to_ms IS NULL OR valid_to_ms > %s)
ORDER BY valid_from_ms, policy_id, version

-- name: sessions
SELECT session_id, start_ms, end_ms, party, purpose, way, attribution, entered_at_ms
FROM usage_session JOIN instrument USING (instrument_no)
WHERE instrument_id = %s AND start_ms < %s AND end_ms > %s
ORDER BY start_ms, session_id

-- name: append_statement
INSERT INTO statement
    (instrument_no, day, period_from_ms, period_to_ms, policy_hash, evidence_digest, rules_version, code_version,
    provisional, level, document, digest, supersedes, decided_at_ms)
SELECT (SELECT instrument_no FROM instrument WHERE instrument_id = %(instrument)s), %(day)s, %(period_from_ms)s,
    %(period_to_ms)s, %(policy_hash)s, %(evidence_digest)s, %(rules_version)s, %(code_version)s, %(provisional)s,
    %(level)s, %(document)s, %(digest)s,
    CASE WHEN %(supersedes)s::bytea IS NOT NULL
    THEN coalesce((SELECT statement_no FROM statement WHERE digest = %(supersedes)s), 0) END,
    %(decided_at_ms)s
ON CONFLICT (digest) DO NOTHING
RETURNING statement_no

-- name: append_intervals
INSERT INTO statement_interval (statement_no, from_ms, to_ms, kind, level)
SELECT %s, n.from_ms, n.to_ms, n.kind, n.level
FROM unnest(%s::bigint[], %s::bigint[], %s::text[], %s::smallint[]) AS n (from_ms, to_ms, kind, level)

-- name: statements
SELECT i.instrument_id AS instrument, s.day, s.period_from_ms, s.period_to_ms, s.policy_hash, s.evidence_digest,
    s.rules_version, s.code_version, s.provisional, s.level, s.document, s.digest, older.digest AS supersedes,
    s.decided_at_ms
FROM statement s
JOIN instrument i USING (instrument_no)
LEFT JOIN statement older ON older.statement_no = s.supersedes
WHERE i.instrument_id = %s AND s.period_from_ms < %s AND s.period_to_ms > %s
    AND NOT EXISTS (SELECT FROM statement newer WHERE newer.supersedes = s.statement_no)
ORDER BY s.period_from_ms, s.statement_no

-- name: intervals
SELECT n.from_ms, n.to_ms, n.kind, n.level
FROM statement_interval n JOIN statement s USING (statement_no)
WHERE s.digest = %s
ORDER BY n.from_ms, n.kind

-- name: only_read
SELECT set_config('default_transaction_read_only', 'on', false), set_config('statement_timeout', '30s', false)

-- name: unit_no
SELECT unit_no FROM unit WHERE unit_id = %s

-- name: add_account
INSERT INTO account (name, role, unit_no, key_sha256, created_at_ms, expires_at_ms)
VALUES (%s, %s, (SELECT unit_no FROM unit WHERE unit_id = %s), %s, %s, %s)
ON CONFLICT (name) WHERE revoked_at_ms IS NULL DO NOTHING
RETURNING account_no

-- name: account_of_key
SELECT name, role, unit_id AS unit, created_at_ms, expires_at_ms, revoked_at_ms
FROM account LEFT JOIN unit USING (unit_no)
WHERE key_sha256 = %s

-- name: accounts
SELECT name, role, unit_id AS unit, created_at_ms, expires_at_ms, revoked_at_ms
FROM account LEFT JOIN unit USING (unit_no)
ORDER BY account_no

-- name: revoke_account
UPDATE account SET revoked_at_ms = %s WHERE name = %s AND revoked_at_ms IS NULL RETURNING account_no

-- name: newest_frames
-- By seq within a stream, by its unique index; by measured time between the streams of an instrument.
SELECT i.instrument_id AS instrument, s.stream_id, f.seq, f.end_ms, f.received_at_ms
FROM stream s
JOIN instrument i USING (instrument_no)
CROSS JOIN LATERAL (
    SELECT seq, end_ms, received_at_ms FROM frame WHERE stream_no = s.stream_no ORDER BY seq DESC LIMIT 1
) f
ORDER BY i.instrument_id, f.end_ms DESC, s.stream_no DESC

-- name: last_frames
SELECT bytes FROM frame
WHERE stream_no = (SELECT stream_no FROM stream WHERE stream_id = %s)
ORDER BY seq DESC LIMIT %s

-- name: frame_entries
SELECT s.stream_id, f.seq, f.frame_hash, f.kind, f.begin_ms, f.end_ms, f.received_at_ms, octet_length(f.bytes) AS size_bytes
FROM instrument i
JOIN stream s USING (instrument_no)
JOIN frame f USING (stream_no)
WHERE i.instrument_id = %(instrument)s AND f.begin_ms < %(to_ms)s AND f.end_ms >= %(from_ms)s
    AND (
        %(stream)s::bytea IS NULL
        OR (s.stream_no, f.seq) > ((SELECT stream_no FROM stream WHERE stream_id = %(stream)s), %(seq)s)
    )
ORDER BY s.stream_no, f.seq
LIMIT %(limit)s

-- name: frame_of_hash
SELECT u.unit_id, f.bytes
FROM frame f
JOIN stream s USING (stream_no)
JOIN instrument i USING (instrument_no)
JOIN unit u USING (unit_no)
WHERE f.frame_hash = %s

-- name: intake_totals
SELECT
    coalesce(sum(received), 0)::bigint AS received,
    coalesce(sum(stored), 0)::bigint AS stored,
    coalesce(sum(duplicate), 0)::bigint AS duplicate,
    coalesce(sum(quarantined), 0)::bigint AS quarantined
FROM intake

-- name: stream_custody
SELECT s.stream_id, g.gateway_id AS gateway, i.instrument_id AS instrument, u.unit_id AS unit, h.upto,
    h.held, f.seq AS newest_seq, f.end_ms AS newest_end_ms, f.received_at_ms AS newest_received_at_ms
FROM stream s
JOIN stream_head h USING (stream_no)
JOIN gateway g USING (gateway_no)
LEFT JOIN instrument i USING (instrument_no)
JOIN unit u ON u.unit_no = coalesce(i.unit_no, g.unit_no)
LEFT JOIN LATERAL (
    SELECT seq, end_ms, received_at_ms FROM frame WHERE stream_no = s.stream_no ORDER BY seq DESC LIMIT 1
) f ON true
ORDER BY i.instrument_id, s.stream_no

-- name: one_moment_to_write
-- A transaction that appends results and must see no evidence that came after it began.
SET TRANSACTION ISOLATION LEVEL REPEATABLE READ

-- name: named_streams_of_instrument
SELECT s.stream_no, s.stream_id
FROM stream s JOIN instrument i USING (instrument_no)
WHERE i.instrument_id = %s
ORDER BY s.stream_id

-- name: placed_frames
SELECT begin_ms, end_ms, bytes FROM frame WHERE stream_no = %s AND begin_ms < %s AND end_ms >= %s ORDER BY seq

-- name: rivals
-- Two authentic frames of the lowest place of each stream that holds more than one, stored or quarantined.
SELECT e.stream_id, held.bytes
FROM (
    SELECT s.stream_no, s.stream_id, min(q.seq) AS seq
    FROM instrument i
    JOIN stream s USING (instrument_no)
    JOIN quarantine q USING (stream_no)
    WHERE i.instrument_id = %s AND q.reason = 'equivocation'
    GROUP BY s.stream_no, s.stream_id
) e
CROSS JOIN LATERAL (
    SELECT one.bytes
    FROM (
        SELECT frame_hash, bytes FROM frame WHERE stream_no = e.stream_no AND seq = e.seq
        UNION
        SELECT sha256, bytes FROM quarantine WHERE stream_no = e.stream_no AND seq = e.seq AND authentic
    ) one
    ORDER BY one.frame_hash
    LIMIT 2
) held
ORDER BY e.stream_id, sha256(held.bytes)

-- name: signers
SELECT kid, site, gateway_id AS gateway, public_key, valid_from_ms, valid_to_ms
FROM gateway_key JOIN gateway g USING (gateway_no)
WHERE EXISTS (
    SELECT FROM stream s JOIN instrument i USING (instrument_no)
    WHERE s.gateway_no = g.gateway_no AND i.instrument_id = %s
)
ORDER BY kid

-- name: quarantine_entries
-- The bytes only where the stream cannot say which instrument they are about.
SELECT q.quarantine_no, q.reason, q.detail, q.topic, q.authentic, g.gateway_id AS gateway, s.stream_id, q.stream_no, q.seq,
    i.instrument_id AS instrument, q.received_at_ms, q.sha256, q.size_bytes,
    CASE WHEN i.instrument_no IS NULL THEN q.bytes END AS raw, r.readmitted_at_ms, r.readmitted_by
FROM quarantine q
LEFT JOIN gateway g ON g.gateway_no = q.gateway_no
LEFT JOIN stream s ON s.stream_no = q.stream_no
LEFT JOIN instrument i ON i.instrument_no = s.instrument_no
LEFT JOIN readmission r ON r.quarantine_no = q.quarantine_no
WHERE (%(reason)s::text IS NULL OR q.reason = %(reason)s)
    AND (%(gateway)s::text IS NULL OR g.gateway_id = %(gateway)s)
    AND (
        %(instrument)s::text IS NULL
        OR i.instrument_id = %(instrument)s
        OR (q.authentic AND i.instrument_id IS NULL)
    )
    AND (%(since_ms)s::bigint IS NULL OR q.received_at_ms >= %(since_ms)s)
    AND (%(numbers)s::bigint[] IS NULL OR q.quarantine_no = ANY (%(numbers)s))
    AND (NOT %(waiting)s OR (q.authentic AND r.quarantine_no IS NULL))
ORDER BY q.quarantine_no DESC

-- name: quarantine_bytes
SELECT quarantine_no, bytes FROM quarantine WHERE quarantine_no = ANY (%s::bigint[])

-- name: lock_head
SELECT version FROM stream_head WHERE stream_no = %s FOR UPDATE

-- name: fence_head
UPDATE stream_head SET version = version + 1 WHERE stream_no = %s

-- name: stream_named
SELECT g.gateway_id, i.instrument_id
FROM stream s
JOIN gateway g USING (gateway_no)
LEFT JOIN instrument i USING (instrument_no)
WHERE s.stream_no = %s

-- name: occupants
-- Who stands under some places of a stream: what is stored, and what is quarantined there.
SELECT f.seq, f.frame_hash, f.prev_hash, NULL::bytea AS bytes, true AS first, 0::bigint AS number
FROM frame f
WHERE f.stream_no = %(stream_no)s AND f.seq = ANY (%(seqs)s::bigint[])
UNION ALL
SELECT q.seq, q.sha256, NULL, q.bytes, q.reason <> %(later)s, q.quarantine_no
FROM quarantine q
WHERE q.stream_no = %(stream_no)s AND q.seq = ANY (%(seqs)s::bigint[]) AND q.authentic

-- name: readmitted
SELECT quarantine_no FROM readmission WHERE quarantine_no = ANY (%s::bigint[])

-- name: readmit
INSERT INTO readmission (readmitted_at_ms, readmitted_by, registry_revision, quarantine_no)
SELECT %s, %s, %s, n.quarantine_no FROM unnest(%s::bigint[]) AS n (quarantine_no)
