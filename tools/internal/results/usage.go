package results

import (
	"archive/zip"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/pgcell/pgcell/tools/internal/usage"
)

// readUsage sets CPU from the directory of a test's outputs, packed or not. A test process records its usage now and
// then, so what is known is its share, which is taken for the whole of its time.
func (s *Shard) readUsage(dir string) {
	text, err := os.ReadFile(filepath.Join(dir, filepath.FromSlash(usage.File)))
	if err != nil {
		packed, err := zip.OpenReader(filepath.Join(dir, "outputs.zip"))
		if err != nil {
			return
		}
		defer packed.Close()
		if text, err = fs.ReadFile(packed, usage.File); err != nil {
			return
		}
	}
	if share, ok := usage.Parse(text).Share(); ok {
		s.CPU = time.Duration(share * float64(s.Duration))
	}
}
