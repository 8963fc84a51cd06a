package golden

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"

	"github.com/pgcell/pgcell/tools/internal/binaries"
	"github.com/pgcell/pgcell/tools/internal/migrations"
)

// Role is the role that owns the template, every cell and all that migrations make. It is a superuser while they run,
// and an ordinary role in tests.
const Role = "pgcell"

// Password is the superuser's in a golden cluster. Whoever lets tests in gives it another first.
const Password = "pgcell"

// Script is a migration or a seed. Its name is part of the hash: a path that is the same on every machine.
type Script = migrations.Script

// Migrator is an executable, or a function, that brings a database up to date by itself.
type Migrator struct {
	// Key stands for all that the migrator does: the hash of its files, a version. Another key makes another template.
	Key string
	// Run migrates the database at url, as [Role].
	Run func(ctx context.Context, url string) error
}

// Recipe is all that makes a template. Its zero value is an empty database.
type Recipe struct {
	Settings   map[string]string // of the server, from its first start on
	Locale     string            // see [postgres.LocaleForm]
	Roles      []string          // what follows CREATE ROLE: "app_reader", "app_writer NOINHERIT"; or AutoRoles
	Extensions []string          // "hstore", "postgis VERSION '3.3' SCHEMA gis"
	Migrations []Script          // in order
	Migrator   *Migrator
	Seeds      []Script // in order, after all migrations
	Superuser  bool     // makes Role a superuser in tests, too
}

// recipeFormat is part of every hash: a change to how templates are made, in this package, facts or psql, raises
// it.
const recipeFormat = 21

// TemplateName names the template that the recipe makes with a build of PostgreSQL: "template_" and 16 hex digits of
// a SHA-256 over all of its parts.
func (r Recipe) TemplateName(install binaries.Install) string {
	part := struct {
		Format     int
		Postgres   string
		Build      string
		Settings   map[string]string // fmt sorts keys
		Locale     string
		Roles      []string
		Extensions []string
		Migrations []Script
		Migrator   string
		Seeds      []Script
		Superuser  bool
	}{recipeFormat, install.Version.String(), install.Build, r.Settings, r.Locale, r.Roles, r.Extensions, r.Migrations, "", r.Seeds, r.Superuser}
	if r.Migrator != nil {
		part.Migrator = "key:" + r.Migrator.Key
	}
	// This form quotes each byte that is not UTF-8, which encoding/json replaces.
	sum := sha256.Sum256(fmt.Appendf(nil, "%#v", part))
	return "template_" + hex.EncodeToString(sum[:8])
}
