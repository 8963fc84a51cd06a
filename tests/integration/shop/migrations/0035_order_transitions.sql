CREATE TABLE order_transitions (
    before order_status,
    after  order_status,
    PRIMARY KEY (before, after)
);
INSERT INTO order_transitions VALUES
    ('open', 'paid'), ('open', 'cancelled'), ('paid', 'shipped'), ('paid', 'cancelled'), ('shipped', 'returned');
