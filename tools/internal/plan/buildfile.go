package plan

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/bazelbuild/buildtools/build"
	"github.com/google/renameio/v2"
)

// BuildFile is the BUILD file of a package.
type BuildFile struct {
	Path string
	file *build.File

	changed bool
}

// OpenBuildFile reads the BUILD file of the package in a directory. The error is fs.ErrNotExist where there is none.
func OpenBuildFile(dir string) (*BuildFile, error) {
	for _, name := range []string{"BUILD.bazel", "BUILD"} {
		path := filepath.Join(dir, name)
		text, err := os.ReadFile(path)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("read BUILD file: %w", err)
		}
		file, err := build.ParseBuild(path, text)
		if err != nil {
			return nil, fmt.Errorf("read BUILD file: %w", err)
		}
		return &BuildFile{Path: path, file: file}, nil
	}
	return nil, fmt.Errorf("read BUILD file of %q: %w", dir, fs.ErrNotExist)
}

// Target is a target as its BUILD file declares it.
type Target struct {
	// Kind is the rule or macro: "pg_go_test", "go_test". Empty where the file does not name the target, for a macro
	// makes it.
	Kind string
	// Name is that of the declaration: "a_test" for the target a_test_15 of pg_go_test(name = "a_test", postgres = ["15"]).
	Name string
	// Shards is shard_count: 0 where it is not set, -1 where it is no plain number.
	Shards int
	// Alone reports whether the suite is serial_only, and so has no shards.
	Alone bool
}

// Target gives what the file says of a target.
func (b *BuildFile) Target(name string) Target {
	rule := b.rule(name)
	if rule == nil {
		return Target{}
	}
	t := Target{Kind: rule.Kind(), Name: rule.Name(), Alone: rule.AttrLiteral("serial_only") == "True"}
	if rule.Attr("shard_count") != nil {
		var err error
		if t.Shards, err = strconv.Atoi(rule.AttrLiteral("shard_count")); err != nil {
			t.Shards = -1
		}
	}
	return t
}

func (b *BuildFile) rule(name string) *build.Rule {
	for _, rule := range b.file.Rules("") {
		if rule.Name() == name {
			return rule
		}
	}
	// pg_go_test makes a target for each version in its attribute postgres.
	for _, rule := range b.file.Rules("pg_go_test") {
		version, ok := strings.CutPrefix(name, rule.Name()+"_")
		if ok && slices.Contains(rule.AttrStrings("postgres"), version) {
			return rule
		}
	}
	return nil
}

// SetShards sets shard_count of a target that the file declares. 1 removes it, save from a macro that may have another
// default. Comments stay.
func (b *BuildFile) SetShards(name string, shards int) {
	rule := b.rule(name)
	b.changed = true
	if kind := rule.Kind(); shards <= 1 && (kind == "pg_go_test" || kind == "go_test") {
		rule.DelAttr("shard_count")
		return
	}
	if literal, ok := rule.Attr("shard_count").(*build.LiteralExpr); ok {
		literal.Token = strconv.Itoa(shards) // with its comments
		return
	}
	rule.SetAttr("shard_count", &build.LiteralExpr{Token: strconv.Itoa(shards)})
}

// Save writes the file, formatted as buildifier does, if something was set.
func (b *BuildFile) Save() error {
	if !b.changed {
		return nil
	}
	return writeFile(b.Path, build.Format(b.file))
}

// writeFile replaces a file as a whole, so that a stop in between leaves the old one. It keeps the permissions of a
// file that is there.
func writeFile(path string, text []byte) error {
	if err := renameio.WriteFile(path, text, 0o644, renameio.WithExistingPermissions()); err != nil {
		return fmt.Errorf("write %q: %w", path, err)
	}
	return nil
}
