package lend

import (
	"context"
	"errors"
	"net"
	"sync"
	"time"

	"github.com/pgcell/pgcell/tools/internal/source"
)

// host is a server that is started when it is first needed: that of all units, or of one.
type host struct {
	starting sync.Once
	source   source.Source
	failed   error // why there is none
}

// server starts the unit's server, or gives the one that runs.
func (u *Unit) server() (source.Source, error) {
	b, h := u.broker, &u.broker.host
	if b.config.PerProcess {
		h = &u.host
	}
	h.starting.Do(func() {
		b.mu.Lock()
		closed := b.closed
		b.mu.Unlock()
		if closed {
			h.failed = net.ErrClosed
			return
		}
		ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
		defer cancel()
		h.source, h.failed = b.open(ctx)
		if h.failed != nil {
			b.warn(h.failed.Error())
		}
	})
	return h.source, h.failed
}

// refuse keeps a server from being started.
func (h *host) refuse() { h.starting.Do(func() { h.failed = net.ErrClosed }) }

// close ends a server if there is one.
func (h *host) close() error {
	h.refuse()
	if h.source == nil {
		return nil
	}
	return h.source.Close()
}

// open starts or finds the server that the configuration names.
func (b *Broker) open(ctx context.Context) (source.Source, error) {
	c := b.config
	if c.Server != nil {
		server, err := c.Server(ctx)
		if err != nil {
			return nil, err
		}
		return source.Shared(server), nil
	}
	if c.Start == nil {
		return nil, errors.New("no server is configured")
	}
	cluster, err := c.Start(ctx)
	if err != nil {
		return nil, err
	}
	if !c.PerProcess {
		return source.Private(cluster, c.User), nil
	}
	own, err := source.Own(ctx, cluster, c.User, c.Database, b.warn)
	if err != nil {
		return nil, errors.Join(err, cluster.Close())
	}
	return own, nil
}
