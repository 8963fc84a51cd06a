package bazel

import (
	"errors"
	"fmt"
	"net/url"
)

// ErrNoFile is the error of File.Path where the event named no file at all.
var ErrNoFile = errors.New("no file was reported")

// RemoteError is the error of File.Path where the bytes are in a remote cache and not on this machine.
type RemoteError struct {
	Name string // "test.xml"
	URI  string // "bytestream://cache.example/blobs/..."
}

// Error names the file and the Bazel flag that brings it.
func (e *RemoteError) Error() string {
	return fmt.Sprintf("%s is in the remote cache alone (%s): run with --remote_download_outputs=toplevel "+
		"or --remote_download_regex matching it", e.Name, e.URI)
}

// File is a file that an event refers to. The zero value stands for none.
type File struct {
	Name string `json:"name"` // "test.log", "stderr", ...
	URI  string `json:"uri"`
}

// Path gives the file's absolute path on this machine. The error is ErrNoFile, a *RemoteError, or
// says that the URI cannot be read. The file itself need not exist.
func (f File) Path() (string, error) {
	if f.URI == "" {
		return "", fmt.Errorf("locate %s: %w", f.name(), ErrNoFile)
	}
	u, err := url.Parse(f.URI)
	if err != nil {
		return "", fmt.Errorf("locate %s: %w", f.name(), err)
	}
	if u.Scheme != "file" {
		return "", &RemoteError{Name: f.name(), URI: f.URI}
	}
	return u.Path, nil
}

func (f File) name() string {
	if f.Name == "" {
		return "file"
	}
	return f.Name
}
