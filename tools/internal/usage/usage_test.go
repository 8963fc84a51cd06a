package usage_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"github.com/pgcell/pgcell/tools/internal/usage"
)

// burn computes for some processor time.
func burn(d time.Duration) {
	for end := time.Now().Add(d); time.Now().Before(end); {
	}
}

func TestMain(m *testing.M) {
	if os.Getenv("USAGE_TEST_CHILD") != "" {
		burn(300 * time.Millisecond)
		time.Sleep(10 * time.Second) // until it is killed
	}
	os.Exit(m.Run())
}

// A child that runs counts, as a server does that nobody has waited for.
func TestCPUOfLivingChildren(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("measured on Linux alone")
	}
	t.Parallel()
	before, _, ok := usage.CPU()
	if !ok {
		t.Skip("this kernel does not list children")
	}
	child := exec.Command(os.Args[0])
	child.Env = append(os.Environ(), "USAGE_TEST_CHILD=1")
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = child.Wait() }()
	defer func() { _ = child.Process.Kill() }()
	var used time.Duration
	for deadline := time.Now().Add(2 * time.Minute); used < 250*time.Millisecond && time.Now().Before(deadline); {
		time.Sleep(20 * time.Millisecond)
		after, _, _ := usage.CPU()
		used = after - before
	}
	if used < 250*time.Millisecond {
		t.Errorf("a child that computed for 300 ms of its time made the usage grow by %v, want about as much", used)
	}
}

func TestRecord(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("measured on Linux alone")
	}
	t.Parallel()
	dir := t.TempDir()
	usage.Record(dir)
	var u usage.Usage
	for deadline := time.Now().Add(2 * time.Minute); u.Seconds < 0.3 && time.Now().Before(deadline); {
		text, err := os.ReadFile(filepath.Join(dir, "pgcell", "usage.json"))
		if err == nil {
			u = usage.Parse(text)
		}
		time.Sleep(10 * time.Millisecond)
	}
	share, ok := u.Share()
	if !ok || u.Seconds < 0.3 || share < 0 || share > 10*float64(runtime.NumCPU()) {
		t.Errorf("recorded %+v, share %v, %v; want times of a second write", u, share, ok)
	}
}

func TestParse(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]usage.Usage{
		`{"seconds":4,"cpu_seconds":1}`: {Seconds: 4, CPUSeconds: 1}, `{"seconds":4,`: {}, "": {},
	} {
		if got := usage.Parse([]byte(text)); got != want {
			t.Errorf("Parse(%q) = %+v, want %+v", text, got, want)
		}
	}
	if _, ok := (usage.Usage{}).Share(); ok {
		t.Error("Share of nothing is known, want unknown")
	}
	for u, want := range map[usage.Usage]float64{
		{Seconds: 10, CPUSeconds: 2}:                     0.2,
		{Seconds: 10, CPUSeconds: 5, StalledSeconds: 5}:  1, // computed whenever it could
		{Seconds: 10, CPUSeconds: 1, StalledSeconds: 99}: 1,
	} {
		if got, ok := u.Share(); got != want || !ok {
			t.Errorf("%+v.Share() = %v, %v, want %v", u, got, ok, want)
		}
	}
}
