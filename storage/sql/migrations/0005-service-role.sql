-- What a service may do: read, add, and move only what is meant to move. Login roles are granted this one.

DO $$
BEGIN
    CREATE ROLE jishi_service NOLOGIN;
EXCEPTION
    -- Roles belong to the server: another database of it, or another migration this moment, may have made it.
    WHEN duplicate_object OR unique_violation THEN NULL;
END
$$;

GRANT USAGE ON SCHEMA public TO jishi_service;
GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO jishi_service;
GRANT SELECT ON store_epoch TO jishi_service;
GRANT SELECT, INSERT ON
    registry_mark, unit, gateway, gateway_key, instrument, meter, binding, policy, usage_session,
    stream, stream_head, frame, quarantine, intake, power_sample, run_state, statement, statement_interval
TO jishi_service;

GRANT UPDATE (revision) ON registry_mark TO jishi_service;
GRANT UPDATE (valid_to_ms) ON gateway_key, binding, policy TO jishi_service;
GRANT UPDATE (instrument_no) ON stream TO jishi_service;
GRANT UPDATE ON stream_head, intake TO jishi_service;

REVOKE EXECUTE ON FUNCTION trim_quarantine, ensure_month FROM PUBLIC;
GRANT EXECUTE ON FUNCTION trim_quarantine, ensure_month TO jishi_service;
