package ddl_test

import (
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/pgcell/pgcell/tests/integration/internal/check"
	"github.com/pgcell/pgcell/tools/pgcell"
)

// A BEFORE trigger changes the row on its way in, or drops it by returning NULL.
func TestBeforeTrigger(t *testing.T) {
	t.Parallel()
	db := pgcell.New(t).Pool()
	check.Exec(t, db, `CREATE TABLE users (name text, email text);
		CREATE FUNCTION tidy() RETURNS trigger LANGUAGE plpgsql AS $$
		BEGIN
			IF NEW.name = 'spam' THEN RETURN NULL; END IF;
			NEW.email := lower(trim(NEW.email));
			RETURN NEW;
		END $$;
		CREATE TRIGGER tidy BEFORE INSERT OR UPDATE OF email ON users FOR EACH ROW EXECUTE FUNCTION tidy()`)
	check.Equal(t, "rows inserted", check.Exec(t, db, `INSERT INTO users VALUES ('ann', ' Ann@B '), ('spam', 'x')`),
		1)
	check.Value(t, db, "ann@b", `SELECT email FROM users`)
}

// An AFTER trigger with a WHEN clause writes a history of what changed.
func TestAuditTrigger(t *testing.T) {
	t.Parallel()
	db := pgcell.New(t).Pool()
	check.Exec(t, db, `CREATE TABLE items (id int, price int); CREATE TABLE history (n serial, change jsonb);
		CREATE FUNCTION audit() RETURNS trigger LANGUAGE plpgsql AS $$
		BEGIN
			INSERT INTO history (change) VALUES (jsonb_build_object('op', TG_OP, 'old', OLD.price, 'new', NEW.price));
			RETURN NULL;
		END $$;
		CREATE TRIGGER audit AFTER UPDATE ON items FOR EACH ROW
			WHEN (OLD.price IS DISTINCT FROM NEW.price) EXECUTE FUNCTION audit()`)
	check.Exec(t, db, `INSERT INTO items VALUES (1, 10), (2, 20); UPDATE items SET price = 20`)
	check.Values(t, db, []string{`{"op": "UPDATE", "new": 20, "old": 10}`},
		`SELECT change::text FROM history ORDER BY n`)
}

// A statement trigger fires once and sees all changed rows in its transition tables.
func TestTransitionTables(t *testing.T) {
	t.Parallel()
	db := pgcell.New(t).Pool()
	check.Exec(t, db, `CREATE TABLE items (n int); CREATE TABLE log (rows bigint, change bigint);
		CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$
		BEGIN
			INSERT INTO log SELECT count(*), sum(a.n) - (SELECT sum(b.n) FROM before b) FROM after a;
			RETURN NULL;
		END $$;
		CREATE TRIGGER note AFTER UPDATE ON items REFERENCING OLD TABLE AS before NEW TABLE AS after
			FOR EACH STATEMENT EXECUTE FUNCTION note()`)
	check.Exec(t, db, `INSERT INTO items SELECT generate_series(1, 10); UPDATE items SET n = n + 1 WHERE n <= 4`)
	type row struct{ Rows, Change int64 }
	check.Rows(t, db, []row{{4, 4}}, `SELECT * FROM log`)
}

// Triggers of one kind fire in the order of their names; a constraint trigger can wait for the commit.
func TestTriggerOrder(t *testing.T) {
	t.Parallel()
	conn := check.Conn(t, pgcell.New(t).Config())
	check.Exec(t, conn, `CREATE TABLE items (n int); CREATE TABLE log (place serial, trigger text);
		CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$
		BEGIN INSERT INTO log (trigger) VALUES (TG_NAME); RETURN NEW; END $$;
		CREATE TRIGGER b BEFORE INSERT ON items FOR EACH ROW EXECUTE FUNCTION note();
		CREATE TRIGGER a BEFORE INSERT ON items FOR EACH ROW EXECUTE FUNCTION note();
		CREATE CONSTRAINT TRIGGER late AFTER INSERT ON items DEFERRABLE INITIALLY DEFERRED
			FOR EACH ROW EXECUTE FUNCTION note()`)
	check.Exec(t, conn, `BEGIN; INSERT INTO items VALUES (1)`)
	check.Values(t, conn, []string{"a", "b"}, `SELECT trigger FROM log ORDER BY place`)
	check.Exec(t, conn, `COMMIT`)
	check.Values(t, conn, []string{"a", "b", "late"}, `SELECT trigger FROM log ORDER BY place`)
}

