// Package shop_test tests a web shop whose rules live in its database: 45 migrations make tables, views,
// functions, triggers and seed rows, and change them again as a real project does. The tests are about behaviour;
// each starts from the migrated schema with its seeds, changes whatever it likes, and leaves nothing.
//
// Under Bazel the migrations run once, in the rule pg_template; under a plain go test once a change, from the same
// files.
package shop_test

import (
	"embed"
	"io/fs"
	"os"
	"testing"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/pgcell/pgcell/tests/integration/internal/check"
	"github.com/pgcell/pgcell/tools/pgcell"
)

//go:embed migrations/*.sql
var migrations embed.FS

// newShop gives the test a shop of its own: a cell of the rule's template where there is one, else of the embedded
// migrations.
func newShop(t *testing.T) *pgcell.Cell {
	t.Helper()
	if os.Getenv("PGCELL_TEMPLATE") != "" {
		return pgcell.New(t)
	}
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		t.Fatalf("migrations: got error %v, want none", err)
	}
	return pgcell.New(t, pgcell.Config{Migrations: files})
}

// register makes a user and returns its id.
func register(t *testing.T, db *pgxpool.Pool, email string) int64 {
	t.Helper()
	return check.One[int64](t, db, `INSERT INTO users (email, first_name) VALUES ($1, 'Test') RETURNING id`, email)
}

// order places an order of a new user and returns its id; items is what place_order takes.
func order(t *testing.T, db *pgxpool.Pool, items string) int64 {
	t.Helper()
	return check.One[int64](t, db, `SELECT place_order($1, $2::text::jsonb)`, register(t, db, "buyer@example.com"),
		items)
}

// pay pays an order, or a part of it.
func pay(t *testing.T, db *pgxpool.Pool, order int64, cents int, reference string) {
	t.Helper()
	check.Exec(t, db, `INSERT INTO payments (order_id, amount, reference) VALUES ($1, $2, $3)`, order, cents,
		reference)
}

const (
	onePen = `[{"sku": "PEN-001", "quantity": 1}]`
	status = `SELECT status::text FROM orders WHERE id = $1`
	stock  = `SELECT sum(quantity) FROM stock JOIN products p ON p.id = product_id WHERE sku = $1`
)

// All migrations have run: what the first and the last of them make is there.
func TestMigrationsHaveRun(t *testing.T) {
	t.Parallel()
	files, err := fs.Glob(migrations, "migrations/*.sql")
	if err != nil || len(files) < 30 {
		t.Fatalf("migration files: got %d and error %v, want at least 30", len(files), err)
	}
	db := newShop(t).Pool()
	check.Values(t, db, []string{
		"addresses", "audit_log", "categories", "countries", "coupons", "events", "events_2024_01", "order_history",
		"order_lines",
		"order_transitions", "orders", "payments", "price_history", "product_categories", "products", "reviews",
		"stock", "users",
		"warehouses",
	}, `SELECT table_name::text FROM information_schema.tables
		WHERE table_schema = 'public' AND table_type = 'BASE TABLE' ORDER BY 1`)
	check.Value(t, db, true, `SELECT to_regproc('move_stock') IS NOT NULL`)
}

// The seeds are there, once, and each test may rely on their numbers.
func TestSeeds(t *testing.T) {
	t.Parallel()
	db := newShop(t).Pool()
	check.Values(t, db, []string{"1 PEN-001", "2 INK-001", "3 PAP-001", "4 TEA-001"},
		`SELECT id || ' ' || sku FROM products ORDER BY id`)
	check.Values(t, db, []int{10, 3, 10, 3, 10, 3, 10},
		`SELECT quantity FROM stock ORDER BY product_id, warehouse_id`)
	check.Value(t, db, 0, `SELECT count(*) FROM orders`)
}

// wreck is the body of two tests that delete everything; each finds the shop as the migrations left it.
func wreck(t *testing.T) {
	t.Parallel()
	db := newShop(t).Pool()
	check.Value(t, db, 4, `SELECT count(*) FROM products`)
	check.Value(t, db, 3, `SELECT count(*) FROM users`)
	check.Exec(t, db,
		`TRUNCATE products, users, categories, warehouses, countries CASCADE; DROP TYPE order_status CASCADE`)
}

// The first of two tests that wreck their shop.
func TestWreckTheShop(t *testing.T) { wreck(t) }

// The second of two tests that wreck their shop.
func TestWreckTheShopAgain(t *testing.T) { wreck(t) }

// The data migration has split one name column into two, with a first name alone, and with more than one blank.
func TestNamesWereSplit(t *testing.T) {
	t.Parallel()
	db := newShop(t).Pool()
	type name struct {
		First string
		Last  *string
	}
	lovelace, alembert := "Lovelace", "Le Rond d'Alembert"
	check.Rows(t, db, []name{{"Ada", &lovelace}, {"Jean", &alembert}, {"Plato", nil}},
		`SELECT first_name, last_name FROM users ORDER BY id`)
	check.Fails(t, db, "42703", `SELECT full_name FROM users`)
}

// An address of mail counts once, whatever its case, and must look like one.
func TestRegister(t *testing.T) {
	t.Parallel()
	db := newShop(t).Pool()
	register(t, db, "ann@example.com")
	add := `INSERT INTO users (email, first_name) VALUES ($1, 'Ann')`
	check.Equal(t, "index", check.Fails(t, db, "23505", add, "Ann@Example.com").ConstraintName, "users_email_key")
	check.Fails(t, db, "23514", add, "ann at example")
	check.Fails(t, db, "23514", `INSERT INTO users (email, first_name) VALUES ('new@example.com', '')`)
}

// An address needs a country that the shop delivers to.
func TestAddressNeedsKnownCountry(t *testing.T) {
	t.Parallel()
	db := newShop(t).Pool()
	add := `INSERT INTO addresses (user_id, street, city, zip, country_code)
		VALUES (1, 'High St 1', 'Town', '12345', $1)`
	check.Exec(t, db, add, "CH")
	check.Fails(t, db, "23503", add, "XX")
	check.Fails(t, db, "23503", `DELETE FROM countries WHERE code = 'CH'`)
}

// A user who is forgotten takes addresses along and leaves orders without a name.
func TestForgetUser(t *testing.T) {
	t.Parallel()
	db := newShop(t).Pool()
	id := order(t, db, onePen)
	check.Exec(t, db, `DELETE FROM users WHERE email = 'buyer@example.com'`)
	check.Value[*int64](t, db, nil, `SELECT user_id FROM orders WHERE id = $1`, id)
	check.Value(t, db, int64(2450), `SELECT total FROM order_totals WHERE order_id = $1`, id)
}
