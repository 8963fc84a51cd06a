//go:build !linux

package netns

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"runtime"
)

func start(context.Context, *exec.Cmd, Config, names) (*Space, error) {
	return nil, &ForbiddenError{
		Err:    fmt.Errorf("this is %s: %w", runtime.GOOS, errors.ErrUnsupported),
		Reason: "only Linux has network namespaces",
		Remedy: "run the command on Linux, as in a container or a virtual machine, " + Alternatives,
	}
}

func become() {}
