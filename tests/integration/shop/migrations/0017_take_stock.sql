-- take_stock takes a quantity of a product from the warehouses, the fullest first, or fails whole (SH001).
-- Rows are locked in the order of the warehouses' numbers, so that two orders cannot deadlock over one product.
CREATE FUNCTION take_stock(wanted_product bigint, wanted int) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    place record;
    take  int;
BEGIN
    PERFORM FROM stock WHERE product_id = wanted_product ORDER BY warehouse_id FOR UPDATE;
    FOR place IN SELECT * FROM stock WHERE product_id = wanted_product ORDER BY quantity DESC, warehouse_id LOOP
        EXIT WHEN wanted = 0;
        take := least(place.quantity, wanted);
        UPDATE stock SET quantity = quantity - take
            WHERE product_id = wanted_product AND warehouse_id = place.warehouse_id;
        wanted := wanted - take;
    END LOOP;
    IF wanted > 0 THEN
        RAISE EXCEPTION 'product %: % too few in stock', wanted_product, wanted USING ERRCODE = 'SH001';
    END IF;
END $$;
