-- A product has one price at any time: no two ranges of it overlap. (int8range stands for = in the GiST index, which
-- would need the extension btree_gist otherwise.)
CREATE TABLE price_history (
    product_id bigint NOT NULL REFERENCES products ON DELETE CASCADE,
    price      cents NOT NULL,
    valid      daterange NOT NULL CHECK (NOT isempty(valid)),
    CONSTRAINT one_price_at_a_time
        EXCLUDE USING gist (int8range(product_id, product_id, '[]') WITH &&, valid WITH &&)
);

CREATE FUNCTION price_on(wanted_sku text, day date) RETURNS bigint LANGUAGE sql STABLE AS $$
    SELECT h.price::bigint FROM price_history h JOIN products p ON p.id = h.product_id
    WHERE p.sku = wanted_sku AND h.valid @> day
$$;
