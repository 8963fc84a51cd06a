//go:build !linux

package peer

import (
	"errors"
	"fmt"
	"net"
	"runtime"
)

func of(net.Conn, int) (int, error) { return 0, unsupported() }

func below(int) ([]int, error) { return nil, unsupported() }

func listening() ([]Listener, error) { return nil, unsupported() }

func unsupported() error {
	return fmt.Errorf("only Linux tells whose a connection is, this is %s: %w", runtime.GOOS, errors.ErrUnsupported)
}
