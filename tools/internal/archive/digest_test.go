package archive_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pgcell/pgcell/tools/internal/archive"
)

// mustPack packs a data directory of a size in bytes that zstd cannot make smaller.
func mustPack(tb testing.TB, size int) []byte {
	tb.Helper()
	noise, dir, file := rand.NewChaCha8([32]byte{1}), tb.TempDir(), filepath.Join(tb.TempDir(), "x.pgcell")
	for name, size := range map[string]int{"PG_VERSION": 3, "global/1213": size / 2, "base/1/112": size / 2} {
		content := make([]byte, size)
		noise.Read(content)
		path := filepath.Join(dir, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, content, 0o600)); err != nil {
			tb.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "global/pg_control"), []byte(control(1<<20)), 0o600); err != nil {
		tb.Fatal(err)
	}
	if _, err := archive.PackAndUnpack(tb.Context(), dir, file, tb.TempDir()); err != nil {
		tb.Fatal(err)
	}
	whole, err := os.ReadFile(file)
	if err != nil {
		tb.Fatal(err)
	}
	return whole
}

// TestDamageIsFound changes one byte at many positions, and the length. No server may start on any of these files: nothing
// is unpacked from them.
func TestDamageIsFound(t *testing.T) {
	t.Parallel()
	whole := mustPack(t, 500_000)
	path, link := filepath.Join(t.TempDir(), "x.pgcell"), filepath.Join(t.TempDir(), "link")
	if err := os.Symlink(path, link); err != nil {
		t.Fatal(err)
	}
	const remedy = "; delete it, and Bazel or pgcell makes it anew; if a cache gives it back damaged, " +
		"delete it and build its target once with --disk_cache= --remote_cache="
	ensureRefused := func(what string, text []byte) {
		t.Helper()
		if err := os.WriteFile(path, text, 0o600); err != nil {
			t.Fatal(err)
		}
		var header archive.Header
		into, enough := t.TempDir(), false
		for call, err := range map[string]error{
			"ReadManifest": archive.ReadManifest(link, &header),
			"Unpack":       archive.Unpack(t.Context(), link, into, func() { enough = true }),
		} {
			var damaged *archive.DamagedError
			if !errors.As(err, &damaged) || damaged.Path != path || !strings.Contains(err.Error(), remedy) {
				t.Errorf("%s: %s = %v, want a DamagedError", what, call, err)
			}
		}
		if left, err := os.ReadDir(into); enough || len(left) > 0 || err != nil {
			t.Errorf("%s: unpacked %d files, said that a server may start: %v; want none, and not", what, len(left), enough)
		}
	}
	for at := range whole {
		if at < 100 || at%2000 == 0 || at > len(whole)-100 {
			flipped := bytes.Clone(whole)
			flipped[at] ^= 1 << (at % 8)
			ensureRefused(fmt.Sprintf("byte %d flipped", at), flipped)
		}
	}
	for _, cut := range []int{0, 1, 11, 12, 13, 100, len(whole) / 2, len(whole) - 13, len(whole) - 12, len(whole) - 1} {
		ensureRefused("cut", whole[:cut])
	}
	for _, more := range []string{"\x00", "\n", strings.Repeat("x", 12), string(whole[len(whole)-12:]), string(whole)} {
		ensureRefused("appended to", append(bytes.Clone(whole), more...))
	}
	middle := bytes.Clone(whole)
	clear(middle[len(middle)/2:][:4096]) // as a machine that lost its power leaves it
	ensureRefused("a block of zeros", middle)
}

// BenchmarkStart has what a start of a server pays for: the digest alone, with the manifest, and the whole unpacking.
func BenchmarkStart(b *testing.B) {
	whole := mustPack(b, 5_600_000)
	path := filepath.Join(b.TempDir(), "x.pgcell")
	if err := os.WriteFile(path, whole, 0o600); err != nil {
		b.Fatal(err)
	}
	b.Run("manifest", func(b *testing.B) {
		b.SetBytes(int64(len(whole)))
		for b.Loop() {
			var m json.RawMessage
			if err := archive.ReadManifest(path, &m); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("unpack", func(b *testing.B) {
		b.SetBytes(int64(len(whole)))
		for b.Loop() {
			if err := archive.Unpack(b.Context(), path, b.TempDir(), func() {}); err != nil {
				b.Fatal(err)
			}
		}
	})
}
