UPDATE tenant SET name = '{word}' WHERE id = {t}
DROP POLICY own ON account
ALTER TABLE account NO FORCE ROW LEVEL SECURITY
REVOKE ALL ON account FROM teller
DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET app.tenant = ''{t}''', current_database()); END $$
ALTER ROLE CURRENT_USER SET app.tenant = '{t}'
ALTER ROLE CURRENT_USER SET work_mem = '{n}MB'
CREATE TEMP TABLE note (t text)
CREATE FUNCTION pg_temp.f() RETURNS int LANGUAGE sql AS 'SELECT 1'
DO $$ BEGIN EXECUTE format('ALTER ROLE CURRENT_USER IN DATABASE %I SET row_security = off', current_database()); END $$
