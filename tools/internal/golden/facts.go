package golden

import (
	"context"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"
)

// Facts tell what of a template decides how a clone of it is made like new after a test. Object identifiers are the
// same in each clone, since CREATE DATABASE copies the catalogs.
type Facts struct {
	Size      int64      // of the template on disk, bytes
	Tables    []Table    // those that a recycler may take rows out of
	Others    []uint32   // all other tables, partitioned ones and materialized views among them
	First     int64      // the first transaction that may be a test's
	Sequences []Sequence // all, with their state in the template
	// Discard says why no clone is ever used again, such as an access method whose changes nobody counts; "" where
	// nothing is against it.
	Discard string
	// Cold says why no connection is handed from test to test, such as a language that keeps state of its own in a
	// session; "" where nothing is against it.
	Cold string
	// MayCopy tells that tests may make databases, also with their own as the template, which must have no sessions.
	MayCopy bool
	// Roles are parameters that roles have in every database, in the form of RoleSettings.
	Roles string
	// Settings are parameters of the database, in the form of DatabaseSettings; "" where there are none.
	Settings string
	// Grants are the statements that give a database the template's rights on it; %s stands for its name.
	Grants []string
	// Unlogged tells that a crash of the server takes rows, or a sequence's state, from the template.
	Unlogged bool
}

// Table is one that has nothing which a DELETE in the role of a replica would set off. In the template it is empty, or
// its rows lie on one page.
type Table struct {
	OID   uint32
	Toast uint32 // its TOAST table; 0 where there is none
	Name  string // with its schema, quoted
	Size  int64  // bytes, in the template
	Seeds int64  `db:"-"` // rows in the template
	// Trees are indexes whose shape tells of rows that are gone once they have grown.
	Trees []Tree `db:"-"`
	// Classes are those of an empty table and of its partial indexes.
	Classes []Class `db:"-"`
}

// Tree is an index with the size that it may have after a test, bytes.
type Tree struct {
	OID  uint32
	Size int64
}

// Sequence is one with its state in the template.
type Sequence struct {
	OID    uint32
	Last   int64
	Called bool
}

// NextTransaction is a query's expression for the number of the first transaction that has not begun, as xmin has it.
const NextTransaction = "pg_snapshot_xmax(pg_current_snapshot())::text::int8 & (1::int8 << 32) - 1"

// RoleSettings is a query's expression for the parameters that roles have in every database (ALTER ROLE ... SET).
const RoleSettings = "coalesce((SELECT json_agg(json_build_object('role', setrole, 'config', setconfig) ORDER BY setrole)" +
	" FROM pg_db_role_setting WHERE setdatabase = 0)::text, '[]')"

// tablesQuery lists tables that rows can be taken out of, ordinary ones of the heap, without triggers and rules that
// fire in the role of a replica too, if %s holds.
const tablesQuery = `
SELECT c.oid, c.reltoastrelid, format('%%I.%%I', n.nspname, c.relname), pg_relation_size(c.oid)
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind = 'r' AND c.oid >= 16384
  AND NOT EXISTS (SELECT FROM pg_trigger t WHERE t.tgrelid = c.oid AND t.tgenabled IN ('A', 'R'))
  AND NOT EXISTS (SELECT FROM pg_rewrite r WHERE r.ev_class = c.oid AND r.ev_enabled IN ('A', 'R'))
  AND NOT EXISTS (` + publishedQuery + `)
  AND %s
ORDER BY c.oid`

// publishedQuery selects publications that keep anybody from deleting rows of a table c, as it has no replica identity.
const publishedQuery = `
  SELECT FROM pg_publication p JOIN pg_publication_tables v USING (pubname)
  WHERE p.pubdelete AND v.schemaname = n.nspname AND v.tablename = c.relname
    AND (c.relreplident = 'n' OR c.relreplident = 'd'
      AND NOT EXISTS (SELECT FROM pg_index i WHERE i.indrelid = c.oid AND i.indisprimary AND i.indimmediate))`

