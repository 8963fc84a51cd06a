package archive

import (
	"bytes"
	"context"
	"os"
)

// WithDigest appends the digest to what nobody packed.
func WithDigest(text []byte) []byte {
	var out bytes.Buffer
	w := newDigestWriter(&out)
	w.Write(text) // a buffer takes all
	w.end()
	return out.Bytes()
}

// PackAndUnpack packs a data directory into a file as it is, and unpacks that into another, existing one. It gives how
// often unpacking said that it is enough.
func PackAndUnpack(ctx context.Context, from, file, to string) (enough int, err error) {
	f, err := os.Create(file)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	c, err := readControl(from)
	if err != nil {
		return 0, err
	}
	if err := pack(f, from, func(h Header) any { return h }, c.logNeeded(from), nil); err != nil {
		return 0, err
	}
	return enough, Unpack(ctx, file, to, func() { enough++ })
}
