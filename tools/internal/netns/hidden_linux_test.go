package netns_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"github.com/pgcell/pgcell/tools/internal/netns"
	"github.com/pgcell/pgcell/tools/internal/peer"
)

// hidden prints what ports a command would not reach.
func hidden(forward []string) int {
	runtime.LockOSThread()
	var c netns.Config
	for _, text := range forward {
		a, err := netns.ParseAddress(text)
		if err != nil {
			fmt.Println(err)
			return 1
		}
		c.Forward = append(c.Forward, a)
	}
	cmd := exec.Command("true")
	s, err := netns.Start(context.Background(), cmd, c)
	if err != nil {
		fmt.Println(err)
		return 1
	}
	defer s.Close()
	defer cmd.Wait()
	all, err := s.Hidden()
	for _, l := range all {
		fmt.Printf("%v (%s)\n", l.Addr, l.Program)
	}
	if text := s.DescribeHidden(); err != nil || len(all) > 0 && !strings.HasPrefix(text, "hidden: "+all[0].Addr.String()) {
		fmt.Println(err, text)
		return 1
	}
	return 0
}

// TestHidden has a server on the host, which is named, but not where it is forwarded.
func TestHidden(t *testing.T) {
	t.Parallel()
	server := exec.Command("/proc/self/exe", "-test.run=^TestHiddenServer$")
	server.Env = append(os.Environ(), hiddenEnv+"=1")
	stdin, err := server.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := server.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { stdin.Close(); server.Wait() }()
	var port int
	if _, err := fmt.Fscanf(out, "%d\n", &port); err != nil {
		t.Fatal(err)
	}
	listeners, err := peer.Listening()
	if err != nil {
		t.Fatal(err)
	}
	found := false
	for _, l := range listeners {
		found = found || l.PID == server.Process.Pid && l.Addr.String() == fmt.Sprintf("127.0.0.1:%d", port) && l.Program != ""
	}
	if !found {
		t.Errorf("Listening = %v, want port %d of process %d", listeners, port, server.Process.Pid)
	}
	// Another process is asked, since a port of a process below the one that asks is no port of the host.
	for _, c := range []struct {
		forward []string
		want    bool
	}{{nil, true}, {[]string{strconv.Itoa(port)}, false}} {
		ask := exec.Command("/proc/self/exe", append([]string{"hidden"}, c.forward...)...)
		ask.Env = append(os.Environ(), clientEnv+"=1")
		text, err := ask.CombinedOutput()
		if err != nil {
			t.Fatalf("%v: %s", err, text)
		}
		name := fmt.Sprintf("127.0.0.1:%d (", port)
		if got := strings.Contains(string(text), name); got != c.want {
			t.Errorf("forward %q: hidden are %q; want %s there: %v", c.forward, text, name, c.want)
		}
	}
}

const hiddenEnv = "NETNS_TEST_HIDDEN"

func TestHiddenServer(t *testing.T) {
	if os.Getenv(hiddenEnv) == "" {
		t.Skip("it is a process of TestHidden")
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	fmt.Println(l.Addr().(*net.TCPAddr).Port)
	io.Copy(io.Discard, os.Stdin)
}
