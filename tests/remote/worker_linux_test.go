package remote_test

import (
	"bufio"
	"bytes"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/pgcell/pgcell/tests/internal/nested"
)

// workerUser says as whom a worker runs actions.
type workerUser struct {
	name string
	uid  int
	// noNamespaces forbids further user namespaces, as most containers do.
	noNamespaces bool
	postgres     string // of the tests
}

// worker is Bazel's own RemoteWorker, in a root directory without PostgreSQL and Go, and in a network, a process and a
// mount namespace of its own: nothing of this machine is there for an action to find.
type worker struct {
	address string // for --remote_executor
	log     *workerLog
}

// workerPackages are what is in the worker's root: what Bazel's test-setup.sh calls, Java for the worker itself, and what the
// PostgreSQL of npm loads.
var workerPackages = []string{"bash", "coreutils", "findutils", "sed", "mount", "libc-bin", "openjdk-25-jre-headless", "libstdc++6"}

// workerJars are the directories of the machine's root that hold the worker's Java libraries.
var workerJars = []string{"/usr/share/bazel", "/usr/share/java", "/usr/share/maven-repo"}

// workerParts makes what all workers are made of, once: their root directory, and the compiled worker.
var workerParts = sync.OnceValues(func() (parts struct{ root, classes string }, err error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return parts, err
	}
	parts.root, parts.classes = filepath.Join(cache, "pgcell", "worker-root"), filepath.Join(cache, "pgcell", "worker-classes")
	if err = makeOnce(parts.root, makeWorkerRoot); err == nil {
		err = makeOnce(parts.classes, makeWorkerClasses)
	}
	return parts, err
})

// makeOnce has f make a directory that other runs find; it appears whole or not at all.
func makeOnce(dir string, f func(dir string) error) error {
	if _, err := os.Stat(dir); err == nil {
		return nil
	}
	work := fmt.Sprintf("%s.%d", dir, os.Getpid())
	defer os.RemoveAll(work)
	if err := f(work); err != nil {
		return err
	}
	return os.Rename(work, dir)
}

func makeWorkerRoot(dir string) error {
	if err := unpack(append([]string{"--all", dir}, workerPackages...)...); err != nil {
		return err
	}
	for _, place := range append([]string{"/.host", "/worker"}, workerJars...) {
		if err := os.MkdirAll(dir+place, 0o755); err != nil {
			return err
		}
	}
	for name, text := range map[string]string{
		"/etc/passwd": "root:x:0:0::/:/bin/bash\nworker:x:1000:1000::/worker:/bin/bash\nnobody:x:65534:65534::/:/usr/sbin/nologin\n",
		"/etc/group":  "root:x:0:\nworker:x:1000:\nnogroup:x:65534:\n",
		"/etc/hosts":  "127.0.0.1 localhost\n",
	} {
		if err := os.WriteFile(dir+name, []byte(text), 0o644); err != nil {
			return err
		}
	}
	if err := os.Symlink("bash", dir+"/usr/bin/sh"); err != nil && !os.IsExist(err) {
		return err
	}
	for _, pattern := range []string{"/usr/bin/postgres", "/usr/bin/psql", "/usr/lib/postgresql", "/usr/bin/go", "/usr/lib/go*", "/usr/bin/*cc"} {
		if found, _ := filepath.Glob(dir + pattern); len(found) > 0 {
			return fmt.Errorf("the worker's root has %v, want neither PostgreSQL nor Go nor a compiler", found)
		}
	}
	return nil
}

// makeWorkerClasses compiles the worker from the sources of Debian's Bazel. The Java runtime has the compiler's module.
func makeWorkerClasses(dir string) error {
	sources := dir + ".sources"
	defer os.RemoveAll(sources)
	if err := unpack(sources, "bazel-bootstrap-source"); err != nil {
		return err
	}
	args := []string{"-m", "jdk.compiler/com.sun.tools.javac.Main", "-nowarn", "-proc:none", "-d", dir, "-cp", workerClasspath()}
	for _, tree := range []string{"src/tools/remote/src/main", "tools/java/runfiles"} {
		err := filepath.WalkDir(filepath.Join(sources, "usr/src/bazel-bootstrap", tree), func(path string, _ os.DirEntry, err error) error {
			if strings.HasSuffix(path, ".java") && !strings.Contains(path, "/testing/") {
				args = append(args, path)
			}
			return err
		})
		if err != nil {
			return err
		}
	}
	if out, err := exec.Command(java, args...).CombinedOutput(); err != nil {
		return fmt.Errorf("compile the worker: %w: %s", err, out)
	}
	return nil
}

const java = "/usr/lib/jvm/java-25-openjdk-amd64/bin/java"

// workerClasspath is what Debian's Bazel runs with.
func workerClasspath() string {
	jars, err := os.ReadFile("/usr/share/bazel/bazel_classpath_debian_depends.txt")
	if err != nil {
		return ""
	}
	return "/usr/share/bazel/A-server.jar:" + strings.Join(strings.Fields(string(jars)), ":")
}

