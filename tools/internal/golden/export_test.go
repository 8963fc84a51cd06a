package golden

import (
	"context"
	"os"
)

// PackAndUnpack packs a data directory into a file and unpacks that into another, existing one. It gives how often
// unpacking said that it is enough.
func PackAndUnpack(ctx context.Context, from, file, to string) (enough int, err error) {
	f, err := os.Create(file)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	if err := pack(f, Manifest{Template: "t"}, from, nil); err != nil {
		return 0, err
	}
	return enough, unpack(ctx, file, to, func() { enough++ })
}

// Unpack is unpack.
func Unpack(ctx context.Context, file, to string) error { return unpack(ctx, file, to, func() {}) }

// ManifestFormat is manifestFormat.
const ManifestFormat = manifestFormat

// SteadyFiles is steadyFiles.
func SteadyFiles(dataDir string) (map[string][]byte, error) { return steadyFiles(dataDir) }
