package golden

import (
	"archive/tar"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/klauspost/compress/zstd"

	"github.com/pgcell/pgcell/tools/internal/postgres"
)

const manifestName = "pgcell.json"

// manifestFormat changes with the archive; a file of another format counts as damaged, so that it is made anew.
const manifestFormat = 3

// Manifest says what a golden cluster holds.
type Manifest struct {
	Format         int               // of the archive: manifestFormat
	Template       string            // the sealed database, as [Recipe.TemplateName] names it
	Postgres       postgres.Version  // that made it; its major version must run it
	BinDir         string            // of that PostgreSQL, where it was found on the machine; may be ""
	RunfilesBinDir string            // of that PostgreSQL below the runfiles root, where Bazel brings it; may be ""
	Settings       map[string]string // of the server
	Superuser      bool              // Role is a superuser
	Facts          Facts             // about the template
	Early          int               // entries that a server reads when it starts; they come first
	Entries        int               // in the archive, without the manifest
}

// pack writes the manifest and a stopped server's data directory.
func pack(out io.Writer, m Manifest, dataDir string) error {
	var files []string
	err := filepath.WalkDir(dataDir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && path != dataDir && wanted(d.Name()) {
			files = append(files, path)
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("pack %q: %w", dataDir, err)
	}
	// A starting server opens no database: those are unpacked beside it.
	inDatabase := func(path string) bool {
		name, _ := filepath.Rel(dataDir, path) // both are absolute
		return strings.Count(name, string(filepath.Separator)) > 1 && strings.HasPrefix(name, "base"+string(filepath.Separator))
	}
	slices.SortStableFunc(files, func(a, b string) int { return bit(inDatabase(a)) - bit(inDatabase(b)) })
	m.Format = manifestFormat
	m.Early = slices.IndexFunc(files, inDatabase)
	m.Entries = len(files)
	z, err := zstd.NewWriter(out, zstd.WithEncoderLevel(zstd.SpeedDefault))
	if err != nil {
		return fmt.Errorf("pack %q: %w", dataDir, err)
	}
	t := tar.NewWriter(z)
	text, err := json.Marshal(m)
	if err == nil {
		err = t.WriteHeader(&tar.Header{Name: manifestName, Typeflag: tar.TypeReg, Mode: 0o600, Size: int64(len(text))})
	}
	if err == nil {
		_, err = t.Write(text)
	}
	for _, path := range files {
		if err == nil {
			err = packOne(t, dataDir, path)
		}
	}
	if err == nil {
		err = t.Close()
	}
	if err == nil {
		err = z.Close()
	}
	if err != nil {
		return fmt.Errorf("pack %q: %w", dataDir, err)
	}
	return nil
}

func bit(b bool) int {
	if b {
		return 1
	}
	return 0
}

// wanted leaves out what every start writes anew.
func wanted(name string) bool {
	switch name {
	case "postmaster.pid", "postmaster.opts", "postgresql.conf", "pg_hba.conf", "pg_ident.conf":
		return false
	}
	return true
}

func packOne(t *tar.Writer, root, path string) error {
	info, err := os.Lstat(path)
	if err != nil {
		return err
	}
	name, err := filepath.Rel(root, path)
	if err != nil {
		return err
	}
	h := &tar.Header{Name: filepath.ToSlash(name), Typeflag: tar.TypeDir, Mode: 0o700}
	if info.IsDir() {
		return t.WriteHeader(h)
	}
	if !info.Mode().IsRegular() {
		return fmt.Errorf("%q is neither file nor directory: a template has no tablespaces", name)
	}
	h.Typeflag, h.Mode, h.Size = tar.TypeReg, 0o600, info.Size()
	if err := t.WriteHeader(h); err != nil {
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

// ReadManifest reads the first entry of a golden cluster. Cost: about 1 ms.
//
// Errors: [*DamagedError]; those of opening the file.
func ReadManifest(path string) (Manifest, error) {
	f, err := os.Open(path)
	if err != nil {
		return Manifest{}, fmt.Errorf("read golden cluster: %w", err)
	}
	defer f.Close()
	z, err := zstd.NewReader(f, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true))
	if err != nil {
		return Manifest{}, &DamagedError{Path: path, Err: err}
	}
	defer z.Close()
	m, err := readManifest(tar.NewReader(z))
	if err != nil {
		return Manifest{}, &DamagedError{Path: path, Err: err}
	}
	return m, nil
}

func readManifest(t *tar.Reader) (Manifest, error) {
	var m Manifest
	h, err := t.Next()
	if err != nil {
		return m, unexpected(err)
	}
	if h.Name != manifestName {
		return m, fmt.Errorf("its first entry is %q, not %s", h.Name, manifestName)
	}
	if err := json.NewDecoder(t).Decode(&m); err != nil {
		return m, err
	}
	if m.Format != manifestFormat {
		return m, fmt.Errorf("another release of pgcell wrote it, in format %d; this one reads %d", m.Format, manifestFormat)
	}
	return m, nil
}

// unexpected makes an early end look like one: an empty file ends in io.EOF, which says nothing to a reader.
func unexpected(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

// writers is how many files are written at once while the archive is being decoded.
const writers = 2

// written is a file on its way from the decoder to a writer.
type written struct {
	path string
	data *bytes.Buffer
}

// unpacker carries what decoding and writing share.
type unpacker struct {
	dataDir string
	queue   chan written
	pending sync.WaitGroup // files queued and not yet written
	buffers sync.Pool
	enough  func()
}

// unpack fills a data directory from a golden cluster.
func unpack(ctx context.Context, source, dataDir string, enough func()) error {
	f, err := os.Open(source)
	if err != nil {
		return fmt.Errorf("unpack golden cluster: %w", err)
	}
	defer f.Close()
	z, err := zstd.NewReader(f)
	if err != nil {
		return &DamagedError{Path: source, Err: err}
	}
	defer z.Close()
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	u := &unpacker{dataDir: dataDir, queue: make(chan written, 16), enough: enough}
	u.buffers.New = func() any { return new(bytes.Buffer) }
	var group sync.WaitGroup
	for range writers {
		group.Go(func() {
			for w := range u.queue {
				if err := u.write(w); err != nil {
					cancel(fmt.Errorf("unpack golden cluster %q: %w", source, err))
				}
			}
		})
	}
	err = u.decode(ctx, tar.NewReader(z))
	if err == nil {
		_, err = io.Copy(io.Discard, z) // the checksum stands behind the archive's end
	}
	close(u.queue)
	group.Wait()
	if cause := context.Cause(ctx); cause != nil {
		return cause // a file could not be written, or the keeper was told to end
	}
	var system *fs.PathError // of mkdir: the archive is not to blame
	if errors.As(err, &system) {
		return fmt.Errorf("unpack golden cluster %q: %w", source, err)
	}
	if err != nil {
		return &DamagedError{Path: source, Err: err}
	}
	return nil
}

func (u *unpacker) write(w written) error {
	err := os.WriteFile(w.path, w.data.Bytes(), 0o600)
	w.data.Reset()
	u.buffers.Put(w.data)
	u.pending.Done()
	return err
}

// decode makes the directories and queues the files of an archive.
func (u *unpacker) decode(ctx context.Context, t *tar.Reader) error {
	m, err := readManifest(t)
	if err != nil {
		return err
	}
	for n := 0; ; n++ {
		if n == m.Early {
			u.pending.Wait()
			if ctx.Err() == nil {
				u.enough()
			}
		}
		h, err := t.Next()
		if errors.Is(err, io.EOF) && n == m.Entries {
			return nil
		}
		if err != nil {
			return unexpected(err)
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err := u.entry(h, t); err != nil {
			return err
		}
	}
}

func (u *unpacker) entry(h *tar.Header, content io.Reader) error {
	if !filepath.IsLocal(h.Name) || strings.Contains(h.Name, `\`) {
		return fmt.Errorf("entry %q leads out of the data directory", h.Name)
	}
	path := filepath.Join(u.dataDir, filepath.FromSlash(h.Name))
	if h.Typeflag == tar.TypeDir {
		return os.Mkdir(path, 0o700)
	}
	data := u.buffers.Get().(*bytes.Buffer)
	data.Grow(int(h.Size))
	if _, err := io.Copy(data, content); err != nil {
		return unexpected(err)
	}
	u.pending.Add(1)
	u.queue <- written{path: path, data: data}
	return nil
}
