CREATE TABLE events (
    at   timestamptz NOT NULL,
    what text NOT NULL,
    data jsonb NOT NULL DEFAULT '{}'
) PARTITION BY RANGE (at);
CREATE INDEX events_at ON events USING brin (at);

-- add_event_month makes the partition of the month that holds a day, unless it is there.
CREATE FUNCTION add_event_month(day date) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    first date := date_trunc('month', day);
    name  text := 'events_' || to_char(day, 'YYYY_MM');
BEGIN
    EXECUTE format('CREATE TABLE IF NOT EXISTS %I PARTITION OF events FOR VALUES FROM (%L) TO (%L)',
        name, first, first + interval '1 month');
    RETURN name;
END $$;
SELECT add_event_month('2024-01-01');
