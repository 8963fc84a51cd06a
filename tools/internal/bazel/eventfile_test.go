package bazel_test

import (
	"errors"
	"testing"

	"github.com/pgcell/pgcell/tools/internal/bazel"
)

func TestFilePath(t *testing.T) {
	t.Parallel()
	file := bazel.File{Name: "test.log", URI: "file:///tmp/a%20b/test.log"}
	got, err := file.Path()
	if err != nil || got != "/tmp/a b/test.log" {
		t.Errorf("Path() = %q, %v, want /tmp/a b/test.log", got, err)
	}
}

func TestFilePathErrors(t *testing.T) {
	t.Parallel()
	remote := bazel.File{Name: "test.xml", URI: "bytestream://cache.example/blobs/abc/12"}
	_, err := remote.Path()
	var want *bazel.RemoteError
	if !errors.As(err, &want) {
		t.Errorf("Path() of a remote file = %v, want a *RemoteError", err)
	}
	const message = "test.xml is in the remote cache alone (bytestream://cache.example/blobs/abc/12): " +
		"run with --remote_download_outputs=toplevel or --remote_download_regex matching it"
	if err == nil || err.Error() != message {
		t.Errorf("error = %v, want %s", err, message)
	}

	_, err = bazel.File{}.Path()
	if !errors.Is(err, bazel.ErrNoFile) || err.Error() != "locate file: no file was reported" {
		t.Errorf("Path() of no file = %v, want ErrNoFile", err)
	}

	_, err = bazel.File{Name: "test.log", URI: "file://%zz"}.Path()
	if err == nil || err.Error() != `locate test.log: parse "file://%zz": invalid URL escape "%zz"` {
		t.Errorf("Path() of a broken URI = %v", err)
	}
}
