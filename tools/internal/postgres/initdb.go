package postgres

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"syscall"
	"time"
)

// initdb makes a cluster in the data directory.
func (k *keeper) initdb(ctx context.Context) error {
	if err := k.own(); err != nil {
		return err
	}
	tries, err := localeOptions(k.job.Version, k.job.Locale)
	if err != nil {
		return err
	}
	for _, options := range tries {
		if err = k.runInitdb(ctx, options); !errors.As(err, new(*localeError)) {
			break
		}
	}
	if err != nil {
		return err
	}
	if k.initial, err = initialSettings(filepath.Join(k.dataDir, "postgresql.conf")); err != nil {
		return fmt.Errorf("read what initdb wrote: %w", err)
	}
	settings := maps.Clone(k.initial)
	maps.Copy(settings, k.job.Settings)
	k.job.Settings = settings
	return nil
}

func (k *keeper) runInitdb(ctx context.Context, options []string) error {
	cmd := exec.CommandContext(ctx, filepath.Join(k.job.BinDir, "initdb"), append([]string{"--pgdata=" + k.dataDir, "--username=" + superuser,
		"--auth=trust", "--encoding=UTF8", "--wal-segsize=1", "--no-sync", "--no-instructions"}, options...)...)
	var out bytes.Buffer
	cmd.Env, cmd.Stdout, cmd.Stderr, cmd.SysProcAttr = ServerEnv(), &out, &out, k.serverAttr()
	// Its backend shares its process group, and frees its shared memory when asked to end, not when killed.
	cmd.Cancel, cmd.WaitDelay = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGTERM) }, 2*time.Second
	err := cmd.Run()
	if err == nil {
		return nil
	}
	if m := badLocale.FindSubmatch(out.Bytes()); m != nil {
		return &localeError{locale: k.job.Locale, reason: string(m[1])}
	}
	k.log.Write(out.Bytes()) // failure shows its end
	return fmt.Errorf("initdb: %w", err)
}

// initialSettings reads what initdb has written into a configuration for the sake of the locale. The language of
// messages is left out: it is English, as pgcell reads them.
func initialSettings(path string) (map[string]string, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	settings := map[string]string{}
	for _, m := range setting.FindAllSubmatch(text, -1) {
		settings[string(m[1])] = string(m[2])
	}
	return settings, nil
}

var setting = regexp.MustCompile(`(?m)^(lc_monetary|lc_numeric|lc_time|default_text_search_config)\s*=\s*'?([^'\s]+)'?`)
