package keeper

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"sync"
)

// Fill puts a cluster into an empty, existing data directory. It may call enough once, as soon as all is there that a
// server reads when it starts; the server then starts beside the rest, and its users wait for both. It stops soon after
// ctx ends.
type Fill func(ctx context.Context, source, dataDir string, enough func()) error

// prepare makes the data directory and fills it.
func (k *keeper) prepare(ctx context.Context) error {
	var err error
	if k.log, err = os.Create(filepath.Join(k.job.SocketDir, ServerLog)); err != nil {
		return err
	}
	if err := k.makeDataDir(); err != nil {
		return err
	}
	if err := k.share(); err != nil {
		return k.failure("prepare", err)
	}
	switch kind := k.job.Source.Kind; kind {
	case FromExisting:
		return nil
	case FromInitdb:
		err = k.initdb(ctx)
	default:
		if k.fills[kind] == nil {
			return fmt.Errorf("no filler for source %q", kind)
		}
		err = k.fill(ctx, k.fills[kind])
	}
	if err != nil {
		return k.failure("prepare", err)
	}
	return nil
}

// fill runs a filler until the server can be started, which is at its end where files must be handed to another user
// first.
func (k *keeper) fill(ctx context.Context, filler Fill) error {
	done, enough := make(chan error, 1), make(chan struct{})
	signal := sync.OnceFunc(func() { close(enough) })
	if k.serverAttr().Credential != nil {
		signal = func() {}
	}
	go func() { done <- filler(ctx, k.job.Source.Path, k.dataDir, signal) }()
	select {
	case err := <-done:
		return err
	case <-enough:
		k.filling = done
		return nil
	}
}

// filled waits for the filler that runs beside the server.
func (k *keeper) filled() error {
	if k.filling == nil {
		return nil
	}
	err := <-k.filling
	k.filling = nil
	if err != nil {
		return k.failure("prepare", err)
	}
	return nil
}
