// Command print prints its arguments and the name of its database.
package main

import (
	"fmt"
	"os"
)

func main() { fmt.Println(os.Args[1:], os.Getenv("TEST_DB_NAME")) }
