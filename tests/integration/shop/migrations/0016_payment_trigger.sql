-- An order is paid once its payments reach its total; more than that is refused (SH003).
CREATE FUNCTION payment_arrived() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    due  bigint;
    paid bigint;
BEGIN
    PERFORM FROM orders WHERE id = NEW.order_id FOR UPDATE;
    SELECT total INTO due FROM order_totals WHERE order_id = NEW.order_id;
    SELECT sum(amount) INTO paid FROM payments WHERE order_id = NEW.order_id;
    IF paid > due THEN
        RAISE EXCEPTION 'order %: % cents paid of %', NEW.order_id, paid, due USING ERRCODE = 'SH003';
    END IF;
    IF paid = due THEN
        UPDATE orders SET status = 'paid' WHERE id = NEW.order_id AND status = 'open';
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER payment_arrived AFTER INSERT ON payments FOR EACH ROW EXECUTE FUNCTION payment_arrived();
