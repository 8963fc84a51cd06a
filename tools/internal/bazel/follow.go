package bazel

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"time"
)

// pollInterval is how often Follow looks for new events: often enough for a person who watches,
// rare enough to cost nothing.
const pollInterval = 100 * time.Millisecond

// Follow calls handle with every event of the file at path, in order, from the caller's goroutine, until ctx ends: cancel
// it once Bazel has exited. Then it reads what is still there and returns. The file need not exist yet.
//
// Where the remote cache has lost what a build needs, Bazel begins anew in the same process, and writes the file from its
// start: then the events of the new build follow, with another Started.
//
// A file that ends early, in the middle of a line or was never made is no error, for Bazel may have died at any point;
// whether an Event with Finished came is what tells. The error is one of reading.
func Follow(ctx context.Context, path string, handle func(Event)) error {
	return FollowIdle(ctx, path, handle, func() {})
}

// FollowIdle is Follow that calls idle, from the same goroutine, about ten times a second and once at the end.
func FollowIdle(ctx context.Context, path string, handle func(Event), idle func()) error {
	f, err := open(ctx, path, idle)
	if err != nil {
		return err
	}
	if f == nil {
		return nil
	}
	defer f.Close()

	var lines lineReader
	tick := time.NewTicker(pollInterval)
	defer tick.Stop()
	for {
		// Asked before reading: what Bazel wrote before it exited is then surely read.
		ended := ctx.Err() != nil
		err = lines.drain(f, handle)
		if err != nil {
			return fmt.Errorf("read build events %s: %w", path, err)
		}
		if ended {
			lines.finish(handle)
		}
		idle()
		if ended {
			return nil
		}
		select {
		case <-ctx.Done():
		case <-tick.C:
		}
	}
}

// open waits until the file exists. It returns nil when ctx ended before that.
func open(ctx context.Context, path string, idle func()) (*os.File, error) {
	tick := time.NewTicker(pollInterval)
	defer tick.Stop()
	for {
		ended := ctx.Err() != nil
		f, err := os.Open(path)
		if err == nil {
			return f, nil
		}
		if !errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("open build events: %w", err)
		}
		if ended {
			return nil, nil
		}
		idle()
		select {
		case <-ctx.Done():
		case <-tick.C:
		}
	}
}

// lineReader reads lines of a file that grows or is begun anew, and decodes them.
type lineReader struct {
	rest  []byte // the beginning of a line
	first []byte // the file's first bytes as they were read: an event that names the build by an identifier of its own
}

// firstSize is how much of a file's start tells whether it was begun anew.
const firstSize = 512

// drain reads what there is, and handles the events of whole lines.
func (l *lineReader) drain(f *os.File, handle func(Event)) error {
	buf := make([]byte, 64<<10)
	for {
		n, err := f.Read(buf)
		if err != nil && !errors.Is(err, io.EOF) {
			return err
		}
		// Asked after reading: if the file was begun anew meanwhile, what was read may be from the middle of the new one.
		anew, bad := l.begunAnew(f)
		if bad != nil {
			return bad
		}
		if anew {
			l.rest, l.first = nil, nil
			if _, err := f.Seek(0, io.SeekStart); err != nil {
				return err
			}
			continue
		}
		l.first = append(l.first, buf[:min(n, firstSize-len(l.first))]...)
		l.handle(buf[:n], handle)
		if err != nil {
			return nil
		}
	}
}

// begunAnew tells whether the file no longer begins as it did when it was read.
func (l *lineReader) begunAnew(f *os.File) (bool, error) {
	now := make([]byte, len(l.first))
	n, err := f.ReadAt(now, 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return false, err
	}
	return !bytes.Equal(now[:n], l.first), nil
}

func (l *lineReader) handle(read []byte, handle func(Event)) {
	l.rest = append(l.rest, read...)
	for {
		end := bytes.IndexByte(l.rest, '\n')
		if end < 0 {
			return
		}
		line := l.rest[:end]
		l.rest = l.rest[end+1:]
		if e, bad := Decode(line); bad == nil {
			handle(e)
		}
	}
}

// finish hands over an event whose line has no end, provided that it is whole.
func (l *lineReader) finish(handle func(Event)) {
	if e, err := Decode(l.rest); err == nil {
		handle(e)
	}
	l.rest = nil
}
