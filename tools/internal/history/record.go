package history

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/google/renameio/v2"
)

// Record is a file that says what is known of one thing that "pgcell exec" runs again and again, such as a package.
type Record struct {
	Dir   string // made where it is missing
	Name  string // tells the thing from all others
	Short string // begins the file's name, for people
}

// keptRecord is how long a file that no run has written is kept.
const keptRecord = 180 * 24 * time.Hour

func (r Record) file() string {
	sum := sha256.Sum256([]byte(r.Name))
	return filepath.Join(r.Dir, fmt.Sprintf("%.40s-%x.json", r.Short, sum[:6]))
}

// Read reads the file into what a pointer leads to. It reports false where there is none, or it cannot be read: the next run
// writes it anew.
func (r Record) Read(into any) bool { return r.Dir != "" && readJSON(r.file(), into) == nil }

// Write writes the file, and removes files that no run has written for long.
func (r Record) Write(from any) error {
	if err := os.MkdirAll(r.Dir, 0o777); err != nil {
		return fmt.Errorf("record the times of tests: %w", err)
	}
	text, err := json.Marshal(from)
	if err == nil {
		err = renameio.WriteFile(r.file(), append(text, '\n'), 0o644)
	}
	if err != nil {
		return fmt.Errorf("record the times of tests: %w", err)
	}
	r.forget()
	return nil
}

func (r Record) forget() {
	files, _ := filepath.Glob(filepath.Join(r.Dir, "*.json")) // fails for a bad pattern alone
	for _, file := range files {
		if info, err := os.Stat(file); err == nil && time.Since(info.ModTime()) > keptRecord {
			_ = os.Remove(file)
		}
	}
}
