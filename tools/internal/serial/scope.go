package serial

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
)

// Here is the gate of the tests that this process belongs to: those of the Bazel workspace, or else of the Go module,
// that it was built from or is started in. Where neither can be seen or locked (remote execution, some network file
// systems), it is the gate of [Machine].
func Here() *Gate {
	if os.Getenv("TEST_SRCDIR") != "" || os.Getenv("RUNFILES_DIR") != "" {
		if program, err := os.Executable(); err == nil {
			return first(builtBy(program))
		}
		return Machine()
	}
	dir, err := os.Getwd()
	if err != nil {
		return Machine()
	}
	return first(sources(dir))
}

// Machine is the gate of all pgcell tests of this machine.
func Machine() *Gate {
	g := &Gate{Scope: "this machine", Door: "/", Room: sharedMemory, Notes: sharedMemory}
	if info, err := os.Stat(g.Room); err != nil || !info.IsDir() {
		g.Room, g.Notes = "/tmp", "/tmp"
	}
	return g
}

// sharedMemory is a directory that sandboxes share and may write to.
const sharedMemory = "/dev/shm"

// first gives the first gate that can be locked.
func first(gates []*Gate) *Gate {
	machine := Machine()
	for _, g := range gates {
		if g.Notes = machine.Notes; g.usable() {
			return g
		}
	}
	return machine
}

// sources gives gates for the workspace, or else the module, that a directory lies in. A workspace may have several
// modules; the nearest of either is what is meant.
func sources(dir string) (gates []*Gate) {
	for _, kind := range []struct {
		word  string
		marks []string
	}{
		{"workspace", []string{"MODULE.bazel", "WORKSPACE.bazel", "WORKSPACE"}},
		{"module", []string{"go.mod"}},
	} {
		for at := dir; ; at = filepath.Dir(at) {
			for _, mark := range kind.marks {
				file := filepath.Join(at, mark)
				if info, err := os.Stat(file); err == nil && info.Mode().IsRegular() {
					return append(gates, &Gate{Scope: fmt.Sprintf("%s %q", kind.word, at), Door: at, Room: file})
				}
			}
			if at == filepath.Dir(at) {
				break
			}
		}
	}
	return gates
}

// builtBy gives gates for the workspace whose build wrote a program: Bazel notes its path in the output base, and a
// sandbox shows both. The program's own path is used since the working directory may be a sandbox's, anywhere.
func builtBy(program string) (gates []*Gate) {
	const note = "DO_NOT_BUILD_HERE"
	for dir := filepath.Dir(program); dir != filepath.Dir(dir); dir = filepath.Dir(dir) {
		file := filepath.Join(dir, note)
		root, err := os.ReadFile(file)
		if err != nil {
			continue
		}
		gates = append(gates, sources(string(bytes.TrimSpace(root)))...)
		return append(gates, &Gate{Scope: fmt.Sprintf("the workspace built in %q", dir), Door: dir, Room: file})
	}
	return nil
}

// usable reports whether both can be locked; some file systems have no locks, or none on what is open for reading.
func (g *Gate) usable() bool {
	for _, name := range []string{g.Door, g.Room} {
		f, err := os.Open(name)
		if err != nil {
			return false
		}
		_, err = try(f, syscall.LOCK_SH)
		f.Close()
		if err != nil {
			return false
		}
	}
	return true
}
