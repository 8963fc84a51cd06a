package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"

	"github.com/kballard/go-shellquote"

	"github.com/pgcell/pgcell/tools/internal/lend"
	"github.com/pgcell/pgcell/tools/internal/runfiles"
)

// configSuffix follows the program's name in that of the file which the rules write.
const configSuffix = ".json"

// config is that file. Paths are those that rlocationpath gives.
type config struct {
	// Template is the golden cluster.
	Template string `json:"template"`
	// Variables are further ones, as with --env of pgcell exec.
	Variables []lend.Variable `json:"variables"`
	// Test is the executable of pg_test's test; "" for --run_under, where Bazel gives the command.
	Test string `json:"test"`
	// Args are the arguments of that test, as in its BUILD file: each may hold several words, as a shell reads them.
	Args []string `json:"args"`
}

func readConfig(path string) (config, error) {
	var c config
	text, err := os.ReadFile(path)
	if err != nil {
		return c, fmt.Errorf("read what Bazel's rule says: %w; this program is for bazel test --run_under=@pgcell//tools/exec:run", err)
	}
	if err := json.Unmarshal(text, &c); err != nil {
		return c, fmt.Errorf("read what Bazel's rule says in %q: %w", path, err)
	}
	return c, nil
}

// command is what to run; given are the arguments that Bazel adds.
func (c config) command(given []string) ([]string, error) {
	if c.Test == "" {
		if len(given) == 0 {
			return nil, errors.New("no test is given: this program is for bazel test --run_under=@pgcell//tools/exec:run")
		}
		return given, nil
	}
	test, err := runfiles.Find(c.Test)
	if err != nil {
		return nil, err
	}
	command := []string{test}
	for _, arg := range c.Args {
		words, err := shellquote.Split(arg)
		if err != nil {
			return nil, fmt.Errorf("split argument %q of the test: %w", arg, err)
		}
		command = append(command, words...)
	}
	return append(command, given...), nil
}
