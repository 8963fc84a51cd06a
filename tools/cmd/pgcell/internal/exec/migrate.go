package exec

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"net/url"
	"os/exec"
	"runtime"
	"strings"

	"github.com/pgcell/pgcell/tools/internal/child"
	"github.com/pgcell/pgcell/tools/internal/lend"
	"github.com/pgcell/pgcell/tools/internal/netns"
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
		if out, err := o.runAt(cmd, &migration{forward, c.Database}, c); err != nil {
			return fmt.Errorf("--migrate %q: %w\n%s", o.migrate, err, strings.TrimSpace(out))
		}
		return nil
	}
}

// migration serves the addresses of --at by the server that --migrate works on: whatever database they mean is the template.
type migration struct {
	*lend.Forwarder
	template string
}

func (m *migration) ServeAt(l net.Listener, _ string) { m.Forwarder.ServeAt(l, m.template) }

// runAt runs a command in this goroutine's thread, with which it would end, and gives what it prints.
func (o *options) runAt(cmd *exec.Cmd, by netns.Server, own lend.Connection) (string, error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	space, err := o.startAt(cmd, by, own)
	if err != nil {
		return "", err
	}
	if space != nil {
		defer space.Close()
	}
	err = cmd.Wait()
	return out.String(), err
}
