package shop_test

import (
	"context"
	"sync"
	"testing"

	"github.com/pgcell/pgcell/tests/integration/internal/check"
)

// An order has lines in the order of the SKUs, its total is their sum, and the stock is taken.
func TestPlaceOrder(t *testing.T) {
	t.Parallel()
	db := newShop(t).Pool()
	id := order(t, db, `[{"sku": "PEN-001", "quantity": 2}, {"sku": "INK-001", "quantity": 3}]`)
	type line struct {
		SKU              string
		Quantity, Amount int64
	}
	check.Rows(t, db, []line{{"INK-001", 3, 2397}, {"PEN-001", 2, 4900}}, `SELECT p.sku::text, quantity, amount
		FROM order_lines JOIN products p ON p.id = product_id WHERE order_id = $1 ORDER BY line`, id)
	check.Value(t, db, int64(7297), `SELECT total FROM order_totals WHERE order_id = $1`, id)
	check.Value(t, db, 11, stock, "PEN-001")
	check.Value(t, db, "open", status, id)
}

// Orders are numbered for people, from S-000001 in each test's shop.
func TestOrderNumbers(t *testing.T) {
	t.Parallel()
	db := newShop(t).Pool()
	check.Exec(t, db, `SELECT place_order(1, '[{"sku": "PEN-001", "quantity": 1}]') FROM generate_series(1, 3)`)
	check.Values(t, db, []string{"S-000001", "S-000002", "S-000003"}, `SELECT number FROM orders ORDER BY id`)
}

// What was agreed stays agreed: a new price of the product does not change old orders.
func TestPriceIsFrozen(t *testing.T) {
	t.Parallel()
	db := newShop(t).Pool()
	id := order(t, db, onePen)
	check.Exec(t, db, `UPDATE products SET price = 9999 WHERE sku = 'PEN-001'`)
	check.Value(t, db, int64(2450), `SELECT total FROM order_totals WHERE order_id = $1`, id)
}

// Too large an order fails whole: no order, no lines, and all of the stock still there.
func TestOutOfStock(t *testing.T) {
	t.Parallel()
	db := newShop(t).Pool()
	err := check.Fails(t, db, "SH001",
		`SELECT place_order(1, '[{"sku": "INK-001", "quantity": 1}, {"sku": "PEN-001", "quantity": 14}]')`)
	check.Equal(t, "message", err.Message, "product 1: 1 too few in stock")
	check.Value(t, db, 0, `SELECT count(*) FROM orders`)
	check.Value(t, db, 13, stock, "INK-001")
}

// An order larger than one warehouse's stock is taken from two, the fuller first.
func TestStockFromTwoWarehouses(t *testing.T) {
	t.Parallel()
	db := newShop(t).Pool()
	order(t, db, `[{"sku": "PEN-001", "quantity": 12}]`)
	check.Values(t, db, []string{"Basel 0", "Bonn 1"}, `SELECT w.name || ' ' || quantity
		FROM stock JOIN warehouses w ON w.id = warehouse_id WHERE product_id = 1 ORDER BY 1`)
}

// Twelve customers want two of thirteen pens at once: six get theirs, the others are told, and one pen is left.
func TestCustomersRaceForStock(t *testing.T) {
	t.Parallel()
	db := newShop(t).Pool()
	errs := make([]error, 12)
	var wg sync.WaitGroup
	for i := range errs {
		wg.Go(func() {
			_, errs[i] = db.Exec(context.WithoutCancel(t.Context()),
				`SELECT place_order(1, '[{"sku": "PEN-001", "quantity": 2}]')`)
		})
	}
	wg.Wait()
	served := 0
	for _, err := range errs {
		if err == nil {
			served++
		} else {
			check.Code(t, "order", err, "SH001")
		}
	}
	check.Equal(t, "customers served", served, 6)
	check.Value(t, db, 1, stock, "PEN-001")
}

// Unknown products, those no longer sold, and senseless quantities are refused.
func TestOrderRefusals(t *testing.T) {
	t.Parallel()
	db := newShop(t).Pool()
	check.Exec(t, db, `UPDATE products SET archived_at = now() WHERE sku = 'PAP-001'`)
	for items, code := range map[string]string{
		`[{"sku": "ABC-999", "quantity": 1}]`: "SH004", `[{"sku": "PAP-001", "quantity": 1}]`: "SH004",
		`[{"sku": "PEN-001", "quantity": 0}]`: "23514", `[{"sku": "PEN-001"}]`: "23502",
		`[{"sku": "PEN-001", "quantity": 1}, {"sku": "PEN-001", "quantity": 1}]`: "23505",
	} {
		check.Fails(t, db, code, `SELECT place_order(1, $1::text::jsonb)`, items)
	}
	check.Fails(t, db, "23503", `SELECT place_order(77, '[]')`)
	check.Value(t, db, 0, `SELECT count(*) FROM orders`)
}

