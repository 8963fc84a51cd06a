CREATE TABLE reviews (
    user_id    bigint REFERENCES users ON DELETE CASCADE,
    product_id bigint REFERENCES products ON DELETE CASCADE,
    stars      int NOT NULL CHECK (stars BETWEEN 1 AND 5),
    body       text,
    PRIMARY KEY (user_id, product_id)
);

-- Who has not been shipped a product cannot review it (SH006).
CREATE FUNCTION buyers_review() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM FROM orders o JOIN order_lines l ON l.order_id = o.id
        WHERE o.user_id = NEW.user_id AND l.product_id = NEW.product_id AND o.status = 'shipped';
    IF NOT FOUND THEN
        RAISE EXCEPTION 'user % has not received product %', NEW.user_id, NEW.product_id USING ERRCODE = 'SH006';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER buyers_review BEFORE INSERT ON reviews FOR EACH ROW EXECUTE FUNCTION buyers_review();

CREATE VIEW ratings AS
    SELECT p.sku, count(r.stars) AS reviews, round(avg(r.stars), 1) AS stars
    FROM products p LEFT JOIN reviews r ON r.product_id = p.id GROUP BY p.sku;
