package netns

import "net/netip"

// Hosts gives an /etc/hosts with names.
func Hosts(old string, n map[string]netip.Addr) string { return hosts(old, n) }

// PlaceNames checks a configuration, and gives names their addresses.
func PlaceNames(c Config) (map[string]netip.Addr, error) { return place(c) }
