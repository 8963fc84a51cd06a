package exec

import (
	"context"
	"fmt"
	"net"
	"net/url"
	"os/exec"
	"strings"

	"github.com/pgcell/pgcell/tools/internal/lend"
	"github.com/pgcell/pgcell/tools/internal/netns"
)

// place is a value of --at: where the suite's source says that the server is, and what it calls its database.
type place struct {
	address  netns.Address
	database string // "" is any
}

// parsePlace reads HOST:PORT, with /DATABASE or without, or a connection URL as it stands in the source.
func parsePlace(text string) (p place, err error) {
	if strings.Contains(text, "://") {
		u, err := url.Parse(text)
		if err != nil {
			return p, fmt.Errorf("it is no URL") // the error has the URL, and so a password
		}
		host, port := u.Hostname(), u.Port()
		if host == "" {
			host = "localhost"
		}
		if port == "" {
			port = "5432"
		}
		p.address, err = netns.ParseAddress(net.JoinHostPort(host, port))
		p.database = strings.TrimPrefix(u.Path, "/")
		return p, err
	}
	address, database, _ := strings.Cut(text, "/")
	p.database = database
	p.address, err = netns.ParseAddress(address)
	return p, err
}

// readPlaces reads --at and --forward.
func (o *options) readPlaces() error {
	if len(o.at) == 0 && len(o.forward) > 0 {
		return usage("--forward names what --at would hide, which is not given")
	}
	for i, text := range o.at {
		p, err := parsePlace(text)
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

// server is who serves addresses inside a namespace.
type server interface {
	Serve(net.Listener)
	ServeAt(l net.Listener, database string)
	Connection() lend.Connection
}

// startAt starts a command where the addresses of --at are a server's, which its variables name as well. Without --at it
// starts it as it is. Close what it gives when the command has ended.
func (o *options) startAt(cmd *exec.Cmd, by server) (*netns.Space, error) {
	if len(o.places) == 0 {
		return nil, cmd.Start()
	}
	c := netns.Config{Forward: o.forwards}
	for _, p := range o.places {
		c.Serve = append(c.Serve, p.address)
	}
	own := by.Connection()
	c.Serve = append(c.Serve, netns.Address{Host: own.Host, Port: own.Port})
	space, err := netns.Start(context.Background(), cmd, c)
	if err != nil {
		return nil, err
	}
	for i, listeners := range space.Served {
		for _, l := range listeners {
			if i < len(o.places) {
				by.ServeAt(l, o.places[i].database)
			} else {
				by.Serve(l)
			}
		}
	}
	return space, nil
}
