-- What a cancelled or returned order held goes back to the first warehouse.
CREATE FUNCTION return_stock() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE stock s SET quantity = s.quantity + l.quantity FROM order_lines l
        WHERE l.order_id = NEW.id AND s.product_id = l.product_id
            AND s.warehouse_id = (SELECT min(warehouse_id) FROM stock WHERE product_id = l.product_id);
    RETURN NULL;
END $$;

CREATE TRIGGER return_stock AFTER UPDATE OF status ON orders
    FOR EACH ROW WHEN (OLD.status IS DISTINCT FROM NEW.status AND NEW.status IN ('cancelled', 'returned'))
    EXECUTE FUNCTION return_stock();
