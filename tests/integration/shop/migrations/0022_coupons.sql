CREATE TABLE coupons (
    code        text PRIMARY KEY CHECK (code = upper(code)),
    percent     int NOT NULL CHECK (percent BETWEEN 1 AND 100),
    valid_until timestamptz NOT NULL DEFAULT 'infinity',
    uses_left   int NOT NULL DEFAULT 1 CHECK (uses_left >= 0)
);
ALTER TABLE orders ADD COLUMN coupon text REFERENCES coupons;
ALTER TABLE orders ADD COLUMN discount_percent int NOT NULL DEFAULT 0 CHECK (discount_percent BETWEEN 0 AND 100);
