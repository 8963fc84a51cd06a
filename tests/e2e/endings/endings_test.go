// Package endings_test starts servers and never ends.
package endings_test

import (
	"os"
	"testing"

	"github.com/pgcell/pgcell/tools/pgcell"
)

// TestStart is a next start: it sweeps what a killed test could not remove.
func TestStart(t *testing.T) {
	pgcell.New(t)
}

// TestHang has a server whose processes carry the name in ENDINGS_MARK in their titles, and a cell, and then waits to
// be ended.
func TestHang(t *testing.T) {
	mark := os.Getenv("ENDINGS_MARK")
	if mark == "" {
		t.Fatal("ENDINGS_MARK is not set; pass it by --test_env")
	}
	cell := pgcell.New(t)
	if _, err := cell.Pool().Exec(t.Context(), "SELECT 1"); err != nil {
		t.Fatal(err)
	}
	server := pgcell.Server(t, pgcell.ServerConfig{Settings: map[string]string{"cluster_name": mark}})
	t.Log("containment:", os.Getenv("PGCELL_CONTAINMENT"), "socket directory:", server.Config().Host)
	if _, err := server.Pool().Exec(t.Context(), "CREATE TABLE ready ()"); err != nil {
		t.Fatal(err)
	}
	select {}
}
