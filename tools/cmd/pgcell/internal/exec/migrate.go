package exec

import (
	"context"
	"fmt"
	"net/url"
	"os/exec"
	"strings"

	"github.com/pgcell/pgcell/tools/internal/child"
	"github.com/pgcell/pgcell/tools/internal/lend"
)

// migrator gives a function that runs --migrate on the database at a URL, with the variables that the command gets.
func (s *session) migrator(o options) func(context.Context, string) error {
	return func(ctx context.Context, database string) error {
		u, err := url.Parse(database)
		if err != nil {
			return err
		}
		// Some drivers have TCP alone.
		forward, err := lend.Forward(u.Query().Get("host"), s.dir.Path(), o.user)
		if err != nil {
			return err
		}
		defer forward.Close()
		c := forward.Connection(strings.TrimPrefix(u.Path, "/"), s.password)
		variables := append(c.Variables(), lend.Variable{Name: lend.DirVariable, Value: s.dir.Path()})
		for _, v := range o.variables {
			variables = append(variables, lend.Variable{Name: v.Name, Value: c.Expand(v.Value)})
		}
		cmd := exec.CommandContext(ctx, "sh", "-c", o.migrate)
		cmd.Env, cmd.SysProcAttr = lend.With(s.p.Env, variables), child.Attr()
		out, err := cmd.CombinedOutput()
		if err != nil {
			return fmt.Errorf("--migrate %q: %w\n%s", o.migrate, err, strings.TrimSpace(string(out)))
		}
		return nil
	}
}
