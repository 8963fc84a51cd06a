INSERT INTO users (email, country_id) SELECT 'p' || i || '@example.com', (SELECT min(id) FROM countries) FROM generate_series(300, 1, -1) i
SELECT ctid, id, email FROM users
EXPLAIN (COSTS OFF) SELECT * FROM active_users
SELECT id FROM active_users LIMIT 20
INSERT INTO posts (user_id, tags) SELECT id, array['t' || id % 5] FROM users
SELECT ctid, id FROM posts WHERE tags @> '{t3}'
EXPLAIN SELECT * FROM posts WHERE tags @> '{t3}'
SELECT p.id FROM posts p JOIN users u ON u.id = p.user_id LIMIT 50

INSERT INTO roles (name) VALUES ('probe') RETURNING ctid, id
SELECT ctid, xmin = pg_current_xact_id()::xid, id, name FROM roles
INSERT INTO countries (code, name) VALUES ('__', 'probe') RETURNING ctid, id
INSERT INTO users (email, role_id) VALUES ('x', 99)
INSERT INTO comments (commentable_type, commentable_id) VALUES ('User', 1) RETURNING id
SELECT lastval()
SHOW search_path
SELECT reltuples, relpages, relname FROM pg_class WHERE relname IN ('users', 'posts', 'roles') ORDER BY 3

SELECT oid::regclass, pg_relation_size(oid) FROM pg_class WHERE relkind IN ('r', 't', 'm') AND oid >= 16384 ORDER BY oid
BEGIN
SET LOCAL enable_seqscan = off
SET LOCAL enable_bitmapscan = off
EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF, BUFFERS OFF) SELECT id FROM roles WHERE id < 3
EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF, BUFFERS OFF) SELECT code FROM countries WHERE code > 'M'
EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF, BUFFERS OFF) SELECT id FROM users
EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF, BUFFERS OFF) SELECT version FROM schema_migrations
INSERT INTO users (email) VALUES ('a')
INSERT INTO posts (user_id) SELECT id FROM users
EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF, BUFFERS OFF) SELECT id FROM posts
COMMIT
