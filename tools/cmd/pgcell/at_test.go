package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/pgcell/pgcell/tools/internal/binaries"
	"github.com/pgcell/pgcell/tools/internal/netns"
	"github.com/pgcell/pgcell/tools/internal/postgres"
)

// condition is "[namespace]": this system allows network namespaces with a hosts file of their own.
func condition(name string) (bool, error) {
	if name != "namespace" {
		return false, fmt.Errorf("unknown condition %q", name)
	}
	return namespace()
}

var namespace = sync.OnceValues(func() (bool, error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	cmd := exec.Command("true")
	s, err := netns.Start(context.Background(), cmd, netns.Config{Serve: []netns.Address{{Host: "db", Port: 5432}}})
	var forbidden *netns.ForbiddenError
	if errors.As(err, &forbidden) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	s.Close()
	return true, cmd.Wait()
})

// oneDatabase is "onedatabase COMMAND...": it runs a command where localhost:5432 is a server with one database, app, that
// all its processes share.
func oneDatabase(ts *testscript.TestScript, neg bool, args []string) {
	ctx := context.Background()
	install, err := binaries.Find(ctx, binaries.DefaultSearch(os.Getenv))
	ts.Check(err)
	server, err := postgres.Start(ctx, postgres.Config{Install: install, SocketParent: ts.Getenv("PGCELL_SOCKET_DIR")})
	ts.Check(err)
	defer server.Close()
	conn, err := server.Connect(ctx, "postgres", "postgres")
	ts.Check(err)
	_, err = conn.Exec(ctx, "CREATE DATABASE app")
	ts.Check(err)
	conn.Close(ctx)
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	path, err := lookPath(args[0], ts.Getenv("PATH"))
	ts.Check(err)
	var out bytes.Buffer
	cmd := &exec.Cmd{Path: path, Args: args, Dir: ts.MkAbs("."), Stdout: &out, Stderr: &out}
	for _, name := range []string{"PATH", "HOME", "GOCACHE", "GOROOT", "TMPDIR"} {
		cmd.Env = append(cmd.Env, name+"="+ts.Getenv(name))
	}
	space, err := netns.Start(ctx, cmd, netns.Config{Serve: []netns.Address{{Host: "localhost", Port: 5432}}})
	ts.Check(err)
	defer space.Close()
	for _, l := range space.Served[0] {
		go relayTo(l, filepath.Join(server.SocketDir(), ".s.PGSQL.5432"))
	}
	err = cmd.Wait()
	ts.Logf("%s", out.String())
	if (err != nil) != neg {
		ts.Fatalf("on one database: %v", err)
	}
}

// goCache is "gocache".
func goCache(ts *testscript.TestScript, _ bool, _ []string) {
	out, err := exec.Command("go", "env", "GOCACHE").Output()
	ts.Check(err)
	ts.Setenv("GOCACHE", strings.TrimSpace(string(out)))
}

func lookPath(name, path string) (string, error) {
	for _, dir := range filepath.SplitList(path) {
		if found, err := exec.LookPath(filepath.Join(dir, name)); err == nil {
			return found, nil
		}
	}
	return "", exec.ErrNotFound
}

func relayTo(l net.Listener, socket string) {
	for {
		client, err := l.Accept()
		if err != nil {
			return
		}
		go func() {
			defer client.Close()
			server, err := net.Dial("unix", socket)
			if err != nil {
				return
			}
			defer server.Close()
			go func() {
				io.Copy(server, client)
				server.(*net.UnixConn).CloseWrite()
			}()
			io.Copy(client, server)
		}()
	}
}
