INSERT INTO app.person (mail, name, place, born) SELECT i || '@x', 'name ' || i % 7, point(i % 13, i % 5), '2000-01-01'::date + i FROM generate_series(150, 1, -1) i
SELECT ctid, id, mail FROM app.person
SET LOCAL enable_seqscan = off
SELECT id FROM app.person WHERE place <@ box '((0,0),(3,3))'
SELECT id FROM app.person WHERE name = 'name 3'
SELECT id FROM app.person WHERE name LIKE '%e 4%'
SELECT id FROM app.person ORDER BY place <-> point '(0,0)' LIMIT 20
SELECT id FROM app.person WHERE born < '2000-02-01'
EXPLAIN SELECT * FROM app.person WHERE search @@ 'name'
INSERT INTO app.booking SELECT i % 5, tsrange('2024-01-01'::timestamp + i * interval '1 day', '2024-01-02'::timestamp + i * interval '1 day') FROM generate_series(1, 30) i
SELECT ctid, room FROM app.booking WHERE during && tsrange('2024-01-05', '2024-01-20')
SELECT app.fib(10), app.count_of('k1')

SELECT nextval('counter'), nextval('untouched')
INSERT INTO app.event (kind) SELECT 'k' || i FROM generate_series(1, 60) i
SELECT ctid, tableoid::regclass, id, kind FROM app.event
SELECT app.count_of('k7')
INSERT INTO seeded VALUES (21, 'x') RETURNING ctid
UPDATE seeded SET v = 'y' WHERE id = 3 RETURNING ctid
SELECT ctid, * FROM seeded
INSERT INTO guarded VALUES (1, 'a')
SELECT * FROM audit
EXPLAIN (COSTS OFF) SELECT * FROM parent JOIN child ON parent.id = parent_id
INSERT INTO parent (name) SELECT 'p' || i FROM generate_series(1, 200) i RETURNING ctid, id
INSERT INTO child (parent_id) SELECT id FROM parent
SELECT child.ctid, parent.id FROM parent JOIN child ON parent.id = parent_id
SELECT show_limit()
SELECT pg_my_temp_schema()
SELECT count(*) FROM pg_prepared_xacts WHERE database = current_database()
SELECT lo_get(5)
TABLE app.point
SELECT ctid, n, a FROM odd

SELECT oid::regclass, pg_relation_size(oid) FROM pg_class WHERE relkind IN ('r', 't', 'm') AND oid >= 16384 ORDER BY oid
BEGIN
SET LOCAL enable_seqscan = off
SET LOCAL enable_bitmapscan = off
EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF, BUFFERS OFF) SELECT id FROM seeded WHERE id < 9
EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF, BUFFERS OFF) SELECT id FROM many WHERE id < 9
EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF, BUFFERS OFF) SELECT x FROM app.point WHERE x < 3
EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF, BUFFERS OFF) SELECT id FROM parent
INSERT INTO app.event (kind) VALUES ('x')
EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF, BUFFERS OFF) SELECT id FROM app.event_2024 WHERE id < 5
COMMIT
