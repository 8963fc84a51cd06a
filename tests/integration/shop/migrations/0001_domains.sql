-- Types that the whole shop shares: what is checked here need not be checked in every table.
CREATE DOMAIN email AS text CHECK (VALUE ~ '^[^@[:space:]]+@[^@[:space:]]+$');
CREATE DOMAIN cents AS bigint CHECK (VALUE >= 0);
CREATE DOMAIN sku AS text CHECK (VALUE ~ '^[A-Z]{3}-[0-9]{3}$');
