//go:build !linux

package usage

import "time"

// CPU is measured on Linux alone.
func CPU() (used, stalled time.Duration, ok bool) { return 0, 0, false }
