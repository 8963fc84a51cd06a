CREATE PROCEDURE move_stock(wanted_sku text, from_name text, to_name text, amount int) LANGUAGE plpgsql AS $$
DECLARE
    moved bigint;
BEGIN
    SELECT id INTO STRICT moved FROM products WHERE sku = wanted_sku;
    UPDATE stock s SET quantity = quantity - amount FROM warehouses w
        WHERE w.id = s.warehouse_id AND w.name = from_name AND s.product_id = moved;
    INSERT INTO stock (warehouse_id, product_id, quantity)
        SELECT id, moved, amount FROM warehouses WHERE name = to_name
        ON CONFLICT (product_id, warehouse_id) DO UPDATE SET quantity = stock.quantity + EXCLUDED.quantity;
END $$;
