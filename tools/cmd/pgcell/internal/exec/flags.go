package exec

import (
	"github.com/spf13/pflag"
)

// Flag is one flag. The table of them feeds parsing, the help text, .pgcell.toml and docs/exec.md.
type Flag struct {
	Name  string
	Value string               // what the value is called; empty for a switch
	Usage string               // for the help text; one line of at most 70 characters
	More  string               // for docs/exec.md alone
	path  bool                 // the value is relative to the directory of .pgcell.toml, where it stands there
	to    func(o *options) any // *string, *[]string or *bool
}

// Flags is the table, in the order of the help text.
var Flags = []Flag{
	{
		Name: "migrations", Value: "DIR", path: true, Usage: "SQL files that make the template, of any migration tool",
		More: "The layouts are those of [migrations.md](migrations.md).",
		to:   func(o *options) any { return &o.migrations },
	},
	{
		Name: "migrate", Value: "CMD", Usage: "shell command that migrates the database of its environment",
		More: "It runs after --migrations, in the current directory, with the variables that COMMAND gets. Without " +
			"--migrate-inputs it runs once for each call of pgcell exec.",
		to: func(o *options) any { return &o.migrate },
	},
	{
		Name: "migrate-inputs", Value: "GLOB", path: true, Usage: "files that --migrate reads: the template is kept until one changes",
		More: "`**` matches any number of directories. The command itself counts too. May be given more than once.",
		to:   func(o *options) any { return &o.migrateInputs },
	},
	{
		Name: "template", Value: "FILE", path: true, Usage: "template that the rule pg_template has built, in place of the above",
		to: func(o *options) any { return &o.template },
	},
	{
		Name: "extensions", Value: "NAME", Usage: "extension to create before migrations, such as hstore",
		More: "As the attribute of [pg_template](attributes.md). May be given more than once.",
		to:   func(o *options) any { return &o.extensions },
	},
	{
		Name: "roles", Value: "ROLE", Usage: "role to create before migrations: 'app_reader', 'app LOGIN', auto",
		More: "As the attribute of [pg_template](attributes.md). May be given more than once. Roles with LOGIN and no " +
			"password of their own get the password of the run.",
		to: func(o *options) any { return &o.roles },
	},
	{
		Name: "settings", Value: "NAME=VALUE", Usage: "parameter of the server, such as wal_level=logical",
		More: "May be given more than once.",
		to:   func(o *options) any { return &o.settings },
	},
	{
		Name: "superuser", Usage: "tests connect as a superuser", More: "Their databases are not used again.",
		to: func(o *options) any { return &o.superuser },
	},
	{
		Name: "createdb", Usage: "tests may create databases",
		to: func(o *options) any { return &o.createdb },
	},
	{
		Name: "locale", Value: "LOCALE", Usage: "locale of the databases, such as en_US.UTF-8 or icu:en-US",
		to: func(o *options) any { return &o.locale },
	},
	{
		Name: "postgres", Value: "DIR", path: true, Usage: "PostgreSQL's programs (default: PGCELL_POSTGRES, else as found)",
		to: func(o *options) any { return &o.postgres },
	},
	{
		Name: "user", Value: "NAME", Usage: "name by which tests connect (default pgcell)",
		More: "The server knows the role as `pgcell`, which `current_user` shows. A role NAME is created too, so that migrations " +
			"can use it in `GRANT` and `OWNER TO`.",
		to: func(o *options) any { return &o.user },
	},
	{
		Name: "database", Value: "NAME", Usage: "name by which every process means its own database",
		More: "For suites that expect a fixed name. `current_database()` shows the real name, which differs. Default: " +
			"`test_db_<worker>_<id>`, a different name for each test binary of `go test`.",
		to: func(o *options) any { return &o.database },
	},
	{
		Name: "worker", Value: "REGEXP", Usage: "further test processes: those whose command line matches",
		More: "For runners that pgcell does not know, such as a script: `--worker '^sh test_\\w+[.]sh'`. The command line is the " +
			"program and its arguments, with spaces between them. May be given more than once.",
		to: func(o *options) any { return &o.worker },
	},
	{
		Name: "env", Value: "NAME=TEXT", Usage: "further variable; TEXT may hold {url} {host} {port} {user} {password}\n{dbname} {socket} {worker}",
		More: "`{table}` as well, and `{db}` for `{dbname}`. May be given more than once.",
		to:   func(o *options) any { return &o.env },
	},
	{
		Name: "env-file", Value: "FILE", path: true, Usage: "file with a line for each further variable, as --env",
		More: "Empty lines and lines that begin with `#` are passed over.",
		to:   func(o *options) any { return &o.envFile },
	},
	{
		Name: "file", Value: "OUT=TEXTFILE", path: true, Usage: "write OUT before COMMAND, from a file with such {words}; remove it after",
		More: "For suites that read a file. All test processes read the same file, and still each gets its own " +
			"database. May be given more than once.",
		to: func(o *options) any { return &o.files },
	},
	{
		Name: "server", Value: "URL", Usage: "server to make the databases on, in place of a private one",
		More: "Default: `PGCELL_SERVER`, which does not show a password in the list of processes. The role needs `CREATEDB`. " +
			"See [an existing server](how-to/existing-server.md).",
		to: func(o *options) any { return &o.server },
	},
	{
		Name: "at", Value: "HOST:PORT/DB", Usage: "address in the suite's source, such as localhost:5432/app: serve it to\nCOMMAND alone, whoever else uses it",
		More: "Linux only; COMMAND gets a network namespace of its own. See [a hard-coded address](how-to/hard-coded-address.md). " +
			"A connection URL works too. Without `/DB`, pgcell serves any database name. Any user and password may connect. " +
			"May be given more than once.",
		to: func(o *options) any { return &o.at },
	},
	{
		Name: "forward", Value: "[HOST:]PORT", Usage: "with --at: other port that COMMAND may reach, such as 6379",
		More: "The host is localhost, or a name that COMMAND connects to. May be given more than once.",
		to:   func(o *options) any { return &o.forward },
	},
	{
		Name: "split", Value: "GLOB", path: true, Usage: "divide these files among processes of COMMAND, which has {} for them",
		More: "See [divide test files](how-to/exec-files.md). May be given more than once.",
		to:   func(o *options) any { return &o.split },
	},
	{
		Name: "shards", Value: "N", Usage: "number of processes for a Go test binary or for --split, or auto",
		More: "Default: `auto` with `--split`; without it, a test binary is not divided. [Below](#one-test-binary-many-processes).",
		to:   func(o *options) any { return &o.shards },
	},
	{
		Name: "isolate", Value: "WHAT", Usage: "what is isolated: package (default) or test of go test, or server",
		More: "With `test`, each top-level test runs in a process of its own, `--shards` of them at a time. With `server`, each " +
			"test process has a server of its own. [Below](#a-server-for-each-process).",
		to: func(o *options) any { return &o.isolate },
	},
	{
		Name: "suites", Usage: "go test: divide subtests too, such as the methods of testify suites",
		More: "[Below](#suites).", to: func(o *options) any { return &o.suites },
	},
	{
		Name: "group", Value: "TESTS", Usage: "go test: tests that stay in one process: TestA,TestB",
		More: "May be given more than once.",
		to:   func(o *options) any { return &o.groups },
	},
	{
		Name: "diagnose", Usage: "find what failed tests depend on, and group them in .pgcell.toml",
		More: "[Below](#tests-that-depend-on-each-other).",
		to:   func(o *options) any { return &o.diagnose },
	},
}

// bind makes the table's flags flags of the command.
func bind(f *pflag.FlagSet, o *options) {
	f.SortFlags = false
	for _, flag := range Flags {
		switch to := flag.to(o).(type) {
		case *bool:
			f.BoolVar(to, flag.Name, false, flag.Usage)
		case *string:
			f.StringVar(to, flag.Name, "", flag.Usage)
			f.Lookup(flag.Name).Value = &text{to, flag.Value}
		case *[]string:
			f.StringArrayVar(to, flag.Name, nil, flag.Usage)
			f.Lookup(flag.Name).Value, f.Lookup(flag.Name).DefValue = &list{to, flag.Value}, ""
		}
	}
}

// text is a flag whose value has a name of its own in the help text.
type text struct {
	to   *string
	kind string
}

func (t *text) Set(s string) error { *t.to = s; return nil }
func (t *text) String() string     { return *t.to }
func (t *text) Type() string       { return t.kind }

// list is a flag that may be given more than once.
type list struct {
	to   *[]string
	kind string
}

func (l *list) Set(s string) error { *l.to = append(*l.to, s); return nil }
func (l *list) String() string     { return "" }
func (l *list) Type() string       { return l.kind }
