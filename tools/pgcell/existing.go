package pgcell

import (
	"context"
	"errors"
	"fmt"

	"github.com/pgcell/pgcell/tools/internal/binaries"
	"github.com/pgcell/pgcell/tools/internal/cells"
	"github.com/pgcell/pgcell/tools/internal/foreign"
)

// existing is a server that others manage, the one of PGCELL_SERVER.
type existing struct{ *foreign.Server }

// privateOnly says what of a config needs a private server, and what to do; "" for nothing.
func (c Config) privateOnly() (field, remedy string) {
	switch {
	case c.Private:
		return "Private", "for a server of its own, run the test without PGCELL_SERVER"
	case len(c.Roles) > 0:
		return "Roles", "create the roles on the server, and leave the field out"
	case len(c.Settings) > 0:
		return "Settings", "configure the server, or let a migration run ALTER DATABASE ... SET"
	case c.Locale != "":
		return "Locale", "databases have the locale of the server's template1"
	case c.Superuser:
		return "Superuser", "the tests' role is that of the URL"
	}
	return "", ""
}

// existing gives the server at url with the template of a config.
func (s *servers) existing(ctx context.Context, url string, c Config) (source, error) {
	if field, remedy := c.privateOnly(); field != "" {
		return nil, fmt.Errorf("the field Config.%s needs a private server, but PGCELL_SERVER names one that others manage; %s", field, remedy)
	}
	if c.fromRule() {
		return nil, errors.New("PGCELL_TEMPLATE names a golden cluster, which is a data directory that a running server cannot load, and " +
			"PGCELL_SERVER names such a server; give the migrations in code, as Config.Migrations, with //go:embed")
	}
	r, err := recipe(c)
	if err != nil {
		return nil, err
	}
	return s.shared(url+" "+r.TemplateName(binaries.Install{}), func() (source, error) {
		server, err := foreign.Open(ctx, foreign.Config{URL: url, Recipe: r, Worker: Worker(), Warn: warn})
		if err != nil {
			return nil, err
		}
		return existing{server}, nil
	})
}

func (e existing) take(ctx context.Context, r cells.Request) (lease, error) {
	l, err := e.Take(ctx, foreign.Request{Test: r.Test, Name: r.Name, Empty: r.Empty, Holding: r.Holding})
	if err != nil {
		return nil, err
	}
	return l, nil
}

func (e existing) describe(lease) string {
	return fmt.Sprintf("cloned from %s, PostgreSQL %s, server %s", e.Template(), e.Version(), e.Address())
}

func (existing) watch() func() string { return func() string { return "" } }

// keep has PGCELL_KEEP=1 leave the database for a day. No password is shown.
func (e existing) keep(_ context.Context, t TB, l lease, dumped string) {
	t.Helper()
	if !isOn("PGCELL_KEEP") {
		l.Return()
		names.keptAs(t, "", dumped)
		t.Logf("pgcell: cell %s is dropped; set PGCELL_KEEP=1 to keep it for a day", l.Name())
		return
	}
	l.Keep()
	url := e.PublicURL(l.Name())
	names.keptAs(t, url, dumped)
	line := fmt.Sprintf("kept cell %s for a day: psql '%s'", l.Name(), url)
	t.Logf("pgcell: %s", line)
	terminal.print(fmt.Sprintf("pgcell: %s failed and %s", t.Name(), line))
}
