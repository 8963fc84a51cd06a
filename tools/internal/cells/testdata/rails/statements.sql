INSERT INTO users (email, role_id) VALUES ('{word}@example.com', {n})
INSERT INTO users (email, settings) SELECT 'u' || i || '@example.com', jsonb_build_object('n', i) FROM generate_series(1, {n}) i
INSERT INTO users (email) SELECT 'many' || i FROM generate_series(1, 1{n}) i
INSERT INTO users (email) VALUES ('{word}') ON CONFLICT (lower(email)) WHERE deleted_at IS NULL DO UPDATE SET sign_in_count = users.sign_in_count + 1 RETURNING id
UPDATE users SET sign_in_count = sign_in_count + 1, settings = settings || '{"seen": {n}}' WHERE id <= {n}
UPDATE users SET deleted_at = now() WHERE id = {n}
DELETE FROM users WHERE id > {n}
INSERT INTO posts (user_id, title, tags) VALUES ({n}, '{word}', '{{word},{word}}')
INSERT INTO posts (user_id, title, body) SELECT id, email, repeat('{word} ', {big}) FROM users
UPDATE posts SET state = {n}, tags = tags || '{word}'::varchar WHERE id % 2 = 0
DELETE FROM posts WHERE user_id = {n}
INSERT INTO comments (commentable_type, commentable_id, user_id, parent_id, body) SELECT 'Post', id, user_id, NULL, title FROM posts
INSERT INTO comments (commentable_type, commentable_id, parent_id) VALUES ('User', {n}, {n})
INSERT INTO ledger (user_id, amount) SELECT id, {n} FROM users
INSERT INTO ledger (amount) VALUES (0)
INSERT INTO roles (name) VALUES ('{word}')
INSERT INTO roles (id, name) VALUES ({n}, '{word}')
INSERT INTO countries (code, name) VALUES ('{n}', '{word}') ON CONFLICT DO NOTHING
DELETE FROM roles WHERE id > 3
SELECT * FROM active_users ORDER BY id LIMIT {n}
SELECT 1 AS one FROM users WHERE email = $1 LIMIT 1
SELECT users.*, count(posts.id) FROM users LEFT JOIN posts ON posts.user_id = users.id GROUP BY users.id
SELECT * FROM roles FOR UPDATE
SELECT * FROM countries FOR KEY SHARE SKIP LOCKED
SELECT pg_try_advisory_lock({n})
SELECT pg_advisory_xact_lock({n})
SET search_path = public, pg_catalog
SET TimeZone = 'Asia/Tokyo'
SET standard_conforming_strings = on
SET client_min_messages TO warning
SET app.user_id = '{n}'
SHOW TimeZone
SHOW max_identifier_length
SELECT a.attname FROM pg_attribute a WHERE attrelid = 'users'::regclass AND attnum > 0
INSERT INTO schema_migrations VALUES ('30{n}')
UPDATE ar_internal_metadata SET value = 'test' WHERE key = 'no such'
