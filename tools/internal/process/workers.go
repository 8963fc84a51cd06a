package process

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// Runner says how to recognise the processes among which a test runner divides its tests.
type Runner struct {
	Name string // for people and docs
	// Variable is in the environment of a worker from its start; "" if there is none.
	Variable string
	// Command is found in the command line of a worker; nil if Variable says enough.
	Command *regexp.Regexp
}

// Runners is the table of what is known; docs/exec.md shows it.
var Runners = []Runner{
	{Name: "go test", Command: regexp.MustCompile(`^\S*\.test(\.exe)? (.* )?--?test\.`)},
	// PYTEST_XDIST_WORKER is set by the worker itself, later than /proc shows.
	{Name: "pytest-xdist", Command: regexp.MustCompile(`import sys;exec\(eval\(sys\.stdin\.readline\(\)\)\)`)},
	{Name: "node --test", Variable: "NODE_TEST_CONTEXT"},
	{Name: "Mocha", Variable: "MOCHA_WORKER_ID"},
	{Name: "Jest", Variable: "JEST_WORKER_ID"},
	// From Vitest 4 on, its own program; before, one of Tinypool, which has changed its command line. Both set VITEST_POOL_ID
	// later than /proc shows.
	{Name: "Vitest", Variable: "TINYPOOL_WORKER_ID", Command: regexp.MustCompile(`/vitest/dist/workers/(f|vmF)orks\.js`)},
	{Name: "parallel_tests", Variable: "TEST_ENV_NUMBER"},
	{Name: "ParaTest", Variable: "TEST_TOKEN"},
	{Name: "Gradle", Command: regexp.MustCompile(`worker\.org\.gradle\.process\.internal\.worker\.GradleWorkerMain`)},
	{Name: "Maven Surefire", Command: regexp.MustCompile(`surefire\S*(booter|Booter)|/surefire/surefirebooter`)},
	{Name: "Bats", Command: regexp.MustCompile(`/bats-exec-file `)},
	{Name: "cargo nextest", Variable: "NEXTEST_EXECUTION_MODE"},
}

// info is what the table is matched against.
type info struct {
	pid     int
	command string   // arguments, with spaces between them
	environ []string // as it was when the program was started
}

// runnerOf tells whose worker a process is; mark is the same in the processes that it starts. Both are empty if it is
// nobody's.
func runnerOf(p info, runners []Runner) (runner, mark string) {
	for _, r := range runners {
		if r.Command != nil && r.Command.MatchString(p.command) {
			return r.Name, fmt.Sprint(p.pid)
		}
		if r.Variable == "" {
			continue
		}
		i := slices.IndexFunc(p.environ, func(v string) bool { return strings.HasPrefix(v, r.Variable+"=") })
		if i >= 0 {
			return r.Name, p.environ[i]
		}
	}
	return "", ""
}

// worker finds the test process among a client and its ancestors: the command is the last of them. It is the nearest that
// known reports to be one; else the nearest that the table marks or, since processes inherit their environment, the oldest
// with that mark. It gives nil for the command as a whole.
func worker(chain []info, runners []Runner, known func(pid int) bool) (found *info, runner string) {
	for i := range chain {
		if known(chain[i].pid) {
			return &chain[i], ""
		}
		name, mark := runnerOf(chain[i], runners)
		if name == "" {
			continue
		}
		for i+1 < len(chain) && !known(chain[i].pid) {
			if _, above := runnerOf(chain[i+1], runners); above != mark {
				break
			}
			i++
		}
		return &chain[i], name
	}
	return nil, ""
}
