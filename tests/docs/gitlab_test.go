package docs_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// gitlabSchema is a package of npm that carries GitLab's schema of .gitlab-ci.yml; later versions need Node 22.
const gitlabSchema = "gitlab-ci-local@4.56.0"

// gitlabJob is a line that jobs of GitLab have, and neither GitHub's nor Buildkite's.
var gitlabJob = regexp.MustCompile(`(?m)^  script:`)

// TestGitLabBlocks has GitLab's own schema judge pipelines in docs. The schema must find a misspelt word, too.
func TestGitLabBlocks(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	node := func(stdin, program string, args ...string) (string, error) {
		cmd := exec.CommandContext(t.Context(), program, args...)
		cmd.Dir, cmd.Stdin = dir, strings.NewReader(stdin)
		output, err := cmd.CombinedOutput()
		return string(output), err
	}
	script := mustRead(t, mustTree(t), "tests", "docs", "testdata", "gitlab.mjs")
	mustWrite(t, filepath.Join(dir, "check.mjs"), script)
	mustWrite(t, filepath.Join(dir, "package.json"), `{"private": true}`)
	for _, command := range []string{
		"npm install --no-audit --no-fund --ignore-scripts ajv@8.17.1 js-yaml@4.1.0",
		"npm pack --silent " + gitlabSchema,
		"tar xzf gitlab-ci-local-4.56.0.tgz",
		"node --version",
	} {
		words := strings.Fields(command)
		if output, err := node("", words[0], words[1:]...); err != nil {
			t.Skipf("GitLab's YAML is not checked: %s: %v\n%s", command, err, output)
		}
	}
	module := filepath.Join(dir, "package", "src", "schema", "schema.js")
	if _, err := os.Stat(module); err != nil {
		t.Fatal(err)
	}
	jobs := 0
	for _, p := range mustPages(t) {
		for _, b := range p.blocks {
			if b.language != "yaml" || !gitlabJob.MatchString(b.text) {
				continue
			}
			jobs++
			if output, err := node(b.text, "node", "check.mjs", module); err != nil {
				t.Errorf("a YAML block, at %s:%d: GitLab's schema: %v\n%s", b.page, b.line, err, output)
			}
			wrong := gitlabJob.ReplaceAllString(b.text, "  scripts:")
			if output, err := node(wrong, "node", "check.mjs", module); err == nil {
				t.Errorf("the block at %s:%d with scripts in place of script passes: %s", b.page, b.line, output)
			}
		}
	}
	if jobs == 0 {
		t.Error("no pipeline of GitLab is judged, want one or more")
	}
}
