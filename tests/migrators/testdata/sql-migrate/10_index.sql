-- +migrate Up notransaction
CREATE INDEX CONCURRENTLY account_name ON app.account (name);

-- +migrate Down
DROP INDEX app.account_name;
