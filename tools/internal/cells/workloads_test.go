package cells_test

// workload is a template, and what tests do with it.
type workload struct {
	name     string
	sql      string            // of the template
	settings map[string]string // of the server
	// statements and drastic are what a sequence chooses from; see fill for the words in braces. Those that are drastic
	// have the cell dropped, so they are rare.
	statements, drastic []string
	// probes are what some sequences begin with: what they show must be as in a new clone.
	probes [][]string
}

// analyze tells which rows an index alone did not suffice for.
const analyze = "EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF, BUFFERS OFF) "

const sizes = "SELECT oid::regclass, pg_relation_size(oid) FROM pg_class WHERE relkind IN ('r', 't', 'm') AND oid >= 16384 ORDER BY oid"

var workloads = []workload{rails, tenants, everything}

// rails is like the schema and the seeds of an application made with Ruby on Rails.
var rails = workload{
	name: "rails",
	sql: `
CREATE TABLE schema_migrations (version varchar NOT NULL PRIMARY KEY);
INSERT INTO schema_migrations SELECT (20240101000000 + i)::varchar FROM generate_series(1, 40) i;
CREATE TABLE ar_internal_metadata (key varchar NOT NULL PRIMARY KEY, value varchar, created_at timestamp(6) NOT NULL, updated_at timestamp(6) NOT NULL);
INSERT INTO ar_internal_metadata VALUES ('environment', 'test', '2024-01-01', '2024-01-01');
CREATE TABLE roles (id bigserial PRIMARY KEY, name varchar NOT NULL, created_at timestamp(6) NOT NULL DEFAULT '2024-01-01');
CREATE UNIQUE INDEX index_roles_on_name ON roles (name);
INSERT INTO roles (name) VALUES ('admin'), ('editor'), ('reader');
CREATE TABLE countries (id bigserial PRIMARY KEY, code varchar(2) NOT NULL UNIQUE, name varchar NOT NULL);
INSERT INTO countries (code, name) SELECT upper(left(md5(i::text), 1)) || i % 10, 'Country ' || i FROM generate_series(1, 60) i ON CONFLICT DO NOTHING;
CREATE TABLE users (id bigserial PRIMARY KEY, email varchar NOT NULL, role_id bigint NOT NULL DEFAULT 3 REFERENCES roles, country_id bigint REFERENCES countries,
  settings jsonb NOT NULL DEFAULT '{}', sign_in_count int NOT NULL DEFAULT 0, deleted_at timestamp(6), created_at timestamp(6) NOT NULL DEFAULT '2024-01-01');
CREATE UNIQUE INDEX index_users_on_lower_email ON users (lower(email)) WHERE deleted_at IS NULL;
CREATE INDEX index_users_on_role_id ON users (role_id);
CREATE INDEX index_users_on_country_id ON users (country_id);
CREATE INDEX index_users_on_settings ON users USING gin (settings);
CREATE TABLE posts (id bigserial PRIMARY KEY, user_id bigint NOT NULL REFERENCES users ON DELETE CASCADE, title varchar, body text, state int NOT NULL DEFAULT 0, tags varchar[] NOT NULL DEFAULT '{}');
CREATE INDEX index_posts_on_user_id_and_state ON posts (user_id, state);
CREATE INDEX index_posts_on_tags ON posts USING gin (tags);
CREATE TABLE comments (id bigserial PRIMARY KEY, commentable_type varchar NOT NULL, commentable_id bigint NOT NULL, user_id bigint REFERENCES users ON DELETE SET NULL, parent_id bigint REFERENCES comments, body text);
CREATE INDEX index_comments_on_commentable ON comments (commentable_type, commentable_id);
CREATE TABLE ledger (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), user_id bigint REFERENCES users, amount numeric(12, 2) NOT NULL CHECK (amount <> 0), at timestamptz NOT NULL DEFAULT now());
CREATE VIEW active_users AS SELECT u.id, email, r.name AS role FROM users u JOIN roles r ON r.id = role_id WHERE deleted_at IS NULL;
`,
	statements: []string{
		"INSERT INTO users (email, role_id) VALUES ('{word}@example.com', {n})",
		"INSERT INTO users (email, settings) SELECT 'u' || i || '@example.com', jsonb_build_object('n', i) FROM generate_series(1, {n}) i",
		"INSERT INTO users (email) SELECT 'many' || i FROM generate_series(1, 1{n}) i",
		"INSERT INTO users (email) VALUES ('{word}') ON CONFLICT (lower(email)) WHERE deleted_at IS NULL DO UPDATE SET sign_in_count = users.sign_in_count + 1 RETURNING id",
		"UPDATE users SET sign_in_count = sign_in_count + 1, settings = settings || '{\"seen\": {n}}' WHERE id <= {n}",
		"UPDATE users SET deleted_at = now() WHERE id = {n}",
		"DELETE FROM users WHERE id > {n}",
		"INSERT INTO posts (user_id, title, tags) VALUES ({n}, '{word}', '{{word},{word}}')",
		"INSERT INTO posts (user_id, title, body) SELECT id, email, repeat('{word} ', {big}) FROM users",
		"UPDATE posts SET state = {n}, tags = tags || '{word}'::varchar WHERE id % 2 = 0",
		"DELETE FROM posts WHERE user_id = {n}",
		"INSERT INTO comments (commentable_type, commentable_id, user_id, parent_id, body) SELECT 'Post', id, user_id, NULL, title FROM posts",
		"INSERT INTO comments (commentable_type, commentable_id, parent_id) VALUES ('User', {n}, {n})",
		"INSERT INTO ledger (user_id, amount) SELECT id, {n} FROM users",
		"INSERT INTO ledger (amount) VALUES (0)",
		"INSERT INTO roles (name) VALUES ('{word}')",
		"INSERT INTO roles (id, name) VALUES ({n}, '{word}')",
		"INSERT INTO countries (code, name) VALUES ('{n}', '{word}') ON CONFLICT DO NOTHING",
		"DELETE FROM roles WHERE id > 3",
		"SELECT * FROM active_users ORDER BY id LIMIT {n}",
		"SELECT 1 AS one FROM users WHERE email = $1 LIMIT 1",
		"SELECT users.*, count(posts.id) FROM users LEFT JOIN posts ON posts.user_id = users.id GROUP BY users.id",
		"SELECT * FROM roles FOR UPDATE", "SELECT * FROM countries FOR KEY SHARE SKIP LOCKED",
		"SELECT pg_try_advisory_lock({n})", "SELECT pg_advisory_xact_lock({n})",
		"SET search_path = public, pg_catalog", "SET TimeZone = 'Asia/Tokyo'", "SET standard_conforming_strings = on", "SET client_min_messages TO warning",
		"SET app.user_id = '{n}'", "SHOW TimeZone", "SHOW max_identifier_length",
		"SELECT a.attname FROM pg_attribute a WHERE attrelid = 'users'::regclass AND attnum > 0",
		"INSERT INTO schema_migrations VALUES ('30{n}')",
		"UPDATE ar_internal_metadata SET value = 'test' WHERE key = 'no such'",
	},
	drastic: []string{
		"UPDATE countries SET name = '{word}' WHERE id = {n}", "UPDATE roles SET name = name", "DELETE FROM schema_migrations WHERE version > '20240101000030'",
		"TRUNCATE users RESTART IDENTITY CASCADE", "TRUNCATE comments", "ALTER TABLE users DISABLE TRIGGER USER", "ALTER TABLE posts ADD COLUMN extra_{word} int",
		"CREATE INDEX CONCURRENTLY ON comments (body)", "REINDEX TABLE users", "ALTER SEQUENCE users_id_seq RESTART",
	},
	probes: [][]string{
		{
			"INSERT INTO users (email, country_id) SELECT 'p' || i || '@example.com', (SELECT min(id) FROM countries) FROM generate_series(300, 1, -1) i",
			"SELECT ctid, id, email FROM users", "EXPLAIN (COSTS OFF) SELECT * FROM active_users", "SELECT id FROM active_users LIMIT 20",
			"INSERT INTO posts (user_id, tags) SELECT id, array['t' || id % 5] FROM users", "SELECT ctid, id FROM posts WHERE tags @> '{t3}'",
			"EXPLAIN SELECT * FROM posts WHERE tags @> '{t3}'", "SELECT p.id FROM posts p JOIN users u ON u.id = p.user_id LIMIT 50",
		},
		{
			"INSERT INTO roles (name) VALUES ('probe') RETURNING ctid, id", "SELECT ctid, xmin = pg_current_xact_id()::xid, id, name FROM roles",
			"INSERT INTO countries (code, name) VALUES ('__', 'probe') RETURNING ctid, id", "INSERT INTO users (email, role_id) VALUES ('x', 99)",
			"INSERT INTO comments (commentable_type, commentable_id) VALUES ('User', 1) RETURNING id", "SELECT lastval()", "SHOW search_path",
			"SELECT reltuples, relpages, relname FROM pg_class WHERE relname IN ('users', 'posts', 'roles') ORDER BY 3",
		},
		{
			sizes, "BEGIN", "SET LOCAL enable_seqscan = off", "SET LOCAL enable_bitmapscan = off", analyze + "SELECT id FROM roles WHERE id < 3",
			analyze + "SELECT code FROM countries WHERE code > 'M'", analyze + "SELECT id FROM users", analyze + "SELECT version FROM schema_migrations",
			"INSERT INTO users (email) VALUES ('a')", "INSERT INTO posts (user_id) SELECT id FROM users", analyze + "SELECT id FROM posts", "COMMIT",
		},
	},
}

