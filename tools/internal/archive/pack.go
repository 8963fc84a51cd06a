package archive

import (
	"archive/tar"
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/klauspost/compress/zstd"
)

// Pack writes the data directory of a server that was shut down. describe gives the manifest, which must hold the header.
//
// Errors: a file is not as PostgreSQL 14 to 18 write it, or cannot be read; those of out.
func Pack(out io.Writer, dataDir string, describe func(Header) any) error {
	c, err := readControl(dataDir)
	if err != nil {
		return fmt.Errorf("pack %q: %w", dataDir, err)
	}
	steady, err := c.steadyFiles(dataDir)
	if err != nil {
		return fmt.Errorf("pack %q: %w", dataDir, err)
	}
	return pack(out, dataDir, describe, c.logNeeded(dataDir), steady)
}

// pack writes a data directory with the needed files of pg_wal. steady has other contents for some files.
func pack(
	out io.Writer, dataDir string, describe func(Header) any, needed func(name string) bool, steady map[string][]byte,
) error {
	entries, early, err := list(dataDir, needed)
	if err != nil {
		return fmt.Errorf("pack %q: %w", dataDir, err)
	}
	file := newDigestWriter(out)
	z, err := zstd.NewWriter(file, zstd.WithEncoderLevel(zstd.SpeedDefault), zstd.WithWindowSize(window))
	if err != nil {
		return fmt.Errorf("pack %q: %w", dataDir, err)
	}
	t := tar.NewWriter(z)
	text, err := json.Marshal(describe(Header{Format: Format, Early: early, Entries: len(entries)}))
	if err == nil {
		err = t.WriteHeader(&tar.Header{Name: manifestName, Typeflag: tar.TypeReg, Mode: 0o600, Size: int64(len(text))})
	}
	if err == nil {
		_, err = t.Write(text)
	}
	for _, e := range entries {
		if err == nil {
			err = packOne(t, dataDir, e, steady)
		}
	}
	if err == nil {
		err = t.Close()
	}
	if err == nil {
		err = z.Close()
	}
	if err == nil {
		err = file.end()
	}
	if err != nil {
		return fmt.Errorf("pack %q: %w", dataDir, err)
	}
	return nil
}

// window is how far back, in bytes, the compressor looks for what it has seen, and so how much a decoder must keep.
const window = 1 << 20

// entry is a file or directory to be packed.
type entry struct {
	name   string // below the data directory, with slashes
	dir    bool
	sameAs string // an entry before this one that has the same content; only others of that kind are between; may be ""
}

// list gives what is to be packed, in order. What a starting server reads comes first, early entries; it opens no
// database, so those are unpacked beside it. Three of the databases, and most of the fourth, are the same: files of one
// name stand together, and one that is equal to its neighbour is not packed again.
func list(dataDir string, needed func(name string) bool) (entries []entry, early int, err error) {
	var late []entry
	err = filepath.WalkDir(dataDir, func(full string, d fs.DirEntry, err error) error {
		if err != nil || full == dataDir || !wanted(d.Name()) {
			return err
		}
		name, _ := filepath.Rel(dataDir, full) // both are absolute
		e := entry{name: filepath.ToSlash(name), dir: d.IsDir()}
		switch dir := path.Dir(e.name); {
		case e.dir:
		case dir == "pg_wal" && !needed(d.Name()), dir == "pg_stat": // statistics begin with each server
			return nil
		}
		if strings.HasPrefix(e.name, "base/") && strings.Count(e.name, "/") > 1 {
			late = append(late, e)
		} else {
			entries = append(entries, e)
		}
		return nil
	})
	slices.SortStableFunc(late, func(a, b entry) int {
		return cmp.Or(bit(b.dir)-bit(a.dir), bit(!a.dir)*strings.Compare(path.Base(a.name), path.Base(b.name)))
	})
	for i := 1; i < len(late) && err == nil; i++ {
		one, other := &late[i-1], &late[i]
		if other.dir || path.Base(one.name) != path.Base(other.name) {
			continue
		}
		var same bool
		if same, err = equal(filepath.Join(dataDir, one.name), filepath.Join(dataDir, other.name)); same {
			other.sameAs = cmp.Or(one.sameAs, one.name)
		}
	}
	return append(entries, late...), len(entries), err
}

// equal compares two files. Large ones, which an unpacker does not keep, and empty ones count as different.
func equal(one, other string) (bool, error) {
	info, err := os.Stat(one)
	if err != nil || info.Size() == 0 || info.Size() > whole {
		return false, err
	}
	a, err := os.ReadFile(one)
	if err != nil {
		return false, err
	}
	b, err := os.ReadFile(other)
	return err == nil && bytes.Equal(a, b), err
}

func bit(b bool) int {
	if b {
		return 1
	}
	return 0
}

// wanted leaves out what every start writes anew, and free space maps: they are hints, without which a row goes to a
// table's last page, and a file of 24 kB that each clone would copy for each of some 40 tables.
func wanted(name string) bool {
	switch name {
	case "postmaster.pid", "postmaster.opts", "postgresql.conf", "pg_hba.conf", "pg_ident.conf", "pg_internal.init":
		return false
	}
	return !strings.HasSuffix(name, "_fsm")
}

// packOne writes an entry, with the content that steady has for its name, if any.
func packOne(t *tar.Writer, root string, e entry, steady map[string][]byte) error {
	path := filepath.Join(root, e.name)
	info, err := os.Lstat(path)
	if err != nil {
		return err
	}
	h := &tar.Header{Name: e.name, Typeflag: tar.TypeDir, Mode: 0o700}
	if info.IsDir() {
		return t.WriteHeader(h)
	}
	if e.sameAs != "" {
		h.Typeflag, h.Mode, h.Linkname = tar.TypeLink, 0o600, e.sameAs
		return t.WriteHeader(h)
	}
	if !info.Mode().IsRegular() {
		return fmt.Errorf("%q is neither file nor directory: a template has no tablespaces", e.name)
	}
	h.Typeflag, h.Mode, h.Size = tar.TypeReg, 0o600, info.Size()
	if err := t.WriteHeader(h); err != nil {
		return err
	}
	if content := steady[e.name]; content != nil {
		_, err := t.Write(content)
		return err
	}
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	_, err = io.Copy(t, f)
	return err
}