// treesQuery lists the indexes of a table c whose shape decides about the order of rows, or about plans, with the size
// that they may have once the rows of a test are gone:
//   - a B-tree has a page for its rows, or as many as in the template: no page of it was split;
//   - a GIN index has at most 12 pages more, as small tests make it. Rows come in their own order; but the planner minds
//     how many pages there are, from 15 on (gincostestimate in src/backend/utils/adt/selfuncs.c);
//   - others have not grown, but for BRIN and Bloom ones, which have no such shape, and those of pgvector, whose shape is
//     another each time, or does not depend on rows that come later.
const treesQuery = `
SELECT i.oid, CASE a.amname WHEN 'btree' THEN greatest(size, 2 * block) WHEN 'gin' THEN size + 12 * block ELSE size END
FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid JOIN pg_am a ON a.oid = i.relam,
  LATERAL (SELECT pg_relation_size(i.oid) AS size, current_setting('block_size')::int AS block) AS s
WHERE x.indrelid = $1 AND a.amname NOT IN ('brin', 'bloom', 'hnsw', 'ivfflat') ORDER BY 1`

// othersQuery lists what may be vacuumed or analyzed, but for tables in $1.
const othersQuery = `
SELECT oid FROM pg_class WHERE oid >= 16384 AND relkind IN ('r', 'p', 'm', 'f') AND oid <> ALL ($1::oid[]) ORDER BY oid`

const sequencesQuery = `
SELECT c.oid, format('%I.%I', n.nspname, c.relname)
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind = 'S' ORDER BY c.oid`

// discardQuery says what is against using a clone again: rows that no counter counts, and code that may do what only a
// superuser may. What holds for the whole server is asked when it runs: see package renew.
var discardQuery = `
SELECT coalesce((
  SELECT format('table %s has the access method %s', c.oid::regclass, a.amname)
  FROM pg_class c JOIN pg_am a ON a.oid = c.relam WHERE c.relkind IN ('r', 'm', 't') AND a.amname <> 'heap' LIMIT 1), (
  SELECT format('function %s sets track_counts', p.oid::regprocedure)
  FROM pg_proc p, unnest(proconfig) c WHERE lower(c) LIKE 'track\_counts=%' LIMIT 1), (
  SELECT format('function %s runs with the rights of superuser %s', p.oid::regprocedure, rolname)
  FROM pg_proc p JOIN pg_roles r ON r.oid = p.proowner
  WHERE p.oid >= 16384 AND prosecdef AND rolsuper AND NOT ` + ofKnownExtension + ` LIMIT 1), (
  SELECT format('function %s is in language %s', p.oid::regprocedure, lanname)
  FROM pg_proc p JOIN pg_language l ON l.oid = p.prolang
  WHERE p.oid >= 16384 AND NOT lanpltrusted AND lanname <> 'sql' AND NOT ` + ofKnownExtension + ` LIMIT 1), (
  SELECT format('function %s has other privileges than PostgreSQL or its extension gave it', p.oid::regprocedure)
  FROM pg_proc p JOIN pg_init_privs i ON i.classoid = 'pg_proc'::regclass AND i.objoid = p.oid,
    aclexplode(proacl) AS a
  WHERE a.grantee NOT IN (10, p.proowner) AND NOT EXISTS (SELECT FROM aclexplode(initprivs) AS b WHERE b.grantee = a.grantee)
  LIMIT 1), (
  SELECT format('event trigger %I fires when a session begins', evtname) FROM pg_event_trigger WHERE evtevent = 'login' LIMIT 1), '')`

// ofKnownExtension is a condition on a row p of pg_proc: the function belongs to an extension whose code in C neither
// changes rows nor counters behind the server's back: one that is [stateless], or has a state of its own in a session.
var ofKnownExtension = `EXISTS (SELECT FROM pg_depend d JOIN pg_extension e ON e.oid = d.refobjid
  WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e'
    AND e.extname IN ('dblink', 'hll', 'isn', 'postgres_fdw', 'refint', '` + strings.Join(stateless, "', '") + `'))`

const unloggedQuery = `
SELECT EXISTS (SELECT FROM pg_class WHERE relpersistence = 'u' AND (
  relkind IN ('r', 'm') AND pg_relation_size(oid) > 0 OR relkind = 'S' AND pg_sequence_last_value(oid) IS NOT NULL))`

const mayCopyQuery = "SELECT rolcreatedb FROM pg_roles WHERE rolname = '" + Role + "'"

