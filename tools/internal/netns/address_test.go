package netns_test

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pgcell/pgcell/tools/internal/netns"
)

func TestParseAddress(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"5432": "localhost:5432", "localhost:5432": "localhost:5432", "db:6543": "db:6543", "[::1]:5432": "[::1]:5432",
		":5432": "localhost:5432", "10.0.0.7:1": "10.0.0.7:1",
	} {
		if got, err := netns.ParseAddress(text); err != nil || got.String() != want {
			t.Errorf("ParseAddress(%q) = %v, %v; want %v", text, got, err, want)
		}
	}
	for text, want := range map[string]string{
		"": "want a number from 1 to 65535", "db": `port is "db"`, "db:0": "want a number", "db:65536": "want a number",
		"::1:5432": "want HOST:PORT, with an IPv6 address in brackets", "a b:1": "is no name of a host", "x/y:1": "is no name of a host",
	} {
		if got, err := netns.ParseAddress(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("ParseAddress(%q) = %v, %v; want %q", text, got, err, want)
		}
	}
}

func at(host string, port int) netns.Address { return netns.Address{Host: host, Port: port} }

func TestPlaceNames(t *testing.T) {
	t.Parallel()
	got, err := netns.PlaceNames(netns.Config{
		Serve:   []netns.Address{at("localhost", 5432), at("db", 5432), at("10.0.0.7", 5432)},
		Forward: []netns.Address{at("redis", 6379), at("db", 6379)},
	})
	want := map[string]netip.Addr{"db": netip.MustParseAddr("127.77.0.1"), "redis": netip.MustParseAddr("127.77.0.2")}
	if err != nil || len(got) != 2 || got["db"] != want["db"] || got["redis"] != want["redis"] {
		t.Errorf("names are at %v, %v; want %v", got, err, want)
	}
	for _, c := range []struct {
		a    []netns.Address
		want string
	}{
		{[]netns.Address{at("db", 1), at("db", 1)}, "db:1 is given twice"},
		{[]netns.Address{at("fd00::1", 1)}, "of IPv6 addresses, [::1] alone"},
	} {
		if _, err := netns.PlaceNames(netns.Config{Serve: c.a}); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("PlaceNames(%v) = %v, want %q", c.a, err, c.want)
		}
	}
}

func TestParsePlace(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]netns.Place{
		"localhost:5432/app": {Address: at("localhost", 5432), Database: "app"},
		"db:5432":            {Address: at("db", 5432)},
		"postgres://u:p@db:6543/app?sslmode=disable": {Address: at("db", 6543), Database: "app"},
		"postgresql://u@localhost/app":               {Address: at("localhost", 5432), Database: "app"},
		"postgres:///app":                            {Address: at("localhost", 5432), Database: "app"},
	} {
		if got, err := netns.ParsePlace(text); err != nil || got != want {
			t.Errorf("ParsePlace(%q) = %v, %v; want %v", text, got, err, want)
		}
	}
	for _, text := range []string{"localhost", "postgres://u:secret@[::1/app", "postgres://u:secret@h:x/app"} {
		if got, err := netns.ParsePlace(text); err == nil || strings.Contains(err.Error(), "secret") {
			t.Errorf("ParsePlace(%q) = %v, %v; want an error without the password", text, got, err)
		}
	}
}

func TestHosts(t *testing.T) {
	t.Parallel()
	names := map[string]netip.Addr{"db": netip.MustParseAddr("127.77.0.1")}
	for old, want := range map[string]string{
		"# x\n127.0.0.1\tlocalhost # y\n10.1.1.1 db\n10.1.1.2 web db www\n\n": "127.0.0.1 localhost\n10.1.1.2 web www\n127.77.0.1 db\n",
		"": "127.0.0.1 localhost\n::1 localhost\n127.77.0.1 db\n",
	} {
		if d := cmp.Diff(want, netns.Hosts(old, names)); d != "" {
			t.Errorf("hosts of %q (-want +got):\n%s", old, d)
		}
	}
}
