package golden

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// checkLocale refuses an ICU locale of a language that there is none of: up to PostgreSQL 15 initdb takes any name, and
// the order of the root locale with it.
func (b *builder) checkLocale() error {
	name, isICU := strings.CutPrefix(b.recipe.Locale, "icu:")
	if !isICU {
		return nil
	}
	language, _, _ := strings.Cut(strings.ReplaceAll(name, "_", "-"), "-")
	return b.as(Superuser, "postgres", func(conn *pgx.Conn) error {
		const query = "SELECT DISTINCT split_part(collname, '-', 1) FROM pg_collation WHERE collprovider = 'i' ORDER BY 1"
		known, err := collect[string](b.ctx, conn, query)
		if err != nil {
			return fmt.Errorf("list ICU's languages: %w", err)
		}
		for _, k := range known {
			if strings.EqualFold(k, language) {
				return nil
			}
		}
		return fmt.Errorf("locale %q: ICU has no language %q; it has %s", b.recipe.Locale, language, strings.Join(known, ", "))
	})
}

// standIns are collations that dumps of most machines name, and ICU's locale for each.
var standIns = map[string]string{"en_US": "en-US", "en_US.utf8": "en-US"}

// makeStandIns makes those that the machine lacks of ICU's locales, where the build has ICU: so a dump that names one
// loads everywhere.
func (b *builder) makeStandIns() error {
	const missing = `
SELECT name FROM unnest($1::text[]) AS name
WHERE name NOT IN (SELECT collname FROM pg_collation) AND EXISTS (SELECT FROM pg_collation WHERE collprovider = 'i') ORDER BY 1`
	return b.as(Superuser, b.template, func(conn *pgx.Conn) error {
		names, err := collect[string](b.ctx, conn, missing, slices.Sorted(maps.Keys(standIns)))
		if err != nil {
			return fmt.Errorf("list collations: %w", err)
		}
		for _, name := range names {
			sql := fmt.Sprintf("CREATE COLLATION pg_catalog.%s (provider = icu, locale = '%s')", pgx.Identifier{name}.Sanitize(), standIns[name])
			if err := b.execAll(conn, sql); err != nil {
				return fmt.Errorf("make collation: %w", err)
			}
		}
		return nil
	})
}

// noteStandIns tells of those that the migrations use.
func (b *builder) noteStandIns() error {
	const used = `
SELECT collname FROM pg_collation c WHERE oid >= 16384 AND collnamespace = 'pg_catalog'::regnamespace AND collname = ANY ($1)
  AND EXISTS (SELECT FROM pg_depend WHERE refclassid = 'pg_collation'::regclass AND refobjid = c.oid) ORDER BY 1`
	return b.as(Superuser, b.template, func(conn *pgx.Conn) error {
		names, err := collect[string](b.ctx, conn, used, slices.Sorted(maps.Keys(standIns)))
		if err != nil {
			return fmt.Errorf("list collations in use: %w", err)
		}
		for _, name := range names {
			b.notes = append(b.notes, fmt.Sprintf("collation %q: this machine lacks the locale, and ICU's %s stands in for it; "+
				"the two order punctuation differently", name, standIns[name]))
		}
		return nil
	})
}

// missingCollation finds a collation's name in PostgreSQL's message.
var missingCollation = regexp.MustCompile(`^collation "(.+)" for encoding "UTF8" does not exist$`)

// collationHint says what to do about a collation that is not there; "" where a migration failed for another reason.
// Collations of the C library are those that the machine has where initdb runs.
func (b *builder) collationHint(err error) string {
	var pg *pgconn.PgError
	if !errors.As(err, &pg) || pg.Code != undefinedObject {
		return ""
	}
	m := missingCollation.FindStringSubmatch(pg.Message)
	if m == nil {
		return ""
	}
	name := strings.TrimPrefix(m[1], "pg_catalog.")
	has := "the collations of the C library"
	b.as(Superuser, "postgres", func(conn *pgx.Conn) error {
		var names string
		const query = "SELECT string_agg(DISTINCT collname, ', ') FROM pg_collation WHERE collprovider = 'c'"
		if err := conn.QueryRow(context.WithoutCancel(b.ctx), query).Scan(&names); err == nil { // else the hint does without
			has = "of the C library's, " + names
		}
		return nil
	})
	language, _, _ := strings.Cut(strings.ReplaceAll(name, "_", "-"), ".")
	return fmt.Sprintf("a machine's locales become collations, and this one has %s; install the locale wherever templates are "+
		"built and tests run (Debian: the package locales), or have the first migration make it: CREATE COLLATION pg_catalog.%s "+
		"(provider = icu, locale = '%s')", has, pgx.Identifier{name}.Sanitize(), language)
}
