-- +goose Up
SET search_path = app, public;
CREATE VIEW payer AS SELECT name FROM account;
-- +goose Down
DROP VIEW app.payer;
