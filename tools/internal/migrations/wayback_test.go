package migrations_test

import (
	"strings"
	"testing"

	"github.com/pgcell/pgcell/tools/internal/migrations"
)

func TestWaysBack(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, files, want string }{
		{"golang-migrate", "1_a.up.sql 1_a.down.sql 2_b.up.sql 2_b.DOWN.SQL 3_c.down.sql", "1_a.up.sql 2_b.up.sql"},
		{"Hasura", "default/1_a/up.sql default/1_a/down.sql default/2_b/up.sql", "default/1_a/up.sql default/2_b/up.sql"},
		{"a word behind the number", "001_up.sql 001_down.sql 002_up.sql 002_down.sql", "001_up.sql 002_up.sql"},
		{"a word behind the name", "001_a.sql 001_a_down.sql 002_b.sql 002_b_rollback.sql", "001_a.sql 002_b.sql"},
		{"other name", "001_users.sql 001_drop_users_down.sql", "001_users.sql"},
		{"no number", "init_up.sql init_down.sql", "init_up.sql"},
		{"number alone", "001.sql 001_down.sql", "001.sql"},
		{"dash", "1-a.up.sql 1-a.down.sql 2-b-up.sql 2-b-down.sql", "1-a.up.sql 2-b-up.sql"},
		{"undo", "1_a.sql 1_a.undo.sql", "1_a.sql"},
		{"postgrator", "001.do.a.sql 001.undo.a.sql 002.do.sql 002.undo.sql", "001.do.a.sql 002.do.sql"},
		{"Flyway", "V1__a.sql U1__a.sql V1.1__b.sql U1.1__b.sql", "V1__a.sql V1.1__b.sql"},
		{"folders", "up/1_a.sql up/2_b.sql down/1_a.sql down/2_b.sql", "up/1_a.sql up/2_b.sql"},
		{"a name that only ends so", "1_a.sql 2_scale_down.sql 3_markdown.sql", "1_a.sql 2_scale_down.sql 3_markdown.sql"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			for _, o := range []migrations.Options{{}, {Given: true}} {
				got, err := migrations.Scripts(filesOf(c.files), o)
				if err != nil || namesOf(got) != c.want {
					t.Errorf("Scripts(%s, %+v) = %s, %v; want %s", c.files, o, namesOf(got), err, c.want)
				}
			}
		})
	}
}

func TestMaybeWayBack(t *testing.T) {
	t.Parallel()
	for _, files := range []string{"001_down.sql", "001_a.sql 002_down.sql", "001_a.sql 001_a_down.sql 002_down.sql"} {
		_, err := migrations.Scripts(filesOf(files), migrations.Options{})
		const want = `_down.sql: it may be a way back, but there is no file that it would undo; rename it, or write the order out: order = "given"`
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Scripts(%s) = %v, want %s", files, err, want)
		}
		if got, err := migrations.Scripts(filesOf(files), migrations.Options{Given: true}); err != nil || !strings.HasSuffix(namesOf(got), "_down.sql") {
			t.Errorf("Scripts(%s) as given = %s, %v; want it at the end", files, namesOf(got), err)
		}
	}
}
