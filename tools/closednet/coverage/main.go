// Command coverage merges coverage reports in lcov's format, in place of Bazel's own Java program, which Bazel downloads.
// Bazel calls it once for each test, to merge what the processes of that test wrote, and once for all tests where
// --combined_report=lcov asks for it.
//
// Not its goal: C and C++ (gcov's files) and Java (JaCoCo's); an error says so where there are any.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

func main() { os.Exit(run(os.Args[1:], os.Stderr)) }

func run(args []string, stderr io.Writer) int {
	opts, err := parse(args, stderr)
	if errors.Is(err, flag.ErrHelp) {
		return 0
	}
	if err != nil {
		return 2
	}
	if err := opts.merge(); err != nil {
		fmt.Fprintln(stderr, "coverage:", err)
		return 1
	}
	return 0
}

// options are those of Bazel's own program that matter here.
type options struct {
	dir      string           // merge the *.dat files below it
	reports  string           // merge the files that are listed in this file, one a line
	manifest string           // keep only the sources that are listed in this file, one a line; empty: all
	filter   []*regexp.Regexp // leave out sources whose whole path matches one of these
	output   string
}

// parse reads the command line as Bazel writes it.
func parse(args []string, stderr io.Writer) (*options, error) {
	o := &options{}
	flags := flag.NewFlagSet("coverage", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.StringVar(&o.dir, "coverage_dir", "", "merge the *.dat files below this `directory`")
	flags.StringVar(&o.reports, "reports_file", "", "merge the reports that this `file` lists, one a line")
	flags.StringVar(&o.manifest, "source_file_manifest", "", "keep only the sources that this `file` lists, one a line")
	flags.StringVar(&o.output, "output_file", "", "write the merged report to this `file`")
	flags.Func("filter_sources", "leave out sources whose path matches this `regexp` (repeatable)", func(s string) error {
		filter, err := regexp.Compile("^(?:" + s + ")$")
		o.filter = append(o.filter, filter)
		return err
	})
	for _, name := range []string{"sources_to_replace_file", "parse_parallelism"} {
		flags.String(name, "", "taken and ignored")
	}
	err := flags.Parse(args)
	if err == nil && (o.output == "" || (o.dir == "") == (o.reports == "") || flags.NArg() != 0) {
		err = errors.New("want --output_file, one of --coverage_dir and --reports_file, and no other argument")
		fmt.Fprintln(stderr, "coverage:", err)
	}
	return o, err
}

// merge reads all reports and writes one.
func (o *options) merge() error {
	files, err := o.files()
	if err != nil {
		return err
	}
	all := report{}
	for _, file := range files {
		if err := all.addFile(file); err != nil {
			return err
		}
	}
	if err := o.leaveOut(all); err != nil {
		return err
	}
	return os.WriteFile(o.output, []byte(all.String()), 0o666)
}

// files gives the reports to merge. The output may lie in the same directory; Bazel has made it, empty.
func (o *options) files() ([]string, error) {
	if o.reports != "" {
		return lines(o.reports)
	}
	var files []string
	err := filepath.WalkDir(o.dir, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() || path == o.output:
			return nil
		}
		switch filepath.Ext(path) {
		case ".dat":
			files = append(files, path)
		case ".gcov", ".gcda", ".gcno", ".profraw":
			return fmt.Errorf("read the coverage %s: of C or C++, which this program cannot merge", path)
		}
		return nil
	})
	return files, err
}

// leaveOut removes the sources that are not wanted.
func (o *options) leaveOut(all report) error {
	wanted := map[string]bool{}
	if o.manifest != "" {
		sources, err := lines(o.manifest)
		if err != nil {
			return err
		}
		for _, source := range sources {
			wanted[source] = true
		}
	}
	for source := range all {
		if o.manifest != "" && !wanted[source] || o.filtered(source) {
			delete(all, source)
		}
	}
	return nil
}

func (o *options) filtered(source string) bool {
	for _, filter := range o.filter {
		if filter.MatchString(source) {
			return true
		}
	}
	return false
}

// lines reads a file of names, one a line.
func lines(path string) ([]string, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	return strings.Fields(string(text)), nil
}
