CREATE TABLE payments (
    id        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    order_id  bigint NOT NULL REFERENCES orders,
    amount    cents NOT NULL CHECK (amount > 0),
    paid_at   timestamptz NOT NULL DEFAULT now(),
    reference text NOT NULL UNIQUE
);
CREATE INDEX payments_order_id ON payments (order_id);
