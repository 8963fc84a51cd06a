CREATE TABLE product_categories (
    product_id  bigint REFERENCES products ON DELETE CASCADE,
    category_id int REFERENCES categories,
    PRIMARY KEY (product_id, category_id)
);
CREATE INDEX product_categories_category_id ON product_categories (category_id);
