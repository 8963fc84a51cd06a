//go:build !linux

package divide

import "os/exec"

// dieWithParent does nothing: only Linux can tell a process that its parent has died.
func dieWithParent(*exec.Cmd) {}

// inForeground does not know, so that a signal may come twice rather than not at all.
func inForeground() bool { return false }
