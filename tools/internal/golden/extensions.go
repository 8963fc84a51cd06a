package golden

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/jackc/pgx/v5"
)

// extension is one of [Recipe.Extensions], read.
type extension struct{ name, schema, version string }

// extensionForm is what an extension's text may be.
const extensionForm = `want NAME, or NAME with SCHEMA name and VERSION 'version' after it, such as "postgis VERSION '3.3' SCHEMA gis"`

var (
	extensionName   = regexp.MustCompile(`^\s*(?:"((?:[^"]|"")+)"|([\w-]+))\s*$|^\s*(?:"((?:[^"]|"")+)"|([\w-]+))\s+`)
	extensionOption = regexp.MustCompile(`(?i)^\s*(?:WITH\s+)?(?:(SCHEMA)\s+(?:"((?:[^"]|"")+)"|(\w+))|` +
		`(VERSION)\s+(?:'([^']+)'|"([^"]+)"|([\w.]+))|(CASCADE))(?:\s+|$)`)
)

// parseExtension reads what follows CREATE EXTENSION, with options in any order. CASCADE is always meant.
func parseExtension(text string) (e extension, err error) {
	bad := fmt.Errorf("make extension %q: %s", text, extensionForm)
	m := extensionName.FindStringSubmatch(text)
	if m == nil {
		return e, bad
	}
	e.name = unquote(m[1]+m[3], m[2]+m[4])
	for rest := text[len(m[0]):]; rest != ""; {
		o := extensionOption.FindStringSubmatch(rest)
		switch {
		case o == nil || o[1] != "" && e.schema != "" || o[4] != "" && e.version != "":
			return e, bad
		case o[1] != "":
			e.schema = unquote(o[2], strings.ToLower(o[3]))
		case o[4] != "":
			e.version = o[5] + o[6] + o[7]
		}
		rest = rest[len(o[0]):]
	}
	return e, nil
}

// unquote gives the identifier that stood in quotes, or the other one.
func unquote(quoted, plain string) string {
	if quoted != "" {
		return strings.ReplaceAll(quoted, `""`, `"`)
	}
	return plain
}

// statements make the extension, and its schema where there is none.
func (e extension) statements() (all []string) {
	sql := "CREATE EXTENSION IF NOT EXISTS " + pgx.Identifier{e.name}.Sanitize()
	if e.schema != "" {
		schema := pgx.Identifier{e.schema}.Sanitize()
		all = append(all, "CREATE SCHEMA IF NOT EXISTS "+schema+" AUTHORIZATION "+Role)
		sql += " SCHEMA " + schema
	}
	if e.version != "" {
		sql += " VERSION '" + e.version + "'"
	}
	return append(all, sql+" CASCADE")
}

func (b *builder) makeExtensions() error {
	return b.as(Superuser, b.template, func(conn *pgx.Conn) error {
		for _, text := range b.recipe.Extensions {
			e, err := parseExtension(text)
			if err != nil {
				return err
			}
			if err := b.execAll(conn, e.statements()...); err != nil {
				return fmt.Errorf("make extension %q: %w", text, err)
			}
		}
		return nil
	})
}
