package migrations_test

import (
	"strings"
	"testing"

	"github.com/pgcell/pgcell/tools/internal/migrations"
)

// filesOf gives empty files of the names in a text.
func filesOf(names string) []migrations.File {
	var files []migrations.File
	for _, name := range strings.Fields(names) {
		files = append(files, migrations.File{Name: name})
	}
	return files
}

// namesOf joins the scripts' names.
func namesOf(scripts []migrations.Script) string {
	var names []string
	for _, s := range scripts {
		names = append(names, s.Name)
	}
	return strings.Join(names, " ")
}

func TestOrder(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, files, want string }{
		{"none", "", ""},
		{"one without a number", "schema.sql", "schema.sql"},
		{"one below folders", "db/schema.sql", "db/schema.sql"},
		{"numbers", "10_rate.sql 1_init.sql 2_rate.sql", "1_init.sql 2_rate.sql 10_rate.sql"},
		{"numbers of golang-migrate", "10_rate.up.sql 1_init.up.sql 2_rate.up.sql", "1_init.up.sql 2_rate.up.sql 10_rate.up.sql"},
		{"some padded", "010_c.sql 1_a.sql 002_b.sql", "1_a.sql 002_b.sql 010_c.sql"},
		{"numbers alone", "10.sql 9.sql 1.sql", "1.sql 9.sql 10.sql"},
		{"from zero", "1_b.sql 0_a.sql", "0_a.sql 1_b.sql"},
		{"times", "20240102030405_b.sql 20231231235959_a.sql", "20231231235959_a.sql 20240102030405_b.sql"},
		{"times with a T", "20240102T030406_b.sql 20240102T030405_a.sql", "20240102T030405_a.sql 20240102T030406_b.sql"},
		{"longer than a machine word", "99999999999999999999_b.sql 9_a.sql", "9_a.sql 99999999999999999999_b.sql"},
		{"dates of Diesel", "2024-01-10-000000_b/up.sql 2024-01-02-000000_a/up.sql 2024-01-02-000000_a/down.sql",
			"2024-01-02-000000_a/up.sql 2024-01-10-000000_b/up.sql"},
		{"Prisma", "20240102_b/migration.sql 20240101_a/migration.sql", "20240101_a/migration.sql 20240102_b/migration.sql"},
		{"a name that begins with a digit", "1_2fa.sql 2_x.sql", "1_2fa.sql 2_x.sql"},
		{"Flyway", "V10__c.sql V1.10__b.sql V1.9__a.sql V1_9_1__a.sql", "V1.9__a.sql V1_9_1__a.sql V1.10__b.sql V10__c.sql"},
		{"Flyway in folders", "views/V3__c.sql tables/V1__a.sql tables/V4__d.sql data/V2__b.sql",
			"tables/V1__a.sql data/V2__b.sql views/V3__c.sql tables/V4__d.sql"},
		{"Flyway's repeatable ones", "R__b_views.sql R__a_functions.sql V2__b.sql V1__a.sql", "V1__a.sql V2__b.sql R__a_functions.sql R__b_views.sql"},
		{"repeatable beside plain", "R__views.sql 2_b.sql 1_a.sql", "1_a.sql 2_b.sql R__views.sql"},
		{"Flyway's baseline", "V1__a.sql V2__b.sql B2__base.sql B1__older.sql V3__c.sql R__r.sql", "B2__base.sql V3__c.sql R__r.sql"},
		{"Flyway's undo", "U1__a.sql V1__a.sql", "V1__a.sql"},
		{"folders of versions", "v1.10/1_c.sql v1.9/2_b.sql v1.9/1_a.sql v1.9/10_b.sql", "v1.9/1_a.sql v1.9/2_b.sql v1.9/10_b.sql v1.10/1_c.sql"},
		{"files and folders", "db/2_more/10_b.sql db/2_more/9_a.sql db/1_init.sql", "db/1_init.sql db/2_more/9_a.sql db/2_more/10_b.sql"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			got, err := migrations.Scripts(filesOf(c.files), migrations.Options{})
			if err != nil || namesOf(got) != c.want {
				t.Errorf("Scripts(%s) = %s, %v; want %s", c.files, namesOf(got), err, c.want)
			}
		})
	}
}

