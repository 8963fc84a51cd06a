-- migrate:up transaction:false
CREATE INDEX CONCURRENTLY account_name ON app.account (name);

-- migrate:down
DROP INDEX app.account_name;
