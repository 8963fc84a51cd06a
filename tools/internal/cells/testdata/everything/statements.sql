INSERT INTO app.person (mail, name, born) VALUES ('{word}@x', '{word}', '2001-01-{t}')
INSERT INTO app.person (mail) VALUES ('{word}')
INSERT INTO app.person (mail, name, place, tags) SELECT i || '@x', '{word}' || i, point(i, {n}), hstore('a', i::text) FROM generate_series(1, {n}) i
UPDATE app.person SET place = point({n}, {n}), name = name || '{word}'
DELETE FROM app.person WHERE id % 2 = 0
SELECT * FROM app.person WHERE name % '{word}'
SELECT * FROM app.person WHERE search @@ to_tsquery('simple', '{word}')
INSERT INTO app.young (name, born) VALUES ('{word}', '1999-01-01')
INSERT INTO app.booking VALUES ({t}, tsrange('2024-01-01', '2024-01-{n}'::timestamp))
INSERT INTO app.booking SELECT i, tsrange('2024-01-01', '2024-02-01') FROM generate_series(1, {big}) i
INSERT INTO app.event (kind, at) SELECT '{word}', '2024-01-01'::timestamptz + {n} * interval '1 month' FROM generate_series(1, {n})
UPDATE app.event SET at = at + interval '1 year'
DELETE FROM app.event_2024
CALL app.fill({n})
SELECT app.fib(7), app.count_of('{word}')
INSERT INTO app.point VALUES ({t}, NULL) ON CONFLICT DO NOTHING
DELETE FROM app.point WHERE x > 1
INSERT INTO seeded SELECT i, 'x' FROM generate_series(21, 20 + {n}) i
DELETE FROM seeded WHERE id > 20
INSERT INTO odd (n) VALUES ('{word}')
SELECT * FROM odd FOR UPDATE
SELECT nextval('untouched')
SELECT setval('counter', {n})
INSERT INTO fast SELECT i FROM generate_series(1, {big}) i
INSERT INTO app.event DEFAULT VALUES RETURNING id
INSERT INTO guarded SELECT i, 'x' FROM generate_series({n}, 40) i ON CONFLICT (id) DO UPDATE SET v = 'y'
INSERT INTO wide SELECT i, repeat(md5(i::text), {big}) FROM generate_series(1, {t}) i
INSERT INTO always VALUES ({n})
LISTEN {word}
UNLISTEN *
NOTIFY {word}, 'x'
SELECT pg_notify('{word}', '{n}')
PREPARE TRANSACTION 'x{n}'
SELECT pg_advisory_unlock_all()
SELECT similarity('{word}', '{word}'), show_limit()
SELECT set_limit(0.{n}::real)
SET pg_trgm.similarity_threshold = 0.{n}
SELECT setseed(0.{n})
SELECT random()
SET seed = 0.{t}
SET plpgsql.check_asserts = off
SELECT txid_current()
SELECT pg_sleep(0.001)
SET statement_timeout = 1
SET LOCAL lock_timeout = {n}
SET idle_in_transaction_session_timeout = {n}
CREATE TABLE IF NOT EXISTS seeded (id int)
DROP TABLE IF EXISTS no_such_{word}
SELECT lo_get({n})
SELECT currval('counter')
SELECT lastval()
SET enable_seqscan = off
SET plan_cache_mode = force_generic_plan
MERGE INTO app.point p USING (SELECT {t} AS x, {t} AS y) s ON p.x = s.x WHEN MATCHED THEN DO NOTHING WHEN NOT MATCHED THEN INSERT VALUES (s.x, s.y)
SELECT pg_stat_force_next_flush()
SELECT pg_stat_clear_snapshot()
SELECT gin_clean_pending_list('app.person_search_idx')
SELECT brin_summarize_new_values('app.person_born_idx')
LOAD 'plpgsql'
SELECT pg_terminate_backend(pg_backend_pid())
SELECT pg_export_snapshot()
SELECT pg_logical_emit_message(true, 'a', 'b')
SET LOCAL synchronous_commit = off
SELECT xmlparse(document '<a/>')
