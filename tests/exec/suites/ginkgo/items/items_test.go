// Package items is a suite of Ginkgo's, whose specs expect to be alone in their database.
package items

import (
	"database/sql"
	"fmt"
	"os"
	"testing"
	"time"

	_ "github.com/lib/pq"
	"github.com/onsi/ginkgo/v2"
)

func TestItems(t *testing.T) {
	ginkgo.RunSpecs(t, "items")
}

var _ = ginkgo.Describe("items", func() {
	for n := range 6 {
		ginkgo.It(fmt.Sprint("counts its own rows ", n), func() { countOwnRows() })
	}
})

func countOwnRows() {
	db, err := sql.Open("postgres", os.Getenv("DATABASE_URL"))
	must(err)
	defer db.Close()
	_, err = db.Exec("DELETE FROM item")
	must(err)
	for _, name := range []string{"a", "b", "c"} {
		_, err = db.Exec("INSERT INTO item (name) VALUES ($1)", name)
		must(err)
		time.Sleep(20 * time.Millisecond)
	}
	var count int
	var name string
	must(db.QueryRow("SELECT count(*), current_database() FROM item").Scan(&count, &name))
	if count != 3 {
		ginkgo.Fail(fmt.Sprintf("%d rows, want 3", count))
	}
	fmt.Println("database", name, "of process", ginkgo.GinkgoParallelProcess())
}

func must(err error) {
	if err != nil {
		ginkgo.Fail(err.Error())
	}
}
