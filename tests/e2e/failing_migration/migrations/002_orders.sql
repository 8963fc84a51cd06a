CREATE TABLE orders (id bigint PRIMARY KEY);

ALTER TABLE orders
    ADD COLUMN buyer bigint REFERENCES customers;
