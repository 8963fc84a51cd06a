package pgcell

import (
	"os"
	"sync"

	"github.com/pgcell/pgcell/tools/internal/cells"
)

// looksAtSessions reports whether the test binary may ask the server for sessions, by any client; true in doubt. What
// cells' pools send is seen anyway, but another client's statements are not, and to end pgcell's session in each cell
// whose URL is asked for would make such tests twice as slow.
var looksAtSessions = sync.OnceValue(func() bool {
	path, err := os.Executable()
	if err != nil {
		return true
	}
	f, err := os.Open(path)
	if err != nil {
		return true
	}
	defer f.Close()
	found, err := cells.MentionsSessions(f)
	return found || err != nil
})
