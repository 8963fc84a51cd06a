-- +goose Up
CREATE SCHEMA app;
CREATE TABLE app.account (id int PRIMARY KEY, name text NOT NULL DEFAULT '; -- no end');
-- +goose StatementBegin
COMMENT ON TABLE app.account IS 'who;
-- Down
pays';
-- +goose StatementEnd

-- +goose Down
DROP SCHEMA app CASCADE;
