package kinds

import (
	"database/sql"
	"fmt"
	"os"
	"testing"
	"time"

	_ "github.com/lib/pq"
)

func name(t testing.TB) (name string) {
	t.Helper()
	db, err := sql.Open("postgres", os.Getenv("DATABASE_URL"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if err := db.QueryRow("SELECT current_database()").Scan(&name); err != nil {
		t.Fatal(err)
	}
	return name
}

func TestSub(t *testing.T) {
	for _, sub := range []string{"a", "b"} {
		t.Run(sub, func(t *testing.T) { fmt.Println("database of", t.Name(), name(t)) })
	}
}

func TestDouble(t *testing.T) {
	if Double(2) != 4 {
		t.Error("Double(2) is not 4")
	}
}

func TestEnd(t *testing.T) {
	switch os.Getenv("END") {
	case "fail":
		t.Error("as asked for")
	case "panic":
		panic("as asked for")
	case "exit":
		name(t)
		os.Exit(5)
	case "hang":
		name(t)
		time.Sleep(time.Hour)
	case "lock":
		lock(t)
		lock(t) // waits for the first
	}
}

// lock locks a table in a transaction that stays open.
func lock(t *testing.T) {
	t.Helper()
	db, err := sql.Open("postgres", os.Getenv("DATABASE_URL"))
	if err != nil {
		t.Fatal(err)
	}
	tx, err := db.Begin()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tx.Exec("LOCK TABLE item"); err != nil {
		t.Fatal(err)
	}
}

func BenchmarkName(b *testing.B) {
	for b.Loop() {
		name(b)
	}
}

func FuzzDouble(f *testing.F) {
	f.Add(1)
	f.Fuzz(func(t *testing.T, n int) {
		if Double(n) != 2*n {
			t.Error("wrong")
		}
	})
}

func ExampleDouble() {
	fmt.Println(Double(21))
	// Output: 42
}
