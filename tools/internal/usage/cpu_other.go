//go:build !linux

package usage

import "time"

// CPU is measured on Linux alone.
func CPU() (used time.Duration, ok bool) { return 0, false }
