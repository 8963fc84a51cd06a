-- +migrate Up
CREATE VIEW app.debtor AS SELECT * FROM app.invoice;

-- +migrate Down
DROP VIEW app.debtor;
