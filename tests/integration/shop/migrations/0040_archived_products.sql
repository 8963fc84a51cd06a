ALTER TABLE products ADD COLUMN archived_at timestamptz;
CREATE INDEX products_active ON products (sku) WHERE archived_at IS NULL;

CREATE FUNCTION refuse_archived() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (SELECT archived_at IS NOT NULL FROM products WHERE id = NEW.product_id) THEN
        RAISE EXCEPTION 'product % is no longer sold', NEW.product_id USING ERRCODE = 'SH004';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER refuse_archived BEFORE INSERT ON order_lines FOR EACH ROW EXECUTE FUNCTION refuse_archived();
