package peer_test

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/pgcell/pgcell/tools/internal/peer"
)

// clientEnv makes a client of the test binary: it holds a network and an address, and how the client behaves.
const clientEnv = "PEER_TEST_CLIENT"

func TestMain(m *testing.M) {
	if job := os.Getenv(clientEnv); job != "" {
		if err := client(strings.Fields(job)); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// client connects, and ends with its standard input. By "mapped" it reaches IPv4 through a socket for IPv6, as Java
// does; by "heir" it has a child that inherits the connection; by "below" a child of it connects.
func client(job []string) error {
	how, network, address := job[0], job[1], job[2]
	child := exec.Command(os.Args[0])
	child.Stdin, child.Stderr = os.Stdin, os.Stderr
	switch how {
	case "below":
		child.Env = append(os.Environ(), clientEnv+"=plain "+network+" "+address)
		return child.Run()
	case "mapped":
		port, err := strconv.Atoi(address[strings.LastIndexByte(address, ':')+1:])
		if err != nil {
			return err
		}
		fd, err := unix.Socket(unix.AF_INET6, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
		if err != nil {
			return err
		}
		to := &unix.SockaddrInet6{Port: port, Addr: [16]byte{10: 0xff, 11: 0xff, 12: 127, 15: 1}}
		if err := unix.Connect(fd, to); err != nil {
			return err
		}
	default:
		conn, err := net.Dial(network, address)
		if err != nil {
			return err
		}
		defer conn.Close()
		if how == "heir" {
			file, err := conn.(*net.TCPConn).File()
			if err != nil {
				return err
			}
			child.Args, child.ExtraFiles = []string{"sleep", "60"}, []*os.File{file}
			child.Path, child.Stdin = "/bin/sleep", nil
			child.SysProcAttr = &unix.SysProcAttr{Pdeathsig: unix.SIGKILL}
			if err := child.Start(); err != nil {
				return err
			}
		}
	}
	_, err := io.Copy(io.Discard, os.Stdin)
	return err
}

// mustConnect has a process connect, and gives it and the accepted end.
func mustConnect(t *testing.T, how, network, listen, dial string) (*exec.Cmd, net.Conn) {
	t.Helper()
	listener, err := net.Listen(network, listen)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	if network != "unix" {
		_, port, _ := net.SplitHostPort(listener.Addr().String())
		dial = net.JoinHostPort(dial, port)
	}
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), clientEnv+"="+strings.Join([]string{how, network, dial}, " "))
	cmd.Stderr = os.Stderr
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { stdin.Close(); cmd.Wait() })
	if l, ok := listener.(interface{ SetDeadline(time.Time) error }); ok {
		l.SetDeadline(time.Now().Add(30 * time.Second))
	}
	conn, err := listener.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return cmd, conn
}

func TestOf(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ how, network, listen, dial string }{
		{"plain", "tcp4", "127.0.0.1:0", "127.0.0.1"},
		{"plain", "tcp6", "[::1]:0", "::1"},
		{"plain", "tcp", "[::]:0", "127.0.0.1"}, // accepted as IPv4 within IPv6
		{"mapped", "tcp4", "127.0.0.1:0", "127.0.0.1"},
		{"mapped", "tcp", "[::]:0", "127.0.0.1"},
		{"heir", "tcp4", "127.0.0.1:0", "127.0.0.1"},
		{"plain", "unix", filepath.Join(t.TempDir(), "s"), ""},
	} {
		t.Run(c.how+" "+c.network+" "+c.listen, func(t *testing.T) {
			t.Parallel()
			if c.network == "unix" {
				c.dial = c.listen
			}
			cmd, conn := mustConnect(t, c.how, c.network, c.listen, c.dial)
			for _, root := range []int{os.Getpid(), cmd.Process.Pid} {
				if got, err := peer.Of(conn, root); got != cmd.Process.Pid || err != nil {
					t.Errorf("Of(conn, %d) = %d, %v; want %d", root, got, err, cmd.Process.Pid)
				}
			}
		})
	}
}

func TestOfGrandchild(t *testing.T) {
	t.Parallel()
	for network, listen := range map[string]string{"tcp4": "127.0.0.1:0", "unix": filepath.Join(t.TempDir(), "s")} {
		dial := listen
		if network == "tcp4" {
			dial = "127.0.0.1"
		}
		cmd, conn := mustConnect(t, "below", network, listen, dial)
		got, err := peer.Of(conn, cmd.Process.Pid)
		if err != nil || got == cmd.Process.Pid {
			t.Errorf("%s: Of = %d, %v; want a child of %d", network, got, err, cmd.Process.Pid)
		}
		if all, err := peer.Below(cmd.Process.Pid); !slices.Equal(all, []int{cmd.Process.Pid, got}) {
			t.Errorf("%s: Below = %v, %v; want %d and %d", network, all, err, cmd.Process.Pid, got)
		}
	}
}

func TestOfStranger(t *testing.T) {
	t.Parallel()
	bystander := exec.Command("sleep", "60")
	if err := bystander.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { bystander.Process.Kill(); bystander.Wait() })
	for network, listen := range map[string]string{"tcp4": "127.0.0.1:0", "unix": filepath.Join(t.TempDir(), "s")} {
		dial := listen
		if network == "tcp4" {
			dial = "127.0.0.1"
		}
		_, conn := mustConnect(t, "plain", network, listen, dial)
		if pid, err := peer.Of(conn, bystander.Process.Pid); pid != 0 || !errors.Is(err, peer.ErrNotBelow) {
			t.Errorf("%s: Of = %d, %v; want an error, the client is no child of the root", network, pid, err)
		}
	}
}

// TestOfClosed has the client end before anybody asks.
func TestOfClosed(t *testing.T) {
	t.Parallel()
	cmd, conn := mustConnect(t, "plain", "tcp4", "127.0.0.1:0", "127.0.0.1")
	cmd.Process.Kill()
	cmd.Wait()
	pid, err := peer.Of(conn, os.Getpid())
	const want = "the client has closed the connection"
	if pid != 0 || !errors.Is(err, peer.ErrNotBelow) || !strings.Contains(err.Error(), want) {
		t.Errorf("Of = %d, %v; want %q", pid, err, want)
	}
}

func TestOfNoSocket(t *testing.T) {
	t.Parallel()
	one, other := net.Pipe()
	defer one.Close()
	defer other.Close()
	if _, err := peer.Of(one, os.Getpid()); err == nil || !strings.Contains(err.Error(), "has no socket") {
		t.Errorf("Of a pipe = %v, want that it has no socket", err)
	}
}

func BenchmarkOf(b *testing.B) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	defer listener.Close()
	client, err := net.Dial("tcp", listener.Addr().String())
	if err != nil {
		b.Fatal(err)
	}
	defer client.Close()
	conn, err := listener.Accept()
	if err != nil {
		b.Fatal(err)
	}
	defer conn.Close()
	for b.Loop() {
		if pid, err := peer.Of(conn, os.Getpid()); pid != os.Getpid() {
			b.Fatal(pid, err)
		}
	}
}
