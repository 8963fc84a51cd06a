package results_test

import (
	"archive/zip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/pgcell/pgcell/tools/internal/bazel"
	"github.com/pgcell/pgcell/tools/internal/results"
)

const cellLines = `{"test":"TestA","worker":"w0","cell_seconds":0.5,"wait_seconds":0.25,"cell":"test_db_w0_1a2b3c4d","made":"cloned","new":1}
not JSON
{"test":"TestA/sub/deep","cell_seconds":0.125,"failed":true,"kept":"postgres://x","dump":"pgcell/TestA.sql"}
{"test":"TestGone","cell_seconds":9}
{"test":"TestA","cell_se`

func TestReadCells(t *testing.T) {
	t.Parallel()
	got, err := results.ReadCells(strings.NewReader(cellLines))
	if err != nil {
		t.Fatal(err)
	}
	want := []results.Cell{
		{Test: "TestA", Worker: "w0", CellSeconds: 0.5, WaitSeconds: 0.25, Name: "test_db_w0_1a2b3c4d", Made: "cloned"},
		{Test: "TestA/sub/deep", CellSeconds: 0.125, Failed: true, Kept: "postgres://x", Dump: "pgcell/TestA.sql"},
		{Test: "TestGone", CellSeconds: 9},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("ReadCells() differs (-want +got):\n%s", diff)
	}
}

const withSubtests = `<testsuites><testsuite>
<testcase name="TestA" time="2"></testcase><testcase name="TestA/sub" time="1"></testcase>
<testcase name="TestA/sub/deep" time="1"></testcase><testcase name="TestB" time="2"></testcase>
</testsuite></testsuites>`

// usageText says that a quarter of the time was computed.
const usageText = `{"seconds":4,"cpu_seconds":1}`

// Cells are found beside test.log, as files and packed.
func TestCellsOfAShard(t *testing.T) {
	t.Parallel()
	for _, packed := range []bool{false, true} {
		dir := t.TempDir()
		mustWrite(t, filepath.Join(dir, "test.log"), "")
		mustWrite(t, filepath.Join(dir, "test.xml"), withSubtests)
		outputs := filepath.Join(dir, "test.outputs")
		if packed {
			outputs = filepath.Join(outputs, "outputs.zip")
			mustZip(t, outputs, "pgcell/cells.jsonl", cellLines, "pgcell/usage.json", usageText)
		} else {
			mustWrite(t, filepath.Join(outputs, "pgcell", "cells.jsonl"), cellLines)
			mustWrite(t, filepath.Join(outputs, "pgcell", "usage.json"), usageText)
		}
		var run results.Run
		s := run.Add(bazel.Event{Result: &bazel.TestResult{
			Label: "//x:a", Run: 1, Shard: 1, Status: bazel.Passed, Start: time.Unix(100, 0), Duration: 5 * time.Second,
			Log: bazel.File{URI: "file://" + filepath.Join(dir, "test.log")},
			XML: bazel.File{URI: "file://" + filepath.Join(dir, "test.xml")},
		}})
		if s.Outputs != outputs || len(s.Cells) != 3 || len(s.Tests) != 2 {
			t.Fatalf("packed %v: outputs %s, %d cells, %d tests; want %s, 3, 2", packed, s.Outputs, len(s.Cells),
				len(s.Tests), outputs)
		}
		a := s.Tests[0]
		got := []time.Duration{a.CellTime, a.WaitTime, a.Subtests[0].CellTime, a.Subtests[1].CellTime, s.Tests[1].CellTime}
		want := []time.Duration{625 * time.Millisecond, 250 * time.Millisecond, 125 * time.Millisecond,
			125 * time.Millisecond, 0}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("packed %v: times differ (-want +got):\n%s", packed, diff)
		}
		if s.CPU != 1250*time.Millisecond {
			t.Errorf("packed %v: CPU = %v, want a quarter of the shard's 5 s", packed, s.CPU)
		}
		if !s.End().Equal(time.Unix(105, 0)) {
			t.Errorf("End() = %v, want 5 s after the start", s.End())
		}
	}
}

func mustWrite(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
}

// mustZip packs files, of which names and texts take turns.
func mustZip(t *testing.T, path string, files ...string) {
	t.Helper()
	mustWrite(t, path, "")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z := zip.NewWriter(f)
	for i := 0; i < len(files); i += 2 {
		w, err := z.Create(files[i])
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write([]byte(files[i+1])); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
}
