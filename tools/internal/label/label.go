// Package label tells the results of one target apart that come from several versions of PostgreSQL.
package label

import "strings"

const mark = " (PostgreSQL "

// Versioned gives the name of a target's results with one of several versions: "//a:t (PostgreSQL 15)". version is a
// value of --postgres; with an empty one, it gives the label itself.
func Versioned(label, version string) string {
	if version == "" {
		return label
	}
	return label + mark + version + ")"
}

// Cut gives the label as Bazel knows it, and the version; an empty one if the label names none.
func Cut(versioned string) (label, version string) {
	label, version, _ = strings.Cut(versioned, mark)
	return label, strings.TrimSuffix(version, ")")
}

// Bare gives the label as Bazel knows it.
func Bare(versioned string) string {
	bare, _ := Cut(versioned)
	return bare
}

// Version gives the version; an empty one if the label names none.
func Version(versioned string) string {
	_, version := Cut(versioned)
	return version
}
