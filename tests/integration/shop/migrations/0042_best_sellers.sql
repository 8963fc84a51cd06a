CREATE MATERIALIZED VIEW best_sellers AS
    SELECT p.sku, sum(l.quantity) AS sold
    FROM order_lines l JOIN orders o ON o.id = l.order_id JOIN products p ON p.id = l.product_id
    WHERE o.status IN ('paid', 'shipped') GROUP BY p.sku;
CREATE UNIQUE INDEX best_sellers_sku ON best_sellers (sku);
