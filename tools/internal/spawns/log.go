// Package spawns keeps what the actions of a workspace were executed with: inputs, environment, arguments. It reads the
// logs of executions that Bazel writes.
//
// Goals: two executions of an action can be compared, although logs are large and a log has only the actions that its
// run has executed; no secret is kept. Non-goals: actions of other repositories, which count as one input each.
package spawns

import (
	"crypto/sha256"
	"encoding/hex"
	"io"
	"slices"
	"strings"

	"github.com/pgcell/pgcell/tools/internal/secret"
)

// Execution is what one action was executed with, or what a remote or disk cache has found its result by.
type Execution struct {
	Label    string            `json:"label"` // of the target
	Mnemonic string            `json:"mnemonic"`
	Cached   bool              `json:"cached,omitempty"` // the result came from a remote or disk cache
	Failed   bool              `json:"failed,omitempty"`
	Args     []string          `json:"args"`
	Env      map[string]string `json:"env"`                // without secrets, see secret.Variable
	Platform map[string]string `json:"platform,omitempty"` // execution properties
	Inputs   map[string]string `json:"inputs"`             // by Name: a digest of the content
	Outputs  map[string]string `json:"outputs"`            // the same

	key string
}

// Read calls each with every execution of the workspace's own targets in a log.
func Read(in io.Reader, each func(*Execution)) error {
	return readMessages(in, func(message []byte) error {
		e, err := parse(message)
		if err == nil && strings.HasPrefix(e.Label, "//") {
			each(e)
		}
		return err
	})
}

// files collects digests by name. Several files of one name, such as those of a repository, have one digest together.
type files map[string][]string

func (f files) add(path, digest string) { f[Name(path)] = append(f[Name(path)], path+" "+digest) }

func (f files) digests() map[string]string {
	all := make(map[string]string, len(f))
	for name, lines := range f {
		if len(lines) == 1 {
			all[name] = lines[0][strings.LastIndexByte(lines[0], ' ')+1:]
			continue
		}
		slices.Sort(lines)
		sum := sha256.Sum256([]byte(strings.Join(lines, "\n")))
		all[name] = hex.EncodeToString(sum[:8])
	}
	return all
}

// parse reads a SpawnExec.
func parse(message []byte) (*Execution, error) {
	e := &Execution{Env: map[string]string{}, Platform: map[string]string{}}
	inputs, outputs := files{}, files{}
	var first string // output
	var status string
	var exit uint64
	err := fields(message, func(field int, b []byte, number uint64) (err error) {
		switch field {
		case 1:
			e.Args = append(e.Args, withoutConfiguration(string(b)))
		case 2:
			var name, value string
			name, value, err = pair(b)
			e.Env[name] = secret.Variable(name, withoutConfiguration(value))
		case 3:
			err = fields(b, func(_ int, property []byte, _ uint64) error {
				name, value, err := pair(property)
				e.Platform[name] = secret.Variable(name, value)
				return err
			})
		case 4:
			err = addFile(inputs, b)
		case 5:
			if first == "" || string(b) < first {
				first = string(b)
			}
		case 10:
			e.Mnemonic = string(b)
		case 11:
			err = addFile(outputs, b)
		case 13:
			e.Cached = number != 0
		case 14:
			status = string(b)
		case 15:
			exit = number
		case 18:
			e.Label = strings.TrimPrefix(string(b), "@@")
		}
		return err
	})
	e.Args = redact(e.Args)
	e.Failed = exit != 0 || status != ""
	e.Inputs, e.Outputs = inputs.digests(), outputs.digests()
	e.key = strings.Join([]string{e.Label, e.Mnemonic, Name(first)}, " ")
	if forTools(first) {
		e.key += " tool"
	}
	return e, err
}

// redact gives arguments without the values of those whose names tell of a secret.
func redact(args []string) []string {
	shown := make([]string, len(args))
	for i, arg := range args {
		name, value, found := strings.Cut(arg, "=")
		switch {
		case found:
			shown[i] = name + "=" + secret.Variable(name, value)
		case i > 0 && strings.HasPrefix(args[i-1], "-") && !strings.Contains(args[i-1], "="):
			shown[i] = secret.Variable(args[i-1], arg)
		default:
			shown[i] = secret.Text(arg)
		}
	}
	return shown
}

// pair reads a message of two strings, a name and a value.
func pair(message []byte) (name, value string, err error) {
	err = fields(message, func(field int, b []byte, _ uint64) error {
		switch field {
		case 1:
			name = string(b)
		case 2:
			value = string(b)
		}
		return nil
	})
	return name, value, err
}

// addFile reads a File: its path, and a digest or the target of a symbolic link.
func addFile(all files, message []byte) error {
	var path, digest string
	err := fields(message, func(field int, b []byte, _ uint64) error {
		switch field {
		case 1:
			path = string(b)
		case 2:
			return fields(b, func(field int, b []byte, _ uint64) error {
				if field == 1 {
					digest = string(b[:min(len(b), 16)])
				}
				return nil
			})
		case 4:
			digest = "-> " + string(b)
		}
		return nil
	})
	all.add(path, digest)
	return err
}