// A trigger can be switched off and on by the table's owner.
func TestDisableTrigger(t *testing.T) {
	t.Parallel()
	db := pgcell.New(t).Pool()
	check.Exec(t, db, `CREATE TABLE items (n int);
		CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$
		BEGIN RAISE EXCEPTION 'no % on %', TG_OP, TG_TABLE_NAME USING ERRCODE = 'P0042', HINT = 'ask first'; END $$;
		CREATE TRIGGER refuse BEFORE INSERT ON items EXECUTE FUNCTION refuse()`)
	err := check.Fails(t, db, "P0042", `INSERT INTO items VALUES (1)`)
	check.Equal(t, "message and hint", err.Message+"; "+err.Hint, "no INSERT on items; ask first")
	check.Exec(t, db, `ALTER TABLE items DISABLE TRIGGER refuse; INSERT INTO items VALUES (1)`)
	check.Exec(t, db, `ALTER TABLE items ENABLE TRIGGER refuse`)
	check.Fails(t, db, "P0042", `INSERT INTO items VALUES (2)`)
}

// TRUNCATE has triggers of its own and fires none of those for DELETE.
func TestTruncateTrigger(t *testing.T) {
	t.Parallel()
	db := pgcell.New(t).Pool()
	check.Exec(t, db, `CREATE TABLE items (id serial, n int); CREATE TABLE log (what text);
		CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$
		BEGIN INSERT INTO log VALUES (TG_OP); RETURN NULL; END $$;
		CREATE TRIGGER d AFTER DELETE ON items EXECUTE FUNCTION note();
		CREATE TRIGGER t AFTER TRUNCATE ON items EXECUTE FUNCTION note()`)
	check.Exec(t, db,
		`INSERT INTO items (n) VALUES (5); TRUNCATE items RESTART IDENTITY; INSERT INTO items (n) VALUES (6)`)
	check.Values(t, db, []string{"TRUNCATE"}, `SELECT what FROM log`)
	check.Value(t, db, 1, `SELECT id FROM items`)
}

// Event triggers watch DDL itself; a superuser alone may make them, so this test has a server of its own.
func TestEventTrigger(t *testing.T) {
	t.Parallel()
	db := pgcell.Server(t).Pool()
	check.Exec(t, db, `CREATE TABLE log (place serial, what text);
		CREATE FUNCTION note() RETURNS event_trigger LANGUAGE plpgsql AS $$
		DECLARE c record;
		BEGIN
			FOR c IN SELECT * FROM pg_event_trigger_ddl_commands() LOOP
				INSERT INTO log (what) VALUES (c.command_tag || ' ' || c.object_identity);
			END LOOP;
		END $$;
		CREATE FUNCTION no_drop() RETURNS event_trigger LANGUAGE plpgsql AS $$
		BEGIN RAISE EXCEPTION '% is not allowed here', TG_TAG USING ERRCODE = 'P0042'; END $$;
		CREATE EVENT TRIGGER note ON ddl_command_end EXECUTE FUNCTION note();
		CREATE EVENT TRIGGER no_drop ON ddl_command_start WHEN TAG IN ('DROP TABLE') EXECUTE FUNCTION no_drop()`)
	check.Exec(t, db, `CREATE TABLE users (id int); ALTER TABLE users ADD COLUMN name text`)
	check.Fails(t, db, "P0042", `DROP TABLE users`)
	check.Values(t, db, []string{"CREATE TABLE public.users", "ALTER TABLE public.users"},
		`SELECT what FROM log WHERE what LIKE '%users' ORDER BY place`)
}

// A cell's own role is no superuser and may make no event trigger: it would reach into how cells are looked after.
func TestEventTriggerNeedsSuperuser(t *testing.T) {
	t.Parallel()
	db := pgcell.New(t).Pool()
	check.Exec(t, db, `CREATE FUNCTION nothing() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END'`)
	check.Fails(t, db, "42501", `CREATE EVENT TRIGGER nothing ON ddl_command_end EXECUTE FUNCTION nothing()`)
}

// RAISE NOTICE reaches the client as a notice, beside the result.
func TestNotices(t *testing.T) {
	t.Parallel()
	config := pgcell.New(t).Config()
	var got []string
	config.OnNotice = func(_ *pgconn.PgConn, n *pgconn.Notice) { got = append(got, n.Severity+": "+n.Message) }
	conn := check.Conn(t, config)
	check.Exec(t, conn,
		`DO $$ BEGIN RAISE NOTICE 'seen % items', 3; RAISE WARNING 'few'; RAISE DEBUG 'hidden'; END $$`)
	check.Exec(t, conn, `DROP TABLE IF EXISTS nothing`, pgx.QueryExecModeExec)
	check.Equal(t, "notices", got,
		[]string{"NOTICE: seen 3 items", "WARNING: few", `NOTICE: table "nothing" does not exist, skipping`})
}
