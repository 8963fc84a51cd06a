package pgcell

import (
	"crypto/rand"
	"os"
	"path/filepath"
)

// coveredVariable is set in the process whose coverage goes to Bazel's own file, and so in its children.
const coveredVariable = "PGCELL_COVERED"

// Under bazel coverage, the main function of rules_go has each process of a test binary write its profile to the file
// that COVERAGE_OUTPUT_FILE names, and read it back. If a test executes its binary again, several processes use one file
// at the same time, and fail with "invalid go cover line". So each child gets a file of its own, before main reads the
// variable. Bazel adds up what main makes of them in COVERAGE_DIR.
func init() {
	e := &shardEnv{lookup: os.LookupEnv}
	if file := e.get("COVERAGE_OUTPUT_FILE"); file != "" && !e.wraps() {
		os.Setenv("COVERAGE_OUTPUT_FILE", e.coverageFile(file)) // fails for malformed names alone
		os.Setenv(coveredVariable, "1")
	}
}

// coverageFile gives the file of this process: Bazel's, or in a child a new one beside the other data.
func (e *shardEnv) coverageFile(bazels string) string {
	if e.get(coveredVariable) == "" {
		return bazels
	}
	dir := e.get("COVERAGE_DIR")
	if dir == "" {
		dir = filepath.Dir(bazels)
	}
	return filepath.Join(dir, "pgcell-"+rand.Text())
}
