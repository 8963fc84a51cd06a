package archive_test

import (
	"archive/tar"
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/klauspost/compress/zstd"

	"github.com/pgcell/pgcell/tools/internal/archive"
)

// mustWrite writes files below a directory; a name that ends in a slash is a directory.
func mustWrite(t *testing.T, dir string, files map[string]string) {
	t.Helper()
	for name, content := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if strings.HasSuffix(name, "/") {
			if err := os.MkdirAll(path, 0o700); err != nil {
				t.Fatal(err)
			}
		} else if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// mustRead reads what mustWrite writes, empty directories left out.
func mustRead(t *testing.T, dir string) map[string]string {
	t.Helper()
	files := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		name, _ := filepath.Rel(dir, path)
		content, err := os.ReadFile(path)
		files[name] = string(content)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// control is a pg_control whose last checkpoint is at a position in the log, on timeline 1.
func control(position uint64) string {
	b := make([]byte, 296)
	binary.NativeEndian.PutUint64(b[32:], position)
	binary.NativeEndian.PutUint32(b[48:], 1)
	return string(b)
}

// TestUnpackGivesWhatWasPacked has files that are treated in a way of their own: equal ones, ends of zeros, large and
// empty ones.
func TestUnpackGivesWhatWasPacked(t *testing.T) {
	t.Parallel()
	const mb = 1 << 20
	large, zeros := strings.Repeat("0123456789abcdef", mb/16+1), strings.Repeat("\x00", mb)
	kept := map[string]string{
		"PG_VERSION": "15\n", "global/1213": "shared", "global/pg_control": control(5*mb + 100),
		"pg_wal/000000010000000000000005": "log" + zeros[3:],
		"base/1/112":                      "same", "base/4/112": "same", "base/5/112": "other", "base/9/112": "other",
		"base/1/113": "", "base/4/113": "", "base/5/113": "x", "base/9/113": zeros[:8192],
		"base/1/114": large, "base/4/114": large, "base/5/114": large + zeros, "base/9/114": "a" + zeros[:4095],
		"base/1/115": "page" + zeros[:8188], "base/4/115": "page" + zeros[:8188],
		"base/5/115": zeros[:100], "base/9/115_vm": "v",
	}
	left := map[string]string{
		"postmaster.pid": "1", "postgresql.conf": "x", "base/9/112_fsm": "free",
		"global/pg_internal.init": "cache", "base/5/pg_internal.init": "cache",
		"pg_wal/000000010000000000000004": zeros, "pg_wal/000000010000000000000006": zeros,
	}
	from, to, file := t.TempDir(), t.TempDir(), filepath.Join(t.TempDir(), "x.pgcell")
	mustWrite(t, from, kept)
	mustWrite(t, from, left)
	mustWrite(t, from, map[string]string{"pg_wal/archive_status/": ""})
	enough, err := archive.PackAndUnpack(t.Context(), from, file, to)
	if err != nil || enough != 1 {
		t.Fatalf("enough was said %d times, and %v; want once, and no error", enough, err)
	}
	if diff := cmp.Diff(kept, mustRead(t, to)); diff != "" {
		t.Errorf("packed and unpacked (-want +got):\n%.2000s", diff)
	}
	if _, err := os.Stat(filepath.Join(to, "pg_wal/archive_status")); err != nil {
		t.Error(err)
	}
	if info, err := os.Stat(file); err != nil || info.Size() > mb/4 {
		t.Errorf("the file has %d bytes, want few: its contents repeat", info.Size())
	}
	if err := archive.Unpack(t.Context(), file, to, func() {}); !errors.Is(err, fs.ErrExist) {
		t.Errorf("Unpack into a directory with files = %v, want %v", err, fs.ErrExist)
	}
}

// TestPackKeepsLog looks at which files of the log are kept, by the position of the last checkpoint.
func TestPackKeepsLog(t *testing.T) {
	t.Parallel()
	const mb = 1 << 20
	full := strings.Repeat("l", mb)
	names := []string{"000000010000000000000004", "000000010000000000000005", "000000010000000000000006"}
	for _, c := range []struct {
		control string
		want    []string
	}{
		{control(5*mb + 100), names[1:2]},
		{control(6*mb - 100), names[1:]}, // the record may reach into the next
		{control(77 * mb), names},        // not as expected
	} {
		from, to := t.TempDir(), t.TempDir()
		mustWrite(t, from, map[string]string{
			"global/pg_control": c.control, "pg_wal/" + names[0]: full,
			"pg_wal/" + names[1]: full, "pg_wal/" + names[2]: full, "base/1/112": "",
		})
		if _, err := archive.PackAndUnpack(t.Context(), from, filepath.Join(t.TempDir(), "x"), to); err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, name := range names {
			if _, err := os.Stat(filepath.Join(to, "pg_wal", name)); err == nil {
				got = append(got, name)
			}
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("log with pg_control %.20q (-want +got):\n%s", c.control, diff)
		}
	}
}

// TestUnpackRefuses looks at archives that nobody packed.
func TestUnpackRefuses(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		header tar.Header
		want   string
	}{
		{tar.Header{Name: "../x", Typeflag: tar.TypeReg}, `entry "../x" leads out of the data directory`},
		{tar.Header{Name: "y", Typeflag: tar.TypeLink, Linkname: "/etc/passwd"},
			`entry "y" is the same as "/etc/passwd", which does not stand before it`},
	} {
		var out bytes.Buffer
		z, err := zstd.NewWriter(&out)
		if err != nil {
			t.Fatal(err)
		}
		text, err := json.Marshal(archive.Header{Format: archive.Format, Entries: 1})
		if err != nil {
			t.Fatal(err)
		}
		w := tar.NewWriter(z)
		manifest := tar.Header{Name: "pgcell.json", Typeflag: tar.TypeReg, Mode: 0o600, Size: int64(len(text))}
		err = errors.Join(w.WriteHeader(&manifest),
			func() error { _, err := w.Write(text); return err }(), w.WriteHeader(&c.header), w.Close(), z.Close())
		if err != nil {
			t.Fatal(err)
		}
		file := filepath.Join(t.TempDir(), "x")
		if err := os.WriteFile(file, archive.WithDigest(out.Bytes()), 0o600); err != nil {
			t.Fatal(err)
		}
		err = archive.Unpack(context.Background(), file, t.TempDir(), func() {})
		var damaged *archive.DamagedError
		if !errors.As(err, &damaged) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("Unpack = %v, want a DamagedError with %q", err, c.want)
		}
	}
}
