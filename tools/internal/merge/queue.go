package merge

import (
	"io"
	"os"
	"reflect"
	"sync"
)

// heldMemory is how much output of processes that are not yet shown is kept in memory, of all of them together. What
// goes beyond it lies in temporary files.
const heldMemory = 4 << 20

// Queue shows the output of several processes one after another: that of the first as it comes, that of the others when
// their turn comes. It is safe for use by several goroutines. Output that waits lies in memory, and in files without a
// name where it is much.
type Queue struct {
	mu   sync.Mutex
	out  io.Writer
	held []*held
	turn int // whose output is shown as it comes
	used int // bytes in memory
	last byte
	err  error // of writing
}

// held is what one process has printed and is not shown yet.
type held struct {
	memory []byte
	file   *os.File // has no name: nothing of it stays, however this process ends
	done   bool
}

// NewQueue gives a queue of so many processes, which writes to out.
func NewQueue(out io.Writer, size int) *Queue {
	q := &Queue{out: out, last: '\n'}
	for range size {
		q.held = append(q.held, &held{})
	}
	return q
}

// Write takes output of process i.
func (q *Queue) Write(i int, p []byte) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if i == q.turn {
		q.show(p)
		return
	}
	h := q.held[i]
	if h.file == nil && q.used+len(p) > heldMemory {
		h.spill()
		q.used -= len(h.memory)
		h.memory = nil
	}
	if h.file != nil {
		if _, err := h.file.Write(p); err == nil {
			return
		}
	}
	h.memory = append(h.memory, p...) // also where there is no room for files
	q.used += len(p)
}

// spill moves what is held into a file. Where there is none to be had, all stays in memory.
func (h *held) spill() {
	file, err := os.CreateTemp("", "pgcell-output-")
	if err != nil {
		return
	}
	_ = os.Remove(file.Name()) // Unix keeps it for those who have it open
	if _, err := file.Write(h.memory); err != nil {
		_ = file.Close()
		return
	}
	h.file = file
}

// End says that process i prints no more.
func (q *Queue) End(i int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.held[i].done = true
	for q.turn < len(q.held) && q.held[q.turn].done {
		if q.turn++; q.turn < len(q.held) {
			q.release(q.held[q.turn])
		}
	}
}

// release shows what is held.
func (q *Queue) release(h *held) {
	if q.last != '\n' {
		q.show([]byte("\n"))
	}
	if h.file != nil {
		if _, err := h.file.Seek(0, io.SeekStart); err != nil {
			q.err = err
		}
		buffer := make([]byte, 64<<10)
		for {
			n, err := h.file.Read(buffer)
			q.show(buffer[:n])
			if err != nil {
				break
			}
		}
		_ = h.file.Close()
	}
	q.show(h.memory)
	q.used -= len(h.memory)
	h.memory, h.file = nil, nil
}

// Finish shows what follows the output of all processes. The error is the first one of writing.
func (q *Queue) Finish(text []byte) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.last != '\n' && len(text) > 0 {
		q.show([]byte("\n"))
	}
	q.show(text)
	return q.err
}

func (q *Queue) show(p []byte) {
	if len(p) == 0 || q.err != nil {
		return
	}
	q.last = p[len(p)-1]
	_, q.err = q.out.Write(p)
}

// OneStream reports whether two writers are one file.
func OneStream(a, b io.Writer) bool {
	f, isFile := a.(*os.File)
	g, areFiles := b.(*os.File)
	if !isFile || !areFiles {
		return reflect.TypeOf(a) == reflect.TypeOf(b) && reflect.TypeOf(a).Comparable() && a == b
	}
	one, err := f.Stat()
	other, otherErr := g.Stat()
	return err == nil && otherErr == nil && os.SameFile(one, other)
}
