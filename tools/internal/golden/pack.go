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
	"strings"
	"sync"

	"github.com/klauspost/compress/zstd"

	"github.com/pgcell/pgcell/tools/internal/postgres"
)

const manifestName = "pgcell.json"

// Manifest says what a golden cluster holds.
type Manifest struct {
	Template       string            // the sealed database, as [Recipe.TemplateName] names it
	Postgres       postgres.Version  // that made it; its major version must run it
	BinDir         string            // of that PostgreSQL, where it was found on the machine; may be ""
	RunfilesBinDir string            // of that PostgreSQL below the runfiles root, where Bazel brings it; may be ""
	Settings       map[string]string // of the server
	Superuser      bool              // Role is a superuser
	Files          int               // in the archive, without the manifest
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
	m.Files = len(files)
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
	return m, json.NewDecoder(t).Decode(&m)
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

// unpack fills a data directory from a golden cluster.
func unpack(ctx context.Context, source, dataDir string) error {
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
	queue := make(chan written, 16)
	buffers := &sync.Pool{New: func() any { return new(bytes.Buffer) }}
	var group sync.WaitGroup
	for range writers {
		group.Go(func() {
			for w := range queue {
				if err := os.WriteFile(w.path, w.data.Bytes(), 0o600); err != nil {
					cancel(fmt.Errorf("unpack golden cluster %q: %w", source, err))
				}
				w.data.Reset()
				buffers.Put(w.data)
			}
		})
	}
	err = decode(ctx, tar.NewReader(z), dataDir, queue, buffers)
	if err == nil {
		_, err = io.Copy(io.Discard, z) // the checksum stands behind the archive's end
	}
	close(queue)
	group.Wait()
	if cause := context.Cause(ctx); cause != nil {
		return cause // a file could not be written, or the keeper was told to end
	}
	if err != nil {
		return &DamagedError{Path: source, Err: err}
	}
	return nil
}

// decode makes the directories and queues the files of an archive.
func decode(ctx context.Context, t *tar.Reader, dataDir string, queue chan<- written, buffers *sync.Pool) error {
	m, err := readManifest(t)
	if err != nil {
		return err
	}
	for n := 0; ; n++ {
		h, err := t.Next()
		if errors.Is(err, io.EOF) && n == m.Files {
			return nil
		}
		if err != nil {
			return unexpected(err)
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if !filepath.IsLocal(h.Name) || strings.Contains(h.Name, `\`) {
			return fmt.Errorf("entry %q leads out of the data directory", h.Name)
		}
		path := filepath.Join(dataDir, filepath.FromSlash(h.Name))
		if h.Typeflag == tar.TypeDir {
			if err := os.Mkdir(path, 0o700); err != nil {
				return err
			}
			continue
		}
		data := buffers.Get().(*bytes.Buffer)
		data.Grow(int(h.Size))
		if _, err := io.Copy(data, t); err != nil {
			return unexpected(err)
		}
		queue <- written{path: path, data: data}
	}
}
