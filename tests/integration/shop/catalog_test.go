package shop_test

import (
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/pgcell/pgcell/tests/integration/internal/check"
)

// The search knows word stems, puts names before descriptions, and follows changes.
func TestProductSearch(t *testing.T) {
	t.Parallel()
	db := newShop(t).Pool()
	find := `SELECT sku::text FROM find_products($1)`
	check.Values(t, db, []string{"PEN-001", "INK-001"}, find, "pens")
	check.Values(t, db, []string{"INK-001"}, find, "ink -nib")
	check.Values(t, db, []string{"PAP-001", "PEN-001"}, find, "write")
	check.Values[string](t, db, nil, find, "coffee")
	check.Exec(t, db, `UPDATE products SET description = 'goes well with coffee' WHERE sku = 'TEA-001'`)
	check.Values(t, db, []string{"TEA-001"}, find, "coffee")
}

// A category holds the products of those below it.
func TestCategoryTree(t *testing.T) {
	t.Parallel()
	db := newShop(t).Pool()
	check.Values(t, db,
		[]string{"everything", "everything > food", "everything > office", "everything > office > writing"},
		`SELECT path FROM category_paths ORDER BY path`)
	in := `SELECT sku::text FROM products_in($1) ORDER BY sku`
	check.Values(t, db, []string{"INK-001", "PAP-001", "PEN-001"}, in, "office")
	check.Values(t, db, []string{"INK-001", "PEN-001"}, in, "writing")
	check.Fails(t, db, "23503", `DELETE FROM categories WHERE name = 'office'`)
	check.Fails(t, db, "23514", `UPDATE categories SET parent_id = id WHERE name = 'food'`)
}

// A SKU has its form, a price is not negative, and both hold for whoever writes.
func TestProductRules(t *testing.T) {
	t.Parallel()
	db := newShop(t).Pool()
	add := `INSERT INTO products (sku, name, price) VALUES ($1, 'x', $2)`
	check.Exec(t, db, add, "NEW-001", 0)
	check.Fails(t, db, "23514", add, "new-001", 1)
	check.Fails(t, db, "23514", add, "NEW-002", -1)
	check.Fails(t, db, "23505", add, "PEN-001", 1)
}

// A product has one price at any time; a day asks for the price that held on it.
func TestPriceHistory(t *testing.T) {
	t.Parallel()
	db := newShop(t).Pool()
	check.Exec(t, db, `INSERT INTO price_history VALUES
		(1, 2000, '[2023-01-01,2024-01-01)'), (1, 2450, '[2024-01-01,)'),
		(2, 799, '[2023-06-01,)')`)
	check.Equal(t, "constraint", check.Fails(t, db, "23P01",
		`INSERT INTO price_history VALUES (1, 1, '[2023-12-31,2024-01-02)')`).ConstraintName, "one_price_at_a_time")
	price := `SELECT price_on('PEN-001', $1::text::date)`
	check.Value(t, db, int64(2000), price, "2023-12-31")
	check.Value(t, db, int64(2450), price, "2024-01-01")
	check.Value[*int64](t, db, nil, price, "2022-12-31")
}

// The audit log says who changed what, and of an update the changed columns alone.
func TestAuditLog(t *testing.T) {
	t.Parallel()
	db := newShop(t).Pool()
	// The seeds were logged too, and the data migration that split the names.
	check.Values(t, db, []string{"INSERT products 4", "UPDATE users 3"},
		`SELECT concat_ws(' ', action, split_part(object, ' ', 1), count(*))
			FROM audit_log GROUP BY action, split_part(object, ' ', 1) ORDER BY 1`)
	check.Exec(t, db, `TRUNCATE audit_log`)
	err := pgx.BeginFunc(t.Context(), db, func(tx pgx.Tx) error {
		check.Exec(t, tx, `SELECT set_config('app.actor', 'ada@shop.example', true)`)
		check.Exec(t, tx, `UPDATE products SET price = 2600 WHERE sku = 'PEN-001'`)
		return nil
	})
	if err != nil {
		t.Fatalf("transaction: got error %v, want none", err)
	}
	check.Exec(t, db, `UPDATE users SET last_name = 'of Athens' WHERE first_name = 'Plato'`)
	type entry struct{ Actor, Action, Object, Change string }
	check.Rows(t, db, []entry{
		{"ada@shop.example", "UPDATE", "products 1", `{"price": 2600}`},
		{"pgcell", "UPDATE", "users 3", `{"last_name": "of Athens"}`},
	}, `SELECT actor, action, object, change::text FROM audit_log ORDER BY id`)
}

