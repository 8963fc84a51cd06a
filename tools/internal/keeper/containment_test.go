package keeper_test

import (
	"testing"

	"github.com/pgcell/pgcell/tools/internal/keeper"
)

func TestParseContainment(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]keeper.Containment{"": keeper.Auto, "auto": keeper.Auto, "watchdog": keeper.Watchdog, "namespaces": keeper.Namespaces} {
		if got, err := keeper.ParseContainment(in); err != nil || got != want {
			t.Errorf("ParseContainment(%q) = %q, %v; want %q", in, got, err, want)
		}
	}
	_, err := keeper.ParseContainment("docker")
	if want := `PGCELL_CONTAINMENT is "docker"; want auto, namespaces or watchdog`; err == nil || err.Error() != want {
		t.Errorf("ParseContainment(docker) = %v, want %s", err, want)
	}
}
