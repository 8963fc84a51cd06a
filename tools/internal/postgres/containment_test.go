package postgres_test

import (
	"testing"

	"github.com/pgcell/pgcell/tools/internal/postgres"
)

func TestParseContainment(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]postgres.Containment{"": postgres.Auto, "auto": postgres.Auto, "watchdog": postgres.Watchdog, "namespaces": postgres.Namespaces} {
		if got, err := postgres.ParseContainment(in); err != nil || got != want {
			t.Errorf("ParseContainment(%q) = %q, %v; want %q", in, got, err, want)
		}
	}
	_, err := postgres.ParseContainment("docker")
	if want := `PGCELL_CONTAINMENT is "docker"; want auto, namespaces or watchdog`; err == nil || err.Error() != want {
		t.Errorf("ParseContainment(docker) = %v, want %s", err, want)
	}
}
