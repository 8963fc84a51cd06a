package results

import (
	"archive/zip"
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// Cell is what one test recorded of the databases that it used, see tools/pgcell.
type Cell struct {
	Test        string    `json:"test"`   // Go's name, "TestA/sub"
	Worker      string    `json:"worker"` // "w0", "master"
	Start       time.Time `json:"start"`  // of the test
	End         time.Time `json:"end"`
	CellSeconds float64   `json:"cell_seconds"` // spent in getting cells
	WaitSeconds float64   `json:"wait_seconds"` // spent in waiting for its turn
	// The part of CellSeconds in which the process made its template and started its server.
	ServerSeconds float64 `json:"server_seconds"`
	Failed        bool    `json:"failed"`
	Name          string  `json:"cell"` // of the database
	Made          string  `json:"made"` // "recycled", "cloned", ...
	Kept          string  `json:"kept"` // URL of a cell that was kept, else empty
	Dump          string  `json:"dump"` // file of a cell that was dumped, relative to the outputs, else empty
}

// cellsFile is where tests record their cells, relative to their outputs.
const cellsFile = "pgcell/cells.jsonl"

// ReadCells reads records of cells, one JSON object a line. A line that is none is passed over: a test process may have
// been killed while it wrote. The error is one of reading.
func ReadCells(r io.Reader) ([]Cell, error) {
	var cells []Cell
	b := bufio.NewReader(r)
	for {
		line, err := b.ReadBytes('\n')
		var c Cell
		if json.Unmarshal(line, &c) == nil && c.Test != "" {
			cells = append(cells, c)
		}
		if errors.Is(err, io.EOF) {
			return cells, nil
		}
		if err != nil {
			return cells, fmt.Errorf("read records of cells: %w", err)
		}
	}
}

// readCells sets Outputs and Cells, and the tests' times of them, from the directory of a test's outputs. Bazel leaves
// them as files or packed, by --zip_undeclared_test_outputs. What cannot be read is as if it were not there: a report
// does without.
func (s *Shard) readCells(dir string) {
	s.Outputs, s.Cells = CellsIn(dir)
	s.addCellTimes()
	s.readUsage(dir)
}

// CellsIn gives what the tests of one process recorded in the directory of its outputs, and where they are: the
// directory, or the zip file that Bazel packed them into; "" where there are none.
func CellsIn(dir string) (outputs string, cells []Cell) {
	if f, err := os.Open(filepath.Join(dir, filepath.FromSlash(cellsFile))); err == nil {
		defer f.Close()
		cells, _ = ReadCells(f)
		return dir, cells
	}
	outputs = filepath.Join(dir, "outputs.zip")
	packed, err := zip.OpenReader(outputs)
	if err != nil {
		return "", nil
	}
	defer packed.Close()
	if f, err := packed.Open(cellsFile); err == nil {
		defer f.Close()
		cells, _ = ReadCells(f)
	}
	return outputs, cells
}

// addCellTimes adds the cells' times to the tests that used them, and to the tests that these are part of.
func (s *Shard) addCellTimes() {
	if len(s.Cells) == 0 {
		return
	}
	tests := make(map[string][]*Test)
	for i := range s.Tests {
		t := &s.Tests[i]
		tests[t.Name] = append(tests[t.Name], t)
		for j := range t.Subtests {
			sub := &t.Subtests[j]
			tests[sub.Name] = append(tests[sub.Name], sub)
		}
	}
	for _, c := range s.Cells {
		for name := c.Test; name != ""; {
			for _, t := range tests[name] {
				t.CellTime += seconds(c.CellSeconds)
				t.WaitTime += seconds(c.WaitSeconds)
			}
			parent := strings.LastIndexByte(name, '/')
			name = name[:max(parent, 0)]
		}
	}
}

func seconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }
