package keeper

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"

	"github.com/pgcell/pgcell/tools/internal/conf"
	"github.com/pgcell/pgcell/tools/internal/held"
)

// start executes postgres and waits until it accepts connections.
func (k *keeper) start(ctx context.Context) error {
	for name, text := range map[string][]byte{
		"postgresql.conf": conf.Server(k.job.Version, k.job.SocketDir, k.job.Settings),
		"pg_hba.conf":     conf.Authentication(k.job.Protected, k.job.ProtectedRoles),
	} {
		if err := os.WriteFile(filepath.Join(k.dataDir, name), text, 0o600); err != nil {
			return k.failure("start", err)
		}
	}
	held.FreeSharedMemory(k.dataDir)
	os.Remove(k.pidFile()) // of a server that died; it would read as ready
	if err := k.own(); err != nil {
		return k.failure("start", err)
	}
	cmd := exec.Command(filepath.Join(k.job.BinDir, "postgres"), "-D", k.dataDir)
	cmd.Env, cmd.Stdout, cmd.Stderr, cmd.SysProcAttr = conf.Env(k.job.BinDir), k.log, k.log, k.serverAttr()
	if err := cmd.Start(); err != nil {
		return k.failure("start", err)
	}
	k.server, k.ended = cmd, make(chan struct{})
	go func(ended chan struct{}) {
		cmd.Wait()
		close(ended)
	}(k.ended)
	return k.waitReady(ctx)
}

func (k *keeper) pidFile() string { return filepath.Join(k.dataDir, "postmaster.pid") }

// waitReady looks for the word that the postmaster writes into postmaster.pid once it accepts connections
// (src/include/utils/pidfile.h, LOCK_FILE_LINE_PM_STATUS). Reading a small file costs the server nothing, unlike an
// attempt to connect.
func (k *keeper) waitReady(ctx context.Context) error {
	limit := time.Duration(k.job.StartSeconds * float64(time.Second))
	deadline := time.NewTimer(limit)
	defer deadline.Stop()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-k.ended:
			code := k.server.ProcessState
			k.server = nil
			return k.failure("start", fmt.Errorf("postgres ended before it was ready (%v)", code))
		case <-deadline.C:
			return k.failure("start", fmt.Errorf("not ready after %v", limit))
		case <-tick.C:
			text, _ := os.ReadFile(k.pidFile())
			if bytes.HasSuffix(bytes.TrimSpace(text), []byte("ready")) {
				return nil
			}
		}
	}
}

// stop asks for a fast shutdown: sessions are ended, a checkpoint is written.
func (k *keeper) stop(ctx context.Context) error {
	if k.server == nil {
		return nil
	}
	k.server.Process.Signal(syscall.SIGINT)
	select {
	case <-k.ended:
		k.server = nil
		return nil
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(30 * time.Second):
		return k.failure("stop", errors.New("still running 30 s after a fast shutdown was asked for"))
	}
}

// abort ends the server and its backends without a checkpoint.
func (k *keeper) abort() {
	if k.server == nil {
		return
	}
	k.server.Process.Signal(syscall.SIGQUIT)
	select {
	case <-k.ended:
	case <-time.After(2 * time.Second):
		k.server.Process.Kill()
		<-k.ended
	}
	k.server = nil
}
