package keeper

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"github.com/pgcell/pgcell/tools/internal/conf"
	"maps"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"
)

// initdb makes a cluster in the data directory.
func (k *keeper) initdb(ctx context.Context) error {
	if err := k.own(); err != nil {
		return err
	}
	tries, err := conf.LocaleOptions(k.job.Version, k.job.Locale)
	if err != nil {
		return err
	}
	for _, options := range tries {
		if err = k.runInitdb(ctx, options); !errors.As(err, new(*conf.LocaleError)) {
			break
		}
	}
	if err != nil {
		return err
	}
	if k.initial, err = conf.InitialSettings(filepath.Join(k.dataDir, "postgresql.conf")); err != nil {
		return fmt.Errorf("read what initdb wrote: %w", err)
	}
	settings := maps.Clone(k.initial)
	maps.Copy(settings, k.job.Settings)
	k.job.Settings = settings
	return nil
}

func (k *keeper) runInitdb(ctx context.Context, options []string) error {
	cmd := exec.CommandContext(ctx, filepath.Join(k.job.BinDir, "initdb"), append([]string{"--pgdata=" + k.dataDir, "--username=" + conf.Superuser,
		"--auth=trust", "--encoding=UTF8", "--wal-segsize=1", "--no-sync", "--no-instructions"}, options...)...)
	var out bytes.Buffer
	cmd.Env, cmd.Stdout, cmd.Stderr, cmd.SysProcAttr = conf.Env(k.job.BinDir), &out, &out, k.serverAttr()
	// Its backend shares its process group, and frees its shared memory when asked to end, not when killed.
	cmd.Cancel, cmd.WaitDelay = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGTERM) }, 2*time.Second
	err := cmd.Run()
	if err == nil {
		return nil
	}
	if refused := conf.RefusedLocale(k.job.Locale, out.Bytes()); refused != nil {
		return refused
	}
	k.log.Write(out.Bytes()) // failure shows its end
	return fmt.Errorf("initdb: %w", err)
}
