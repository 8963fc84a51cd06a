package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/rogpeppe/go-internal/testscript"
)

// sql is a client: it connects as the environment says, executes its arguments, and prints the rows. "sql-in" takes the
// database's name first, "sql-as" that of the role. PGCELL_TEST_PASSWORD is another password.
func sql() {
	ctx := context.Background()
	config, err := pgx.ParseConfig("")
	fail(err)
	statements := os.Args[1:]
	switch filepath.Base(os.Args[0]) {
	case "sql-in":
		config.Database, statements = statements[0], statements[1:]
	case "sql-as":
		config.User, statements = statements[0], statements[1:]
	}
	if password := os.Getenv("PGCELL_TEST_PASSWORD"); password != "" {
		config.Password = password
	}
	conn, err := pgx.ConnectConfig(ctx, config)
	fail(err)
	defer conn.Close(ctx)
	for _, statement := range statements {
		rows, err := conn.Query(ctx, statement)
		fail(err)
		for rows.Next() {
			values, err := rows.Values()
			fail(err)
			fmt.Println(strings.Trim(fmt.Sprint(values), "[]"))
		}
		fail(rows.Err())
	}
}

func fail(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// wantCode is "code CODE ARGUMENTS": pgcell with the arguments has the exit code.
func wantCode(ts *testscript.TestScript, _ bool, args []string) {
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	err = ts.Exec("pgcell", args[1:]...)
	got := 0
	var ended *exec.ExitError
	if errors.As(err, &ended) {
		got = ended.ExitCode()
	} else {
		ts.Check(err)
	}
	if got != want {
		ts.Fatalf("exit code %d, want %d", got, want)
	}
}
