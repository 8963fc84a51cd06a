CREATE TABLE item (id serial PRIMARY KEY, name text NOT NULL UNIQUE, price int NOT NULL DEFAULT 1);
CREATE TABLE orders (id serial PRIMARY KEY, item_id int NOT NULL REFERENCES item, n int NOT NULL CHECK (n > 0));
