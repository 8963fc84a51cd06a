package bazel

import (
	"bytes"
	"context"
	"encoding/xml"
	"fmt"
	"io"
	"slices"
	"strings"
)

// Rule is a target as its BUILD file declares it.
type Rule struct {
	Label string
	Kind  string   // "go_test", "sh_test", ...
	Tags  []string // in the order of the BUILD file
	Srcs  []string // labels
	Embed []string // labels of libraries whose sources are compiled with Srcs, of Go rules; of one version's test: its go_test
}

// Package is the target's package: its directory in the workspace.
func (t *Rule) Package() string {
	pkg, _, _ := strings.Cut(strings.TrimPrefix(strings.TrimLeft(t.Label, "@"), "//"), ":")
	return pkg
}

// Name is the part of the label behind the colon.
func (t *Rule) Name() string {
	_, name, _ := strings.Cut(t.Label, ":")
	return name
}

// IsTest reports whether the target is of a test rule: Bazel has the names of these rules, and of no others, end so.
func (t *Rule) IsTest() bool { return strings.HasSuffix(t.Kind, "_test") }

// IsGoTest reports whether the target's tests are the functions of its Go files.
func (t *Rule) IsGoTest() bool { return t.Kind == "go_test" || t.Kind == "pg_go_version_test" }

// HasTag reports whether the target has a tag.
func (t *Rule) HasTag(tag string) bool { return slices.Contains(t.Tags, tag) }

// Query runs "bazel query" with flags and an expression as arguments, and gives the rules in its answer, sorted by
// label. Bazel's messages go to messages. The error is an *exec.ExitError if Bazel refused the query.
func (c *Client) Query(args []string, messages io.Writer) ([]*Rule, error) {
	cmd := c.command(context.Background(), append([]string{"query", "--output=xml"}, args...))
	cmd.Stderr = messages
	out, err := cmd.Output()
	if err != nil {
		return nil, err
	}
	return ParseQuery(out)
}

// ParseQuery reads the output of "bazel query --output=xml".
func ParseQuery(b []byte) ([]*Rule, error) {
	type value struct {
		Value string `xml:"value,attr"`
	}
	var answer struct {
		Rules []struct {
			Class string `xml:"class,attr"`
			Name  string `xml:"name,attr"`
			Lists []struct {
				Name    string  `xml:"name,attr"`
				Labels  []value `xml:"label"`
				Strings []value `xml:"string"`
			} `xml:"list"`
		} `xml:"rule"`
	}
	// Bazel declares XML 1.1, which Go's decoder refuses, though nothing here differs from 1.0.
	b = bytes.Replace(b, []byte(`version="1.1"`), []byte(`version="1.0"`), 1)
	if err := xml.Unmarshal(b, &answer); err != nil {
		return nil, fmt.Errorf("read Bazel's query: %w", err)
	}
	var rules []*Rule
	for _, rule := range answer.Rules {
		t := &Rule{Label: rule.Name, Kind: rule.Class}
		if t.Name() == "" {
			return nil, fmt.Errorf("read Bazel's query: rule %q: want a label as its name", rule.Name)
		}
		for _, list := range rule.Lists {
			switch list.Name {
			case "tags":
				for _, v := range list.Strings {
					t.Tags = append(t.Tags, v.Value)
				}
			case "srcs":
				for _, v := range list.Labels {
					t.Srcs = append(t.Srcs, v.Value)
				}
			case "embed":
				for _, v := range list.Labels {
					t.Embed = append(t.Embed, v.Value)
				}
			}
		}
		rules = append(rules, t)
	}
	slices.SortFunc(rules, func(a, b *Rule) int { return strings.Compare(a.Label, b.Label) })
	return rules, nil
}
