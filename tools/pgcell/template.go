package pgcell

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync"

	"github.com/pgcell/pgcell/tools/internal/binaries"
	"github.com/pgcell/pgcell/tools/internal/cache"
	"github.com/pgcell/pgcell/tools/internal/cells"
	"github.com/pgcell/pgcell/tools/internal/foreign"
	"github.com/pgcell/pgcell/tools/internal/golden"
	"github.com/pgcell/pgcell/tools/internal/migrations"
	"github.com/pgcell/pgcell/tools/internal/postgres"
	"github.com/pgcell/pgcell/tools/internal/runfiles"
)

// process is what the tests of this process share: one server for each golden cluster, or for each template on a server
// that others manage.
var process = &servers{opened: map[string]*opening{}, byRecipe: map[string]built{}}

type servers struct {
	mu       sync.Mutex
	opened   map[string]*opening // by the golden cluster's path, or by the server's URL and the template
	recipes  sync.Mutex          // held while one is built
	byRecipe map[string]built
	replaced sync.Once // see noteReplaced
}

// built is where a golden cluster lies, or why there is none.
type built struct {
	path string
	err  error
}

// opening is a server that is being started, or has been, or could not be.
type opening struct {
	once   sync.Once
	server source
	err    error
}

// server gives the running server that serves a config, and starts it where it does not run yet. A private one is another
// at each call, and the caller closes it.
func (s *servers) server(ctx context.Context, c Config) (source, error) {
	url, err := foreign.FromEnvironment(os.Getenv)
	if err != nil {
		return nil, err
	}
	if url != "" {
		return s.existing(ctx, url, c)
	}
	start := func() (source, error) {
		cluster, err := s.start(ctx, c, func(*cells.Config) {})
		return private{cluster}, err
	}
	if c.Private {
		return start()
	}
	path, err := s.golden(ctx, c)
	if err != nil {
		return nil, err
	}
	return s.shared(path, start)
}

// shared opens a server at the first call with its key. All who ask for one that could not be opened get the same error.
func (s *servers) shared(key string, open func() (source, error)) (source, error) {
	s.mu.Lock()
	o := s.opened[key]
	if o == nil {
		o = &opening{}
		s.opened[key] = o
	}
	s.mu.Unlock()
	o.once.Do(func() { o.server, o.err = open() })
	return o.server, o.err
}

// start starts a server for a config. If a golden cluster in the user's cache proves to be damaged, it is made anew.
func (s *servers) start(ctx context.Context, c Config, change func(*cells.Config)) (*cells.Cluster, error) {
	path, err := s.golden(ctx, c)
	if err != nil {
		return nil, err
	}
	var build func(context.Context) (string, error)
	if !c.fromRule() {
		build = func(ctx context.Context) (string, error) { return s.build(ctx, c) }
	}
	return cache.Start(ctx, path, build, func(ctx context.Context, path string) (*cells.Cluster, error) {
		return open(ctx, path, change)
	})
}

// golden gives the path of the golden cluster that serves a config.
func (s *servers) golden(ctx context.Context, c Config) (string, error) {
	if c.fromRule() {
		return runfile(os.Getenv("PGCELL_TEMPLATE"))
	}
	return s.build(ctx, c)
}

// fromRule reports whether the template is the one that Bazel made.
func (c Config) fromRule() bool {
	inCode := c.Migrations != nil || c.Migrate != nil || len(c.Extensions) > 0 || len(c.Roles) > 0 || len(c.Settings) > 0 ||
		c.Locale != "" || len(c.Order) > 0 || c.Superuser
	return os.Getenv("PGCELL_TEMPLATE") != "" && !inCode
}

// build makes or finds the golden cluster of a config in code.
func (s *servers) build(ctx context.Context, c Config) (string, error) {
	r, err := recipe(c)
	if err != nil {
		return "", err
	}
	install, err := installForCode(ctx)
	if err != nil {
		return "", err
	}
	s.noteReplaced()
	s.recipes.Lock()
	defer s.recipes.Unlock()
	name := r.TemplateName(install)
	known := s.byRecipe[name]
	if known.err != nil {
		return "", known.err
	}
	if known.path != "" && fileExists(known.path) {
		return known.path, nil
	}
	path, err := cache.Golden(ctx, install, r, warn)
	if err == nil || ctx.Err() == nil { // else another try may have the time
		s.byRecipe[name] = built{path, err}
	}
	return path, err
}

