package serial

import (
	"encoding/json"
	"fmt"
	"hash/fnv"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"
)

// Holder is a test that is in, or that keeps others from entering because it waits to be alone.
type Holder struct {
	Test    string    `json:"test"`
	Program string    `json:"program"` // label under Bazel, else the file's name
	PID     int       `json:"pid"`     // as its own process sees it, which is another number outside of a sandbox
	Way     Way       `json:"way"`
	Since   time.Time `json:"since"` // when it entered, or began to wait
}

// Way is how a test is in.
type Way string

const (
	Beside  Way = "beside others"
	Alone   Way = "alone"
	Waiting Way = "waiting to be alone"
)

// String is such as "TestA of ddl_test (process 123), alone since 14:03:05".
func (h Holder) String() string {
	return fmt.Sprintf("%s of %s (process %d), %s since %s", h.Test, h.Program, h.PID, h.Way, h.Since.Format(time.TimeOnly))
}

const (
	notePrefix = "pgcell-serial-"
	// noteDelay is how long a change has to last until a note tells of it: notes are for those who wait for seconds, and
	// most tests should not pay for them.
	noteDelay = 500 * time.Millisecond
	// noteAge is how old a note that nobody holds must be to be taken for a killed process's.
	noteAge = 10 * time.Second
)

// notes is what a process tells others of its tests: a file that it holds by a lock, written soon after a change and
// removed with the last test.
type notes struct {
	tests   map[*Holder]bool
	file    *os.File // nil while there is none
	pending *time.Timer
}

// note adds a test, until it is forgotten.
func (g *Gate) note(test string, way Way) (h *Holder) {
	g.mu.Lock()
	defer g.mu.Unlock()
	h = &Holder{Test: test, Program: program(), PID: os.Getpid(), Way: way, Since: time.Now().Truncate(time.Second)}
	if g.told.tests == nil {
		g.told.tests = map[*Holder]bool{}
	}
	g.told.tests[h] = true
	g.tellSoon()
	return h
}

// become has a test that waited be alone.
func (g *Gate) become(h *Holder, way Way) {
	g.mu.Lock()
	defer g.mu.Unlock()
	h.Way, h.Since = way, time.Now().Truncate(time.Second)
	g.tellSoon()
}

func (g *Gate) forget(h *Holder) {
	g.mu.Lock()
	defer g.mu.Unlock()
	delete(g.told.tests, h)
	if len(g.told.tests) > 0 {
		g.tellSoon()
		return
	}
	if g.told.pending != nil {
		g.told.pending.Stop()
		g.told.pending = nil
	}
	if g.told.file != nil {
		os.Remove(g.told.file.Name()) // what stays is swept
		g.told.file.Close()
		g.told.file = nil
	}
}

// tellSoon has the note written. Call it with the lock held.
func (g *Gate) tellSoon() {
	if g.told.pending == nil && g.Notes != "" {
		g.told.pending = time.AfterFunc(noteDelay, g.tell)
	}
}

// tell writes the note. A failure costs no more than the names in somebody's message.
func (g *Gate) tell() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.told.pending = nil
	if len(g.told.tests) == 0 {
		return
	}
	if g.told.file == nil {
		sweep(g.Notes)
		f, err := os.CreateTemp(g.Notes, notePrefix+g.key()+"-")
		if err != nil {
			return
		}
		if held, err := try(f, syscall.LOCK_EX); !held || err != nil {
			f.Close()
			os.Remove(f.Name())
			return
		}
		f.Chmod(0o644) // tests of other users may wait
		g.told.file = f
	}
	text, err := json.Marshal(g.own())
	if err != nil {
		return
	}
	g.told.file.Truncate(0)
	g.told.file.WriteAt(text, 0)
}

// own lists the tests of this process, longest in first. Call it with the lock held.
func (g *Gate) own() (all []Holder) {
	for h := range g.told.tests {
		all = append(all, *h)
	}
	slices.SortFunc(all, func(a, b Holder) int { return a.Since.Compare(b.Since) })
	return all
}

// Holders lists who is in or waits to be alone, those of this process first: all that have been so for a second, without
// those that cannot be read. It names tests to people; do not decide by it.
func (g *Gate) Holders() []Holder {
	g.mu.Lock()
	all, mine := g.own(), ""
	if g.told.file != nil {
		mine = g.told.file.Name()
	}
	g.mu.Unlock()
	if g.Notes == "" {
		return all
	}
	files, _ := filepath.Glob(filepath.Join(g.Notes, notePrefix+g.key()+"-*")) // fails for a bad pattern alone
	for _, file := range files {
		if file == mine || !held(file) {
			continue
		}
		var others []Holder
		if text, err := os.ReadFile(file); err == nil && json.Unmarshal(text, &others) == nil {
			all = append(all, others...)
		}
	}
	return all
}

// key tells the notes of gates apart.
func (g *Gate) key() string {
	h := fnv.New32a()
	h.Write([]byte(g.Door + "\x00" + g.Room))
	return fmt.Sprintf("%08x", h.Sum32())
}

// held reports whether the writer of a note lives.
func held(file string) bool {
	f, err := os.Open(file)
	if err != nil {
		return false
	}
	defer f.Close()
	free, err := try(f, syscall.LOCK_SH)
	return err == nil && !free
}

// Abandoned lists the notes that killed processes have left in a directory, and removes nothing. The next test that is in
// for a second removes them.
func Abandoned(dir string) (files []string) {
	all, _ := filepath.Glob(filepath.Join(dir, notePrefix+"*")) // fails for a bad pattern alone
	for _, file := range all {
		info, err := os.Lstat(file)
		if err == nil && info.Mode().IsRegular() && time.Since(info.ModTime()) > noteAge && !held(file) {
			files = append(files, file)
		}
	}
	return files
}

func sweep(dir string) {
	for _, file := range Abandoned(dir) {
		os.Remove(file) // another user's stays
	}
}

// program is how people know this process.
func program() string {
	if label := os.Getenv("TEST_TARGET"); label != "" {
		return label
	}
	return strings.TrimSuffix(filepath.Base(os.Args[0]), ".test")
}
