-- +goose Up
CREATE VIEW debtor AS SELECT * FROM invoice;
