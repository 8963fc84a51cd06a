CREATE SCHEMA app;
CREATE TABLE app.account (id int PRIMARY KEY, name text NOT NULL DEFAULT '; -- no end');
COMMENT ON TABLE app.account IS 'who;
-- Down
pays';

---- create above / drop below ----

DROP SCHEMA app CASCADE;
