package foreign_test

import (
	"testing"

	"github.com/pgcell/pgcell/tools/internal/foreign"
)

func TestPublicURL(t *testing.T) {
	t.Parallel()
	for server, want := range map[string]string{
		"postgres://app:secret@db:5432/postgres?sslmode=require":  "postgres://app@db:5432/test?sslmode=require",
		"postgres:///postgres?user=app&password=secret&host=/tmp": "postgres://app@/test?host=%2Ftmp",
		`host=db user=app password='a secret \' x' dbname=x`:      "host=db user=app dbname=x dbname=test",
		"password=secret host=db user=app":                        "host=db user=app dbname=test",
		"postgres://db":                                           "postgres://app@db/test",
	} {
		if got := foreign.PublicURL(server, "app", "test"); got != want {
			t.Errorf("PublicURL(%s) = %s, want %s", server, got, want)
		}
	}
}
