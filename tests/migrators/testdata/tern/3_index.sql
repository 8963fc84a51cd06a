---- tern: disable-tx ----
CREATE INDEX CONCURRENTLY account_name ON app.account (name);

---- create above / drop below ----

DROP INDEX app.account_name;
