package external_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/pgcell/pgcell/tools/internal/external"
)

// TestPooler refuses PgBouncer in transaction mode, and takes it in session mode.
func TestPooler(t *testing.T) {
	t.Parallel()
	bouncer, err := exec.LookPath("pgbouncer")
	if err != nil {
		t.Skip("no pgbouncer here")
	}
	team := mustTeam(t, nil)
	for mode, refused := range map[string]bool{"transaction": true, "session": false, "statement": true} {
		url := mustBounce(t, bouncer, team, mode)
		s, err := external.Open(t.Context(), config(url))
		if err == nil {
			if _, err := s.Take(t.Context(), external.Request{Worker: "w0"}); err != nil {
				t.Errorf("%s: %v", mode, err)
			}
			s.Close(t.Context())
		}
		if refused && (err == nil || !strings.Contains(err.Error(), "pooler")) || !refused && err != nil {
			t.Errorf("%s mode: Open = %v; want it refused: %v", mode, err, refused)
		}
	}
}

// mustBounce runs PgBouncer in front of a team's server, and gives its URL.
func mustBounce(t *testing.T, program string, team *team, mode string) string {
	t.Helper()
	dir, err := os.MkdirTemp("/tmp", "bounce-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	os.Chmod(dir, 0o777)
	ini := fmt.Sprintf("[databases]\n* = host=%s user=app\n[pgbouncer]\nunix_socket_dir = %s\nlisten_port = 6432\nauth_type = any\npool_mode = %s\n"+
		"ignore_startup_parameters = statement_timeout,lock_timeout,idle_in_transaction_session_timeout,extra_float_digits\nmax_client_conn = 50\nclient_login_timeout = 10\n",
		team.server.SocketDir(), dir, mode)
	file := filepath.Join(dir, "pgbouncer.ini")
	if err := os.WriteFile(file, []byte(ini), 0o644); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(program, file)
	if os.Getuid() == 0 { // which PgBouncer refuses to be
		cmd.SysProcAttr = &syscall.SysProcAttr{
			Cloneflags:  syscall.CLONE_NEWUSER,
			UidMappings: []syscall.SysProcIDMap{{ContainerID: 65534, HostID: 0, Size: 1}},
			GidMappings: []syscall.SysProcIDMap{{ContainerID: 65534, HostID: 0, Size: 1}},
		}
	}
	log, err := os.Create(filepath.Join(dir, "log"))
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cmd.Process.Kill(); cmd.Wait() })
	url := fmt.Sprintf("postgres://app@/postgres?host=%s&port=6432", dir)
	for deadline := time.Now().Add(2 * time.Minute); ; time.Sleep(10 * time.Millisecond) {
		conn, err := pgx.Connect(t.Context(), url)
		if err == nil {
			conn.Close(t.Context())
			return url
		}
		if time.Now().After(deadline) {
			text, _ := os.ReadFile(log.Name())
			t.Fatalf("%v\n%s", err, text)
		}
	}
}
