-- migrate:up
CREATE VIEW app.debtor AS SELECT * FROM app.invoice;
CREATE TABLE app.tenant AS SELECT current_setting('app.tenant') AS name

-- migrate:down
DROP TABLE app.tenant;
DROP VIEW app.debtor;
