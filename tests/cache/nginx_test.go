//go:build linux

package cache_test

import (
	"crypto/sha256"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/pgcell/pgcell/tests/internal/nested"
	"github.com/pgcell/pgcell/tests/internal/source"
)

// nginx is a plain HTTP cache: WebDAV's PUT writes a file, GET reads it.
type nginx struct {
	dir  string // its configuration and its log
	data string // ac/ and cas/
	port string // on the loopback interface
	mu   sync.Mutex
	cmd  *exec.Cmd // nil if it does not run
}

const nginxConfig = `daemon off;
master_process off;
pid %[1]s/pid;
error_log %[1]s/error.log warn;
events {}
http {
  access_log off;
  client_max_body_size 0;
  client_body_temp_path %[2]s/.tmp;
  proxy_temp_path %[1]s/tmp;
  fastcgi_temp_path %[1]s/tmp;
  uwsgi_temp_path %[1]s/tmp;
  scgi_temp_path %[1]s/tmp;
  server {
    listen 127.0.0.1:%[3]s;
    root %[2]s;
    location / {
      dav_methods PUT;
      create_full_put_path on;
    }
  }
}
`

// startNginx starts a server whose files are in the directory data, which may hold some already. It ends with the test,
// or with this process.
func startNginx(t *testing.T, data string) *nginx {
	t.Helper()
	n := &nginx{dir: t.TempDir(), data: data, port: freePort(t)}
	n.start(t)
	t.Cleanup(n.stop)
	return n
}

// start starts the server where it does not run, on the same port each time.
func (n *nginx) start(t *testing.T) {
	t.Helper()
	program, err := nginxProgram()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(n.data, 0o755); err != nil {
		t.Fatal(err)
	}
	config := filepath.Join(n.dir, "nginx.conf")
	nested.MustWrite(t, config, fmt.Sprintf(nginxConfig, n.dir, n.data, n.port))
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.cmd != nil {
		return
	}
	n.cmd = exec.Command(program, "-e", filepath.Join(n.dir, "error.log"), "-c", config)
	n.cmd.Env = append(os.Environ(), libraries(program))
	n.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := n.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(2 * time.Minute); ; time.Sleep(20 * time.Millisecond) {
		r, err := http.Get(n.url() + "/none")
		if err == nil {
			r.Body.Close()
			return
		}
		if time.Now().After(deadline) {
			log, _ := os.ReadFile(filepath.Join(n.dir, "error.log"))
			t.Fatalf("nginx does not answer: %v\n%s", err, log)
		}
	}
}

// stop kills the server; a second call does nothing.
func (n *nginx) stop() {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.cmd != nil {
		n.cmd.Process.Kill() // an error says that it has ended
		n.cmd.Wait()
		n.cmd = nil
	}
}

func (n *nginx) url() string { return "http://127.0.0.1:" + n.port }

// mustCopy copies a server's files, as links, in place of another's. A server replaces a file, and never writes into one,
// so the other copy stays as it is; so must a test.
func mustCopy(t *testing.T, from, to string) {
	t.Helper()
	for _, kind := range []string{"ac", "cas"} { // and not the directory that a running server writes to first
		if err := os.RemoveAll(filepath.Join(to, kind)); err != nil {
			t.Fatal(err)
		}
	}
	walk(t, from, func(path string) {
		relative, err := filepath.Rel(from, path)
		if err != nil {
			t.Fatal(err)
		}
		target := filepath.Join(to, relative)
		if err := os.MkdirAll(filepath.Dir(target), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.Link(path, target); err != nil {
			t.Fatal(err)
		}
	})
}

// walk calls f with the path of each file below ac and cas in a directory.
func walk(t *testing.T, dir string, f func(path string)) {
	t.Helper()
	for _, kind := range []string{"ac", "cas"} {
		err := filepath.WalkDir(filepath.Join(dir, kind), func(path string, d fs.DirEntry, err error) error {
			if err == nil && d.Type().IsRegular() {
				f(path)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

// damage flips a byte in the middle of each file below ac ("ac") or cas ("cas") whose text choose accepts. At least one
// must be so.
func damage(t *testing.T, dir, kind string, choose func(text string) bool) {
	t.Helper()
	count := 0
	walk(t, dir, func(path string) {
		relative, err := filepath.Rel(dir, path)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.HasPrefix(relative, kind+"/") {
			return
		}
		text := nested.MustRead(t, path)
		if !choose(text) {
			return
		}
		count++
		bad := []byte(text)
		bad[len(bad)/2] ^= 0xff
		if err := os.Remove(path); err != nil { // links to it stay whole
			t.Fatal(err)
		}
		nested.MustWrite(t, path, string(bad))
	})
	if count == 0 {
		t.Fatalf("no file to damage below %s/%s", dir, kind)
	}
}

// isGolden tells whether a text is a golden cluster: no other output is compressed by zstd.
func isGolden(text string) bool { return strings.HasPrefix(text, "\x28\xb5\x2f\xfd") }

// nginxProgram gives a path of nginx: the one on PATH, or Debian's package, unpacked once in the user's cache.
var nginxProgram = sync.OnceValues(func() (string, error) {
	if path, err := exec.LookPath("nginx"); err == nil {
		return path, nil
	}
	tree, err := source.Tree()
	if err != nil {
		return "", err
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("find a place to unpack nginx: %w; set HOME", err)
	}
	system, err := os.ReadFile("/etc/os-release")
	if err != nil {
		return "", fmt.Errorf("no nginx on PATH, and no system known to unpack one for: %w; install nginx", err)
	}
	root := filepath.Join(cache, "pgcell", fmt.Sprintf("nginx-%.6x", sha256.Sum256(system)))
	program := filepath.Join(root, "usr", "sbin", "nginx")
	if _, err := os.Stat(program); err != nil {
		unpack := exec.Command(filepath.Join(tree, "tools", "closednet", "unpack"), root, "nginx")
		unpack.Env = source.Environ()
		if out, err := unpack.CombinedOutput(); err != nil {
			return "", fmt.Errorf("no nginx on PATH; unpack Debian's: %w: %s; install nginx", err, out)
		}
	}
	return program, nil
})

// libraries gives the variable that leads nginx to the libraries that were unpacked with it.
func libraries(program string) string {
	root := strings.TrimSuffix(program, "/usr/sbin/nginx")
	dirs, _ := filepath.Glob(filepath.Join(root, "usr", "lib", "*-linux-gnu")) // the pattern is well formed
	return "LD_LIBRARY_PATH=" + strings.Join(dirs, ":")
}

// freePort gives a port that the kernel has just found free.
// lastLine gives the last line of a command's output.
func lastLine(output string) string {
	lines := strings.Split(strings.TrimSpace(output), "\n")
	return lines[len(lines)-1]
}

func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_, port, err := net.SplitHostPort(l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	return port
}
