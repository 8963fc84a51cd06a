package binaries

import "path/filepath"

// librariesDir is a directory of shared libraries above a bin directory: what postgres.bundle copies from the machine.
const librariesDir = "pgcell-libraries"

// librariesAbove is how many directories up that is looked for. Debian's bin is /usr/lib/postgresql/15/bin.
const librariesAbove = 8

// Libraries gives the directory of the shared libraries that came with an installation, of which it is given the bin
// directory; "" if it uses those of the machine.
func Libraries(binDir string) string {
	dir := binDir
	for i := 0; i < librariesAbove && filepath.IsAbs(dir); i++ {
		dir = filepath.Dir(dir)
		if libraries := filepath.Join(dir, librariesDir); isDir(libraries) {
			return libraries
		}
	}
	return ""
}
