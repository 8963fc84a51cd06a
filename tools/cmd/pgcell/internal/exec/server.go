package exec

import (
	"context"
	"crypto/rand"
	"fmt"
	"os/exec"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/spf13/pflag"

	"github.com/pgcell/pgcell/tools/internal/binaries"
	"github.com/pgcell/pgcell/tools/internal/child"
	"github.com/pgcell/pgcell/tools/internal/external"
	"github.com/pgcell/pgcell/tools/internal/golden"
	"github.com/pgcell/pgcell/tools/internal/lend"
)

// ofOwnServer are flags that say what a server of pgcell's own has.
var ofOwnServer = []string{"template", "roles", "settings", "superuser", "createdb", "locale", "postgres"}

// readServer takes the server's URL from the environment where no flag gives it.
func (o *options) readServer(environment string, f *pflag.FlagSet) error {
	o.serverFrom = "--server"
	if o.server == "" {
		o.server, o.serverFrom = environment, "PGCELL_SERVER"
	}
	for _, flag := range ofOwnServer {
		if o.server != "" && f.Changed(flag) {
			return usage("%s names a server that others manage, and --%s is for a server of pgcell's own: leave one of them out",
				o.serverFrom, flag)
		}
	}
	return nil
}

// openServer opens the server that --server names, and finds or builds the template there. Close it.
func (s *session) openServer(ctx context.Context) (*external.Server, error) {
	r, err := recipe(s.o)
	if err != nil {
		return nil, err
	}
	r.Roles = nil
	c := external.Config{URL: s.o.server, Note: s.warn}
	if s.o.migrate != "" {
		r.Migrator = &golden.Migrator{Run: s.migrateThere}
		if r.Migrator.Key, err = migrateKey(s.o); err != nil {
			return nil, err
		}
		c.Once = len(s.o.migrateInputs) == 0
	}
	c.Template = r.TemplateName(binaries.Install{})
	c.Build = func(ctx context.Context, conn *pgx.ConnConfig) error {
		return golden.Apply(ctx, golden.Database{Config: conn, URL: external.URL(s.o.server, conn.Database)}, r, s.warn)
	}
	return external.Open(ctx, c)
}

// migrateThere runs --migrate on a database of the server.
func (s *session) migrateThere(ctx context.Context, database string) error {
	c, err := pgx.ParseConfig(database)
	if err != nil {
		return err
	}
	there := lend.Connection{
		Host: c.Host, Socket: c.Host, Port: int(c.Port), User: c.User, Password: c.Password, Database: c.Database,
		Table: "test_table_" + strings.ToLower(rand.Text()[:8]), Worker: "master",
	}
	variables := append(there.Variables(), lend.Variable{Name: "DATABASE_URL", Value: database}, lend.Variable{Name: "PGSSLMODE", Value: "prefer"})
	for _, v := range s.o.variables {
		text := strings.ReplaceAll(v.Value, "{url}", strings.ReplaceAll(database, "{", "%7B"))
		variables = append(variables, lend.Variable{Name: v.Name, Value: there.Expand(text)})
	}
	cmd := exec.CommandContext(ctx, "sh", "-c", s.o.migrate)
	cmd.Env, cmd.SysProcAttr = lend.With(s.p.Env, append(variables, lend.Variable{Name: lend.DirVariable, Value: s.dir.Path()})), child.Attr()
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("--migrate %q: %w\n%s", s.o.migrate, err, strings.TrimSpace(string(out)))
	}
	return nil
}
