-- +goose NO TRANSACTION
-- +goose up
CREATE INDEX CONCURRENTLY account_name ON app.account (name);

--   +goose down
DROP INDEX app.account_name;
