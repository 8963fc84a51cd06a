package netns_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/pgcell/pgcell/tools/internal/netns"
	"github.com/pgcell/pgcell/tools/internal/peer"
)

// clientEnv makes a client of the test binary: it connects to the addresses that it is given, and prints its process id
// and what it reads. A first argument "from" has it do so from a certain port.
const clientEnv = "NETNS_TEST_CLIENT"

func TestMain(m *testing.M) {
	netns.Become()
	if os.Getenv(clientEnv) != "" {
		os.Exit(client(os.Args[1:]))
	}
	os.Exit(m.Run())
}

func client(addresses []string) int {
	if addresses[0] == "hidden" {
		return hidden(addresses[1:])
	}
	dialer := net.Dialer{Timeout: 20 * time.Second}
	if addresses[0] == "from" {
		dialer.LocalAddr = &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 40404}
		addresses = addresses[1:]
	}
	for _, a := range addresses {
		conn, err := dialer.Dial("tcp", a)
		if err != nil {
			fmt.Println(err)
			return 1
		}
		text, err := io.ReadAll(conn)
		if err != nil {
			fmt.Println(err)
			return 1
		}
		fmt.Printf("%d reads %s\n", os.Getpid(), text)
	}
	return 0
}

// mustStart starts a command in a namespace; it skips where the system forbids them.
func mustStart(t *testing.T, cmd *exec.Cmd, c netns.Config) *netns.Space {
	t.Helper()
	s, err := netns.Start(t.Context(), cmd, c)
	var forbidden *netns.ForbiddenError
	if errors.As(err, &forbidden) {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

// serve answers each client with a name and the process that it finds behind the connection.
func serve(t *testing.T, l net.Listener, name string) {
	for {
		conn, err := l.Accept()
		if err != nil {
			return
		}
		pid, err := peer.Of(conn, os.Getpid())
		if err != nil {
			t.Error(err)
		}
		fmt.Fprintf(conn, "%s %d", name, pid)
		conn.Close()
	}
}

// run starts a command in a namespace, serves it, and gives what it prints.
func run(t *testing.T, cmd *exec.Cmd, c netns.Config) (output string, err error) {
	t.Helper()
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	s := mustStart(t, cmd, c)
	for i, all := range s.Served {
		if len(all) == 0 {
			t.Errorf("nobody listens at %v", c.Serve[i])
		}
		for _, l := range all {
			go serve(t, l, c.Serve[i].String())
		}
	}
	err = cmd.Wait()
	return out.String(), err
}

func mustAddress(t *testing.T, text string) netns.Address {
	t.Helper()
	a, err := netns.ParseAddress(text)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func clientOf(addresses ...string) *exec.Cmd {
	cmd := exec.Command("/proc/self/exe", addresses...)
	cmd.Env = append(os.Environ(), clientEnv+"=1")
	return cmd
}

// ensureReads has a client in a namespace read from the right listeners, which know its process.
func ensureReads(t *testing.T, c netns.Config, dials, from []string) {
	t.Helper()
	cmd := clientOf(dials...)
	out, err := run(t, cmd, c)
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	lines := strings.Split(strings.TrimSpace(out), "\n")
	for i, name := range from {
		want := fmt.Sprintf("%d reads %s %d", cmd.Process.Pid, name, cmd.Process.Pid)
		if i >= len(lines) || lines[i] != want {
			t.Errorf("the client of %s printed %q, want %q", dials[i], out, want)
		}
	}
}

// TestServe serves the same addresses in several namespaces at once.
func TestServe(t *testing.T) {
	t.Parallel()
	for i := range 3 {
		t.Run(strconv.Itoa(i), func(t *testing.T) {
			t.Parallel()
			c := netns.Config{Serve: []netns.Address{
				mustAddress(t, "5432"), mustAddress(t, "db:5432"), mustAddress(t, "other.example.com:5432"), mustAddress(t, "10.1.2.3:5432"),
			}}
			dials := []string{"localhost:5432", "127.0.0.1:5432", "db:5432", "other.example.com:5432", "10.1.2.3:5432"}
			from := []string{"localhost:5432", "localhost:5432", "db:5432", "other.example.com:5432", "10.1.2.3:5432"}
			if l, err := net.Listen("tcp6", "[::1]:0"); err == nil {
				l.Close()
				dials, from = append(dials, "[::1]:5432"), append(from, "localhost:5432")
			}
			ensureReads(t, c, dials, from)
		})
	}
}

// TestSameConnectionTwice has connections in two namespaces that are the same to the letter.
func TestSameConnectionTwice(t *testing.T) {
	t.Parallel()
	runtime.LockOSThread()
	var conns []net.Conn
	var clients []*exec.Cmd
	for range 2 {
		cmd := clientOf("from", "127.0.0.1:5432")
		s := mustStart(t, cmd, netns.Config{Serve: []netns.Address{{Host: "127.0.0.1", Port: 5432}}})
		conn, err := s.Served[0][0].Accept()
		if err != nil {
			t.Fatal(err)
		}
		conns, clients = append(conns, conn), append(clients, cmd)
	}
	for i, conn := range conns {
		if conn.RemoteAddr().String() != conns[0].RemoteAddr().String() {
			t.Fatalf("connections from %v and %v, want the same", conns[0].RemoteAddr(), conn.RemoteAddr())
		}
		if pid, err := peer.Of(conn, os.Getpid()); pid != clients[i].Process.Pid {
			t.Errorf("connection %d is from %d, %v; want %d", i, pid, err, clients[i].Process.Pid)
		}
	}
	for i, conn := range conns {
		conn.Close()
		if err := clients[i].Wait(); err != nil {
			t.Error(err)
		}
	}
}

// TestForward reaches a server of the host by a forwarded port and by a name, and no other.
func TestForward(t *testing.T) {
	t.Parallel()
	host, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer host.Close()
	go func() {
		for {
			conn, err := host.Accept()
			if err != nil {
				return
			}
			io.WriteString(conn, "the host")
			conn.Close()
		}
	}()
	address := host.Addr().String()
	out, err := run(t, clientOf(address), netns.Config{Forward: []netns.Address{mustAddress(t, address)}})
	if err != nil || !strings.HasSuffix(out, "reads the host\n") {
		t.Errorf("forwarded: %v, %q, want that the client reads from the host", err, out)
	}
	out, err = run(t, clientOf(address), netns.Config{})
	if err == nil || !strings.Contains(out, "connection refused") {
		t.Errorf("not forwarded: %v, %q, want that the connection is refused", err, out)
	}
}

// TestForwardToNobody finds that a forwarded port without a server reads as an error, not as an empty answer.
func TestForwardToNobody(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	l.Close()
	out, err := run(t, clientOf(address), netns.Config{Forward: []netns.Address{mustAddress(t, address)}})
	if err == nil || !strings.Contains(out, "reset") {
		t.Errorf("%v, %q, want a reset connection", err, out)
	}
}

// TestCommandIsItself compares a command inside with the same outside: user, groups, arguments, directory, environment.
func TestCommandIsItself(t *testing.T) {
	t.Parallel()
	make := func() *exec.Cmd {
		cmd := exec.Command("sh", "-c", `id; whoami; echo "$0|$1|$X"; pwd; grep -E "Cap(Inh|Prm|Eff|Amb)" /proc/self/status; ulimit -n; ls -l /proc/self/fd | grep -c socket:
			echo from 3: $(cat <&3); echo mine > $2; stat -c %U $2`, "name", "one two", filepath.Join(t.TempDir(), "file"))
		cmd.Env, cmd.Dir = append(os.Environ(), "X=a b"), "/usr"
		read, write, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		io.WriteString(write, "a pipe")
		write.Close()
		t.Cleanup(func() { read.Close() })
		cmd.ExtraFiles = []*os.File{read}
		return cmd
	}
	want, err := make().CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, want)
	}
	got, err := run(t, make(), netns.Config{Serve: []netns.Address{{Host: "db", Port: 5432}}})
	if got = strings.ReplaceAll(got, ",65534(nogroup)", ""); err != nil || got != string(want) { // groups that are not mapped
		t.Errorf("%v; inside:\n%s\noutside:\n%s", err, got, want)
	}
}

func TestExitCode(t *testing.T) {
	t.Parallel()
	for script, want := range map[string]string{"exit 7": "exit status 7", "kill -TERM $$": "signal: terminated"} {
		if _, err := run(t, exec.Command("sh", "-c", script), netns.Config{}); err == nil || err.Error() != want {
			t.Errorf("%s: %v, want %s", script, err, want)
		}
	}
}

func TestNoSuchCommand(t *testing.T) {
	t.Parallel()
	for path, want := range map[string]error{"/absent/command": fs.ErrNotExist, "/etc/passwd": fs.ErrPermission} {
		cmd := exec.Command(path)
		_, err := netns.Start(t.Context(), cmd, netns.Config{})
		var forbidden *netns.ForbiddenError
		if errors.As(err, &forbidden) {
			t.Skip(err)
		}
		if !errors.Is(err, want) || !strings.Contains(err.Error(), path) {
			t.Errorf("Start of %s = %v, want %v", path, err, want)
		}
	}
}

func TestAddressInUse(t *testing.T) {
	t.Parallel()
	c := netns.Config{Serve: []netns.Address{{Host: "localhost", Port: 5432}, {Host: "127.0.0.1", Port: 5432}}}
	_, err := netns.Start(t.Context(), exec.Command("true"), c)
	var forbidden *netns.ForbiddenError
	if errors.As(err, &forbidden) {
		t.Skip(err)
	}
	if !errors.Is(err, syscall.EADDRINUSE) || !strings.Contains(err.Error(), "listen at 127.0.0.1:5432") {
		t.Errorf("Start = %v, want that 127.0.0.1:5432 is in use", err)
	}
}

// TestParentDeath ends a process that has started a command, which must end as well.
func TestParentDeath(t *testing.T) {
	const env = "NETNS_TEST_PARENT"
	if os.Getenv(env) != "" {
		runtime.LockOSThread()
		cmd := exec.Command("sleep", "60")
		s := mustStart(t, cmd, netns.Config{Serve: []netns.Address{{Host: "localhost", Port: 5432}}})
		defer s.Close()
		fmt.Println("started", cmd.Process.Pid)
		stop := make(chan os.Signal, 1)
		signal.Notify(stop, syscall.SIGTERM)
		<-stop
		return
	}
	t.Parallel()
	cmd := exec.Command("/proc/self/exe", "-test.run=^TestParentDeath$", "-test.v")
	cmd.Env = append(os.Environ(), env+"=1", "GO_TEST_WRAP=0") // under Bazel, the one to kill would be its wrapper's child
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var child int
	var text []byte
	for buf := make([]byte, 1024); child == 0; {
		n, err := out.Read(buf)
		text = append(text, buf[:n]...)
		if i := bytes.Index(text, []byte("started ")); i >= 0 && bytes.IndexByte(text[i:], '\n') > 0 {
			fmt.Sscanf(string(text[i:]), "started %d", &child)
		}
		if err != nil && child == 0 {
			cmd.Wait()
			t.Skipf("no namespace: %s", text)
		}
	}
	cmd.Process.Kill()
	cmd.Wait()
	for deadline := time.Now().Add(2 * time.Minute); syscall.Kill(child, 0) == nil; time.Sleep(5 * time.Millisecond) {
		if stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", child)); err != nil || strings.Contains(string(stat), ") Z ") {
			break // a zombie, whom nobody may wait for here
		}
		if time.Now().After(deadline) {
			status, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", child))
			syscall.Kill(child, syscall.SIGKILL)
			t.Fatalf("process %d, the command, has outlived its parent %d:\n%s", child, cmd.Process.Pid, status)
		}
	}
}