func TestOrderIsOpen(t *testing.T) {
	t.Parallel()
	const remedy = `; number them, or write the order out: order = "given" and a list in pg_template, Config.Order in Go`
	for _, c := range []struct{ name, files, want string }{
		{"no numbers", "views.sql tables.sql", "order migrations: tables.sql, views.sql: no leading number says when to run them" + remedy},
		{"one without", "1_a.sql schema.sql 2_b.sql", "order migrations: schema.sql: no leading number says when to run them" + remedy},
		{"equal", "1_a.sql 01_b.sql 2_c.sql", "order migrations: 01_b.sql, 1_a.sql: they have the same number" + remedy},
		{"equal to Flyway", "V1.0__a.sql V1__b.sql", "order migrations: V1.0__a.sql, V1__b.sql: they have the same number" + remedy},
		{"twice in Flyway's folders", "a/V1__x.sql b/V1__x.sql", "order migrations: a/V1__x.sql, b/V1__x.sql: they have the same number" + remedy},
		{"folders", "tables/1_a.sql views/1_b.sql", "order migrations: tables/1_a.sql, views/1_b.sql: no leading number says when to run them" + remedy},
		{"a folder and a file", "1_a.sql 1/2_b.sql", "order migrations: 1/2_b.sql, 1_a.sql: they have the same number" + remedy},
		{"callbacks of Flyway", "V1__a.sql afterMigrate.sql", "order migrations: afterMigrate.sql: no leading number says when to run them" + remedy},
		{"many", "a.sql b.sql c.sql d.sql e.sql f.sql g.sql h.sql i.sql j.sql k.sql l.sql",
			"order migrations: a.sql, b.sql, c.sql, d.sql, e.sql, f.sql, g.sql, h.sql, i.sql, j.sql and 2 more: no leading number says when to run them" + remedy},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			_, err := migrations.Scripts(filesOf(c.files), migrations.Options{})
			if err == nil || err.Error() != c.want {
				t.Errorf("Scripts(%s):\n got %v\nwant %s", c.files, err, c.want)
			}
			// The remedy helps.
			got, err := migrations.Scripts(filesOf(c.files), migrations.Options{Given: true})
			if err != nil || namesOf(got) != c.files {
				t.Errorf("Scripts(%s) as given = %s, %v; want them in this order", c.files, namesOf(got), err)
			}
			got, err = migrations.Scripts(filesOf(c.files), migrations.Options{Order: strings.Fields(c.files)})
			if err != nil || namesOf(got) != c.files {
				t.Errorf("Scripts(%s) with Order = %s, %v; want them in this order", c.files, namesOf(got), err)
			}
		})
	}
}

func TestConfigOrder(t *testing.T) {
	t.Parallel()
	files := filesOf("schema.sql m/10_b.sql m/2_a.sql m/2_a.down.sql seeds.sql")
	for _, c := range []struct {
		name  string
		order []string
		want  string // names, or the end of an error
	}{
		{"patterns", []string{"schema.sql", "m/*.sql", "seeds.sql"}, "schema.sql m/2_a.sql m/10_b.sql seeds.sql"},
		{"a name before its pattern", []string{"m/10_b.sql", "m/*.sql", "schema.sql", "seeds.sql"}, "m/10_b.sql m/2_a.sql schema.sql seeds.sql"},
		{"open in a pattern", []string{"m/*.sql", "s*.sql"}, "schema.sql, seeds.sql: no leading number says when to run them"},
		{"missing", []string{"schema.sql", "m/2_a.sql"}, "m/10_b.sql, seeds.sql: not in Config.Order; add them, or keep them out of Config.Migrations"},
		{"unknown", []string{"absent.sql"}, "absent.sql: is in Config.Order, but no further migration has that name; take it out"},
		{"twice", []string{"schema.sql", "schema.sql"}, "schema.sql: is in Config.Order, but no further migration has that name; take it out"},
		{"no pattern", []string{"["}, "[: is no pattern that path.Match understands; mend Config.Order"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			got, err := migrations.Scripts(files, migrations.Options{Order: c.order})
			if said := namesOf(got); err == nil && said != c.want || err != nil && !strings.Contains(err.Error(), c.want) {
				t.Errorf("Scripts(%q) = %s, %v; want %s", c.order, said, err, c.want)
			}
		})
	}
}

// Included files run where they are included.
func TestIncluded(t *testing.T) {
	t.Parallel()
	files := []migrations.File{
		{Name: "db/all.sql", SQL: "\\ir tables.sql\n\\i views/all.sql\n"},
		{Name: "db/tables.sql"}, {Name: "db/views/all.sql", SQL: "\\ir 'one.sql'\n"}, {Name: "db/views/one.sql"},
	}
	for _, o := range []migrations.Options{{}, {Given: true}} {
		got, err := migrations.Scripts(files, o)
		if err != nil || namesOf(got) != "db/all.sql" {
			t.Fatalf("Scripts(%+v) = %s, %v; want db/all.sql", o, namesOf(got), err)
		}
		if in := got[0].Includes; namesOf(in) != "db/tables.sql db/views/all.sql" || namesOf(in[1].Includes) != "db/views/one.sql" {
			t.Errorf("db/all.sql includes %+v", in)
		}
	}
	files[3].SQL = "\\ir all.sql\n"
	const circle = "db/views/all.sql: it includes itself, maybe through another file; take the circle out"
	if _, err := migrations.Scripts(files, migrations.Options{}); err == nil || err.Error() != circle {
		t.Errorf("Scripts with a circle = %v, want %s", err, circle)
	}
	files[3].SQL, files[0].SQL = "", "SELECT '\n\\ir tables.sql\n';"
	if got, err := migrations.Scripts(files, migrations.Options{}); err == nil {
		t.Errorf("Scripts with an include within quotes = %s, want an error about the order", namesOf(got))
	}
}
