// Package secret takes out of texts what nobody should read in a report or a log.
//
// Goals: passwords in URLs and in libpq's keywords, values of headers, values of variables whose names tell of a secret.
// Non-goals: finding secrets by how they look.
package secret

import (
	"crypto/sha256"
	"fmt"
	"net/url"
	"regexp"
	"strings"
)

// hidden stands for a secret.
const hidden = "***"

var (
	// userinfo is what stands before the host in a URL: it may be a password, or a token without a user. A user alone, as in
	// postgres://pgcell@/test_db, is none.
	userinfo = regexp.MustCompile(`((?:https?|grpcs?)://|[A-Za-z][A-Za-z0-9+.-]*://[^/\s@"':]*:)[^/\s@"']+@`)
	// password is one in the query of a URL or in keywords of libpq.
	password = regexp.MustCompile(`(\bpassword\s*=\s*)('(?:\\.|[^'\\])*'|[^\s&'"]+)`)
	// passwordKeyword is a keyword of libpq with its value.
	passwordKeyword = regexp.MustCompile(`\bpassword\s*=\s*('(\\.|[^'\\])*'|\S+)\s*`)
	// secretFlag is a flag of Bazel's whose value is NAME=VALUE with a secret value: --remote_header, --bes_header, ...
	secretFlag = regexp.MustCompile(`^--[a-z_]*header$`)
	// environmentFlag is a flag whose value is NAME=VALUE, where the name tells whether the value is a secret.
	environmentFlag = regexp.MustCompile(`^--[a-z_]*env$`)
	secretName      = regexp.MustCompile(`(?i)passw|secret|token|credential|api_?key|private_?key|auth`)
)

// Args gives arguments of a command line without what nobody should read in a report or a log: the values of headers,
// those of environment variables whose names tell of a secret, and user names and passwords in URLs. Three asterisks
// stand in their place.
func Args(args []string) []string {
	shown := make([]string, len(args))
	flag := "" // that the argument before was, without a value
	for i, arg := range args {
		name, value, found := strings.Cut(arg, "=")
		switch {
		case flag != "":
			shown[i], flag = redactValue(flag, arg), ""
		case found && isFlag(name):
			shown[i] = name + "=" + redactValue(name, value)
		default:
			shown[i] = Text(arg)
			if isFlag(arg) {
				flag = arg
			}
		}
	}
	return shown
}

// Text gives a text without user names and passwords in URLs, and without passwords in connection strings.
func Text(text string) string {
	text = userinfo.ReplaceAllString(text, "${1}"+hidden+"@")
	return password.ReplaceAllString(text, "${1}"+hidden)
}

// WithoutPassword gives a URL of a server, or keywords of libpq, without the password. What is left can still be used to
// connect.
func WithoutPassword(server string) string {
	u, err := url.Parse(server)
	if err != nil || u.Scheme == "" {
		return passwordKeyword.ReplaceAllString(server, "")
	}
	if u.User != nil {
		u.User = url.User(u.User.Username())
	}
	query := u.Query()
	query.Del("password")
	u.RawQuery = query.Encode()
	return u.String()
}

// Variable gives the value of a variable without what nobody should read, as [Args] does. Behind the three asterisks
// stand 16 bits of a digest of the value, so that a change can be seen.
func Variable(name, value string) string {
	shown := Text(value)
	if secretName.MatchString(name) && value != "" {
		shown = hidden
	}
	if shown == value {
		return value
	}
	sum := sha256.Sum256([]byte(name + "=" + value))
	return fmt.Sprintf("%s #%x", shown, sum[:2])
}

func isFlag(name string) bool {
	return secretFlag.MatchString(name) || environmentFlag.MatchString(name)
}

// redactValue gives the value NAME=VALUE of a flag without its secret.
func redactValue(flag, value string) string {
	name, _, found := strings.Cut(value, "=")
	switch {
	case secretFlag.MatchString(flag) && !found:
		return hidden
	case found && (secretFlag.MatchString(flag) || secretName.MatchString(name)):
		return name + "=" + hidden
	}
	return Text(value)
}
