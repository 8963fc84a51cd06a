package exec

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"github.com/pgcell/pgcell/tools/internal/lend"
)

// note begins the file beside one that exec wrote, by which a later run knows it for one that a killed run left.
const noteSuffix = ".pgcell-exec"

// writeFiles writes what --file names, and gives a function that removes it.
func writeFiles(files []string, c lend.Connection) (remove func(warn func(string)), err error) {
	var written []string
	remove = func(warn func(string)) {
		for _, out := range written {
			if err := errors.Join(os.Remove(out), os.Remove(out+noteSuffix)); err != nil && warn != nil {
				warn(fmt.Sprintf("remove what --file wrote: %v", err))
			}
		}
	}
	for _, file := range files {
		out, from, ok := strings.Cut(file, "=")
		if !ok || out == "" || from == "" {
			remove(nil)
			return nil, usage("--file %s: want OUT=TEXTFILE", file)
		}
		if err := writeFile(out, from, c); err != nil {
			remove(nil)
			return nil, err
		}
		written = append(written, out)
	}
	return remove, nil
}

func writeFile(out, from string, c lend.Connection) error {
	text, err := os.ReadFile(from)
	if err != nil {
		return usage("--file %s: %w", out, err)
	}
	filled := []byte(c.Expand(string(text)))
	there, err := os.ReadFile(out)
	if err == nil {
		// What a killed run has left may be overwritten, unless somebody has changed it since.
		if left, _ := os.ReadFile(out + noteSuffix); len(left) == 0 || !bytes.Equal(left, there) {
			return usage("--file %s: it exists, and pgcell has not written it: move it away, or name another", out)
		}
	} else if !errors.Is(err, fs.ErrNotExist) {
		return broken("--file %s: %w", out, err)
	}
	for _, path := range []string{out + noteSuffix, out} { // in this order: a run may be killed between
		if err := os.WriteFile(path, filled, 0o600); err != nil {
			return broken("--file %s: %w", out, err)
		}
	}
	return nil
}
