package netns

import "net/netip"

// Hosts gives an /etc/hosts with names.
func Hosts(old string, n map[string]netip.Addr) string { return hosts(old, n) }

// Place checks a configuration, and gives names their addresses.
func Place(c Config) (map[string]netip.Addr, error) { return place(c) }
