package pgcell_test

import (
	"testing"
	"testing/fstest"

	"github.com/pgcell/pgcell/tools/internal/golden"
	"github.com/pgcell/pgcell/tools/pgcell"
)

// TestConfigOfATemplate has each field that changes what a template is take effect, also where the rule has given the
// test one. It sets the environment, so it is not parallel.
func TestConfigOfATemplate(t *testing.T) {
	t.Setenv("PGCELL_TEMPLATE", mustGolden(t, mustInstall(t), golden.Options{}))
	for name, c := range map[string]struct {
		config    pgcell.Config
		sql, want string
	}{
		"Roles":      {pgcell.Config{Roles: []string{"app_reader", "pgcell CREATEDB"}}, "SELECT concat(rolcreatedb, pg_has_role('app_reader', 'MEMBER')) FROM pg_roles WHERE rolname = current_user", "tt"},
		"Settings":   {pgcell.Config{Settings: map[string]string{"work_mem": "7MB"}}, "SHOW work_mem", "7MB"},
		"Locale":     {pgcell.Config{Locale: "C"}, "SELECT lower('École')", "École"},
		"Superuser":  {pgcell.Config{Superuser: true}, "SELECT rolsuper::text FROM pg_roles WHERE rolname = current_user", "true"},
		"Extensions": {pgcell.Config{Extensions: []string{"citext SCHEMA ext"}}, "SELECT extnamespace::regnamespace::text FROM pg_extension WHERE extname = 'citext'", "ext"},
		"auto": {pgcell.Config{Roles: []string{"auto"}, Migrations: fstest.MapFS{
			"1.sql": {Data: []byte("CREATE TABLE t (); ALTER TABLE t OWNER TO app_owner")},
		}}, "SELECT tableowner::text FROM pg_tables WHERE tablename = 't'", "app_owner"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := mustScan[string](t, pgcell.New(t, c.config), c.sql); got != c.want {
				t.Errorf("%s = %q, want %q", c.sql, got, c.want)
			}
		})
	}
}

// TestLettersOfEmptyCells has databases without a template, and those of private servers, know the letters of all
// languages.
func TestLettersOfEmptyCells(t *testing.T) {
	t.Parallel()
	if got := mustScan[string](t, pgcell.New(t, pgcell.Config{Empty: true}), "SELECT lower('ÉCOLE')"); got != "école" {
		t.Errorf("lower('ÉCOLE') = %q in an empty cell", got)
	}
	var got string
	if err := pgcell.Server(t).Pool().QueryRow(t.Context(), "SELECT lower('ÉCOLE')").Scan(&got); err != nil || got != "école" {
		t.Errorf("lower('ÉCOLE') = %q, %v in a private server", got, err)
	}
}
