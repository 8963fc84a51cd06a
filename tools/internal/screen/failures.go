package screen

import (
	"slices"
	"strings"

	"github.com/kballard/go-shellquote"

	"github.com/pgcell/pgcell/tools/internal/label"
	"github.com/pgcell/pgcell/tools/internal/secret"
	"github.com/pgcell/pgcell/tools/internal/summary"
)

// failures names all that failed.
func (p *Printer) failures(sum *summary.Summary) {
	if sum.Counts.Failed == 0 {
		return
	}
	for _, s := range sum.Shards { // of stopped shards
		for _, t := range s.Failed() {
			p.failure(s, &t)
		}
	}
	p.Line("\nfailed:")
	for _, s := range sum.Shards {
		for _, t := range s.Failed() {
			p.Line("  %s", s.Title(&t))
		}
		if s.Died != "" {
			p.Line("  %s: %s", s, s.Died)
		}
	}
	p.again(sum)
}

// againNames is how many failed tests the line to run them again names; of more, --lf runs their suites.
const againNames = 5

// again gives a line to copy that runs what failed again.
func (p *Printer) again(sum *summary.Summary) {
	var args, versions []string
	add := func(arg string) {
		if !slices.Contains(args, arg) {
			args = append(args, arg)
		}
	}
	for _, s := range sum.Shards {
		for _, t := range s.Failed() {
			add(s.Argument(&t))
		}
		if s.Died != "" {
			add(label.Bare(s.Label))
		}
		version := label.Version(s.Label)
		if (s.Died != "" || len(s.Failed()) > 0) && version != "" && !slices.Contains(versions, version) {
			versions = append(versions, version)
		}
	}
	if len(args) > againNames {
		args = []string{"--lf"}
	}
	if len(versions) > 0 {
		args = append([]string{"--postgres", strings.Join(versions, ",")}, args...)
	} else if p.o.Postgres != "" {
		args = append([]string{"--postgres", p.o.Postgres}, args...)
	}
	if len(p.o.Bazel) > 0 {
		args = append(append(args, "--"), secret.Args(p.o.Bazel)...)
	}
	p.Line("run again: %s %s", p.command, shellquote.Join(args...))
}
