-- The view keeps its columns, so that what reads it goes on working.
CREATE OR REPLACE VIEW order_totals AS
    SELECT o.id AS order_id,
        (coalesce(sum(l.amount), 0) * (100 - o.discount_percent) / 100)::bigint AS total,
        coalesce(sum(l.amount), 0)::bigint AS before_discount
    FROM orders o LEFT JOIN order_lines l ON l.order_id = o.id
    GROUP BY o.id;
