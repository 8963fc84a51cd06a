package gotest

import (
	"net/url"
	"os"
	"path/filepath"
	"regexp"
)

// What the library pgcell prints of a failed test's cell.
var (
	keptLine   = regexp.MustCompile(`pgcell: kept cell (\S+): psql '([^'\n]+)'.*`)
	dumpedLine = regexp.MustCompile(`pgcell: dumped cell (\S+): (\S+) \(in the directory test\.outputs beside the test's log\)`)
)

// WithPlaces makes what the library pgcell says of a failed test's databases good for people who read it later and from
// outside: dumps get their full paths, and there is no line to connect to a server that has gone. outputs is the
// directory of the test's outputs, or the zip file that they are packed into; empty if it is unknown.
func WithPlaces(output, outputs string) string {
	output = keptLine.ReplaceAllStringFunc(output, func(line string) string {
		m := keptLine.FindStringSubmatch(line)
		if Reachable(m[2]) {
			return line
		}
		return "pgcell: cell " + m[1] + " was kept, and has gone with its server"
	})
	if outputs == "" {
		return output
	}
	return dumpedLine.ReplaceAllStringFunc(output, func(line string) string {
		m := dumpedLine.FindStringSubmatch(line)
		where := filepath.Join(outputs, filepath.FromSlash(m[2]))
		if _, err := os.Stat(where); err != nil { // packed, or not yet brought out of the sandbox
			where = m[2] + " in " + outputs
		}
		return "pgcell: dumped cell " + m[1] + ": " + where
	})
}

// KeptURLs gives the URLs of cells that were kept and whose servers are still there.
func KeptURLs(output string) []string {
	var urls []string
	for _, m := range keptLine.FindAllStringSubmatch(output, -1) {
		if Reachable(m[2]) {
			urls = append(urls, m[2])
		}
	}
	return urls
}

// Dumps gives the files of cells that were dumped, relative to the test's outputs.
func Dumps(output string) []string {
	var files []string
	for _, m := range dumpedLine.FindAllStringSubmatch(output, -1) {
		files = append(files, m[2])
	}
	return files
}

// Reachable reports whether the server of a cell's URL may still be there: one that listens on a socket goes with the
// socket's directory; of any other this does not tell.
func Reachable(cell string) bool {
	u, err := url.Parse(cell)
	if err != nil {
		return false
	}
	dir := u.Query().Get("host")
	if !filepath.IsAbs(dir) {
		return true
	}
	_, err = os.Stat(dir)
	return err == nil
}
