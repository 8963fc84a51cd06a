// Command sql stands for psql: it executes its arguments on the database that DATABASE_URL names, and prints the rows.
package main

import (
	"context"
	"fmt"
	"os"
	"strings"

	"github.com/jackc/pgx/v5"
)

func main() {
	if err := run(context.Background(), os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "sql:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, statements []string) error {
	conn, err := pgx.Connect(ctx, os.Getenv("DATABASE_URL"))
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	for _, statement := range statements {
		rows, err := conn.Query(ctx, statement)
		if err != nil {
			return err
		}
		for rows.Next() {
			values, err := rows.Values()
			if err != nil {
				return err
			}
			fmt.Println(strings.Trim(fmt.Sprint(values), "[]"))
		}
		if err := rows.Err(); err != nil {
			return err
		}
	}
	return nil
}
