package datatypes_test

import (
	"net"
	"net/netip"
	"testing"

	"github.com/jackc/pgx/v5/pgtype"

	"github.com/pgcell/pgcell/tests/integration/internal/check"
	"github.com/pgcell/pgcell/tools/pgcell"
)

// inet is a host with its network's width, cidr a network alone: cidr refuses bits to the right of the mask.
func TestInetAndCidr(t *testing.T) {
	t.Parallel()
	db := pgcell.New(t).Pool()
	host := netip.MustParsePrefix("192.168.1.5/24")
	check.Value(t, db, host, `SELECT $1::inet`, host)
	check.Value(t, db, host.Masked(), `SELECT network($1::inet)`, host)
	check.Value(t, db, netip.MustParseAddr("2001:db8::1"), `SELECT inet '2001:DB8:0::1'`)
	check.Fails(t, db, "22P02", `SELECT '192.168.1.5/24'::cidr`)
	check.Fails(t, db, "22P02", `SELECT '300.0.0.1'::inet`)
}

// Networks contain one another; address arithmetic and order follow the numbers, IPv4 before IPv6.
func TestNetworkOperators(t *testing.T) {
	t.Parallel()
	db := pgcell.New(t).Pool()
	for expression, want := range map[string]string{
		`inet '10.1.2.3' << cidr '10.0.0.0/8'`:       "true",
		`cidr '10.1.0.0/16' <<= cidr '10.1.0.0/16'`:  "true",
		`cidr '10.1.0.0/16' && cidr '10.1.128.0/17'`: "true",
		`inet '10.0.0.250' + 10`:                     "10.0.1.4/32",
		`inet '10.0.1.4' - inet '10.0.0.250'`:        "10",
		`host(broadcast(inet '10.1.2.3/16'))`:        "10.1.255.255",
		`family(inet '::1')`:                         "6",
		`masklen(cidr '10/8')`:                       "8",
		`inet_merge('10.1.0.0/24', '10.1.1.0/24')`:   "10.1.0.0/23",
		`inet '255.255.255.255' < inet '::'`:         "true",
		`netmask(inet '10.0.0.0/22')`:                "255.255.252.0/32",
	} {
		check.Equal(t, expression, check.One[string](t, db, `SELECT (`+expression+`)::text`), want)
	}
}

// A GiST index with inet_ops answers "which networks hold this address".
func TestNetworkLookup(t *testing.T) {
	t.Parallel()
	db := pgcell.New(t).Pool()
	check.Exec(t, db, `CREATE TABLE items (net cidr, name text); CREATE INDEX ON items USING gist (net inet_ops)`)
	check.Exec(t, db,
		`INSERT INTO items VALUES ('10.0.0.0/8', 'all'), ('10.1.0.0/16', 'office'), ('172.16.0.0/12', 'lab')`)
	check.Values(t, db, []string{"office", "all"},
		`SELECT name FROM items WHERE net >> $1::inet ORDER BY masklen(net) DESC`, netip.MustParseAddr("10.1.9.9"))
}

// macaddr reads every usual spelling; macaddr8 is the 64-bit form, made from the shorter by a rule.
func TestMacAddress(t *testing.T) {
	t.Parallel()
	db := pgcell.New(t).Pool()
	want, err := net.ParseMAC("08:00:2b:01:02:03")
	if err != nil {
		t.Fatalf("parse MAC: got error %v, want none", err)
	}
	for _, spelling := range []string{"08:00:2b:01:02:03", "08-00-2B-01-02-03", "08002b:010203", "0800.2b01.0203"} {
		check.Value(t, db, want, `SELECT $1::text::macaddr`, spelling)
	}
	check.Value(t, db, "08:00:2b:ff:fe:01:02:03", `SELECT $1::macaddr::macaddr8::text`, want)
	check.Value(t, db, "08:00:2b:00:00:00", `SELECT trunc($1::macaddr)::text`, want)
}

// The geometric types travel as pgtype structs of float64.
func TestGeometryInGo(t *testing.T) {
	t.Parallel()
	db := pgcell.New(t).Pool()
	type vec = pgtype.Vec2
	check.Value(t, db, pgtype.Point{P: vec{X: 1.5, Y: -2}, Valid: true}, `SELECT point '(1.5,-2)'`)
	check.Value(t, db, pgtype.Line{A: 1, B: -1, C: 0, Valid: true}, `SELECT line '{1,-1,0}'`)
	check.Value(t, db, pgtype.Lseg{P: [2]vec{{X: 0, Y: 0}, {X: 3, Y: 4}}, Valid: true}, `SELECT lseg '[(0,0),(3,4)]'`)
	// A box keeps its upper right and lower left corners, whichever two were given.
	check.Value(t, db, pgtype.Box{P: [2]vec{{X: 3, Y: 4}, {X: 0, Y: 0}}, Valid: true}, `SELECT box '(0,4),(3,0)'`)
	check.Value(t, db, pgtype.Path{P: []vec{{X: 0, Y: 0}, {X: 1, Y: 1}}, Closed: false, Valid: true},
		`SELECT path '[(0,0),(1,1)]'`)
	check.Value(t, db, pgtype.Polygon{P: []vec{{X: 0, Y: 0}, {X: 4, Y: 0}, {X: 0, Y: 3}}, Valid: true},
		`SELECT polygon '((0,0),(4,0),(0,3))'`)
	check.Value(t, db, pgtype.Circle{P: vec{X: 1, Y: 2}, R: 3, Valid: true}, `SELECT circle '<(1,2),3>'`)
}

// Geometric operators measure, cut and contain.
func TestGeometryOperators(t *testing.T) {
	t.Parallel()
	db := pgcell.New(t).Pool()
	for expression, want := range map[string]string{
		`point '(0,0)' <-> point '(3,4)'`:                                "5",
		`box '(4,4),(0,0)' # box '(9,9),(2,2)'`:                          "(4,4),(2,2)",
		`circle '<(0,0),5>' @> point '(3,4)'`:                            "true",
		`area(box '(2,3),(0,0)')`:                                        "6",
		`lseg '[(0,0),(2,2)]' # lseg '[(0,2),(2,0)]'`:                    "(1,1)",
		`point '(1,1)' + point '(2,3)'`:                                  "(3,4)",
		`npoints(polygon '((0,0),(1,0),(0,1))')`:                         "3",
		`isclosed(path '((0,0),(1,1))')`:                                 "true",
		`polygon '((0,0),(4,0),(0,4))' @> polygon '((1,1),(2,1),(1,2))'`: "true",
		`slope(point '(0,0)', point '(2,1)')`:                            "0.5",
	} {
		check.Equal(t, expression, check.One[string](t, db, `SELECT (`+expression+`)::text`), want)
	}
	check.Fails(t, db, "22P02", `SELECT 'somewhere'::point`)
}

// An index on points returns the nearest neighbours in order.
func TestNearestNeighbours(t *testing.T) {
	t.Parallel()
	db := pgcell.New(t).Pool()
	check.Exec(t, db, `CREATE TABLE items (name text, at point); CREATE INDEX ON items USING gist (at)`)
	check.Exec(t, db, `INSERT INTO items VALUES ('far', '(9,9)'), ('near', '(1,1)'), ('here', '(0,0)')`)
	check.Values(t, db, []string{"here", "near"}, `SELECT name FROM items ORDER BY at <-> point '(0.1,0.1)' LIMIT 2`)
}
