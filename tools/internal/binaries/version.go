package binaries

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
)

// The range of PostgreSQL major versions that pgcell supports, both ends included.
const (
	MinMajor = 14
	MaxMajor = 18
)

// Version is a PostgreSQL release such as 15.18. The zero value is no version.
type Version struct {
	Major, Minor int
}

// String gives the usual form, "15.18"; a development version has minor 0 ("19.0").
func (v Version) String() string { return fmt.Sprintf("%d.%d", v.Major, v.Minor) }

// Supported reports whether v lies within [MinMajor] and [MaxMajor].
func (v Version) Supported() bool { return v.Major >= MinMajor && v.Major <= MaxMajor }

var versionPattern = regexp.MustCompile(`\(PostgreSQL\) (\d+)(?:\.(\d+)|devel|beta\d+|rc\d+)?`)

// ParseVersion reads the line that `postgres --version` prints: "postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)".
func ParseVersion(line string) (Version, error) {
	m := versionPattern.FindStringSubmatch(line)
	if m == nil {
		return Version{}, fmt.Errorf("parse version %q: want a line such as \"postgres (PostgreSQL) 15.18\"", line)
	}
	major, err := strconv.Atoi(m[1])
	if err != nil {
		return Version{}, fmt.Errorf("parse version %q: %w", line, err)
	}
	minor, _ := strconv.Atoi(m[2]) // "" in development versions
	return Version{Major: major, Minor: minor}, nil
}

// Install is one installation of PostgreSQL. Its zero value is none.
type Install struct {
	BinDir  string // absolute path of the directory that holds postgres and initdb
	Version Version
	// Build tells this build of the version from others, as far as is known: what `postgres --version` prints in full, or
	// what a Bazel toolchain says.
	Build string
}

// Inspect looks at one directory of binaries and asks its postgres for the version. Cost: one process, about 5 ms.
//
// Errors: [*InstallError] where a binary is missing or does not run, or where the version is not supported.
func Inspect(ctx context.Context, binDir string) (Install, error) {
	binDir, err := filepath.Abs(binDir)
	if err != nil {
		return Install{}, &InstallError{Dir: binDir, Reason: err.Error()}
	}
	for _, name := range []string{"initdb", "postgres"} {
		if _, err := exec.LookPath(filepath.Join(binDir, name)); err != nil {
			return Install{}, &InstallError{Dir: binDir, Reason: "it holds no executable " + name}
		}
	}
	cmd := exec.CommandContext(ctx, filepath.Join(binDir, "postgres"), "--version")
	if libraries := Libraries(binDir); libraries != "" {
		cmd.Env = append(os.Environ(), "LD_LIBRARY_PATH="+libraries)
	}
	out, err := cmd.Output()
	if err != nil {
		return Install{}, &InstallError{Dir: binDir, Reason: "postgres --version: " + err.Error()}
	}
	v, err := ParseVersion(string(out))
	if err != nil {
		return Install{}, &InstallError{Dir: binDir, Reason: err.Error()}
	}
	if !v.Supported() {
		return Install{}, &InstallError{Dir: binDir, Version: v, Reason: fmt.Sprintf(
			"it is PostgreSQL %v, and pgcell supports %d to %d", v, MinMajor, MaxMajor)}
	}
	return Install{BinDir: binDir, Version: v, Build: strings.TrimSpace(string(out))}, nil
}
