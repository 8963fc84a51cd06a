// Package exec is "pgcell exec": it runs a command in which each test process gets a database of its own, without a changed
// line in the suite.
package exec

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/pgcell/pgcell/tools/internal/cli"
)

const long = `Run COMMAND with PostgreSQL. Each test process below it gets a database of its own: a clone of a migrated
template, made when the process first connects, taken back when it ends. The suite is not changed: it connects as its
environment says (DATABASE_URL, PGHOST, PGDATABASE, ...), by TCP or Unix socket.

Test processes are the test binaries of go test, and the workers of pytest-xdist, node --test, Jest, Mocha and others.
All other processes share one database. Flags may stand in .pgcell.toml below [exec].`

const examples = `  pgcell exec --migrations db/migrations -- go test ./...
  pgcell exec --migrate 'npx prisma migrate deploy' --migrate-inputs 'prisma/**' -- npm test
  pgcell exec --migrations sql --env 'DSN=host={host} port={port} user={user} password={password} dbname={dbname}' -- make test`

// Command gives "pgcell exec". written are its arguments as the user wrote them.
func Command(p *cli.Process) *cobra.Command {
	var o options
	cmd := &cobra.Command{
		Use:                   "exec [flags] -- COMMAND [ARGUMENT]...",
		Short:                 "Run any test command, each test process on a database of its own",
		Long:                  long,
		Example:               examples,
		DisableFlagsInUseLine: true,
		RunE: func(cmd *cobra.Command, args []string) error {
			if cmd.ArgsLenAtDash() != 0 || len(args) == 0 {
				return usage("want a command after --, and patterns in quotes: pgcell exec [flags] -- COMMAND")
			}
			if err := o.configure(p, cmd.Flags(), args); err != nil {
				return err
			}
			return run(p, o, args)
		},
	}
	cmd.SetUsageTemplate(usageTemplate)
	bind(cmd.Flags(), &o)
	return cmd
}

// usageTemplate leaves out what the screen has no room for.
const usageTemplate = `Usage:
  {{.UseLine}}

Examples:
{{.Example}}

Flags:
{{.LocalFlags.FlagUsages | trimTrailingWhitespaces}}

The exit code is COMMAND's; 125 if pgcell failed before it, 126 or 127 if COMMAND could not be executed.
`

// failed is the exit code where there is none of the command's, as env(1) has it.
const failed = 125

// usage makes an error for a wrong command line.
func usage(format string, args ...any) error {
	return &cli.Error{Code: cli.WrongUsage, Err: fmt.Errorf(format, args...)}
}

// broken makes an error for what kept the command from being run.
func broken(format string, args ...any) error {
	return &cli.Error{Code: failed, Err: fmt.Errorf(format, args...)}
}
