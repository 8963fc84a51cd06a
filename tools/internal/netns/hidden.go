package netns

import (
	"fmt"
	"net/netip"
	"os"
	"slices"
	"strings"

	"github.com/pgcell/pgcell/tools/internal/peer"
)

// Hidden lists the ports of the host that the command cannot reach, because its loopback is another and nobody forwards
// them, lowest first. Ports of this process and of those below it are left out.
func (s *Space) Hidden() ([]peer.Listener, error) {
	all, err := peer.Listening()
	if err != nil {
		return nil, err
	}
	ours, err := peer.Below(os.Getpid())
	if err != nil {
		return nil, err
	}
	var hidden []peer.Listener
	for _, l := range all {
		seen := func(h peer.Listener) bool { return h.Addr.Port() == l.Addr.Port() }
		if !s.leadsTo(l.Addr) && !slices.Contains(ours, l.PID) && !slices.ContainsFunc(hidden, seen) {
			hidden = append(hidden, l)
		}
	}
	return hidden, nil
}

// leadsTo reports whether the command reaches an address of the host, or something in its place.
func (s *Space) leadsTo(host netip.AddrPort) bool {
	return slices.ContainsFunc(append(slices.Clone(s.config.Serve), s.config.Forward...), func(a Address) bool {
		return a.Port == int(host.Port())
	})
}

// mostHidden is how many hidden ports are named: what a test wants is among the lowest, mostly.
const mostHidden = 8

// DescribeHidden says which ports of the host the command could not reach, and how it could; "" if there are none. It is
// for people who see the command fail.
func (s *Space) DescribeHidden() string {
	hidden, err := s.Hidden()
	if err != nil || len(hidden) == 0 {
		return ""
	}
	var names []string
	for _, l := range hidden[:min(mostHidden, len(hidden))] {
		name := l.Addr.String()
		if l.Program != "" {
			name += " (" + l.Program + ")"
		}
		names = append(names, name)
	}
	if more := len(hidden) - len(names); more > 0 {
		names = append(names, fmt.Sprintf("%d more", more))
	}
	return fmt.Sprintf("hidden: %s; --forward %d shows the first",
		strings.Join(names, ", "), hidden[0].Addr.Port())
}