// Who has received a product may review it, once; ratings show the mean, also of products without any.
func TestReviews(t *testing.T) {
	t.Parallel()
	db := newShop(t).Pool()
	review := `INSERT INTO reviews SELECT user_id, 1, $2 FROM orders WHERE id = $1`
	first := order(t, db, onePen)
	check.Fails(t, db, "SH006", review, first, 5)
	second := check.One[int64](t, db, `SELECT place_order(1, '[{"sku": "PEN-001", "quantity": 1}]')`)
	for i, id := range []int64{first, second} {
		pay(t, db, id, 2450, []string{"a", "b"}[i])
		check.Exec(t, db, `UPDATE orders SET status = 'shipped' WHERE id = $1`, id)
	}
	check.Exec(t, db, review, first, 5)
	check.Exec(t, db, review, second, 2)
	check.Fails(t, db, "23505", review, first, 1)
	check.Fails(t, db, "23514", `UPDATE reviews SET stars = 6`)
	check.Values(t, db, []string{"INK-001 0 none", "PAP-001 0 none", "PEN-001 2 3.5", "TEA-001 0 none"},
		`SELECT sku || ' ' || reviews || ' ' || coalesce(stars::text, 'none') FROM ratings ORDER BY sku`)
}

// Best sellers count paid and shipped orders, as of the last refresh.
func TestBestSellers(t *testing.T) {
	t.Parallel()
	db := newShop(t).Pool()
	id := order(t, db, `[{"sku": "TEA-001", "quantity": 2}]`)
	check.Exec(t, db, `SELECT place_order(1, '[{"sku": "PEN-001", "quantity": 5}]')`) // never paid
	pay(t, db, id, 2580, "all")
	check.Value(t, db, 0, `SELECT count(*) FROM best_sellers`)
	check.Exec(t, db, `REFRESH MATERIALIZED VIEW CONCURRENTLY best_sellers`)
	check.Values(t, db, []string{"TEA-001 2"}, `SELECT sku || ' ' || sold FROM best_sellers`)
}

// Stock moves between warehouses whole or not at all.
func TestMoveStock(t *testing.T) {
	t.Parallel()
	db := newShop(t).Pool()
	places := `SELECT w.name || ' ' || quantity FROM stock JOIN warehouses w ON w.id = warehouse_id
		WHERE product_id = 4 ORDER BY 1`
	check.Exec(t, db, `CALL move_stock('TEA-001', 'Basel', 'Bonn', 4)`)
	check.Values(t, db, []string{"Basel 6", "Bonn 4"}, places)
	err := check.Fails(t, db, "23514", `CALL move_stock('TEA-001', 'Basel', 'Bonn', 7)`)
	check.Equal(t, "constraint", err.ConstraintName, "stock_not_negative")
	check.Values(t, db, []string{"Basel 6", "Bonn 4"}, places)
	check.Fails(t, db, "P0002", `CALL move_stock('ABC-999', 'Basel', 'Bonn', 1)`)
}

// Events go into the partition of their month, which must be added before.
func TestEvents(t *testing.T) {
	t.Parallel()
	db := newShop(t).Pool()
	add := `INSERT INTO events VALUES ($1::text::timestamptz, 'visit') RETURNING tableoid::regclass::text`
	check.Value(t, db, "events_2024_01", add, "2024-01-31 23:59:59+00")
	check.Fails(t, db, "23514", add, "2024-02-01 00:00:00+00")
	check.Value(t, db, "events_2024_02", `SELECT add_event_month('2024-02-15')`)
	check.Value(t, db, "events_2024_02", `SELECT add_event_month('2024-02-29')`) // it is there: nothing to do
	check.Value(t, db, "events_2024_02", add, "2024-02-01 00:00:00+00")
	check.Exec(t, db, `DROP TABLE events_2024_01`)
	check.Value(t, db, 1, `SELECT count(*) FROM events`)
}
