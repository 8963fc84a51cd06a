package postgres_test

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/pgcell/pgcell/tools/internal/binaries"
	"github.com/pgcell/pgcell/tools/internal/keeper"
	"github.com/pgcell/pgcell/tools/internal/postgres"
	"github.com/pgcell/pgcell/tools/internal/storage"
)

// rootlessVariable marks a process that is root where no further user namespace may be made, as in most containers.
const rootlessVariable = "PGCELL_TEST_NO_NAMESPACES"

// asRootWithoutNamespaces runs the calling test again in such a process, and tells whether this is that process. The process
// is the root of a user namespace with all users, as a container's root is.
func asRootWithoutNamespaces(t *testing.T) bool {
	t.Helper()
	if os.Getenv(rootlessVariable) != "" {
		if err := os.WriteFile("/proc/sys/user/max_user_namespaces", []byte("0"), 0); err != nil {
			t.Skip(err)
		}
		return true
	}
	cmd := exec.Command("/proc/self/exe", "-test.run=^"+t.Name()+"$", "-test.v")
	cmd.Env = append(os.Environ(), rootlessVariable+"=1", "GO_TEST_WRAP=0")
	users := []syscall.SysProcIDMap{{ContainerID: 0, HostID: 0, Size: 65536}}
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWUSER, UidMappings: users, GidMappings: users,
		GidMappingsEnableSetgroups: true}
	out, err := cmd.CombinedOutput()
	if errors.Is(err, syscall.EPERM) || errors.Is(err, syscall.EACCES) || strings.Contains(string(out), "--- SKIP") {
		t.Skipf("only a machine's root can map all users: %v %s", err, out)
	}
	if err != nil {
		t.Errorf("%v:\n%s", err, out)
	}
	return false
}

// A remote executor lays files out for its own user: where that is root, nobody else can execute them.
func TestProgramsOfRootAlone(t *testing.T) {
	if !asRootWithoutNamespaces(t) {
		return
	}
	install := mustInstall(t)
	bin, err := binaries.CopyToAll(install.BinDir, mustOpenDir(t))
	if err != nil {
		t.Fatal(err)
	}
	for _, program := range []string{"postgres", "initdb"} {
		if err := os.Chmod(filepath.Join(bin, program), 0o744); err != nil {
			t.Fatal(err)
		}
	}
	install.BinDir = bin
	parent := mustOpenDir(t)
	storage.TempDirs = []string{parent} // of this process, in which no other test runs
	for _, kind := range []storage.Kind{storage.Memory, storage.Disk} {
		s, err := postgres.Start(t.Context(), postgres.Config{Install: install, Storage: kind})
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		if got := s.Containment(); got != keeper.Watchdog {
			t.Errorf("containment is %v, want %v", got, keeper.Watchdog)
		}
		if got := mustQuery(t, s, "SELECT extname FROM pg_extension"); got != "plpgsql" {
			t.Errorf("extension is %q, want plpgsql", got)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		if left, err := os.ReadDir(parent); err != nil || len(left) > 0 {
			t.Errorf("left in %q: %v, %v; want nothing", parent, left, err)
		}
	}
}

// Without a place for a copy, the error says what else would do.
func TestNoPlaceForPrograms(t *testing.T) {
	if !asRootWithoutNamespaces(t) {
		return
	}
	dir := t.TempDir() // which its user alone may enter
	for _, name := range []string{"postgres", "initdb"} {
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{}); err != nil {
		t.Fatal(err)
	}
	_, err := postgres.Start(t.Context(), postgres.Config{Install: binaries.Install{BinDir: dir, Version: binaries.Version{Major: 18}}})

	for _, want := range []string{
		fmt.Sprintf("copy the PostgreSQL in %q, which the user nobody, who the server runs as, may not execute: ", dir),
		"; allow user namespaces, run the tests as an ordinary user, or let all users read that directory",
	} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Start = %v, want it to contain %q", err, want)
		}
	}
}