// tenants is a schema with row level security by a parameter of the session. It has no functions, so that sessions go
// from test to test.
var tenants = workload{
	name: "tenants",
	sql: `
CREATE ROLE teller NOLOGIN;
GRANT teller TO CURRENT_USER;
CREATE TABLE tenant (id int PRIMARY KEY, name text NOT NULL);
INSERT INTO tenant SELECT i, 'Tenant ' || i FROM generate_series(1, 5) i;
CREATE TABLE account (id int GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY, tenant_id int NOT NULL DEFAULT nullif(current_setting('app.tenant', true), '')::int REFERENCES tenant, name text, balance numeric NOT NULL DEFAULT 0 CHECK (balance >= 0));
CREATE INDEX ON account (tenant_id, name);
CREATE TABLE movement (id bigserial PRIMARY KEY, account_id int NOT NULL REFERENCES account DEFERRABLE INITIALLY DEFERRED, tenant_id int NOT NULL DEFAULT nullif(current_setting('app.tenant', true), '')::int, amount numeric NOT NULL);
CREATE TABLE note (tenant_id int DEFAULT current_setting('app.tenant', true)::int, by_whom text DEFAULT current_user, t text);
CREATE TABLE audit (at timestamptz DEFAULT now(), tenant text, who name DEFAULT current_user, what text);
CREATE RULE audit AS ON INSERT TO account DO ALSO INSERT INTO audit (tenant, what) VALUES (current_setting('app.tenant', true), NEW.name);
CREATE RULE audit_update AS ON UPDATE TO account DO ALSO INSERT INTO audit (tenant, what) VALUES (current_setting('app.tenant', true), OLD.name);
ALTER TABLE account ENABLE ROW LEVEL SECURITY;
ALTER TABLE account FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON account USING (tenant_id = nullif(current_setting('app.tenant', true), '')::int) WITH CHECK (tenant_id = nullif(current_setting('app.tenant', true), '')::int OR current_setting('app.tenant', true) = '');
ALTER TABLE movement ENABLE ROW LEVEL SECURITY;
ALTER TABLE movement FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON movement USING (tenant_id = current_setting('app.tenant')::int);
ALTER TABLE note ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON note TO teller USING (by_whom = current_user AND current_setting('app.tenant', true) IS NOT NULL);
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO teller;
GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO teller;
`,
	statements: []string{
		"SET app.tenant = '{t}'", "SET LOCAL app.tenant = '{t}'", "SET SESSION app.tenant TO {t}", "RESET app.tenant", "RESET ALL",
		"-- a; b\nSET app.tenant = '{t}'", "/* a /* b */ ; */ SET app.tenant = '{t}'", "SELECT set_config('app.tenant', '{t}', false)",
		"SELECT set_config('app.tenant', '{t}', true)", "SELECT \"set_config\"('app.' || 'tenant', $1, false)", "SET ROLE teller", "SET LOCAL ROLE teller", "RESET ROLE",
		"SET SESSION AUTHORIZATION DEFAULT", "SET row_security = off", "SELECT current_setting('app.tenant', true)",
		"UPDATE pg_settings SET setting = '{t}' WHERE name = 'work_mem'", "DO $$ BEGIN PERFORM set_config('app.tenant', '{t}', false); END $$",
		"PREPARE give AS SELECT set_config('app.tenant', $1, false)", "EXECUTE give('{t}')", "DEALLOCATE ALL", "DISCARD ALL",
		"INSERT INTO account (name, balance) VALUES ('{word}', {big})", "INSERT INTO account (tenant_id, name) VALUES ({t}, '{word}')",
		"INSERT INTO account (name) SELECT '{word}' || i FROM generate_series(1, {n}) i", "UPDATE account SET balance = balance - {n} WHERE id = {n}",
		"DELETE FROM account WHERE id > {n}", "INSERT INTO movement (account_id, tenant_id, amount) VALUES ({n}, {t}, -{n}), ({n}, {t}, {n})", "SELECT * FROM account FOR UPDATE", "SELECT count(*) FROM movement",
		"INSERT INTO movement (account_id, amount) VALUES ({n}, {n})", "INSERT INTO movement (account_id, tenant_id, amount) SELECT id, tenant_id, 1 FROM account",
		"INSERT INTO note (t) VALUES ('{word}') RETURNING tenant_id", "UPDATE note SET t = '{word}'", "DELETE FROM note", "SELECT * FROM note",
		"INSERT INTO tenant VALUES ({n}, '{word}')", "DELETE FROM tenant WHERE id > 5", "SELECT nullif(current_setting('app.tenant', true), '')::int", "TABLE audit",
		"BEGIN ISOLATION LEVEL SERIALIZABLE", "SET TRANSACTION READ ONLY", "SET CONSTRAINTS ALL DEFERRED", "SET CONSTRAINTS ALL IMMEDIATE",
		"SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY", "SET default_transaction_isolation = serializable", "SELECT pg_try_advisory_lock({n}, {n})",
		"EXPLAIN ANALYZE INSERT INTO note (t) VALUES ('{word}')", "EXPLAIN ANALYZE SELECT set_config('app.tenant', '{t}', false)",
		"DECLARE c{n} CURSOR WITH HOLD FOR SELECT * FROM tenant", "FETCH {n} FROM c{n}", "CLOSE ALL",
		"WITH x AS (INSERT INTO note (t) VALUES ('{word}') RETURNING t) SELECT set_config('app.tenant', t, false) FROM x",
		"COPY (SELECT set_config('app.tenant', '{t}', false)) TO STDOUT", "SELECT query_to_xml('SELECT set_config(''app.tenant'', ''{t}'', false)', true, true, '')",
	},
	drastic: []string{
		"UPDATE tenant SET name = '{word}' WHERE id = {t}", "DROP POLICY own ON account", "ALTER TABLE account NO FORCE ROW LEVEL SECURITY", "REVOKE ALL ON account FROM teller",
		"DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET app.tenant = ''{t}''', current_database()); END $$", "ALTER ROLE CURRENT_USER SET app.tenant = '{t}'",
		"ALTER ROLE CURRENT_USER SET work_mem = '{n}MB'", "CREATE TEMP TABLE note (t text)", "CREATE FUNCTION pg_temp.f() RETURNS int LANGUAGE sql AS 'SELECT 1'",
		"DO $$ BEGIN EXECUTE format('ALTER ROLE CURRENT_USER IN DATABASE %I SET row_security = off', current_database()); END $$",
	},
	probes: [][]string{
		{
			"SELECT current_setting('app.tenant', true) IS NULL, nullif(current_setting('app.tenant', true), '')::int", "INSERT INTO account (name) VALUES ('nobody')", "INSERT INTO account (tenant_id, name) VALUES (1, 'x')",
			"SELECT count(*) FROM movement", "INSERT INTO note (t) VALUES ('x') RETURNING ctid, tenant_id, by_whom", "EXPLAIN SELECT * FROM note", "SELECT current_user, session_user",
			"SELECT what, tenant IS NULL FROM audit", "INSERT INTO tenant VALUES (6, 'x') RETURNING ctid",
		},
		{
			"BEGIN", "SET LOCAL app.tenant = '3'", "INSERT INTO account (name, balance) SELECT 'n' || i, 100 FROM generate_series(200, 1, -1) i", "SELECT ctid, id, name FROM account",
			"INSERT INTO movement (account_id, tenant_id, amount) VALUES (1, 3, -5), (2, 3, 5)", "SELECT ctid, id, account_id, amount FROM movement", "SELECT * FROM account ORDER BY name LIMIT 10",
			"EXPLAIN SELECT * FROM account JOIN movement ON account_id = account.id", "COMMIT", "SELECT current_setting('app.tenant', true) = ''",
		},
	},
}

