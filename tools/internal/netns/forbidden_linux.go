package netns

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strings"
	"syscall"
)

// forbidden makes an error of what the system said, with the reason where the system tells it.
func forbidden(step string, err error) *ForbiddenError {
	e := &ForbiddenError{Err: fmt.Errorf("%s: %w", step, err)}
	e.Reason, e.Remedy = diagnose(os.ReadFile)
	e.Remedy += ", " + Alternatives
	return e
}

// isForbidding reports whether an error is how systems forbid namespaces, or what needs one.
func isForbidding(err error) bool {
	for _, n := range []syscall.Errno{syscall.EPERM, syscall.EACCES, syscall.ENOSPC, syscall.EUSERS, syscall.ENOSYS, syscall.EINVAL} {
		if errors.Is(err, n) {
			return true
		}
	}
	return false
}

// limits are the files that switch namespaces off, in the order of likelihood.
var limits = []struct{ file, value, reason, remedy string }{
	{"/proc/sys/kernel/apparmor_restrict_unprivileged_userns", "1",
		"AppArmor keeps user namespaces from having rights (kernel.apparmor_restrict_unprivileged_userns is 1, as on Ubuntu 24.04)",
		"run sudo sysctl -w kernel.apparmor_restrict_unprivileged_userns=0"},
	{"/proc/sys/kernel/unprivileged_userns_clone", "0",
		"user namespaces are for root alone (kernel.unprivileged_userns_clone is 0)",
		"run sudo sysctl -w kernel.unprivileged_userns_clone=1"},
	{"/proc/sys/user/max_user_namespaces", "0", "no user namespace may be made (user.max_user_namespaces is 0)",
		"run sudo sysctl -w user.max_user_namespaces=10000"},
	{"/proc/sys/user/max_net_namespaces", "0", "no network namespace may be made (user.max_net_namespaces is 0)",
		"run sudo sysctl -w user.max_net_namespaces=10000"},
}

// diagnose says why namespaces are forbidden here, and what would allow them. A limit may be in the way even where
// another is too: the first is named.
func diagnose(read func(string) ([]byte, error)) (reason, remedy string) {
	for _, l := range limits {
		if text, err := read(l.file); err == nil && string(bytes.TrimSpace(text)) == l.value {
			return l.reason, l.remedy
		}
	}
	status, err := read("/proc/self/status")
	if err == nil && strings.Contains(string(status), "\nSeccomp:\t2") {
		return "system calls of this process are filtered (seccomp), as containers do",
			"start the container with --security-opt seccomp=unconfined --security-opt systempaths=unconfined, or with --cap-add SYS_ADMIN --cap-add NET_ADMIN"
	}
	return "", "see whether a sandbox or the system forbids user namespaces (unshare -rn true tells)"
}
