package netns

import (
	"context"
	"errors"
	"net"
	"net/url"
	"os/exec"
	"strings"
)

// Place is where a suite's source says that a PostgreSQL server is, and what it calls its database.
type Place struct {
	Address  Address
	Database string // "" is any
}

// ParsePlace reads HOST:PORT, with /DATABASE or without, or a connection URL as it stands in the source. The error has no
// password.
func ParsePlace(text string) (p Place, err error) {
	if !strings.Contains(text, "://") {
		address, database, _ := strings.Cut(text, "/")
		p.Database = database
		p.Address, err = ParseAddress(address)
		return p, err
	}
	u, err := url.Parse(text)
	if err != nil {
		return p, errors.New("it is no URL") // the error has the URL
	}
	host, port := u.Hostname(), u.Port()
	if host == "" {
		host = "localhost"
	}
	if port == "" {
		port = "5432"
	}
	p.Address, err = ParseAddress(net.JoinHostPort(host, port))
	p.Database = strings.TrimPrefix(u.Path, "/")
	return p, err
}

// Server is who serves clients in a namespace.
type Server interface {
	// Serve serves those who were told an address of the server's own.
	Serve(net.Listener)
	// ServeAt serves those who know an address by the suite's source, where its database is called database.
	ServeAt(l net.Listener, database string)
}

// StartAt is [Start] where a server serves all of some places, and its own address. Without places it is cmd.Start, and
// the Space is nil.
func StartAt(ctx context.Context, cmd *exec.Cmd, places []Place, forward []Address, own Address, by Server) (*Space, error) {
	if len(places) == 0 {
		return nil, cmd.Start()
	}
	c := Config{Forward: forward}
	for _, p := range places {
		c.Serve = append(c.Serve, p.Address)
	}
	c.Serve = append(c.Serve, own)
	space, err := Start(ctx, cmd, c)
	if err != nil {
		return nil, err
	}
	for i, listeners := range space.Served {
		for _, l := range listeners {
			if i < len(places) {
				by.ServeAt(l, places[i].Database)
			} else {
				by.Serve(l)
			}
		}
	}
	return space, nil
}
