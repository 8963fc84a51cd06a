package pgcell

import (
	"encoding/json"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"time"
)

// record is what is told of a test that used a cell, or of a cell of Open, as one line of JSON in pgcell/cells.jsonl among the undeclared
// outputs of a Bazel test (https://bazel.build/reference/test-encyclopedia): where its time went, and how to look at
// what it left.
type record struct {
	Test        string    `json:"test"`
	Worker      string    `json:"worker"`
	Start       time.Time `json:"start"` // of its first call of New, Tx or Open
	End         time.Time `json:"end"`
	CellSeconds float64   `json:"cell_seconds"` // from these calls to the hand-over, without the wait
	WaitSeconds float64   `json:"wait_seconds"` // for tests that called Serial, and for a place
	// The part of CellSeconds in which the template was made and the server started: the process pays it once, whichever
	// test is first.
	ServerSeconds float64 `json:"server_seconds"`
	Failed        bool    `json:"failed"`
	Cell          string  `json:"cell"` // the first one's name
	Made          string  `json:"made"` // "cloned" or "recycled"; "shared" for Tx
	Kept          string  `json:"kept"` // URL, while the server runs
	Dump          string  `json:"dump"` // below the directory of outputs
}

var recording sync.Mutex

// outputs is the directory of a Bazel test's undeclared outputs that is pgcell's own; "" outside of Bazel, and where
// they would have to be zipped without zip on the machine, which fails the test.
func outputs() (string, error) {
	base := (&shardEnv{lookup: os.LookupEnv}).outputs()
	if base == "" {
		return "", nil
	}
	dir := filepath.Join(base, "pgcell")
	return dir, os.MkdirAll(dir, 0o755)
}

// write appends the record to the file. A test does not fail for want of it.
func (r record) write(t TB) {
	dir, err := outputs()
	if dir == "" && err == nil {
		return
	}
	r.Start, r.End = r.Start.UTC(), time.Now().UTC()
	if err == nil {
		err = appendLine(filepath.Join(dir, "cells.jsonl"), r)
	}
	if err != nil {
		t.Logf("pgcell: record what cells cost: %v", err)
	}
}

// caller names the test in whose goroutine this is called, TestA also for its subtests; else it gives otherwise. The
// function that package testing runs is called TestA, and a function literal in it TestA.func1.
func caller(otherwise string) string {
	pcs := make([]uintptr, 100)
	frames := runtime.CallersFrames(pcs[:runtime.Callers(2, pcs)])
	for name := ""; ; {
		frame, more := frames.Next()
		if frame.Function == "testing.tRunner" {
			name = name[strings.LastIndexByte(name, '/')+1:] // the end of the package's path
			_, name, _ = strings.Cut(name, ".")
			name, _, _ = strings.Cut(name, ".")
			if strings.HasPrefix(name, "Test") {
				return name
			}
			return otherwise
		}
		if !more {
			return otherwise
		}
		name = frame.Function
	}
}

func appendLine(path string, value any) error {
	line, err := json.Marshal(value)
	if err != nil {
		return err
	}
	recording.Lock()
	defer recording.Unlock()
	f, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	if _, err := f.Write(append(line, '\n')); err != nil {
		f.Close()
		return err
	}
	return f.Close()
}
