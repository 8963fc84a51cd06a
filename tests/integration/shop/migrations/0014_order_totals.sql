CREATE VIEW order_totals AS
    SELECT o.id AS order_id, coalesce(sum(l.amount), 0)::bigint AS total
    FROM orders o LEFT JOIN order_lines l ON l.order_id = o.id
    GROUP BY o.id;
