-- Projections of frames for people and dashboards, by measured time: no unique key, no b-tree (COPY at full speed).
-- Never evidence: hours are computed from frames. Hypertables where TimescaleDB is ready, monthly partitions elsewhere.

DO $$
BEGIN
    IF current_setting('shared_preload_libraries') LIKE '%timescaledb%'
        AND EXISTS (SELECT FROM pg_available_extensions WHERE name = 'timescaledb')
    THEN
        CREATE EXTENSION IF NOT EXISTS timescaledb;
        CREATE TABLE power_sample (taken_at timestamptz NOT NULL, instrument_no integer NOT NULL, power_mw bigint NOT NULL);
        CREATE TABLE run_state (taken_at timestamptz NOT NULL, instrument_no integer NOT NULL, closed_lines bigint NOT NULL);
        PERFORM create_hypertable('power_sample', by_range('taken_at', INTERVAL '1 day'), create_default_indexes => false);
        PERFORM create_hypertable('run_state', by_range('taken_at', INTERVAL '1 day'), create_default_indexes => false);
    ELSE
        CREATE TABLE power_sample (taken_at timestamptz NOT NULL, instrument_no integer NOT NULL, power_mw bigint NOT NULL)
            PARTITION BY RANGE (taken_at);
        CREATE TABLE run_state (taken_at timestamptz NOT NULL, instrument_no integer NOT NULL, closed_lines bigint NOT NULL)
            PARTITION BY RANGE (taken_at);
    END IF;
END
$$;

COMMENT ON TABLE power_sample IS 'active power, mW, consumption positive';
COMMENT ON TABLE run_state IS 'at the first tick of a frame and at each change: bit i is line i of the frame, 1 = closed';

CREATE FUNCTION ensure_month(month date) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp SET timezone = 'UTC' SET client_min_messages = 'warning'
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
