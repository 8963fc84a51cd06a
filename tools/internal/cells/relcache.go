package cells

import (
	"context"
	"fmt"
)

// relcacheFile is where a database keeps what every new backend needs to know of the catalogs. The first backend that
// finds none works it out and writes it, at 2 ms of processor time; so a template, which nobody connects to, has none.
// A copy serves another database as well (src/backend/utils/cache/relcache.c, load_relcache_init_file).
const relcacheFile = "pg_internal.init"

// shareRelcache gives the template the file of its clone c, into which somebody has connected but no test: clones that
// are made by copying files have it from then on. It does so once, and nothing where they are made otherwise. A server
// takes the file away by itself where it does not serve.
func (p *pool) shareRelcache(ctx context.Context, c *cell) error {
	if p.cluster.Strategy() == "WAL_LOG" || !p.shared.CompareAndSwap(false, true) {
		return nil
	}
	p.cluster.copying.Lock() // no half file is copied
	defer p.cluster.copying.Unlock()
	tx, err := p.cluster.admin.Begin(ctx)
	if err != nil {
		return err
	}
	defer tx.Rollback(context.WithoutCancel(ctx)) // and with it the large object, which is but a way to write a file
	var object uint32
	read := fmt.Sprintf("SELECT lo_from_bytea(0, pg_read_binary_file('base/%d/%s'))", c.database.OID, relcacheFile)
	if err := tx.QueryRow(ctx, read).Scan(&object); err != nil {
		return fmt.Errorf("share the relation cache of %s: %w", c.name, err)
	}
	const write = "SELECT lo_export($1, format('base/%s/%s', oid, $2::text)) FROM pg_database WHERE datname = $3"
	if _, err := tx.Exec(ctx, write, object, relcacheFile, p.template); err != nil {
		return fmt.Errorf("share the relation cache of %s: %w", c.name, err)
	}
	return nil
}
