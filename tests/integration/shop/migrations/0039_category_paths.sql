CREATE VIEW category_paths AS
    WITH RECURSIVE paths AS (
        SELECT id, name AS path FROM categories WHERE parent_id IS NULL
        UNION ALL SELECT c.id, p.path || ' > ' || c.name FROM categories c JOIN paths p ON c.parent_id = p.id)
    SELECT * FROM paths;

-- Products of a category and of all below it.
CREATE FUNCTION products_in(wanted text) RETURNS SETOF products LANGUAGE sql STABLE AS $$
    WITH RECURSIVE below AS (
        SELECT id FROM categories WHERE name = wanted
        UNION SELECT c.id FROM categories c JOIN below b ON c.parent_id = b.id)
    SELECT p.* FROM products p
    WHERE EXISTS (SELECT FROM product_categories pc JOIN below b ON b.id = pc.category_id WHERE pc.product_id = p.id)
$$;
