package cells_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/pgcell/pgcell/tools/internal/cells"
)

// TestPoolsConfig compares the configuration of each cell's pool with what its URL means to pgx.
func TestPoolsConfig(t *testing.T) {
	t.Parallel()
	c := mustShop(t, func(c *cells.Config) { c.Recycle = cells.Auto })
	for range 3 {
		l := mustTake(t, c)
		want, err := pgxpool.ParseConfig(l.URL())
		if err != nil {
			t.Fatal(err)
		}
		got := l.Pool().Config()
		if got.ConnString() != l.URL() {
			t.Errorf("ConnString() = %s, want %s", got.ConnString(), l.URL())
		}
		if diff := cmp.Diff(plain(&want.ConnConfig.Config), plain(&got.ConnConfig.Config)); diff != "" {
			t.Errorf("configuration of %s (-parsed +got):\n%s", l.Name(), diff)
		}
		if err := l.Return(); err != nil {
			t.Fatal(err)
		}
	}
}

// plain is the part of a configuration that is data.
func plain(c *pgconn.Config) map[string]any {
	return map[string]any{
		"host": c.Host, "port": c.Port, "database": c.Database, "user": c.User, "password": c.Password,
		"timeout": c.ConnectTimeout, "parameters": c.RuntimeParams, "fallbacks": len(c.Fallbacks), "tls": c.TLSConfig != nil,
	}
}
