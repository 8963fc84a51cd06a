package golden

import (
	"github.com/pgcell/pgcell/tools/internal/archive"
	"github.com/pgcell/pgcell/tools/internal/binaries"
	"github.com/pgcell/pgcell/tools/internal/facts"
)

// Manifest says what a golden cluster holds.
type Manifest struct {
	archive.Header
	Template       string            // the sealed database, as [Recipe.TemplateName] names it
	Postgres       binaries.Version  // that made it; its major version must run it
	Build          string            // of that PostgreSQL, see [binaries.Install]
	BinDir         string            // of that PostgreSQL, where it was found on the machine; may be ""
	Size           int64             // of the program postgres in BinDir, by which another build there is told; may be 0
	RunfilesBinDir string            // of that PostgreSQL below the runfiles root, where Bazel brings it; may be ""
	Settings       map[string]string // of the server
	Collations     string            // versions of the libraries that put text in order, see CheckCollations
	Superuser      bool              // Role is a superuser
	Facts          facts.Template    // about the template
}

// ReadManifest reads that of a file. Cost: about 1 ms.
//
// Errors: [*archive.DamagedError]; those of opening the file.
func ReadManifest(path string) (m Manifest, err error) {
	err = archive.ReadManifest(path, &m)
	return m, err
}
