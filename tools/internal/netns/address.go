package netns

import (
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"
)

// Address is a host and a port that a program connects to.
type Address struct {
	Host string // a name or an IP address
	Port int    // 1 to 65535
}

// String is such as "localhost:5432" or "[::1]:5432".
func (a Address) String() string { return net.JoinHostPort(a.Host, strconv.Itoa(a.Port)) }

// ParseAddress reads "HOST:PORT", or "PORT" alone, which is one of localhost.
func ParseAddress(text string) (Address, error) {
	host, port := "localhost", text
	if strings.Contains(text, ":") {
		var err error
		if host, port, err = net.SplitHostPort(text); err != nil {
			return Address{}, fmt.Errorf("address %q: want HOST:PORT, with an IPv6 address in brackets: %w", text, err)
		}
	}
	number, err := strconv.Atoi(port)
	if err != nil || number < 1 || number > 65535 {
		return Address{}, fmt.Errorf("address %q: port is %q, want a number from 1 to 65535", text, port)
	}
	if host == "" {
		host = "localhost"
	}
	if strings.ContainsAny(host, " \t\n#/@") {
		return Address{}, fmt.Errorf("address %q: %q is no name of a host", text, host)
	}
	return Address{Host: host, Port: number}, nil
}

// names maps each host name other than localhost to the address that it has inside.
type names map[string]netip.Addr

// place gives each name an address of its own, so that several may have the same port.
func place(c Config) (names, error) {
	all := names{}
	seen := map[Address]bool{}
	for _, a := range append(append([]Address{}, c.Serve...), c.Forward...) {
		if seen[a] {
			return nil, fmt.Errorf("%v is given twice: an address leads to one place", a)
		}
		seen[a] = true
		ip, err := netip.ParseAddr(a.Host)
		if err == nil && ip.Is6() && !ip.IsLoopback() {
			return nil, fmt.Errorf("%v: of IPv6 addresses, [::1] alone can be had in a network namespace; use a name or IPv4", a)
		}
		if err == nil || isLocalhost(a.Host) || all[a.Host].IsValid() {
			continue
		}
		n := len(all) + 1
		if n > 250 {
			return nil, fmt.Errorf("%v: more than 250 names of hosts", a)
		}
		all[a.Host] = netip.AddrFrom4([4]byte{127, 77, 0, byte(n)})
	}
	return all, nil
}

func isLocalhost(host string) bool {
	return strings.EqualFold(strings.TrimSuffix(host, "."), "localhost")
}

// endpoints gives the IP addresses to listen at: both of loopback's where either is meant, since a program's
// "localhost" may be either.
func (n names) endpoints(a Address) []netip.AddrPort {
	if ip, ok := n[a.Host]; ok {
		return []netip.AddrPort{netip.AddrPortFrom(ip, uint16(a.Port))}
	}
	ip, err := netip.ParseAddr(a.Host)
	v4, v6 := netip.AddrFrom4([4]byte{127, 0, 0, 1}), netip.IPv6Loopback()
	if err != nil || ip == v4 || ip == v6 {
		return []netip.AddrPort{netip.AddrPortFrom(v4, uint16(a.Port)), netip.AddrPortFrom(v6, uint16(a.Port))}
	}
	return []netip.AddrPort{netip.AddrPortFrom(ip, uint16(a.Port))}
}
