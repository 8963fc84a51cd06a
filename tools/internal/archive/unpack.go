package archive

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"

	"github.com/klauspost/compress/zstd"
)

const (
	// buffered is how many files may be on their way from the decoder to the writers. Each has a buffer, which serves
	// one file after the other: memory that is new costs a page fault for every 4 kB, and more of it costs the fork of
	// the server.
	buffered = 4
	// whole is the largest file, in bytes, that goes through a buffer; larger ones are copied piece by piece.
	whole = 1 << 20
	// writers is how many files are written at once while the archive is being decoded.
	writers = 2
	// page is the least that a hole in a file saves, in bytes.
	page = 4 << 10
)

// written is a content on its way from the decoder to a writer, and the files that it is for.
type written struct {
	paths []string
	data  []byte
}

// unpacker carries what decoding and writing share.
type unpacker struct {
	dataDir string
	queue   chan written
	free    chan []byte    // buffers that nobody uses
	pending sync.WaitGroup // contents queued and not yet written
	enough  func()
	next    written // what is decoded but not queued: links to it may follow
	first   string  // its name in the archive
}

// Unpack fills an empty data directory from the file source, after it has compared the file's digest. It calls enough once
// all is there that a server reads when it starts.
//
// Errors: [*DamagedError]; those of files that cannot be read or written; the cause of ctx's end.
func Unpack(ctx context.Context, source, dataDir string, enough func()) error {
	f, err := openWhole(source)
	if err != nil {
		return err
	}
	defer f.Close()
	z, err := zstd.NewReader(f, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true),
		zstd.WithDecoderMaxWindow(window))
	if err != nil {
		return &DamagedError{Path: source, Err: err}
	}
	defer z.Close()
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	u := &unpacker{dataDir: dataDir, enough: enough}
	u.queue, u.free = make(chan written, buffered), make(chan []byte, buffered)
	for range buffered {
		u.free <- nil
	}
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
		_, err = io.Copy(io.Discard, z) // zstd's own checksum stands behind the archive's end
	}
	close(u.queue)
	group.Wait()
	if cause := context.Cause(ctx); cause != nil {
		return cause // a file could not be written, or the keeper was told to end
	}
	var system *fs.PathError // of a directory or a large file: the archive is not to blame
	if errors.As(err, &system) {
		return fmt.Errorf("unpack golden cluster %q: %w", source, err)
	}
	if err != nil {
		return &DamagedError{Path: source, Err: err}
	}
	return nil
}

func (u *unpacker) write(w written) error {
	defer u.pending.Done()
	defer func() { u.free <- w.data }()
	for _, path := range w.paths {
		if err := writeFile(path, w.data); err != nil {
			return err
		}
	}
	return nil
}

// writeFile is os.WriteFile for a new file, less what that does to be ready for pipes and terminals: with 1,500 files
// it shows.
func writeFile(path string, data []byte) error {
	fd, err := retry(func() (int, error) {
		return syscall.Open(path, syscall.O_WRONLY|syscall.O_CREAT|syscall.O_EXCL|syscall.O_CLOEXEC, 0o600)
	})
	if err != nil {
		return &fs.PathError{Op: "open", Path: path, Err: err}
	}
	size := len(data)
	if data = bytes.TrimRight(data, "\x00"); size-len(data) < page {
		data = data[:size]
	} else {
		err = syscall.Ftruncate(fd, int64(size)) // zeros at the end need no memory
	}
	for len(data) > 0 && err == nil {
		var n int
		n, err = retry(func() (int, error) { return syscall.Write(fd, data) })
		data = data[max(0, n):]
	}
	if closing := syscall.Close(fd); err == nil {
		err = closing
	}
	if err != nil {
		return &fs.PathError{Op: "write", Path: path, Err: err}
	}
	return nil
}

// retry repeats a system call that a signal interrupts, as Go's scheduler does on file systems where that can happen.
func retry(call func() (int, error)) (int, error) {
	for {
		if n, err := call(); err != syscall.EINTR {
			return n, err
		}
	}
}

// decode makes the directories and queues the files of an archive.
func (u *unpacker) decode(ctx context.Context, t *tar.Reader) error {
	_, header, err := readManifest(t)
	if err != nil {
		return err
	}
	for n := 0; ; n++ {
		if n == header.Early {
			u.flush()
			u.pending.Wait()
			if ctx.Err() == nil {
				u.enough()
			}
		}
		h, err := t.Next()
		if errors.Is(err, io.EOF) && n == header.Entries {
			u.flush()
			return nil
		}
		if err != nil {
			return unexpected(err)
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err := u.entry(ctx, h, t); err != nil {
			return err
		}
	}
}

// flush queues what no link can follow any more.
func (u *unpacker) flush() {
	if u.next.paths != nil {
		u.pending.Add(1)
		u.queue <- u.next
	}
	u.next, u.first = written{}, ""
}

func (u *unpacker) entry(ctx context.Context, h *tar.Header, content io.Reader) error {
	if !filepath.IsLocal(h.Name) || strings.Contains(h.Name, `\`) {
		return fmt.Errorf("entry %q leads out of the data directory", h.Name)
	}
	path := filepath.Join(u.dataDir, filepath.FromSlash(h.Name))
	switch {
	case h.Typeflag == tar.TypeDir:
		return os.Mkdir(path, 0o700)
	case h.Typeflag == tar.TypeLink:
		if h.Linkname != u.first || u.first == "" {
			return fmt.Errorf("entry %q is the same as %q, which does not stand before it", h.Name, h.Linkname)
		}
		u.next.paths = append(u.next.paths, path)
		return nil
	}
	u.flush()
	if h.Size > whole {
		return copyFile(path, content)
	}
	var data []byte
	select {
	case data = <-u.free:
	case <-ctx.Done():
		return ctx.Err()
	}
	data = slices.Grow(data[:0], int(h.Size))[:h.Size]
	u.next, u.first = written{paths: []string{path}, data: data}, h.Name
	if _, err := io.ReadFull(content, data); err != nil {
		return unexpected(err)
	}
	return nil
}

// copyFile writes a new file from a stream.
func copyFile(path string, content io.Reader) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(f, content)
	if closing := f.Close(); err == nil {
		err = closing
	}
	return unexpected(err)
}
