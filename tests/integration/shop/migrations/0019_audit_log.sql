CREATE TABLE audit_log (
    id      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at      timestamptz NOT NULL DEFAULT clock_timestamp(),
    actor   text NOT NULL,
    action  text NOT NULL,
    object  text NOT NULL,
    change  jsonb NOT NULL
);

-- The actor is what the program has put into app.actor for its transaction, else the role.
CREATE FUNCTION write_audit_log() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    was jsonb := CASE WHEN TG_OP <> 'INSERT' THEN to_jsonb(OLD) END;
    now jsonb := CASE WHEN TG_OP <> 'DELETE' THEN to_jsonb(NEW) END;
BEGIN
    INSERT INTO audit_log (actor, action, object, change) VALUES (
        coalesce(nullif(current_setting('app.actor', true), ''), current_user), TG_OP,
        TG_TABLE_NAME || ' ' || coalesce(now->>'id', was->>'id'),
        (SELECT coalesce(jsonb_object_agg(key, value), '{}') FROM jsonb_each(coalesce(now, was))
            WHERE was IS NULL OR now IS NULL OR value IS DISTINCT FROM was->key));
    RETURN NULL;
END $$;
