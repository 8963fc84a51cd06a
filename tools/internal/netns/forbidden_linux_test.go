package netns_test

import (
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"github.com/pgcell/pgcell/tools/internal/netns"
)

func TestDiagnose(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		files          map[string]string
		reason, remedy string
	}{
		{map[string]string{"/proc/sys/kernel/apparmor_restrict_unprivileged_userns": "1\n"},
			"AppArmor", "sudo sysctl -w kernel.apparmor_restrict_unprivileged_userns=0"},
		{map[string]string{"/proc/sys/kernel/unprivileged_userns_clone": "0\n"}, "for root alone", "kernel.unprivileged_userns_clone=1"},
		{map[string]string{"/proc/sys/user/max_net_namespaces": "0\n"}, "no network namespace", "user.max_net_namespaces"},
		{map[string]string{"/proc/self/status": "Name:\tx\nSeccomp:\t2\n"}, "seccomp", "--security-opt seccomp=unconfined"},
		{map[string]string{"/proc/self/status": "Name:\tx\nSeccomp:\t0\n"}, "", "unshare -rn true"},
	} {
		reason, remedy := netns.Diagnose(func(name string) ([]byte, error) {
			if text, ok := c.files[name]; ok {
				return []byte(text), nil
			}
			return nil, fs.ErrNotExist
		})
		if !strings.Contains(reason, c.reason) || !strings.Contains(remedy, c.remedy) || (reason == "") != (c.reason == "") {
			t.Errorf("with %q: %q, %q; want %q, %q", c.files, reason, remedy, c.reason, c.remedy)
		}
	}
}

// TestForbidden has a process that may make no network namespace: in a user namespace, its root sets that.
func TestForbidden(t *testing.T) {
	const env, limit = "NETNS_TEST_FORBIDDEN", "/proc/sys/user/max_net_namespaces"
	if os.Getenv(env) != "" {
		if err := os.WriteFile(limit, []byte("0"), 0); err != nil {
			t.Skip(err)
		}
		_, err := netns.Start(t.Context(), exec.Command("true"), netns.Config{})
		const want = "user.max_net_namespaces is 0); run sudo sysctl -w user.max_net_namespaces=10000, or do without"
		var forbidden *netns.ForbiddenError
		if !errors.As(err, &forbidden) || !strings.Contains(err.Error(), want) {
			t.Errorf("Start = %v, want %q", err, want)
		}
		return
	}
	t.Parallel()
	cmd := exec.Command("/proc/self/exe", "-test.run=^TestForbidden$", "-test.v")
	cmd.Env = append(os.Environ(), env+"=1", "GO_TEST_WRAP=0")
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags:  syscall.CLONE_NEWUSER,
		UidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}},
	}
	out, err := cmd.CombinedOutput()
	if errors.Is(err, syscall.EPERM) || errors.Is(err, syscall.EACCES) || strings.Contains(string(out), "--- SKIP") {
		t.Skipf("no user namespace, or one without limits: %v %s", err, out)
	}
	if err != nil {
		t.Errorf("%v:\n%s", err, out)
	}
}

func TestForbiddenError(t *testing.T) {
	t.Parallel()
	err := error(&netns.ForbiddenError{Err: syscall.EPERM, Reason: "a reason", Remedy: "a remedy"})
	if want := "make a network namespace: operation not permitted: a reason; a remedy"; err.Error() != want || !errors.Is(err, syscall.EPERM) {
		t.Errorf("error is %q, want %q", err, want)
	}
}
