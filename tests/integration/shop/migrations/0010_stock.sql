CREATE TABLE stock (
    warehouse_id int REFERENCES warehouses,
    product_id   bigint REFERENCES products,
    quantity     int NOT NULL CONSTRAINT stock_not_negative CHECK (quantity >= 0),
    PRIMARY KEY (product_id, warehouse_id)
);
