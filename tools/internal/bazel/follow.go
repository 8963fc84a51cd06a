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
		if err = lines.rewind(f); err == nil {
			err = lines.drain(f, handle)
		}
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

// lineReader reads lines of a file that grows, and decodes them.
type lineReader struct {
	rest  []byte // the beginning of a line
	first []byte // of the file: the first event names the build by an identifier, so it tells one build from the next
}

// firstSize is how much of a file's start tells whether it was begun anew.
const firstSize = 512

// rewind goes back to the start of a file that was begun anew.
func (l *lineReader) rewind(f *os.File) error {
	now := make([]byte, firstSize)
	n, err := f.ReadAt(now, 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	now = now[:n]
	if !bytes.HasPrefix(now, l.first) {
		l.rest = nil
		if _, err := f.Seek(0, io.SeekStart); err != nil {
			return err
		}
	}
	l.first = now
	return nil
}

// drain reads what there is, and handles the events of whole lines.
func (l *lineReader) drain(r io.Reader, handle func(Event)) error {
	buf := make([]byte, 64<<10)
	for {
		n, err := r.Read(buf)
		l.rest = append(l.rest, buf[:n]...)
		for {
			end := bytes.IndexByte(l.rest, '\n')
			if end < 0 {
				break
			}
			line := l.rest[:end]
			l.rest = l.rest[end+1:]
			if e, bad := Decode(line); bad == nil {
				handle(e)
			}
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
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
