package cimatrix_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pgcell/pgcell/tools/cmd/pgcell/internal/cimatrix"
	"github.com/pgcell/pgcell/tools/internal/cli"
)

const query = `<query>
<rule class="go_test" name="//a:a"><list name="tags"><string value="category:ddl"/></list></rule>
<rule class="go_test" name="//x/b:b"/>
<rule class="go_test" name="//m:m"><list name="tags"><string value="manual"/></list></rule>
</query>`

func TestRun(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	for name, text := range map[string]string{
		"MODULE.bazel": "", "query.xml": query, "a/BUILD.bazel": "", "a/pgcell_times.txt": "a TestA 10\n",
		"bazel": "#!/bin/sh\ncat query.xml\n",
	} {
		path := filepath.Join(root, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o777); err != nil {
			t.Fatal(err)
		}
	}
	var out strings.Builder
	p := &cli.Process{Stdout: &out, Env: []string{"PATH=" + os.Getenv("PATH"), "BUILD_WORKSPACE_DIRECTORY=" + root,
		"PGCELL_BAZEL=" + filepath.Join(root, "bazel")}}
	if err := cimatrix.Run(p, 2, "category", nil); err != nil {
		t.Fatal(err)
	}
	want := `{"include":[{"machine":1,"targets":"//x/b:b","categories":["b"],"seconds":10},` +
		`{"machine":2,"targets":"//a:a","categories":["ddl"],"seconds":10}]}` + "\n"
	if out.String() != want {
		t.Errorf("Run printed %s, want %s", out.String(), want)
	}
	if err := os.Remove(filepath.Join(root, "query.xml")); err != nil {
		t.Fatal(err)
	}
	out.Reset()
	code := cli.Report(&out, "pgcell ci-matrix", cimatrix.Run(p, 2, "target", nil))
	if code != cli.BuildFailed || !strings.HasPrefix(out.String(), "pgcell ci-matrix: ask Bazel for the tests: exit status 1\n") {
		t.Errorf("a query that fails gave %d, %q", code, out.String())
	}
}
