package spawns

import (
	"regexp"
	"strings"
)

// configuration is the directory of a configuration's outputs in a path below the execution root.
var configuration = regexp.MustCompile(`bazel-out/([^/]+)/(?:bin|genfiles|testlogs)/`)

// Name gives a path below the execution root as people know it: a source file's or an output's path in its package,
// whatever the configuration, and also if the path leads through runfiles. What belongs to another repository has the
// name of that: "external/REPOSITORY".
func Name(path string) string {
	if _, in, ok := strings.Cut(path, ".runfiles/"); ok {
		repository, rest, _ := strings.Cut(in, "/")
		switch {
		case rest == "":
			return path[strings.LastIndexByte(path[:len(path)-len(in)-1], '/')+1:]
		case repository == "_main":
			path = rest
		default:
			path = "external/" + in
		}
	}
	if at := configuration.FindStringIndex(path); at != nil && at[0] == 0 {
		path = path[at[1]:]
	}
	if rest, ok := strings.CutPrefix(path, "external/"); ok {
		repository, _, _ := strings.Cut(rest, "/")
		return "external/" + repository
	}
	return path
}

// forTools reports whether an output is of the configuration of tools, which Bazel runs while it builds.
func forTools(path string) bool {
	m := configuration.FindStringSubmatch(path)
	return m != nil && strings.Contains(m[1], "-exec")
}

// withoutConfiguration gives an argument in which every configuration's directory is the same.
func withoutConfiguration(arg string) string {
	return configuration.ReplaceAllStringFunc(arg, func(s string) string {
		return "bazel-out/" + s[strings.LastIndexByte(s[:len(s)-1], '/')+1:]
	})
}
