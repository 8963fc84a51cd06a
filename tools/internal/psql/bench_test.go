package psql_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/pgcell/pgcell/tools/internal/migrations"
)

// insertScript is what pg_dump --inserts writes of a table.
func insertScript(n int) string {
	var b strings.Builder
	b.WriteString("CREATE TABLE item (id int, name text);\n")
	for i := range n {
		fmt.Fprintf(&b, "INSERT INTO item VALUES (%d, 'name''s %d');\n", i, i)
	}
	return b.String()
}

// BenchmarkStatements runs 100,000 statements by this package and by psql, one after the other on one server, and
// reports how many times psql's time this package takes.
func BenchmarkStatements(b *testing.B) {
	const n = 100_000
	dbs := mustDatabases(b)
	script := migrations.Script{Name: "inserts.sql", SQL: insertScript(n)}
	file := filepath.Join(b.TempDir(), script.Name)
	if err := os.WriteFile(file, []byte(script.SQL), 0o600); err != nil {
		b.Fatal(err)
	}
	psql, _ := exec.LookPath("psql")
	var own, other time.Duration
	for b.Loop() {
		conn := dbs.mustNew(b)
		start := time.Now()
		if _, err := run(b.Context(), conn, script); err != nil {
			b.Fatal(err)
		}
		own += time.Since(start)
		if psql == "" {
			continue
		}
		url := dbs.server.URL("postgres", dbs.mustNew(b).Config().Database)
		start = time.Now()
		if out, err := exec.Command(psql, "-X", "-q", "-d", url, "-f", file).CombinedOutput(); err != nil {
			b.Fatalf("%v\n%s", err, out)
		}
		other += time.Since(start)
	}
	b.ReportMetric(own.Seconds()/float64(b.N), "s/script")
	if psql != "" {
		b.ReportMetric(other.Seconds()/float64(b.N), "s/psql")
		b.ReportMetric(own.Seconds()/other.Seconds(), "times-psql")
	}
}