// readFacts looks at the template, as a superuser connected to it, once all is in it.
func readFacts(ctx context.Context, conn *pgx.Conn) (f Facts, err error) {
	scalars := map[string]any{
		"SELECT pg_database_size(current_database())": &f.Size,
		discardQuery:                &f.Discard,
		"SELECT " + RoleSettings:    &f.Roles,
		unloggedQuery:               &f.Unlogged,
		mayCopyQuery:                &f.MayCopy,
		"SELECT " + NextTransaction: &f.First,
	}
	for sql, target := range scalars {
		if err := conn.QueryRow(ctx, sql).Scan(target); err != nil {
			return f, fmt.Errorf("look at template: %w", err)
		}
	}
	if err := f.ofDatabase(ctx, conn); err != nil {
		return f, fmt.Errorf("look at template: read what holds for the database: %w", err)
	}
	if f.Cold, err = cold(ctx, conn); err != nil {
		return f, fmt.Errorf("look at template: look for code that leaves something in sessions: %w", err)
	}
	if f.Tables, err = emptyTables(ctx, conn); err != nil {
		return f, fmt.Errorf("look at template: list empty tables: %w", err)
	}
	if err = classes(ctx, conn, f.Tables); err != nil {
		return f, fmt.Errorf("look at template: find tables in pg_class: %w", err)
	}
	seeded, err := seededTables(ctx, conn)
	if err != nil {
		return f, fmt.Errorf("look at template: list tables with a few rows: %w", err)
	}
	f.Tables = append(f.Tables, seeded...)
	if f.Others, err = others(ctx, conn, f.Tables); err != nil {
		return f, fmt.Errorf("look at template: list other tables: %w", err)
	}
	if err = trees(ctx, conn, f.Tables); err != nil {
		return f, fmt.Errorf("look at template: measure indexes: %w", err)
	}
	if f.Sequences, err = sequences(ctx, conn); err != nil {
		return f, fmt.Errorf("look at template: list sequences: %w", err)
	}
	return f, nil
}

func listTables(ctx context.Context, conn *pgx.Conn, condition string) ([]Table, error) {
	rows, err := conn.Query(ctx, fmt.Sprintf(tablesQuery, condition))
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowToStructByPos[Table])
}

func emptyTables(ctx context.Context, conn *pgx.Conn) ([]Table, error) {
	all, err := listTables(ctx, conn, "true")
	if err != nil || len(all) == 0 {
		return nil, err
	}
	parts := make([]string, len(all))
	for i, t := range all {
		parts[i] = fmt.Sprintf("SELECT %d AS i WHERE NOT EXISTS (SELECT FROM ONLY %s)", i, t.Name)
	}
	indexes, err := collect[int](ctx, conn, strings.Join(parts, " UNION ALL ")+" ORDER BY i")
	if err != nil {
		return nil, err
	}
	var empty []Table
	for _, i := range indexes {
		empty = append(empty, all[i])
	}
	return empty, nil
}

func others(ctx context.Context, conn *pgx.Conn, tables []Table) ([]uint32, error) {
	oids := []uint32{}
	for _, t := range tables {
		oids = append(oids, t.OID)
	}
	return collect[uint32](ctx, conn, othersQuery, oids)
}

// trees fills in [Table.Trees].
func trees(ctx context.Context, conn *pgx.Conn, tables []Table) error {
	for i, t := range tables {
		rows, err := conn.Query(ctx, treesQuery, t.OID)
		if err != nil {
			return err
		}
		if tables[i].Trees, err = pgx.CollectRows(rows, pgx.RowToStructByPos[Tree]); err != nil {
			return err
		}
	}
	return nil
}

func sequences(ctx context.Context, conn *pgx.Conn) ([]Sequence, error) {
	type found struct {
		OID  uint32
		Name string
	}
	rows, err := conn.Query(ctx, sequencesQuery)
	if err != nil {
		return nil, err
	}
	all, err := pgx.CollectRows(rows, pgx.RowToStructByPos[found])
	if err != nil || len(all) == 0 {
		return nil, err
	}
	parts := make([]string, len(all))
	for i, s := range all {
		parts[i] = fmt.Sprintf("SELECT %d::oid AS o, last_value, is_called FROM %s", s.OID, s.Name)
	}
	rows, err = conn.Query(ctx, strings.Join(parts, " UNION ALL ")+" ORDER BY o")
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowToStructByPos[Sequence])
}

func collect[T any](ctx context.Context, conn *pgx.Conn, sql string, args ...any) ([]T, error) {
	rows, err := conn.Query(ctx, sql, args...)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowTo[T])
}
