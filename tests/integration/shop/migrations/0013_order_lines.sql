-- unit_price is a copy: a later change of the product's price does not change what was agreed.
CREATE TABLE order_lines (
    order_id   bigint REFERENCES orders ON DELETE CASCADE,
    line       int,
    product_id bigint NOT NULL REFERENCES products,
    quantity   int NOT NULL CHECK (quantity > 0),
    unit_price cents NOT NULL,
    amount     bigint GENERATED ALWAYS AS (quantity * unit_price) STORED,
    PRIMARY KEY (order_id, line),
    UNIQUE (order_id, product_id)
);
CREATE INDEX order_lines_product_id ON order_lines (product_id);
