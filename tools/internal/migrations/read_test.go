package migrations_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"github.com/pgcell/pgcell/tools/internal/migrations"
)

func TestFromFS(t *testing.T) {
	t.Parallel()
	folder := fstest.MapFS{
		"b/2.up.sql": {Data: []byte("two")}, "b/2.down.sql": {}, "b/10.up.sql": {Data: []byte("ten")}, "README": {}, "c.SQL": {},
	}
	got, err := migrations.FromFS(folder, nil)
	want := []migrations.Script{
		{Name: "b/2.up.sql", SQL: "two", Transaction: true}, {Name: "b/10.up.sql", SQL: "ten", Transaction: true, SameSession: true},
	}
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("FromFS: %v (-want +got):\n%s", err, diff)
	}
	if got, err = migrations.FromFS(folder, []string{"b/10.up.sql", "b/2.up.sql"}); err != nil || namesOf(got) != "b/10.up.sql b/2.up.sql" {
		t.Errorf("FromFS with an order = %s, %v", namesOf(got), err)
	}
	if _, err := migrations.FromFS(fstest.MapFS{"x.txt": {}}, nil); err == nil || !strings.Contains(err.Error(), "holds no *.sql file") {
		t.Errorf("FromFS without SQL = %v", err)
	}
	if _, err := migrations.FromFS(os.DirFS(filepath.Join(t.TempDir(), "absent")), nil); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("FromFS(absent) = %v, want not exist", err)
	}
}

func TestFromList(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, files string
		given       bool
		want        string // names, or a part of an error
	}{
		{"glob", "m/10_c.sql m/1_a.sql m/2_b.sql", false, "m/1_a.sql m/2_b.sql m/10_c.sql"},
		{"glob, given", "m/10_c.sql m/1_a.sql m/2_b.sql", true, "m/10_c.sql m/1_a.sql m/2_b.sql"},
		{"written out", "m/2_b.sql m/10_c.sql m/1_a.sql", false, "m/2_b.sql m/10_c.sql m/1_a.sql"},
		{"written out in order of version", "m/1_a.sql m/2_b.sql m/10_c.sql", false, "m/1_a.sql m/2_b.sql m/10_c.sql"},
		{"no numbers", "views.sql tables.sql", false, "views.sql tables.sql"},
		{"no numbers, sorted", "tables.sql views.sql", false, "order migrations: tables.sql, views.sql: no leading number"},
		{"no numbers, sorted and given", "tables.sql views.sql", true, "tables.sql views.sql"},
		{"padded glob behind a file", "schema.sql m/01_a.sql m/02_b.sql", false, "schema.sql m/01_a.sql m/02_b.sql"},
		{"glob behind a file", "schema.sql m/10_c.sql m/1_a.sql m/2_b.sql m/2_b.down.sql", false, "order migrations: m/10_c.sql, m/1_a.sql, m/2_b.sql: " +
			`in a list with others they are in order of name, as glob returns them, but not of number; fill the numbers up with zeros, or write all files out in the list, with order = "given"`},
		{"glob behind a file, given", "schema.sql m/10_c.sql m/1_a.sql m/2_b.sql", true, "schema.sql m/10_c.sql m/1_a.sql m/2_b.sql"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			got, err := migrations.FromList(filesOf(c.files), c.given)
			if err == nil && namesOf(got) != c.want || err != nil && !strings.Contains(err.Error(), c.want) {
				t.Errorf("FromList(%s, %v) = %s, %v; want %s", c.files, c.given, namesOf(got), err, c.want)
			}
		})
	}
}

// Seeds whose order is open run as they are listed: rows are often independent of each other.
func TestSeedsFromList(t *testing.T) {
	t.Parallel()
	for files, want := range map[string]string{
		"10_b.sql 9_a.sql": "9_a.sql 10_b.sql", "a.sql b.sql": "a.sql b.sql", "b.sql a.sql": "b.sql a.sql",
	} {
		if got, err := migrations.SeedsFromList(filesOf(files)); err != nil || namesOf(got) != want {
			t.Errorf("SeedsFromList(%s) = %s, %v; want %s", files, namesOf(got), err, want)
		}
	}
}
