package pgcell

import (
	"fmt"
	"os"
	"strings"
	"sync"
)

// isOn reports whether a variable of the environment is 1. Other values are told of once.
func isOn(name string) bool {
	switch v := os.Getenv(name); v {
	case "", "0":
	case "1":
		return true
	default:
		if _, told := oddValues.LoadOrStore(name, true); !told {
			warn(fmt.Sprintf("%s is %q, which means nothing; want 1, or leave it out", name, v))
		}
	}
	return false
}

var oddValues sync.Map // names of variables

var environ sync.Mutex

// publish sets the variables that name the newest cell, and gives a function that takes them back where nobody has set
// them anew.
func publish(suffix, database, table string) (forget func()) {
	variable := "TEST_DB_NAME"
	if parts := strings.Split(suffix, "_"); len(parts) == 3 {
		variable += "_" + parts[2]
	}
	set := map[string]string{variable: database}
	if variable == "TEST_DB_NAME" {
		set["TEST_TABLE_NAME"] = table
	}
	environ.Lock()
	defer environ.Unlock()
	for name, value := range set {
		os.Setenv(name, value) // fails for malformed names alone
	}
	return func() {
		environ.Lock()
		defer environ.Unlock()
		for name, value := range set {
			if os.Getenv(name) == value {
				os.Unsetenv(name)
			}
		}
	}
}
