CREATE TABLE users (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text NOT NULL UNIQUE);
INSERT INTO users (name) SELECT 'user ' || n FROM generate_series(1, 1000) AS n;
