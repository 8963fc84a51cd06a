package golden_test

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"testing"

	"github.com/klauspost/compress/zstd"

	"github.com/pgcell/pgcell/tools/internal/golden"
)

// varied has what differed between two builds: a table that ANALYZE would sample, partitions of one, many statistics,
// roles with passwords, functions.
var varied = golden.Recipe{
	Roles:      []string{"app_reader", "app_writer LOGIN"},
	Extensions: []string{"hstore", "pg_trgm"},
	Migrations: []golden.Script{{Name: "1.sql", SQL: `
CREATE TABLE small (id serial PRIMARY KEY, n text UNIQUE, j jsonb);
INSERT INTO small (n, j) SELECT 'x' || i, jsonb_build_object('i', i, 'long', repeat(i::text, 900)) FROM generate_series(1, 3000) i;
UPDATE small SET n = n || '!' WHERE id % 3 = 0;
DELETE FROM small WHERE id % 7 = 0;
CREATE TABLE big AS SELECT i, md5(i::text) AS m, i % 17 AS k FROM generate_series(1, 70000) i;
CREATE INDEX ON big (k);
CREATE INDEX ON big USING gin (m gin_trgm_ops) WHERE i < 500;
CREATE TABLE part (at int, v text) PARTITION BY RANGE (at);
CREATE TABLE part_1 PARTITION OF part FOR VALUES FROM (0) TO (20000);
CREATE TABLE part_2 PARTITION OF part FOR VALUES FROM (20000) TO (90000);
INSERT INTO part SELECT i, 'v' || i % 100 FROM generate_series(1, 40000) i;
CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE TRIGGER t BEFORE INSERT ON small FOR EACH ROW EXECUTE FUNCTION f();
CREATE MATERIALIZED VIEW counts AS SELECT k, count(*) FROM big GROUP BY k;
ALTER TABLE small ADD COLUMN extra int DEFAULT 7;
`}},
	Seeds: []golden.Script{{Name: "seed.sql", SQL: "INSERT INTO small (n) VALUES ('seed');"}},
}

// A golden cluster that is built again has equal bytes: else all tests that use it run again.
func TestBuiltTwiceIsEqual(t *testing.T) {
	t.Parallel()
	first, second := mustBuild(t, varied), mustBuild(t, varied)
	one, other := mustDigests(t, first), mustDigests(t, second)
	for _, name := range slices.Sorted(maps.Keys(one)) {
		if one[name] != other[name] {
			t.Errorf("%s differs", name)
		}
	}
	a, errA := os.ReadFile(first)
	b, errB := os.ReadFile(second)
	if err := errors.Join(errA, errB); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(a, b) {
		t.Error("two builds of one recipe differ")
	}
	if got, err := query(t, mustServe(t, first).URL(golden.Superuser, "postgres"), "SELECT rolname::text FROM pg_authid WHERE oid = 10"); err != nil {
		t.Errorf("the server does not start: got %q, %v", got, err)
	}
}

// mustDigests gives the digests of all files in a golden cluster.
func mustDigests(t *testing.T, path string) map[string]string {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := zstd.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	defer z.Close()
	all := map[string]string{}
	for in := tar.NewReader(z); ; {
		h, err := in.Next()
		if err == io.EOF {
			return all
		}
		if err != nil {
			t.Fatal(err)
		}
		content, err := io.ReadAll(in)
		if err != nil {
			t.Fatal(err)
		}
		all[h.Name] = fmt.Sprintf("%s %x", h.Linkname, sha256.Sum256(content))
	}
}
