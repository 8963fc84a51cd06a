package exec

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/pgcell/pgcell/tools/internal/lend"
)

// note begins the file beside one that exec wrote, by which a later run knows it for one that a killed run left.
const noteSuffix = ".pgcell-exec"

// filesList names the files of a call, a line for each, in the call's directory.
const filesList = "files"

// writeFiles writes what --file names. dir is the call's directory. [RemoveFiles] removes the files, also after an error.
func writeFiles(dir string, files []string, c lend.Connection) error {
	for _, file := range files {
		out, from, ok := strings.Cut(file, "=")
		if !ok || out == "" || from == "" {
			return usage("--file %s: want OUT=TEXTFILE", file)
		}
		if err := writeFile(dir, out, from, c); err != nil {
			return err
		}
	}
	return nil
}

// RemoveFiles removes what --file wrote. dir is the directory of a call, which may have been killed.
func RemoveFiles(dir string) (err error) {
	list, _ := os.ReadFile(filepath.Join(dir, filesList)) // most calls have none
	for out := range strings.Lines(string(list)) {
		out = strings.TrimSuffix(out, "\n")
		for _, path := range []string{out, out + noteSuffix} {
			if e := os.Remove(path); e != nil && !errors.Is(e, fs.ErrNotExist) {
				err = errors.Join(err, e)
			}
		}
	}
	return err
}

// noteFile adds a file to the list.
func noteFile(dir, out string) error {
	out, err := filepath.Abs(out)
	if err != nil {
		return err
	}
	list, err := os.OpenFile(filepath.Join(dir, filesList), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(list, out)
	return errors.Join(err, list.Close())
}

func writeFile(dir, out, from string, c lend.Connection) error {
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
	if err := noteFile(dir, out); err != nil {
		return broken("--file %s: %w", out, err)
	}
	for _, path := range []string{out + noteSuffix, out} { // in this order: a run may be killed between
		if err := os.WriteFile(path, filled, 0o600); err != nil {
			return broken("--file %s: %w", out, err)
		}
	}
	return nil
}
