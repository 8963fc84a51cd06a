-- migrate:up
SET app.tenant = 'seven';
CREATE VIEW app.payer AS SELECT name FROM app.account;

-- migrate:down
DROP VIEW app.payer;
