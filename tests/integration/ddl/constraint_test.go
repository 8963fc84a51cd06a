package ddl_test

import (
	"testing"

	"github.com/pgcell/pgcell/tests/integration/internal/check"
	"github.com/pgcell/pgcell/tools/pgcell"
)

// A violated constraint's error names schema, table, column and constraint: a program need not read the message.
func TestConstraintErrorNamesItsObjects(t *testing.T) {
	t.Parallel()
	db := pgcell.New(t).Pool()
	check.Exec(t, db, `CREATE TABLE users (id int PRIMARY KEY, name text NOT NULL,
		age int CONSTRAINT grown_up CHECK (age >= 18), email text CONSTRAINT one_account UNIQUE)`)
	check.Exec(t, db, `INSERT INTO users VALUES (1, 'ann', 20, 'a@b')`)
	type where struct{ Code, Table, Column, Constraint string }
	for statement, want := range map[string]where{
		`INSERT INTO users VALUES (1, 'x', 20, 'c@d')`: {"23505", "users", "", "users_pkey"},
		`INSERT INTO users VALUES (2, 'x', 17, 'c@d')`: {"23514", "users", "", "grown_up"},
		`INSERT INTO users VALUES (2, 'x', 20, 'a@b')`: {"23505", "users", "", "one_account"},
	} {
		err := check.Fails(t, db, want.Code, statement)
		check.Equal(t, statement, where{err.Code, err.TableName, err.ColumnName, err.ConstraintName}, want)
	}
	err := check.Fails(t, db, "23502", `INSERT INTO users VALUES (2, NULL)`)
	check.Equal(t, "column of NOT NULL", err.SchemaName+"."+err.TableName+"."+err.ColumnName, "public.users.name")
}

// A foreign key decides by its action what a parent's DELETE and UPDATE do to the children.
func TestForeignKeyActions(t *testing.T) {
	t.Parallel()
	db := pgcell.New(t).Pool()
	check.Exec(t, db, `CREATE TABLE users (id int PRIMARY KEY); INSERT INTO users VALUES (1), (2), (3), (9);
		CREATE TABLE cascades (id int REFERENCES users ON DELETE CASCADE ON UPDATE CASCADE);
		CREATE TABLE nulls (id int REFERENCES users ON DELETE SET NULL);
		CREATE TABLE defaults (id int DEFAULT 9 REFERENCES users ON DELETE SET DEFAULT);
		CREATE TABLE restricts (id int REFERENCES users ON DELETE RESTRICT);
		INSERT INTO cascades VALUES (1), (3); INSERT INTO nulls VALUES (1);
		INSERT INTO defaults VALUES (1); INSERT INTO restricts VALUES (2)`)
	check.Exec(t, db, `DELETE FROM users WHERE id = 1; UPDATE users SET id = 4 WHERE id = 3`)
	check.Values(t, db, []int{4}, `SELECT id FROM cascades`)
	check.Value[*int](t, db, nil, `SELECT id FROM nulls`)
	check.Value(t, db, 9, `SELECT id FROM defaults`)
	// The code is 23503 up to PostgreSQL 17 and 23001 (restrict_violation) from 18 on.
	if _, err := db.Exec(t.Context(), `DELETE FROM users WHERE id = 2`); err == nil {
		t.Error("delete of a parent with ON DELETE RESTRICT: got no error, want one")
	}
	check.Fails(t, db, "23503", `INSERT INTO cascades VALUES (77)`)
}

// A deferrable constraint may wait for the end of the transaction: rows that point at each other go in, in either
// order.
func TestDeferrableForeignKey(t *testing.T) {
	t.Parallel()
	conn := check.Conn(t, pgcell.New(t).Config())
	check.Exec(t, conn,
		`CREATE TABLE users (id int PRIMARY KEY, friend int REFERENCES users DEFERRABLE INITIALLY IMMEDIATE)`)
	check.Fails(t, conn, "23503", `INSERT INTO users VALUES (1, 2)`)
	check.Exec(t, conn, `BEGIN; SET CONSTRAINTS ALL DEFERRED;
		INSERT INTO users VALUES (1, 2); INSERT INTO users VALUES (2, 1); COMMIT`)
	check.Exec(t, conn, `BEGIN; SET CONSTRAINTS users_friend_fkey DEFERRED; INSERT INTO users VALUES (3, 4)`)
	check.Fails(t, conn, "23503", `COMMIT`) // the commit itself fails, and nothing was stored
	check.Values(t, conn, []int{1, 2}, `SELECT id FROM users ORDER BY id`)
}

