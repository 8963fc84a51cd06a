-- place_order takes [{"sku": "PEN-001", "quantity": 2}, ...], takes the stock and returns the order's id.
CREATE FUNCTION place_order(buyer bigint, items jsonb) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    new_order bigint;
    item      record;
BEGIN
    INSERT INTO orders (user_id) VALUES (buyer) RETURNING id INTO new_order;
    FOR item IN
        SELECT p.id, p.price, i.quantity, i.sku, row_number() OVER (ORDER BY i.sku) AS line
        FROM jsonb_to_recordset(items) AS i(sku text, quantity int) LEFT JOIN products p ON p.sku = i.sku
        ORDER BY i.sku
    LOOP
        IF item.id IS NULL THEN
            RAISE EXCEPTION 'no product %', item.sku USING ERRCODE = 'SH004';
        END IF;
        INSERT INTO order_lines VALUES (new_order, item.line, item.id, item.quantity, item.price);
        PERFORM take_stock(item.id, item.quantity);
    END LOOP;
    RETURN new_order;
END $$;
