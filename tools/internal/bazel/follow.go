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

// Follow calls handle with every event of the file at path, in order, from the caller's goroutine,
// and waits for more until Bazel's last one was handled. The file need not exist yet.
//
// When ctx ends (cancel it once Bazel has exited), Follow reads what is still there and returns: a
// file that ends early, in the middle of a line or was never made is no error, for Bazel may have
// died at any point; whether an Event with Finished came is what tells. The error is one of reading.
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
		last, err := lines.drain(f, handle)
		if err != nil {
			return fmt.Errorf("read build events %s: %w", path, err)
		}
		if ended {
			lines.finish(handle)
		}
		idle()
		if last || ended {
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

// lineReader cuts a growing file into lines and keeps the unfinished last one.
type lineReader struct {
	rest []byte
}

// drain reads to the present end of r and hands over each complete line that is an event. Lines
// that are none are passed over: a later event may still be a good one.
func (l *lineReader) drain(r io.Reader, handle func(Event)) (last bool, err error) {
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
				last = last || e.Last
			}
		}
		if errors.Is(err, io.EOF) {
			return last, nil
		}
		if err != nil {
			return last, err
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
