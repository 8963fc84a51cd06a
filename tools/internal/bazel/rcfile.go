package bazel

import (
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/kballard/go-shellquote"
)

// Configured gives the last value of each flag in the form --name=value that holds for "bazel test" with these flags: those
// of the .bazelrc files of the system, the workspace and the user, and then these, with the configurations that they name.
// It reads the files and calls nothing. Files that cannot be read are passed over, as Bazel reports them itself.
func (c *Client) Configured(flags []string) map[string]string {
	rc := c.rcFiles()
	rc.apply("")
	rc.applyFlags(flags)
	return rc.values
}

// Mentioned gives all flags that the .bazelrc files have for "bazel test" in some configuration, whether it is used or not.
func (c *Client) Mentioned() []string {
	var all []string
	for _, line := range c.rcFiles().lines {
		all = append(all, line.flags...)
	}
	return all
}

// rcFiles reads the .bazelrc files of the system, the workspace and the user.
func (c *Client) rcFiles() *rcFile {
	home := ""
	for _, e := range c.Env {
		if value, ok := strings.CutPrefix(e, "HOME="); ok {
			home = value
		}
	}
	rc := &rcFile{read: map[string]bool{}, applied: map[string]bool{}, values: map[string]string{}}
	rc.add("/etc/bazel.bazelrc", c.Root)
	rc.add(filepath.Join(c.Root, ".bazelrc"), c.Root)
	if home != "" {
		rc.add(filepath.Join(home, ".bazelrc"), c.Root)
	}
	return rc
}

// rcFile is the lines of .bazelrc files that concern "bazel test", in order.
type rcFile struct {
	lines   []rcLine
	read    map[string]bool // files; one that imports itself is Bazel's to report
	applied map[string]bool // configurations that are being applied, for the same reason
	values  map[string]string
}

type rcLine struct {
	config string // "" for a line that always holds
	flags  []string
}

func (rc *rcFile) add(path, root string) {
	text, err := os.ReadFile(path)
	if err != nil || rc.read[path] {
		return
	}
	rc.read[path] = true
	for line := range strings.Lines(strings.ReplaceAll(string(text), "\\\n", "")) {
		line, _, _ = strings.Cut(strings.TrimSpace(line), "#")
		words, err := shellquote.Split(line)
		if err != nil || len(words) < 2 {
			continue
		}
		command, config, _ := strings.Cut(words[0], ":")
		switch {
		case command == "import" || command == "try-import":
			file := strings.ReplaceAll(words[1], "%workspace%", root)
			if !filepath.IsAbs(file) {
				file = filepath.Join(root, file)
			}
			rc.add(file, root)
		case slices.Contains([]string{"always", "common", "build", "test"}, command):
			rc.lines = append(rc.lines, rcLine{config, words[1:]})
		}
	}
}

// apply takes the flags of one configuration in.
func (rc *rcFile) apply(config string) {
	if rc.applied[config] {
		return
	}
	rc.applied[config] = true
	for _, line := range rc.lines {
		if line.config == config {
			rc.applyFlags(line.flags)
		}
	}
	delete(rc.applied, config)
}

func (rc *rcFile) applyFlags(flags []string) {
	for i, flag := range flags {
		name, value, ok := strings.Cut(flag, "=")
		if !ok && i+1 < len(flags) && !strings.HasPrefix(flags[i+1], "-") {
			value, ok = flags[i+1], true
		}
		switch {
		case !ok || !strings.HasPrefix(name, "--"):
		case name == "--config":
			rc.apply(value)
		default:
			rc.values[strings.TrimPrefix(name, "--")] = value
		}
	}
}
