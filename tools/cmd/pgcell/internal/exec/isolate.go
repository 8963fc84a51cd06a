package exec

import (
	"runtime"
	"slices"
	"strings"
)

// perProcess is the value of --isolate that gives each test process a server.
const perProcess = "server"

// readIsolation reads --isolate. Call it after readServer and readPlaces.
func (o *options) readIsolation() error {
	if o.isolate != "" && !slices.Contains([]string{"package", "test", perProcess}, o.isolate) {
		return usage("--isolate %s: want package, test or server", o.isolate)
	}
	if o.isolate != perProcess {
		return nil
	}
	if o.server != "" {
		return usage("--isolate server starts servers, and %s names one that others manage: leave one of them out", o.serverFrom)
	}
	if runtime.GOOS != "linux" {
		return usage("--isolate server finds the test process behind a connection by /proc, which only Linux has")
	}
	var names []string
	for _, p := range o.places {
		if p.Database != "" && !slices.Contains(names, p.Database) {
			names = append(names, p.Database)
		}
	}
	if o.database == "" && len(names) > 1 {
		return usage("--isolate server gives each process one database, and --at names %s: name it by --database",
			strings.Join(names, " and "))
	}
	if o.database == "" && len(names) == 1 {
		o.database = names[0]
	}
	return nil
}
