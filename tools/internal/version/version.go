// Package version knows which version of pgcell this program was built from.
package version

import "runtime/debug"

// module is the version in MODULE.bazel; the BUILD file sets it. It is empty without Bazel.
var module string

// String gives the version without a leading v, such as 0.1.0: that of MODULE.bazel under Bazel, that of the module
// under "go install ...@VERSION", and "devel" for a build of a source tree by the go command.
func String() string {
	if module != "" {
		return module
	}
	if info, ok := debug.ReadBuildInfo(); ok && len(info.Main.Version) > 1 && info.Main.Version[0] == 'v' {
		return info.Main.Version[1:]
	}
	return "devel"
}