// Payments add up; when they reach the total the order is paid, and a cent more is refused.
func TestPayments(t *testing.T) {
	t.Parallel()
	db := newShop(t).Pool()
	id := order(t, db, onePen)
	pay(t, db, id, 1000, "first half")
	check.Value(t, db, "open", status, id)
	check.Fails(t, db, "SH003", `INSERT INTO payments (order_id, amount, reference) VALUES ($1, 1451, 'too much')`,
		id)
	pay(t, db, id, 1450, "second half")
	check.Value(t, db, "paid", status, id)
	check.Fails(t, db, "SH003", `INSERT INTO payments (order_id, amount, reference) VALUES ($1, 1, 'once more')`, id)
	check.Fails(t, db, "23505", `INSERT INTO payments (order_id, amount, reference) VALUES ($1, 1, 'first half')`, id)
}

// Status changes follow the table of transitions; what happened is written down.
func TestStatusTransitions(t *testing.T) {
	t.Parallel()
	db := newShop(t).Pool()
	id := order(t, db, onePen)
	set := `UPDATE orders SET status = $2::text::order_status WHERE id = $1`
	err := check.Fails(t, db, "SH002", set, id, "shipped")
	check.Equal(t, "message", err.Message, "order S-000001 cannot go from open to shipped")
	pay(t, db, id, 2450, "all")
	check.Exec(t, db, set, id, "shipped")
	check.Exec(t, db, set, id, "returned")
	check.Fails(t, db, "SH002", set, id, "open")
	check.Values(t, db, []string{"open > paid", "paid > shipped", "shipped > returned"},
		`SELECT before || ' > ' || after FROM order_history WHERE order_id = $1 ORDER BY at`, id)
}

// A cancelled order gives its stock back, once.
func TestCancelReturnsStock(t *testing.T) {
	t.Parallel()
	db := newShop(t).Pool()
	id := order(t, db, `[{"sku": "PEN-001", "quantity": 12}]`)
	check.Value(t, db, 1, stock, "PEN-001")
	check.Exec(t, db, `UPDATE orders SET status = 'cancelled' WHERE id = $1`, id)
	check.Exec(t, db, `UPDATE orders SET status = 'cancelled' WHERE id = $1`, id) // no change, no second return
	check.Value(t, db, 13, stock, "PEN-001")
}

// Whoever listens hears of every change of status.
func TestStatusIsNotified(t *testing.T) {
	t.Parallel()
	cell := newShop(t)
	listener := check.Conn(t, cell.Config())
	check.Exec(t, listener, `LISTEN orders`)
	id := order(t, cell.Pool(), onePen)
	pay(t, cell.Pool(), id, 2450, "all")
	check.Exec(t, cell.Pool(), `UPDATE orders SET status = 'shipped' WHERE id = $1`, id)
	for _, want := range []string{"S-000001 paid", "S-000001 shipped"} {
		n, err := listener.WaitForNotification(t.Context())
		if err != nil {
			t.Fatalf("wait: got error %v, want a notification", err)
		}
		check.Equal(t, "payload", n.Payload, want)
	}
}

// A coupon takes a percentage off, whatever the case of its code; each order takes one.
func TestCoupon(t *testing.T) {
	t.Parallel()
	db := newShop(t).Pool()
	check.Exec(t, db, `INSERT INTO coupons (code, percent, uses_left) VALUES ('SPRING', 20, 5)`)
	id := order(t, db, onePen)
	check.Value(t, db, 20, `SELECT redeem_coupon($1, 'spring')`, id)
	check.Value(t, db, int64(1960), `SELECT total FROM order_totals WHERE order_id = $1`, id)
	check.Fails(t, db, "SH005", `SELECT redeem_coupon($1, 'SPRING')`, id)
	check.Value(t, db, 4, `SELECT uses_left FROM coupons`) // the second try took none
	pay(t, db, id, 1960, "with discount")
	check.Value(t, db, "paid", status, id)
}

// Coupons run out, in time and in number; of many who try the last use at once, one succeeds.
func TestCouponRunsOut(t *testing.T) {
	t.Parallel()
	db := newShop(t).Pool()
	check.Exec(t, db,
		`INSERT INTO coupons VALUES ('OLD', 10, now() - interval '1 second', 9), ('LAST', 10, 'infinity', 1)`)
	ids := check.Column[int64](t, db,
		`SELECT place_order(1, '[{"sku": "PEN-001", "quantity": 1}]') FROM generate_series(1, 5)`)
	check.Fails(t, db, "SH005", `SELECT redeem_coupon($1, 'OLD')`, ids[0])
	errs := make([]error, len(ids))
	var wg sync.WaitGroup
	for i, id := range ids {
		wg.Go(func() {
			_,
				errs[i] = db.Exec(context.WithoutCancel(t.Context()), `SELECT redeem_coupon($1, 'LAST')`, id)
		})
	}
	wg.Wait()
	redeemed := 0
	for _, err := range errs {
		if err == nil {
			redeemed++
		} else {
			check.Code(t, "redeem", err, "SH005")
		}
	}
	check.Equal(t, "orders with the last coupon", redeemed, 1)
}
