SELECT current_setting('app.tenant', true) IS NULL, nullif(current_setting('app.tenant', true), '')::int
INSERT INTO account (name) VALUES ('nobody')
INSERT INTO account (tenant_id, name) VALUES (1, 'x')
SELECT count(*) FROM movement
INSERT INTO note (t) VALUES ('x') RETURNING ctid, tenant_id, by_whom
EXPLAIN SELECT * FROM note
SELECT current_user, session_user
SELECT what, tenant IS NULL FROM audit
INSERT INTO tenant VALUES (6, 'x') RETURNING ctid

BEGIN
SET LOCAL app.tenant = '3'
INSERT INTO account (name, balance) SELECT 'n' || i, 100 FROM generate_series(200, 1, -1) i
SELECT ctid, id, name FROM account
INSERT INTO movement (account_id, tenant_id, amount) VALUES (1, 3, -5), (2, 3, 5)
SELECT ctid, id, account_id, amount FROM movement
SELECT * FROM account ORDER BY name LIMIT 10
EXPLAIN SELECT * FROM account JOIN movement ON account_id = account.id
COMMIT
SELECT current_setting('app.tenant', true) = ''
