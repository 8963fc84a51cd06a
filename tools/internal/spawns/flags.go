package spawns

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// otherLog is a flag for a log of executions.
var otherLog = regexp.MustCompile(`--(experimental_)?execution_log_(binary|json|compact)_file`)

// Flags have Bazel write a log of executions that [Store.Keep] reads; none where Bazel is told elsewhere to write one, since
// it refuses to write two: by the user's flags, or by the files that it reads flags from. home may be "". (The compact log
// would be smaller, but Debian's Bazel lacks a library for it.)
func Flags(log string, flags []string, workspace, home string) []string {
	if slices.ContainsFunc(flags, otherLog.MatchString) {
		return nil
	}
	files := []string{filepath.Join(workspace, ".bazelrc"), "/etc/bazel.bazelrc"}
	if home != "" {
		files = append(files, filepath.Join(home, ".bazelrc"))
	}
	for i := 0; i < len(files) && i < 20; i++ { // they may import each other
		text, err := os.ReadFile(files[i])
		if err != nil {
			continue
		}
		for line := range strings.Lines(string(text)) {
			words := strings.Fields(line)
			if len(words) == 2 && (words[0] == "import" || words[0] == "try-import") {
				files = append(files, strings.ReplaceAll(words[1], "%workspace%", workspace))
			} else if len(words) > 0 && !strings.HasPrefix(words[0], "#") && otherLog.MatchString(line) {
				return nil
			}
		}
	}
	return []string{"--execution_log_binary_file=" + log, "--noexecution_log_sort"}
}
