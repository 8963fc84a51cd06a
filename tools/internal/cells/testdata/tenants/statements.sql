SET app.tenant = '{t}'
SET LOCAL app.tenant = '{t}'
SET SESSION app.tenant TO {t}
RESET app.tenant
RESET ALL
-- a; b\nSET app.tenant = '{t}'
/* a /* b */ ; */ SET app.tenant = '{t}'
SELECT set_config('app.tenant', '{t}', false)
SELECT set_config('app.tenant', '{t}', true)
SELECT "set_config"('app.' || 'tenant', $1, false)
SET ROLE teller
SET LOCAL ROLE teller
RESET ROLE
SET SESSION AUTHORIZATION DEFAULT
SET row_security = off
SELECT current_setting('app.tenant', true)
UPDATE pg_settings SET setting = '{t}' WHERE name = 'work_mem'
DO $$ BEGIN PERFORM set_config('app.tenant', '{t}', false); END $$
PREPARE give AS SELECT set_config('app.tenant', $1, false)
EXECUTE give('{t}')
DEALLOCATE ALL
DISCARD ALL
INSERT INTO account (name, balance) VALUES ('{word}', {big})
INSERT INTO account (tenant_id, name) VALUES ({t}, '{word}')
INSERT INTO account (name) SELECT '{word}' || i FROM generate_series(1, {n}) i
UPDATE account SET balance = balance - {n} WHERE id = {n}
DELETE FROM account WHERE id > {n}
INSERT INTO movement (account_id, tenant_id, amount) VALUES ({n}, {t}, -{n}), ({n}, {t}, {n})
SELECT * FROM account FOR UPDATE
SELECT count(*) FROM movement
INSERT INTO movement (account_id, amount) VALUES ({n}, {n})
INSERT INTO movement (account_id, tenant_id, amount) SELECT id, tenant_id, 1 FROM account
INSERT INTO note (t) VALUES ('{word}') RETURNING tenant_id
UPDATE note SET t = '{word}'
DELETE FROM note
SELECT * FROM note
INSERT INTO tenant VALUES ({n}, '{word}')
DELETE FROM tenant WHERE id > 5
SELECT nullif(current_setting('app.tenant', true), '')::int
TABLE audit
BEGIN ISOLATION LEVEL SERIALIZABLE
SET TRANSACTION READ ONLY
SET CONSTRAINTS ALL DEFERRED
SET CONSTRAINTS ALL IMMEDIATE
SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY
SET default_transaction_isolation = serializable
SELECT pg_try_advisory_lock({n}, {n})
EXPLAIN ANALYZE INSERT INTO note (t) VALUES ('{word}')
EXPLAIN ANALYZE SELECT set_config('app.tenant', '{t}', false)
DECLARE c{n} CURSOR WITH HOLD FOR SELECT * FROM tenant
FETCH {n} FROM c{n}
CLOSE ALL
WITH x AS (INSERT INTO note (t) VALUES ('{word}') RETURNING t) SELECT set_config('app.tenant', t, false) FROM x
COPY (SELECT set_config('app.tenant', '{t}', false)) TO STDOUT
SELECT query_to_xml('SELECT set_config(''app.tenant'', ''{t}'', false)', true, true, '')
