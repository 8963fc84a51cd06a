CREATE INDEX CONCURRENTLY account_name ON app.account (name);
