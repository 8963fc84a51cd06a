package external_test

import (
	"errors"
	"io"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

// gate passes connections to a server on, through a Unix socket with room for one that has not been accepted.
type gate struct {
	path string // of the socket
	open chan struct{}
}

// mustGate starts one for the server at a socket. It passes nothing on before open is closed.
func mustGate(t *testing.T, server string) *gate {
	t.Helper()
	dir, err := os.MkdirTemp("", "pgcell-gate-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	g := &gate{path: filepath.Join(dir, ".s.PGSQL.5432"), open: make(chan struct{})}
	fd, err := syscall.Socket(syscall.AF_UNIX, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err == nil {
		err = syscall.Bind(fd, &syscall.SockaddrUnix{Name: g.path})
	}
	if err == nil {
		err = syscall.Listen(fd, 1)
	}
	if err != nil {
		t.Fatal(err)
	}
	file := os.NewFile(uintptr(fd), g.path)
	defer file.Close()
	listener, err := net.FileListener(file)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	go func() {
		<-g.open
		for {
			client, err := listener.Accept()
			if err != nil {
				return
			}
			go pass(client, server)
		}
	}()
	return g
}

func pass(client net.Conn, server string) {
	defer client.Close()
	conn, err := net.Dial("unix", server)
	if err != nil {
		return
	}
	defer conn.Close()
	go io.Copy(conn, client)
	io.Copy(client, conn)
}

// TestManyConnectAtOnce has so many clients connect at the same time that the server's socket refuses more.
func TestManyConnectAtOnce(t *testing.T) {
	t.Parallel()
	team := mustTeam(t, nil)
	g := mustGate(t, filepath.Join(team.server.SocketDir(), ".s.PGSQL.5432"))
	for {
		conn, err := net.Dial("unix", g.path)
		if errors.Is(err, syscall.EAGAIN) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
	}
	time.AfterFunc(100*time.Millisecond, func() { close(g.open) })
	mustOpen(t, config("postgres://app@/postgres?host="+url.QueryEscape(filepath.Dir(g.path))))
}
