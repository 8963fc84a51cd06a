package merge_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pgcell/pgcell/tools/internal/merge"
)

// mustWrite writes the profile that a process would write.
func mustWrite(t *testing.T, c *merge.Coverage, process int, text string) {
	t.Helper()
	args, _ := c.Args(process)
	file, ok := strings.CutPrefix(args[0], "-test.coverprofile=")
	if !ok {
		t.Fatalf("Args(%d) = %q, want a profile first", process, args)
	}
	if err := os.WriteFile(file, []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
}

func TestCoverageAddsUp(t *testing.T) {
	t.Parallel()
	for mode, want := range map[string]string{
		"set":    "mode: set\na.go:1.1,2.2 3 1\na.go:3.1,4.2 1 1\na.go:5.1,6.2 4 0\n",
		"count":  "mode: count\na.go:1.1,2.2 3 1\na.go:3.1,4.2 1 7\na.go:5.1,6.2 4 0\n",
		"atomic": "mode: atomic\na.go:1.1,2.2 3 1\na.go:3.1,4.2 1 7\na.go:5.1,6.2 4 0\n",
	} {
		file := filepath.Join(t.TempDir(), "profile")
		c, err := merge.NewCoverage(file, "", 2)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(c.Remove)
		two, five := "2", "5"
		if mode == "set" {
			two, five = "1", "1"
		}
		mustWrite(t, c, 0, "mode: "+mode+"\na.go:1.1,2.2 3 1\na.go:3.1,4.2 1 "+two+"\na.go:5.1,6.2 4 0\n")
		mustWrite(t, c, 1, "mode: "+mode+"\na.go:1.1,2.2 3 0\na.go:3.1,4.2 1 "+five+"\na.go:5.1,6.2 4 0\n")
		percent, complete, err := c.Merge()
		if percent != "50.0%" || !complete || err != nil {
			t.Errorf("%s: Merge() = %q, %v, %v, want 50.0%% of all", mode, percent, complete, err)
		}
		got, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, string(got)); diff != "" {
			t.Errorf("%s: profile (-want +got):\n%s", mode, diff)
		}
	}
}

func TestCoverageIsIncompleteAfterADeath(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	c, err := merge.NewCoverage(filepath.Join(dir, "profile"), dir, 2)
	if err != nil {
		t.Fatal(err)
	}
	mustWrite(t, c, 1, "mode: set\na.go:1.1,2.2 3 1\n")
	if percent, complete, err := c.Merge(); complete || err != nil {
		t.Errorf("Merge() = %q, %v, %v, want that it is not complete", percent, complete, err)
	}
	c.Remove()
	if files, err := os.ReadDir(dir); err != nil || len(files) > 0 {
		t.Errorf("left: %v, %v, want nothing", files, err)
	}
}

func TestCoverageNamesADamagedProfile(t *testing.T) {
	t.Parallel()
	c, err := merge.NewCoverage(filepath.Join(t.TempDir(), "profile"), "", 1)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Remove)
	mustWrite(t, c, 0, "mode: set\nnonsense\n")
	const want = `profile: got "nonsense", want a block and its count`
	if _, _, err := c.Merge(); err == nil || !strings.HasSuffix(err.Error(), want) {
		t.Errorf("Merge() = %v, want ... %s", err, want)
	}
}
