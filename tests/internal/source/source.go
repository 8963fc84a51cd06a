// Package source is for tests that run programs on the source tree itself, outside of every sandbox.
package source

import (
	"fmt"
	"os"
	"path/filepath"
)

// Tree gives the root of the real source tree, to a test whose directory holds a BUILD.bazel: under Bazel, whose runfiles
// are links into the tree (BUILD.bazel must be among the test's data), and under go test.
func Tree() (string, error) {
	file, err := filepath.EvalSymlinks("BUILD.bazel")
	if err != nil {
		return "", fmt.Errorf("find the source tree: %w; list BUILD.bazel in the test's data", err)
	}
	if file, err = filepath.Abs(file); err != nil {
		return "", fmt.Errorf("find the source tree: %w", err)
	}
	for dir := filepath.Dir(file); dir != filepath.Dir(dir); dir = filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, "MODULE.bazel")); err == nil {
			return dir, nil
		}
	}
	return "", fmt.Errorf("find the source tree: no MODULE.bazel above %s", file)
}

// inherited are the variables of the user that tools/bazel, Go and npm need; source.bzl has the same for Bazel.
var inherited = []string{
	"GOFLAGS", "GOPRIVATE", "GOPROXY", "GOSUMDB", "HOME", "HTTPS_PROXY", "HTTP_PROXY", "NODE_EXTRA_CA_CERTS", "NO_PROXY",
	"NPM_CONFIG_GLOBALCONFIG", "PATH", "SSL_CERT_DIR", "SSL_CERT_FILE", "USER", "XDG_CACHE_HOME",
}

// Environ is the environment for such a program: the user's, without what a test runner tells a test.
func Environ() []string {
	var env []string
	for _, name := range inherited {
		if value, ok := os.LookupEnv(name); ok {
			env = append(env, name+"="+value)
		}
	}
	return env
}
