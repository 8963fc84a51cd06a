package netns

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// hosts gives an /etc/hosts (hosts(5)) with all that is in old but these names, and then them.
func hosts(old string, n names) string {
	var b strings.Builder
	localhost := false
	for line := range strings.Lines(old) {
		entry, _, _ := strings.Cut(line, "#")
		fields := strings.Fields(entry)
		kept := fields[:min(1, len(fields))]
		for _, name := range fields[min(1, len(fields)):] {
			if _, ours := n[name]; !ours {
				kept = append(kept, name)
			}
			localhost = localhost || isLocalhost(name)
		}
		if len(kept) > 1 {
			fmt.Fprintln(&b, strings.Join(kept, " "))
		}
	}
	if !localhost {
		b.WriteString("127.0.0.1 localhost\n::1 localhost\n")
	}
	for _, name := range slices.Sorted(maps.Keys(n)) {
		fmt.Fprintln(&b, n[name], name)
	}
	return b.String()
}