func unpack(args ...string) error {
	tree, err := filepath.EvalSymlinks("BUILD.bazel")
	if err != nil {
		return err
	}
	cmd := exec.Command(filepath.Join(filepath.Dir(tree), "../../tools/closednet/unpack"), args...)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%v: %w: %s", cmd.Args, err, out)
	}
	return nil
}

// startWorker starts a worker that ends with the test.
func startWorker(t *testing.T, user workerUser) *worker {
	t.Helper()
	if os.Getuid() != 0 {
		t.Skip("only root can have processes of other users")
	}
	if _, err := os.Stat("/etc/pgcell-root"); err != nil {
		t.Skipf("%v: only the root that tools/bazel makes, Debian testing, has the worker's packages", err)
	}
	parts, err := workerParts()
	if err != nil {
		t.Fatal(err)
	}
	data := workerData(t, user)
	// Its socket is of this network namespace; whoever accepts on it may be in another.
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	socket, err := listener.(*net.TCPListener).File()
	if err != nil {
		t.Fatal(err)
	}
	defer socket.Close()
	w := &worker{address: "grpc://" + listener.Addr().String(), log: &workerLog{ready: make(chan struct{})}}
	cmd := exec.Command("/proc/self/exe", parts.root, parts.classes, data, fmt.Sprint(user.uid))
	cmd.Env = []string{workerVariable + "=1"}
	cmd.ExtraFiles = []*os.File{socket}
	cmd.Stdout, cmd.Stderr = w.log, w.log
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Setsid:     true,
		Cloneflags: syscall.CLONE_NEWNS | syscall.CLONE_NEWPID | syscall.CLONE_NEWNET | syscall.CLONE_NEWIPC,
	}
	if user.noNamespaces {
		users := []syscall.SysProcIDMap{{ContainerID: 0, HostID: 0, Size: 65536}}
		cmd.SysProcAttr.Cloneflags |= syscall.CLONE_NEWUSER
		cmd.SysProcAttr.UidMappings, cmd.SysProcAttr.GidMappings = users, users
		cmd.SysProcAttr.GidMappingsEnableSetgroups = true
		cmd.Env = append(cmd.Env, noNamespacesVariable+"=1")
	}
	stdin, err := cmd.StdinPipe() // whose end ends the worker, however this process dies
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatalf("start the worker: %v", err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	t.Cleanup(func() {
		stdin.Close()
		<-ended
		if t.Failed() {
			t.Logf("the worker's log ends:\n%s", w.log.tail())
		}
	})
	select {
	case <-w.log.ready:
	case err := <-ended:
		ended <- err
		t.Fatalf("the worker ended (%v):\n%s", err, w.log.tail())
	case <-time.After(2 * time.Minute):
		t.Fatalf("the worker is not ready after 2 minutes:\n%s", w.log.tail())
	}
	return w
}

// workerData makes the directory that the worker may write to.
func workerData(t *testing.T, user workerUser) string {
	t.Helper()
	data := t.TempDir()
	for _, name := range []string{"tmp", "home", "home/cas", "home/work", "home/classes"} {
		dir := filepath.Join(data, name)
		if err := os.Mkdir(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.Chown(dir, user.uid, user.uid); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Chmod(filepath.Join(data, "tmp"), 0o777|os.ModeSticky); err != nil {
		t.Fatal(err)
	}
	// What it leaves may be another user's, and read-only.
	t.Cleanup(func() {
		if out, err := exec.Command("rm", "-rf", data).CombinedOutput(); err != nil {
			t.Errorf("%v: %s", err, out)
		}
	})
	return data
}

// workerLog keeps what the worker says, and closes ready when it says that it serves.
type workerLog struct {
	mu    sync.Mutex
	text  bytes.Buffer
	done  bool
	ready chan struct{}
}

func (l *workerLog) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.text.Write(p)
	if !l.done && bytes.Contains(l.text.Bytes(), []byte(workerReady)) {
		l.done = true
		close(l.ready)
	}
	return len(p), nil
}

// tail is its last 40 lines.
func (l *workerLog) tail() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	var lines []string
	for s := bufio.NewScanner(bytes.NewReader(l.text.Bytes())); s.Scan(); {
		lines = append(lines, s.Text())
	}
	return strings.Join(lines[max(0, len(lines)-40):], "\n")
}

// flags are Bazel's for this worker: what runs runs there, and so does every test.
func (w *worker) flags() []string {
	return []string{
		"--remote_executor=" + w.address, "--spawn_strategy=remote", "--nocache_test_results", "--jobs=4",
		"--remote_download_outputs=all", "--nobuild_event_json_file_path_conversion", // for the logs
	}
}

// byStrategy counts shards.
func byStrategy(shards []nested.Shard) map[string]int {
	counts := map[string]int{}
	for _, s := range shards {
		counts[s.Strategy]++
	}
	return counts
}
