package conf

import (
	"os"
	"strings"

	"github.com/pgcell/pgcell/tools/internal/binaries"
)

// Env is the environment of the programs of a PostgreSQL, the server and such as pg_dump: nothing of the user's but the way
// to shared libraries. binDir is the programs' directory: the libraries that came with them go before all others. It is empty
// for a program of the system.
func Env(binDir string) []string {
	env := []string{
		"PATH=/usr/local/bin:/usr/bin:/bin", "LC_ALL=C", "TZ=UTC",
		// glibc, mallopt(3): a backend keeps up to 4 MB that it frees, in place of a new page fault for each page at
		// the next statement. An INSERT of 5 rows cost 118 us of CPU so, and 210 before; a look at pg_stat_activity 40,
		// and 300 before.
		"MALLOC_TRIM_THRESHOLD_=4194304", "MALLOC_MMAP_THRESHOLD_=4194304",
	}
	for _, name := range []string{"LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH"} {
		v := os.Getenv(name)
		if libraries := binaries.Libraries(binDir); libraries != "" && name == "LD_LIBRARY_PATH" {
			v = strings.TrimSuffix(libraries+":"+v, ":")
		}
		if v != "" {
			env = append(env, name+"="+v)
		}
	}
	return env
}
