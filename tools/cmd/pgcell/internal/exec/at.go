package exec

import (
	"context"
	"os/exec"

	"github.com/pgcell/pgcell/tools/internal/lend"
	"github.com/pgcell/pgcell/tools/internal/netns"
)

// readPlaces reads --at and --forward.
func (o *options) readPlaces() error {
	if len(o.at) == 0 && len(o.forward) > 0 {
		return usage("--forward names what --at would hide, which is not given")
	}
	for i, text := range o.at {
		p, err := netns.ParsePlace(text)
		if err != nil {
			return usage("--at: value %d: %w; want HOST:PORT/DATABASE, or the URL in the source", i+1, err)
		}
		o.places = append(o.places, p)
	}
	for _, text := range o.forward {
		a, err := netns.ParseAddress(text)
		if err != nil {
			return usage("--forward: %w", err)
		}
		o.forwards = append(o.forwards, a)
	}
	return nil
}

// startAt starts a command where the addresses of --at are a server's, which the command's variables name as own.
func (o *options) startAt(cmd *exec.Cmd, by netns.Server, own lend.Connection) (*netns.Space, error) {
	return netns.StartAt(context.Background(), cmd, o.places, o.forwards, netns.Address{Host: own.Host, Port: own.Port}, by)
}
