CREATE TABLE order_history (
    order_id bigint REFERENCES orders ON DELETE CASCADE,
    at       timestamptz NOT NULL DEFAULT clock_timestamp(),
    before   order_status NOT NULL,
    after    order_status NOT NULL
);

-- A change of status that order_transitions does not know is refused (SH002); any other is written down and told.
CREATE FUNCTION order_status_changes() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM FROM order_transitions WHERE before = OLD.status AND after = NEW.status;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'order % cannot go from % to %', OLD.number, OLD.status, NEW.status USING ERRCODE = 'SH002';
    END IF;
    INSERT INTO order_history (order_id, before, after) VALUES (OLD.id, OLD.status, NEW.status);
    PERFORM pg_notify('orders', OLD.number || ' ' || NEW.status);
    RETURN NEW;
END $$;

CREATE TRIGGER order_status_changes BEFORE UPDATE OF status ON orders
    FOR EACH ROW WHEN (OLD.status IS DISTINCT FROM NEW.status) EXECUTE FUNCTION order_status_changes();