func TestStartIsCancelled(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := netns.Start(ctx, exec.Command("sleep", "60"), netns.Config{}); !errors.Is(err, context.Canceled) {
		t.Errorf("Start = %v, want %v", err, context.Canceled)
	}
}

// TestUnprivileged runs the others as a user who is not root, in a user namespace then.
func TestUnprivileged(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("all of them run without root's rights")
	}
	t.Parallel()
	dir, err := os.MkdirTemp("/tmp", "netns-test-")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	if err := os.Chmod(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("/proc/self/exe", "-test.run=^Test(Serve|Forward|ForwardToNobody|CommandIsItself|ExitCode|NoSuchCommand|AddressInUse|ParentDeath)$", "-test.v")
	cmd.Env, cmd.Dir = append(os.Environ(), "TMPDIR="+dir, "TEST_TMPDIR=", "XML_OUTPUT_FILE=", "TEST_SRCDIR=", "GO_TEST_WRAP=0"), "/"
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 1, Gid: 1}}
	out, err := cmd.CombinedOutput()
	if errors.Is(err, syscall.EPERM) || errors.Is(err, syscall.EINVAL) { // in a sandbox's user namespace
		t.Skipf("there is no other user here: %v", err)
	}
	if err != nil {
		t.Errorf("%v:\n%s", err, out)
	}
	if bytes.Contains(out, []byte("--- SKIP")) {
		t.Skipf("a user may have no namespaces here:\n%s", out)
	}
}
