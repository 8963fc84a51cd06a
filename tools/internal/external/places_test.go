package external_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pgcell/pgcell/tools/internal/external"
)

// TestHold has two processes share the places of one server: 6 of 12 connections, since 3 are a superuser's and 3 a margin.
func TestHold(t *testing.T) {
	t.Parallel()
	team := mustTeam(t, map[string]string{"max_connections": "12"})
	var said sync.Map
	c := config(team.url)
	c.Who, c.Note = "shop_test 7", func(text string) { said.Store(text, true) }
	one := mustOpen(t, c)
	other := mustOpen(t, config(team.url))
	hold := func(s *external.Server, p external.Places, wait time.Duration) (func(), error) {
		ctx, cancel := context.WithTimeout(t.Context(), wait)
		defer cancel()
		return s.Hold(ctx, p)
	}
	release, err := hold(one, external.Places{Who: "TestA", N: 4}, time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	var full *external.FullError
	for _, p := range []external.Places{{Who: "TestB", N: 2}, {Who: "TestB", N: 3, Holder: true}, {Who: "TestB", N: 7}} {
		_, err := hold(other, p, 300*time.Millisecond)
		if !errors.As(err, &full) || full.Total != 6 || !strings.Contains(err.Error(), "held by pgcell shop_test 7 from the same machine (4); raise max_connections") {
			t.Errorf("Hold(%+v) = %v, want that the other process has 4 of 6", p, err)
		}
	}
	if _, err := hold(one, external.Places{Who: "TestC", N: 2}, 300*time.Millisecond); !errors.As(err, &full) || full.Holders != "TestA (4)" {
		t.Errorf("Hold of a test beside TestA = %v, want that TestA has 4", err)
	}
	done := make(chan error)
	go func() {
		free, err := hold(one, external.Places{Who: "TestD", N: 4}, time.Minute)
		if err == nil {
			free()
		}
		done <- err
	}()
	told := func() (found bool) {
		said.Range(func(text, _ any) bool { found = strings.Contains(text.(string), "TestD waits for 4"); return !found })
		return found
	}
	for deadline := time.Now().Add(time.Minute); !told() && time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
	}
	if !told() {
		t.Error("nobody was told of a long wait")
	}
	reserved, err := hold(one, external.Places{Who: "TestA", N: 2, Holder: true}, time.Minute) // passes TestD by
	if err != nil {
		t.Fatal(err)
	}
	reserved()
	release()
	if err := <-done; err != nil {
		t.Errorf("after places are free, Hold = %v", err)
	}
}

// TestHoldOutlivesTheSession ends the session that holds the places: this process keeps them.
func TestHoldOutlivesTheSession(t *testing.T) {
	t.Parallel()
	team := mustTeam(t, map[string]string{"max_connections": "12"})
	one, other := mustOpen(t, config(team.url)), mustOpen(t, config(team.url))
	release, err := one.Hold(t.Context(), external.Places{Who: "TestA", N: 4})
	if err != nil {
		t.Fatal(err)
	}
	team.exec(t, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'app'")
	if err := one.Drop(t.Context(), mustTake(t, one)); err != nil {
		t.Error(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	if _, err := other.Hold(ctx, external.Places{Who: "TestB", N: 3, Holder: true}); err == nil {
		t.Error("another process has got places that are held")
	}
	release()
	if _, err := other.Hold(t.Context(), external.Places{Who: "TestB", N: 3, Holder: true}); err != nil {
		t.Error(err)
	}
}

// TestKeep has a database outlive its process until a day has gone by.
func TestKeep(t *testing.T) {
	t.Parallel()
	team := mustTeam(t, nil)
	s := mustOpen(t, config(team.url))
	name := mustTake(t, s)
	if err := s.Keep(t.Context(), name); err != nil {
		t.Fatal(err)
	}
	s.Close(t.Context())
	if found, err := external.Abandoned(t.Context(), team.url, 0); len(found) > 0 || err != nil {
		t.Errorf("Abandoned = %q, %v; want none, since the database is kept", found, err)
	}
	mustExec(t, team.url, "COMMENT ON DATABASE "+name+` IS '{"last_used": "2020-01-02T03:04:05Z"}'`)
	if dropped, err := external.Sweep(t.Context(), team.url, 0); len(dropped) != 1 || dropped[0] != name || err != nil {
		t.Errorf("Sweep = %q, %v; want %s", dropped, err, name)
	}
}

func TestFurtherDatabaseOfATest(t *testing.T) {
	t.Parallel()
	team := mustTeam(t, nil)
	s := mustOpen(t, config(team.url))
	first := mustTake(t, s)
	name, err := s.Take(t.Context(), external.Request{Worker: "w0", Name: first + "_2", Empty: true})
	if err != nil || name != first+"_2" {
		t.Fatalf("Take = %q, %v; want %s_2", name, err, first)
	}
	if got := mustGet(t, s.ConnConfig(name), "SELECT count(*)::text FROM pg_class WHERE relname = 'items'"); got != "0" {
		t.Error("an empty database has the template's table")
	}
	if found, err := external.Abandoned(t.Context(), team.url, 0); len(found) > 0 || err != nil {
		t.Errorf("Abandoned = %q, %v; want none", found, err)
	}
}
