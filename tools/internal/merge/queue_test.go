package merge_test

import (
	"bytes"
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/pgcell/pgcell/tools/internal/merge"
)

func TestQueueShowsOneAfterAnother(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	q := merge.NewQueue(&out, 3)
	ensure := func(want string) {
		t.Helper()
		if out.String() != want {
			t.Fatalf("shown: %q, want %q", out.String(), want)
		}
	}
	q.Write(0, []byte("a"))
	q.Write(2, []byte("e\n"))
	q.Write(1, []byte("c\n"))
	ensure("a")
	q.End(2)
	q.Write(0, []byte("b"))
	ensure("ab")
	q.End(0)
	ensure("ab\nc\n")
	q.Write(1, []byte("d\n"))
	ensure("ab\nc\nd\n")
	q.End(1)
	ensure("ab\nc\nd\ne\n")
	if err := q.Finish([]byte("PASS\n")); err != nil {
		t.Fatal(err)
	}
	ensure("ab\nc\nd\ne\nPASS\n")
}

// What is too much for memory lies in a file, and the file has no name. Not parallel: it sets TMPDIR.
func TestQueueHoldsMuch(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("TMPDIR", dir)
	var out bytes.Buffer
	q := merge.NewQueue(&out, 2)
	var want strings.Builder
	for i := range 100 {
		text := strings.Repeat(string(rune('a'+i%26)), 100_000) + "\n"
		want.WriteString(text)
		q.Write(1, []byte(text))
	}
	if files, err := os.ReadDir(dir); err != nil || len(files) > 0 {
		t.Errorf("files in TMPDIR: %v, %v, want none", files, err)
	}
	q.End(1)
	q.End(0)
	if err := q.Finish(nil); err != nil || out.String() != want.String() {
		t.Errorf("shown: %d bytes, %v, want the %d that were held", out.Len(), err, want.Len())
	}
}

type broken struct{}

func (broken) Write([]byte) (int, error) { return 0, errors.ErrUnsupported }

func TestQueueSaysThatNobodyListens(t *testing.T) {
	t.Parallel()
	q := merge.NewQueue(broken{}, 1)
	q.Write(0, []byte("a"))
	q.End(0)
	if err := q.Finish([]byte("b")); !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("Finish() = %v, want the error of writing", err)
	}
}