// noteReplaced says once that the template that the test's rule names is not used, because the test has one in code.
func (s *servers) noteReplaced() {
	template := os.Getenv("PGCELL_TEMPLATE")
	if template == "" || strings.HasSuffix(template, emptyTemplate) {
		return
	}
	s.replaced.Do(func() {
		warn(fmt.Sprintf("a pgcell.Config describes a template in code, so %s, which the test's rule names, is not used there; "+
			"if that is not meant, drop one of the two", template))
	})
}

// recipe makes a golden recipe of what a config has in code.
func recipe(c Config) (golden.Recipe, error) {
	r := golden.Recipe{
		Settings: c.Settings, Locale: c.Locale, Roles: c.Roles, Extensions: c.Extensions, Superuser: c.Superuser,
	}
	if c.Migrations == nil && len(c.Order) > 0 {
		return r, errors.New("Config.Order is set, but there is no Config.Migrations whose files it could list")
	}
	if c.Migrations != nil {
		scripts, err := migrations.FromFS(c.Migrations, c.Order)
		if err != nil {
			return r, fmt.Errorf("Config.Migrations: %w", err)
		}
		r.Migrations = scripts
	}
	switch {
	case c.Migrate != nil && c.MigrateKey == "":
		return r, errors.New("Config.Migrate is set, but not MigrateKey, which names what it makes; set it to the version of the schema")
	case c.Migrate == nil && c.MigrateKey != "":
		return r, fmt.Errorf("Config.MigrateKey is %q, but there is no Config.Migrate", c.MigrateKey)
	case c.Migrate != nil:
		r.Migrator = &golden.Migrator{Key: c.MigrateKey, Run: c.Migrate}
	}
	return r, nil
}

// open starts a server on a golden cluster; change adds to its configuration.
func open(ctx context.Context, path string, change func(*cells.Config)) (*cells.Cluster, error) {
	e, err := cache.ReadEnviron()
	if err != nil {
		return nil, err
	}
	if os.Getenv("TEST_SRCDIR") != "" { // under Bazel
		postgres.CloseOnTerminate()
	}
	m, err := golden.ReadManifest(path)
	if err != nil {
		return nil, err
	}
	install, err := runfiles.Install(ctx, m, findInstall)
	if err != nil {
		return nil, fmt.Errorf("start golden cluster %q: %w", path, err)
	}
	recycle, err := cells.ParseRecycle(os.Getenv("PGCELL_RECYCLE"))
	if err != nil {
		return nil, err
	}
	config := cells.Config{
		Golden: path, Install: install, Containment: e.Containment, SocketParent: e.SocketParent, Storage: e.Storage,
		Recycle: recycle, Parallel: parallel(),
		NewName: newName, Warn: warn,
	}
	if verbose() {
		config.Trace = config.Warn
	}
	change(&config)
	return cells.Open(ctx, config)
}

// warn tells whoever runs the tests.
func warn(s string) { fmt.Fprintln(postgres.Stderr, "pgcell:", s) }

// parallel is how many tests go test runs at once; 0 in other programs.
func parallel() int {
	if f := flag.Lookup("test.parallel"); f != nil && flag.Parsed() {
		n, _ := strconv.Atoi(f.Value.String())
		return n
	}
	return 0
}

// installForCode finds the PostgreSQL for a template in code: where Bazel has made one for the test, the same that this one
// was made with, so that it is an input of the test; else the machine's.
func installForCode(ctx context.Context) (binaries.Install, error) {
	template := os.Getenv("PGCELL_TEMPLATE")
	if template == "" {
		return findInstall(ctx)
	}
	path, err := runfile(template)
	if err != nil {
		return binaries.Install{}, err
	}
	m, err := golden.ReadManifest(path)
	if err != nil {
		return binaries.Install{}, err
	}
	install, err := runfiles.Install(ctx, m, findInstall)
	if err != nil {
		err = fmt.Errorf("find the PostgreSQL of golden cluster %q: %w", path, err)
	}
	return install, err
}

var findInstall = func() func(context.Context) (binaries.Install, error) {
	var once sync.Once
	var install binaries.Install
	var err error
	return func(ctx context.Context) (binaries.Install, error) {
		once.Do(func() { install, err = binaries.Find(ctx, binaries.DefaultSearch(os.Getenv)) })
		return install, err
	}
}()

// runfile finds a file by the path that rlocationpath gives.
func runfile(path string) (string, error) {
	found, err := runfiles.Find(path)
	if err != nil {
		err = fmt.Errorf("%w; run the test by bazel test, or unset PGCELL_TEMPLATE", err)
	}
	return found, err
}

func fileExists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}
