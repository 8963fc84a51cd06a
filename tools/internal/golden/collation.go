package golden

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
)

// collationsQuery gives the versions of the libraries that put text in order, of ICU and the C library, and that of the
// database's own locale: by one collation of each, since a library has one version for nearly all.
const collationsQuery = `
SELECT coalesce(string_agg(name || ' ' || version, ', ' ORDER BY name), '') FROM (
  SELECT collname::text, pg_collation_actual_version(oid) FROM pg_collation
  WHERE oid IN ((SELECT min(oid) FROM pg_collation WHERE collprovider = 'i' AND collname = 'und-x-icu'),
    (SELECT min(oid) FROM pg_collation WHERE collprovider = 'c' AND collcollate NOT IN ('C', 'POSIX') AND collcollate NOT LIKE 'C.%'))
) AS x(name, version)`

// databaseCollationQuery adds the version of the database's own locale, which PostgreSQL tells from 15 on.
const databaseCollationQuery = `
SELECT coalesce(', database ' || pg_database_collation_actual_version(oid), '') FROM pg_database WHERE datname = 'postgres'`

// collations describes the libraries that put text in order, as the server has loaded them.
func collations(ctx context.Context, conn *pgx.Conn, major int) (all string, err error) {
	if err := conn.QueryRow(ctx, collationsQuery).Scan(&all); err != nil {
		return "", fmt.Errorf("read versions of collations: %w", err)
	}
	if major >= 15 {
		var own string
		if err := conn.QueryRow(ctx, databaseCollationQuery).Scan(&own); err != nil {
			return "", fmt.Errorf("read the version of the database's locale: %w", err)
		}
		all += own
	}
	return all, nil
}

// CollationError says that the server puts text in another order than the one that built the golden cluster: indexes on
// text would miss rows, and unique ones let duplicates in.
type CollationError struct {
	Built, Has string // collations and their versions
}

func (e *CollationError) Error() string {
	return fmt.Sprintf("it was built by a PostgreSQL whose collations are %s, and this one's are %s, so indexes on text would be "+
		"wrong: build it again with this PostgreSQL (bazel fetch --configure --force has Bazel look at the machine again)", e.Built, e.Has)
}

// CheckCollations compares the collations of a server with those of the one that built the golden cluster. conn is the
// superuser's, to the database postgres. Cost: 1 to 2 ms.
//
// Errors: [*CollationError]; those of the connection.
func CheckCollations(ctx context.Context, conn *pgx.Conn, m Manifest) error {
	has, err := collations(ctx, conn, m.Postgres.Major)
	if err != nil {
		return err
	}
	if has != m.Collations {
		return &CollationError{Built: m.Collations, Has: has}
	}
	return nil
}
