package golden_test

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pgcell/pgcell/tools/internal/golden"
)

// folded are answers of a database whose letters are those of all languages, as production's are.
var folded = map[string]string{
	"SELECT lower('ÉCOLE')":                               "école",
	"SELECT ('Éva' ILIKE 'éva')::text":                    "true",
	"SELECT similarity('éàü', 'ÉÀÜ')::text":               "1",
	"SELECT ('Zoé'::citext = 'ZOÉ')::text":                "true",
	"SELECT ('é' ~ '[[:alpha:]]')::text":                  "true",
	"SELECT to_tsvector('ÉCOLES') @@ to_tsquery('école')": "true",
	"SELECT unaccent('éàü')":                              "eau",
	"SELECT initcap('éva')":                               "Éva",
}

func TestLocaleByDefault(t *testing.T) {
	t.Parallel()
	_, clone := mustClone(t, golden.Recipe{Migrations: script("CREATE EXTENSION pg_trgm; CREATE EXTENSION citext; CREATE EXTENSION unaccent")})
	want := map[string]string{
		"SHOW server_encoding": "UTF8",
		"SELECT string_agg(x, ' ' ORDER BY x) FROM unnest('{a,B,é,Z}'::text[]) AS x":               "B Z a é",
		"SELECT datcollate || ' ' || datctype FROM pg_database WHERE datname = current_database()": "C C.UTF-8",
		"SELECT count(DISTINCT (datcollate, datctype))::text FROM pg_database":                     "1",
		"SHOW default_text_search_config":                                                          "pg_catalog.english",
	}
	if mustInstall(t).Version.Major >= 17 {
		want["SELECT concat(datlocprovider, datlocale) FROM pg_database WHERE datname = 'template0'"] = "bC.UTF-8"
	}
	for sql, value := range folded {
		if strings.HasPrefix(sql, "SELECT to_tsvector") {
			sql = "SELECT (" + strings.TrimPrefix(sql, "SELECT ") + ")::text"
		}
		want[sql] = value
	}
	ensureValues(t, clone, want)
}

func TestLocales(t *testing.T) {
	t.Parallel()
	for locale, c := range map[string]struct {
		order, lower string
		since        int
	}{
		"C":               {"B Z a é", "École", 0},
		"C.UTF-8":         {"B Z a é", "école", 0},
		"icu:fr-FR":       {"a B é Z", "école", 15},
		"builtin:C.UTF-8": {"B Z a é", "école", 17},
	} {
		t.Run(locale, func(t *testing.T) {
			t.Parallel()
			if mustInstall(t).Version.Major < c.since {
				t.Skipf("PostgreSQL %d brings it", c.since)
			}
			_, clone := mustClone(t, golden.Recipe{Locale: locale})
			ensureValues(t, clone, map[string]string{
				"SELECT string_agg(x, ' ' ORDER BY x) FROM unnest('{a,B,é,Z}'::text[]) AS x": c.order,
				"SELECT lower('École')": c.lower,
			})
		})
	}
}

func TestLocaleErrors(t *testing.T) {
	t.Parallel()
	major := mustInstall(t).Version.Major
	for locale, want := range map[string][]string{
		"xx_YY.UTF-8": {`locale "xx_YY.UTF-8": initdb says: invalid locale name "xx_YY.UTF-8"; this machine has C, `, "(locale -a); install it, or choose another"},
		"icu:xx":      {`locale "icu:xx"`, map[bool]string{true: "language", false: "as there is from 15 on"}[major >= 15]},
		"builtin:en":  {`locale "builtin:en"`, map[bool]string{true: "a locale is a locale of the machine", false: "as there are from 17 on"}[major >= 17]},
		"libc:C":      {`locale is "libc:C"; want a locale of the machine ("en_US.UTF-8"), "C", "icu:" and a language`},
	} {
		t.Run(locale, func(t *testing.T) {
			t.Parallel()
			err := golden.BuildFile(t.Context(), filepath.Join(t.TempDir(), "x"), mustInstall(t), golden.Recipe{Locale: locale}, golden.Options{})
			for _, want := range want {
				if err == nil || !strings.Contains(err.Error(), want) {
					t.Errorf("Build = %v\nwant it to contain %q", err, want)
				}
			}
		})
	}
}

// TestCollations has scripts with collations of the machine, of ICU, and such as are not there.
func TestCollations(t *testing.T) {
	t.Parallel()
	const missing = `CREATE TABLE person (name text COLLATE pg_catalog."xx_YY.utf8");`
	err := golden.BuildFile(t.Context(), filepath.Join(t.TempDir(), "x"), mustInstall(t), golden.Recipe{Migrations: script(missing)}, golden.Options{})
	for _, want := range []string{
		`1.sql:1: ERROR: collation "pg_catalog.xx_YY.utf8" for encoding "UTF8" does not exist (SQLSTATE 42704)`,
		"this one has of the C library's, C, ",
		`have the first migration make it: CREATE COLLATION pg_catalog."xx_YY.utf8" (provider = icu, locale = 'xx-YY')`,
	} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Build = %v\nwant it to contain %q", err, want)
		}
	}
	var notes []string
	recipe := golden.Recipe{Migrations: script(`
CREATE TABLE person (name text COLLATE pg_catalog."en_US.utf8");
INSERT INTO person VALUES ('b'), ('A'), ('C');
CREATE TABLE other (name text COLLATE pg_catalog."en-US-x-icu");
CREATE COLLATION ci (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
CREATE TABLE tag (name text COLLATE ci UNIQUE);
INSERT INTO tag VALUES ('Éa');`)}
	if err := golden.BuildFile(t.Context(), filepath.Join(t.TempDir(), "x"), mustInstall(t), recipe,
		golden.Options{Note: func(s string) { notes = append(notes, s) }}); err != nil {
		t.Fatal(err)
	}
	_, clone := mustClone(t, recipe)
	ensureValues(t, clone, map[string]string{
		"SELECT string_agg(name, '' ORDER BY name) FROM person": "AbC",
		"SELECT count(*)::text FROM tag WHERE name = 'éA'":      "1",
	})
	provider, err := query(t, clone, "SELECT collprovider FROM pg_collation WHERE collname = 'en_US.utf8'")
	if err != nil {
		t.Fatal(err)
	}
	want := map[bool][]string{
		true: {`collation "en_US.utf8": this machine lacks the locale, and ICU's en-US stands in for it; the two order punctuation differently`},
	}[provider == "i"]
	if diff := cmp.Diff(want, notes); diff != "" {
		t.Errorf("notes (-want +got):\n%s", diff)
	}
}
