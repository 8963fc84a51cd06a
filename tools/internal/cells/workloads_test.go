package cells_test

import (
	"embed"
	"strings"
)

// workload is a template, and what tests do with it: the files in a folder of testdata, which tests/drivers reads too.
type workload struct {
	name     string
	sql      string            // of the template
	settings map[string]string // of the server
	// statements and drastic are what a sequence chooses from; see fill for the words in braces. Those that are drastic
	// have the cell dropped, so they are rare.
	statements, drastic []string
	// probes are what some sequences begin with: what they show must be as in a new clone.
	probes [][]string
}

//go:embed testdata/*/*.sql
var testdata embed.FS

var workloads = []workload{
	read("rails"),   // like the schema and the seeds of an application made with Ruby on Rails
	read("tenants"), // row level security by a parameter of the session
	everything(),
}

// everything is the template of the other tests, with more kinds of indexes, and with functions.
func everything() workload {
	w := read("everything")
	w.sql = shop + code + w.sql
	w.settings = map[string]string{"max_prepared_transactions": "5"}
	for _, l := range leftovers {
		if !l.recycled {
			w.drastic = append(w.drastic, l.sql)
		}
	}
	return w
}

func read(name string) workload {
	w := workload{name: name, sql: text(name, "template")}
	w.statements, w.drastic = lines(text(name, "statements")), lines(text(name, "drastic"))
	for probe := range strings.SplitSeq(text(name, "probes"), "\n\n") {
		w.probes = append(w.probes, lines(probe))
	}
	return w
}

func text(workload, file string) string {
	content, err := testdata.ReadFile("testdata/" + workload + "/" + file + ".sql")
	if err != nil {
		panic(err)
	}
	return string(content)
}

// lines gives the statements of a text, one a line, in which \n stands for the end of a line.
func lines(text string) (all []string) {
	for line := range strings.Lines(text) {
		all = append(all, strings.ReplaceAll(strings.TrimSuffix(line, "\n"), `\n`, "\n"))
	}
	return all
}
