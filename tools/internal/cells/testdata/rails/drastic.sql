UPDATE countries SET name = '{word}' WHERE id = {n}
UPDATE roles SET name = name
DELETE FROM schema_migrations WHERE version > '20240101000030'
TRUNCATE users RESTART IDENTITY CASCADE
TRUNCATE comments
ALTER TABLE users DISABLE TRIGGER USER
ALTER TABLE posts ADD COLUMN extra_{word} int
CREATE INDEX CONCURRENTLY ON comments (body)
REINDEX TABLE users
ALTER SEQUENCE users_id_seq RESTART
