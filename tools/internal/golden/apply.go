package golden

import (
	"context"

	"github.com/jackc/pgx/v5"
)

// Database is one on a server that others manage.
type Database struct {
	Config *pgx.ConnConfig // how to connect to it
	URL    string          // the same for other programs
}

// Apply makes the extensions, and runs the migrations and the seeds of a recipe in an empty database, with no more rights
// than its user has. Of the rest of the recipe it makes nothing. note is as [Options.Note].
//
// Errors: as [Build].
func Apply(ctx context.Context, d Database, r Recipe, note func(string)) error {
	b := &builder{ctx: ctx, recipe: r, template: d.Config.Database, url: d.URL}
	b.connect = func(ctx context.Context, _, _ string) (*pgx.Conn, error) { return pgx.ConnectConfig(ctx, d.Config) }
	for _, step := range []func() error{b.makeExtensions, b.migrate} {
		if err := step(); err != nil {
			return err
		}
	}
	if note != nil {
		for _, text := range b.notes {
			note(text)
		}
	}
	return nil
}
