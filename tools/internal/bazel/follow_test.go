package bazel_test

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/pgcell/pgcell/tools/internal/bazel"
)

const lineLast = `{"id":{"buildToolLogs":{}},"buildToolLogs":{},"lastMessage":true}` + "\n"

var lineA, lineB = line("//x:a"), line("//x:b")

// line gives the event that says that a test passed.
func line(label string) string {
	return `{"id":{"testResult":{"label":"` + label + `","run":1,"shard":1,"attempt":1}},` +
		`"testResult":{"status":"PASSED"}}` + "\n"
}

// follow runs Follow with a context that has ended: it reads what is there.
func follow(t *testing.T, path string) []string {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var labels []string
	if err := bazel.Follow(ctx, path, collect(&labels)); err != nil {
		t.Fatalf("Follow: %v", err)
	}
	return labels
}

func collect(labels *[]string) func(bazel.Event) {
	return func(e bazel.Event) {
		if e.Result != nil {
			*labels = append(*labels, e.Result.Label)
		}
	}
}

func TestFollowEnds(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name    string
		content string
		want    []string
	}{
		{"with the last event", lineA + lineB + lineLast, []string{"//x:a", "//x:b"}},
		{"early", lineA, []string{"//x:a"}},
		{"in the middle of a line", lineA + lineB[:40], []string{"//x:a"}},
		{"before the end of a line", lineA + lineB[:len(lineB)-1], []string{"//x:a", "//x:b"}},
		{"after lines that are none", "\n{\"id\":\n" + lineA + "garbage\n[]\n7\n" + lineB, []string{"//x:a", "//x:b"}},
		{"empty", "", nil},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "events.json")
			if err := os.WriteFile(path, []byte(test.content), 0o666); err != nil {
				t.Fatal(err)
			}
			if got := follow(t, path); !slices.Equal(got, test.want) {
				t.Errorf("labels = %q, want %q", got, test.want)
			}
		})
	}
}

func TestFollowWithoutFile(t *testing.T) {
	t.Parallel()
	if got := follow(t, filepath.Join(t.TempDir(), "never")); got != nil {
		t.Errorf("labels = %q, want none", got)
	}
}

func TestFollowReportsReadErrors(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	err := bazel.Follow(ctx, dir, func(bazel.Event) {})
	want := "read build events " + dir + ": read " + dir + ": is a directory"
	if err == nil || err.Error() != want {
		t.Errorf("Follow of a directory = %v, want %s", err, want)
	}
}

// follower follows a file while it is written.
type follower struct {
	t      *testing.T
	file   *os.File
	cancel context.CancelFunc
	labels chan string
	done   chan error
}

func mustFollow(t *testing.T) *follower {
	t.Helper()
	path := filepath.Join(t.TempDir(), "events.json")
	f := &follower{t: t, labels: make(chan string), done: make(chan error, 1)}
	ctx, cancel := context.WithCancel(t.Context())
	f.cancel = cancel
	go func() {
		f.done <- bazel.Follow(ctx, path, func(e bazel.Event) {
			if e.Result != nil {
				f.labels <- e.Result.Label
			}
		})
	}()
	var err error
	if f.file, err = os.Create(path); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.file.Close() })
	return f
}

func (f *follower) write(s string) {
	f.t.Helper()
	if _, err := f.file.WriteString(s); err != nil {
		f.t.Error(err)
	}
}

func (f *follower) receive(want string) {
	f.t.Helper()
	select {
	case got := <-f.labels:
		if got != want {
			f.t.Errorf("label = %q, want %q", got, want)
		}
	case err := <-f.done:
		f.t.Fatalf("Follow ended: %v", err)
	case <-time.After(2 * time.Minute):
		f.t.Fatalf("%s did not come within 2 minutes", want)
	}
}

func (f *follower) end() {
	f.t.Helper()
	f.cancel()
	select {
	case err := <-f.done:
		if err != nil {
			f.t.Errorf("Follow: %v", err)
		}
	case <-time.After(2 * time.Minute):
		f.t.Fatal("Follow did not end within 2 minutes after Bazel had")
	}
}

// TestFollowWhileWritten has the file come, grow in the middle of a line and end.
func TestFollowWhileWritten(t *testing.T) {
	t.Parallel()
	f := mustFollow(t)
	f.write(lineA + lineB[:20])
	f.receive("//x:a")
	f.write(lineB[20:])
	f.receive("//x:b")
	f.write(lineLast)
	f.end()
}

// TestFollowRetry has Bazel begin anew after its last event, in a file that becomes longer than before at once.
func TestFollowRetry(t *testing.T) {
	t.Parallel()
	f := mustFollow(t)
	f.write(`{"id":{"started":{}},"started":{"uuid":"1"}}` + "\n" + lineA + lineLast)
	f.receive("//x:a")
	if err := f.file.Truncate(0); err != nil {
		t.Fatal(err)
	}
	if _, err := f.file.WriteAt([]byte(`{"id":{"started":{}},"started":{"uuid":"2"}}`+"\n"+lineB+lineA+lineA+lineLast), 0); err != nil {
		t.Fatal(err)
	}
	f.receive("//x:b")
	f.receive("//x:a")
	f.receive("//x:a")
	f.end()
}

// TestFollowRetryWhileRead has Bazel begin anew while the events of its first build are read.
func TestFollowRetryWhileRead(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "events.json")
	begin := func(uuid, events string) {
		t.Helper()
		if err := os.WriteFile(path, []byte(`{"id":{"started":{}},"started":{"uuid":"`+uuid+`"}}`+"\n"+events+lineLast), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	begin("1", lineA)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var labels []string
	err := bazel.Follow(ctx, path, func(e bazel.Event) {
		if e.Result == nil {
			return
		}
		labels = append(labels, e.Result.Label)
		if len(labels) == 1 {
			begin("2", lineB+lineA+lineA)
		}
	})
	if err != nil {
		t.Fatalf("Follow: %v", err)
	}
	if want := []string{"//x:a", "//x:b", "//x:a", "//x:a"}; !slices.Equal(labels, want) {
		t.Errorf("labels = %q, want %q", labels, want)
	}
}
