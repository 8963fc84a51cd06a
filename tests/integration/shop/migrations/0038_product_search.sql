ALTER TABLE products ADD COLUMN search tsvector GENERATED ALWAYS AS (
    setweight(to_tsvector('english', name), 'A') || setweight(to_tsvector('english', description), 'B')) STORED;
CREATE INDEX products_search ON products USING gin (search);

CREATE FUNCTION find_products(words text) RETURNS SETOF products LANGUAGE sql STABLE AS $$
    SELECT p.* FROM products p, websearch_to_tsquery('english', words) q
    WHERE p.search @@ q ORDER BY ts_rank(p.search, q) DESC, p.sku
$$;