// A unique constraint that is deferred allows a shift of all keys by one, which meets duplicates half-way.
func TestDeferrableUnique(t *testing.T) {
	t.Parallel()
	db := pgcell.New(t).Pool()
	check.Exec(t, db, `CREATE TABLE strict (n int UNIQUE); CREATE TABLE items (n int UNIQUE DEFERRABLE);
		INSERT INTO strict VALUES (1), (2), (3); INSERT INTO items VALUES (1), (2), (3)`)
	check.Fails(t, db, "23505", `UPDATE strict SET n = n + 1`)
	check.Exec(t, db, `UPDATE items SET n = n + 1`)
	check.Values(t, db, []int{2, 3, 4}, `SELECT n FROM items ORDER BY n`)
}

// An exclusion constraint generalizes unique: no two bookings of a room may overlap.
func TestExclusionConstraint(t *testing.T) {
	t.Parallel()
	db := pgcell.New(t).Pool()
	check.NeedExtension(t, db, "btree_gist") // for = on int in a GiST index
	check.Exec(t, db, `CREATE TABLE orders (room int, during daterange,
		CONSTRAINT no_double_booking EXCLUDE USING gist (room WITH =, during WITH &&))`)
	check.Exec(t, db, `INSERT INTO orders VALUES (1, '[2024-01-01,2024-01-05)'), (1, '[2024-01-05,2024-01-07)')`)
	check.Exec(t, db, `INSERT INTO orders VALUES (2, '[2024-01-04,2024-01-06)')`)
	err := check.Fails(t, db, "23P01", `INSERT INTO orders VALUES (1, '[2024-01-04,2024-01-06)')`)
	check.Equal(t, "constraint", err.ConstraintName, "no_double_booking")
}

// NOT VALID leaves the old rows alone and guards the new ones; VALIDATE looks at the old ones later.
func TestNotValidConstraint(t *testing.T) {
	t.Parallel()
	db := pgcell.New(t).Pool()
	check.Exec(t, db, `CREATE TABLE items (price int); INSERT INTO items VALUES (-1)`)
	check.Exec(t, db, `ALTER TABLE items ADD CONSTRAINT positive CHECK (price > 0) NOT VALID`)
	check.Fails(t, db, "23514", `INSERT INTO items VALUES (-2)`)
	check.Fails(t, db, "23514", `ALTER TABLE items VALIDATE CONSTRAINT positive`)
	check.Exec(t, db, `UPDATE items SET price = 1; ALTER TABLE items VALIDATE CONSTRAINT positive`)
	check.Value(t, db, true, `SELECT convalidated FROM pg_constraint WHERE conname = 'positive'`)
}

// Constraints are added from an index that is there, renamed and dropped.
func TestAlterConstraints(t *testing.T) {
	t.Parallel()
	db := pgcell.New(t).Pool()
	check.Exec(t, db, `CREATE TABLE items (id int NOT NULL, code text); CREATE UNIQUE INDEX items_id ON items (id)`)
	check.Exec(t, db, `ALTER TABLE items ADD CONSTRAINT items_key PRIMARY KEY USING INDEX items_id`)
	check.Exec(t, db,
		`ALTER TABLE items ADD UNIQUE (code); ALTER TABLE items RENAME CONSTRAINT items_code_key TO one_code`)
	check.Exec(t, db, `INSERT INTO items VALUES (1, 'a')`)
	check.Equal(t, "name", check.Fails(t, db, "23505", `INSERT INTO items VALUES (2, 'a')`).ConstraintName,
		"one_code")
	check.Exec(t, db, `ALTER TABLE items DROP CONSTRAINT one_code`)
	check.Exec(t, db, `INSERT INTO items VALUES (2, 'a')`)
	check.Fails(t, db, "42P16", `ALTER TABLE items ADD PRIMARY KEY (code)`) // a table has one primary key
}

// A compound foreign key with MATCH FULL wants all of its columns or none.
func TestMatchFull(t *testing.T) {
	t.Parallel()
	db := pgcell.New(t).Pool()
	check.Exec(t, db, `CREATE TABLE users (a int, b int, PRIMARY KEY (a, b)); INSERT INTO users VALUES (1, 1);
		CREATE TABLE simple (a int, b int, FOREIGN KEY (a, b) REFERENCES users);
		CREATE TABLE orders (a int, b int, FOREIGN KEY (a, b) REFERENCES users MATCH FULL)`)
	check.Exec(t, db, `INSERT INTO simple VALUES (77, NULL); INSERT INTO orders VALUES (1, 1), (NULL, NULL)`)
	check.Fails(t, db, "23503", `INSERT INTO orders VALUES (1, NULL)`)
}