// everything is the template of the other tests, with more kinds of indexes, and with functions.
var everything = workload{
	name: "everything",
	sql: shop + code + `
CREATE EXTENSION pg_trgm;
CREATE EXTENSION citext;
CREATE EXTENSION hstore;
CREATE EXTENSION btree_gist;
CREATE SCHEMA app;
CREATE DOMAIN app.email AS citext CHECK (VALUE ~ '@');
CREATE TABLE app.person (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, mail app.email UNIQUE, name text, tags hstore, place point, born date, search tsvector GENERATED ALWAYS AS (to_tsvector('simple', coalesce(name, ''))) STORED);
CREATE INDEX ON app.person USING gin (search);
CREATE INDEX ON app.person USING gin (name gin_trgm_ops);
CREATE INDEX ON app.person USING gist (place);
CREATE INDEX ON app.person USING spgist (place);
CREATE INDEX ON app.person USING hash (name);
CREATE INDEX ON app.person USING brin (born);
CREATE TABLE app.booking (room int, during tsrange, EXCLUDE USING gist (room WITH =, during WITH &&));
CREATE TABLE app.event (id bigserial, at timestamptz DEFAULT '2024-05-05', kind text, PRIMARY KEY (id, at)) PARTITION BY RANGE (at);
CREATE TABLE app.event_2024 PARTITION OF app.event FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
CREATE TABLE app.event_rest PARTITION OF app.event DEFAULT;
CREATE TABLE app.point (x int, y int, UNIQUE NULLS NOT DISTINCT (x, y));
INSERT INTO app.point VALUES (0, 0), (1, NULL);
CREATE VIEW app.young AS SELECT id, name, born FROM app.person WHERE born > '2000-01-01' WITH CHECK OPTION;
CREATE FUNCTION app.fib(n int) RETURNS int LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN RETURN CASE WHEN n < 2 THEN n ELSE app.fib(n - 1) + app.fib(n - 2) END; END $$;
CREATE FUNCTION app.count_of(kind_ text) RETURNS bigint LANGUAGE plpgsql STABLE AS $$ DECLARE n bigint; BEGIN SELECT count(*) INTO n FROM app.event WHERE kind = kind_; RETURN n; END $$;
CREATE PROCEDURE app.fill(n int) LANGUAGE plpgsql AS $$ BEGIN FOR i IN 1..n LOOP INSERT INTO app.event (kind) VALUES ('k' || i); IF i % 5 = 0 THEN COMMIT; END IF; END LOOP; END $$;
CREATE STATISTICS app.person_st ON name, born FROM app.person;
CREATE PUBLICATION news FOR TABLE app.booking WITH (publish = 'insert');
`,
	settings: map[string]string{"max_prepared_transactions": "5"},
	statements: []string{
		"INSERT INTO app.person (mail, name, born) VALUES ('{word}@x', '{word}', '2001-01-{t}')", "INSERT INTO app.person (mail) VALUES ('{word}')",
		"INSERT INTO app.person (mail, name, place, tags) SELECT i || '@x', '{word}' || i, point(i, {n}), hstore('a', i::text) FROM generate_series(1, {n}) i",
		"UPDATE app.person SET place = point({n}, {n}), name = name || '{word}'", "DELETE FROM app.person WHERE id % 2 = 0", "SELECT * FROM app.person WHERE name % '{word}'",
		"SELECT * FROM app.person WHERE search @@ to_tsquery('simple', '{word}')", "INSERT INTO app.young (name, born) VALUES ('{word}', '1999-01-01')",
		"INSERT INTO app.booking VALUES ({t}, tsrange('2024-01-01', '2024-01-{n}'::timestamp))", "INSERT INTO app.booking SELECT i, tsrange('2024-01-01', '2024-02-01') FROM generate_series(1, {big}) i",
		"INSERT INTO app.event (kind, at) SELECT '{word}', '2024-01-01'::timestamptz + {n} * interval '1 month' FROM generate_series(1, {n})", "UPDATE app.event SET at = at + interval '1 year'",
		"DELETE FROM app.event_2024", "CALL app.fill({n})", "SELECT app.fib(7), app.count_of('{word}')", "INSERT INTO app.point VALUES ({t}, NULL) ON CONFLICT DO NOTHING", "DELETE FROM app.point WHERE x > 1",
		"INSERT INTO seeded SELECT i, 'x' FROM generate_series(21, 20 + {n}) i", "DELETE FROM seeded WHERE id > 20", "INSERT INTO odd (n) VALUES ('{word}')", "SELECT * FROM odd FOR UPDATE",
		"SELECT nextval('untouched')", "SELECT setval('counter', {n})", "INSERT INTO fast SELECT i FROM generate_series(1, {big}) i", "INSERT INTO app.event DEFAULT VALUES RETURNING id",
		"INSERT INTO guarded SELECT i, 'x' FROM generate_series({n}, 40) i ON CONFLICT (id) DO UPDATE SET v = 'y'", "INSERT INTO wide SELECT i, repeat(md5(i::text), {big}) FROM generate_series(1, {t}) i",
		"INSERT INTO always VALUES ({n})", "LISTEN {word}", "UNLISTEN *", "NOTIFY {word}, 'x'", "SELECT pg_notify('{word}', '{n}')", "PREPARE TRANSACTION 'x{n}'", "SELECT pg_advisory_unlock_all()",
		"SELECT similarity('{word}', '{word}'), show_limit()", "SELECT set_limit(0.{n}::real)", "SET pg_trgm.similarity_threshold = 0.{n}", "SELECT setseed(0.{n})", "SELECT random()", "SET seed = 0.{t}",
		"SET plpgsql.check_asserts = off", "SELECT txid_current()", "SELECT pg_sleep(0.001)", "SET statement_timeout = 1", "SET LOCAL lock_timeout = {n}", "SET idle_in_transaction_session_timeout = {n}",
		"CREATE TABLE IF NOT EXISTS seeded (id int)", "DROP TABLE IF EXISTS no_such_{word}", "SELECT lo_get({n})", "SELECT currval('counter')", "SELECT lastval()", "SET enable_seqscan = off", "SET plan_cache_mode = force_generic_plan",
		"MERGE INTO app.point p USING (SELECT {t} AS x, {t} AS y) s ON p.x = s.x WHEN MATCHED THEN DO NOTHING WHEN NOT MATCHED THEN INSERT VALUES (s.x, s.y)",
		"SELECT pg_stat_force_next_flush()", "SELECT pg_stat_clear_snapshot()", "SELECT gin_clean_pending_list('app.person_search_idx')", "SELECT brin_summarize_new_values('app.person_born_idx')", "LOAD 'plpgsql'",
		"SELECT pg_terminate_backend(pg_backend_pid())", "SELECT pg_export_snapshot()", "SELECT pg_logical_emit_message(true, 'a', 'b')", "SET LOCAL synchronous_commit = off", "SELECT xmlparse(document '<a/>')",
	},
	drastic: func() []string {
		all := []string{"CREATE TEMP TABLE seeded (id int)", "CREATE TEMP SEQUENCE counter", "SELECT lo_create(0)", "SELECT lo_from_bytea({n}, 'x')", "ANALYZE", "CREATE EXTENSION cube", "DROP EXTENSION citext CASCADE",
			"ALTER EXTENSION hstore SET SCHEMA app", "ALTER TABLE app.event DETACH PARTITION app.event_rest", "CLUSTER seeded USING seeded_pkey", "VACUUM FULL seeded", "SECURITY LABEL ON TABLE seeded IS 'x'",
			"CREATE UNLOGGED TABLE u{n} (id int)", "CREATE OR REPLACE FUNCTION app.fib(n int) RETURNS int LANGUAGE sql AS 'SELECT 1'", "ALTER SYSTEM SET work_mem = '1MB'", "REFRESH MATERIALIZED VIEW summary",
			"ALTER TABLE parent ALTER name SET STATISTICS {n}", "ALTER TABLE parent SET (fillfactor = 50)", "CREATE SCHEMA {word}", "IMPORT FOREIGN SCHEMA x FROM SERVER y INTO app", "ALTER TYPE mood ADD VALUE '{word}'"}
		for _, l := range leftovers {
			if !l.recycled {
				all = append(all, l.sql)
			}
		}
		return all
	}(),
	probes: [][]string{
		{
			"INSERT INTO app.person (mail, name, place, born) SELECT i || '@x', 'name ' || i % 7, point(i % 13, i % 5), '2000-01-01'::date + i FROM generate_series(150, 1, -1) i", "SELECT ctid, id, mail FROM app.person",
			"SET LOCAL enable_seqscan = off", "SELECT id FROM app.person WHERE place <@ box '((0,0),(3,3))'", "SELECT id FROM app.person WHERE name = 'name 3'", "SELECT id FROM app.person WHERE name LIKE '%e 4%'",
			"SELECT id FROM app.person ORDER BY place <-> point '(0,0)' LIMIT 20", "SELECT id FROM app.person WHERE born < '2000-02-01'", "EXPLAIN SELECT * FROM app.person WHERE search @@ 'name'",
			"INSERT INTO app.booking SELECT i % 5, tsrange('2024-01-01'::timestamp + i * interval '1 day', '2024-01-02'::timestamp + i * interval '1 day') FROM generate_series(1, 30) i",
			"SELECT ctid, room FROM app.booking WHERE during && tsrange('2024-01-05', '2024-01-20')", "SELECT app.fib(10), app.count_of('k1')",
		},
		{
			"SELECT nextval('counter'), nextval('untouched')", "INSERT INTO app.event (kind) SELECT 'k' || i FROM generate_series(1, 60) i", "SELECT ctid, tableoid::regclass, id, kind FROM app.event", "SELECT app.count_of('k7')",
			"INSERT INTO seeded VALUES (21, 'x') RETURNING ctid", "UPDATE seeded SET v = 'y' WHERE id = 3 RETURNING ctid", "SELECT ctid, * FROM seeded", "INSERT INTO guarded VALUES (1, 'a')", "SELECT * FROM audit",
			"EXPLAIN (COSTS OFF) SELECT * FROM parent JOIN child ON parent.id = parent_id", "INSERT INTO parent (name) SELECT 'p' || i FROM generate_series(1, 200) i RETURNING ctid, id",
			"INSERT INTO child (parent_id) SELECT id FROM parent", "SELECT child.ctid, parent.id FROM parent JOIN child ON parent.id = parent_id", "SELECT show_limit()", "SELECT pg_my_temp_schema()",
			"SELECT count(*) FROM pg_prepared_xacts WHERE database = current_database()", "SELECT lo_get(5)", "TABLE app.point", "SELECT ctid, n, a FROM odd",
		},
		{
			sizes, "BEGIN", "SET LOCAL enable_seqscan = off", "SET LOCAL enable_bitmapscan = off", analyze + "SELECT id FROM seeded WHERE id < 9", analyze + "SELECT id FROM many WHERE id < 9",
			analyze + "SELECT x FROM app.point WHERE x < 3", analyze + "SELECT id FROM parent", "INSERT INTO app.event (kind) VALUES ('x')", analyze + "SELECT id FROM app.event_2024 WHERE id < 5", "COMMIT",
		},
	},
}
