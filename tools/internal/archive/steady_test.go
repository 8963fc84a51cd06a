package archive_test

import (
	"io"
	"strings"
	"testing"

	"github.com/pgcell/pgcell/tools/internal/archive"
)

// What is not as PostgreSQL writes it is refused, not packed as it is.
func TestStrangeClustersAreRefused(t *testing.T) {
	t.Parallel()
	zeros := string(make([]byte, 8192))
	for _, c := range []struct {
		what, want string
		files      map[string]string
	}{
		{"a short control file", "global/pg_control has only 3 bytes", map[string]string{"global/pg_control": "abc"}},
		{"no log", "000000000000000000000000: no such file", map[string]string{"global/pg_control": zeros}},
		{"a short log", "has 3 bytes, not 1048576", map[string]string{
			"global/pg_control": zeros, "pg_wal/000000000000000000000000": "abc",
		}},
		{"no checkpoint", "the last record of pg_wal has 0 bytes, where a checkpoint's has 114", map[string]string{
			"global/pg_control": zeros, "pg_wal/000000000000000000000000": strings.Repeat("\x00", 1<<20),
		}},
	} {
		t.Run(c.what, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			mustWrite(t, dir, c.files)
			if err := archive.Pack(io.Discard, dir, func(h archive.Header) any { return h }); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}
}
