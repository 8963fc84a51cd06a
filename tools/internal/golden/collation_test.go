package golden_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/pgcell/pgcell/tools/internal/golden"
)

// A golden cluster is refused where text is put in another order than when it was built.
func TestCheckCollations(t *testing.T) {
	t.Parallel()
	path := mustBuild(t, golden.Recipe{})
	m, err := golden.ReadManifest(path)
	if err != nil {
		t.Fatal(err)
	}
	conn, err := pgx.Connect(t.Context(), mustServe(t, path).URL(golden.Superuser, "postgres"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.WithoutCancel(t.Context()))
	if !strings.Contains(m.Collations, "und-x-icu ") {
		t.Errorf("Collations = %q, want ICU's version in it", m.Collations)
	}
	if err := golden.CheckCollations(t.Context(), conn, m); err != nil {
		t.Errorf("with the same PostgreSQL: %v", err)
	}
	m.Collations = "und-x-icu 60.2"
	err = golden.CheckCollations(t.Context(), conn, m)
	var differs *golden.CollationError
	if !errors.As(err, &differs) || !strings.Contains(err.Error(), "built by a PostgreSQL whose collations are und-x-icu 60.2, and this one's are ") {
		t.Errorf("with other collations: %v", err)
	}
}
