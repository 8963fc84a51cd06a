package binaries

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// Search says where [Find] looks. The zero value looks nowhere; [DefaultSearch] gives the usual places.
type Search struct {
	// Dir is an installation that the user named; its bin directory or the directory above it. When it is set nothing
	// else is looked at.
	Dir string
	// Path is a list of directories in the form of $PATH. Links are followed: /usr/local/bin/postgres may lead
	// elsewhere.
	Path string
	// PgConfig asks the pg_config on Path for its bin directory.
	PgConfig bool
	// Globs are patterns of bin directories, in the order in which they are tried; matches of one pattern newest first.
	Globs []string
}

// DefaultSearch gives the places that the environment names (PGCELL_POSTGRES, PATH) and those in which packages put
// PostgreSQL.
func DefaultSearch(getenv func(string) string) Search {
	return Search{
		Dir:      getenv("PGCELL_POSTGRES"),
		Path:     getenv("PATH"),
		PgConfig: true,
		Globs:    usualGlobs(),
	}
}

// usualDirs are where packages put a major version's programs, best first. The rule behind postgres.host looks there
// too: a test compares the list with that of host_repository.bzl.
var usualDirs = []string{
	"/usr/lib/postgresql/{major}/bin",                          // Debian, Ubuntu
	"/usr/pgsql-{major}/bin",                                   // Red Hat, from the PostgreSQL project
	"/usr/lib/postgresql{major}/bin",                           // SUSE
	"/usr/libexec/postgresql{major}",                           // Alpine
	"/opt/homebrew/opt/postgresql@{major}/bin",                 // Homebrew on Apple silicon
	"/usr/local/opt/postgresql@{major}/bin",                    // Homebrew on Intel
	"/Applications/Postgres.app/Contents/Versions/{major}/bin", // Postgres.app
	"/usr/bin",             // Red Hat, Arch
	"/usr/local/pgsql/bin", // from source
}

func usualGlobs() []string {
	globs := make([]string, len(usualDirs))
	for i, dir := range usualDirs {
		globs[i] = strings.ReplaceAll(dir, "{major}", "*")
	}
	return globs
}

// Find gives the first supported installation in the order of [Search]'s fields. Cost: a process or two, about 10 ms.
//
// Errors: [*InstallError] for an explicit Dir that does not serve; [*NotFoundError] where no place holds a supported
// one.
func Find(ctx context.Context, s Search) (Install, error) {
	if s.Dir != "" {
		if install, err := Inspect(ctx, filepath.Join(s.Dir, "bin")); err == nil {
			return install, nil
		} else if isDir(filepath.Join(s.Dir, "bin")) {
			return Install{}, err
		}
		return Inspect(ctx, s.Dir)
	}
	missed := &NotFoundError{}
	for _, dir := range s.candidates(ctx) {
		install, err := Inspect(ctx, dir)
		if err == nil {
			return install, nil
		}
		var bad *InstallError
		if errors.As(err, &bad) && bad.Version != (Version{}) {
			missed.Unfit = append(missed.Unfit, bad)
		}
		missed.Looked = append(missed.Looked, dir)
	}
	return Install{}, missed
}

// candidates lists bin directories without duplicates, best first.
func (s Search) candidates(ctx context.Context) []string {
	var dirs []string
	add := func(dir string) {
		if !slices.Contains(dirs, dir) {
			dirs = append(dirs, dir)
		}
	}
	for _, dir := range filepath.SplitList(s.Path) {
		if real, err := filepath.EvalSymlinks(filepath.Join(dir, "postgres")); err == nil {
			add(filepath.Dir(real))
		}
	}
	if s.PgConfig {
		if tool := lookIn(s.Path, "pg_config"); tool != "" {
			if out, err := exec.CommandContext(ctx, tool, "--bindir").Output(); err == nil {
				add(strings.TrimSpace(string(out)))
			}
		}
	}
	for _, glob := range s.Globs {
		found, _ := filepath.Glob(glob) // the only error is a malformed pattern of our own
		slices.SortFunc(found, func(a, b string) int { return compareNatural(b, a) })
		for _, dir := range found {
			add(dir)
		}
	}
	return dirs
}

// lookIn finds an executable on a list of directories; "" where there is none.
func lookIn(path, name string) string {
	for _, dir := range filepath.SplitList(path) {
		full := filepath.Join(dir, name)
		if info, err := os.Stat(full); err == nil && info.Mode().IsRegular() && info.Mode()&0o111 != 0 {
			return full
		}
	}
	return ""
}

// compareNatural orders paths that differ in a number by that number: postgresql/9 before postgresql/15. Shorter is
// smaller, which is enough for numbers without leading zeros.
func compareNatural(a, b string) int {
	if len(a) != len(b) {
		return len(a) - len(b)
	}
	return strings.Compare(a, b)
}

func isDir(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}
