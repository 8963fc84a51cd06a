-- Numbers for people, S-000001 and on, beside the ids.
CREATE SEQUENCE order_numbers;
ALTER TABLE orders ADD COLUMN number text NOT NULL UNIQUE
    DEFAULT 'S-' || lpad(nextval('order_numbers')::text, 6, '0');
ALTER SEQUENCE order_numbers OWNED BY orders.number;
