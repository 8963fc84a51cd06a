package lend

import (
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// Variable is a variable of the environment. Its value is a template: see [Connection.Expand].
type Variable struct{ Name, Value string }

// Connection is how a process connects to its database.
type Connection struct {
	Host, Socket, User, Password string
	Port                         int
	Database, Table, Worker      string
}

// Placeholders are what [Connection.Expand] replaces, for help texts.
var Placeholders = []string{"url", "host", "port", "user", "password", "dbname", "socket", "table", "worker"}

// URL is the connection as a URL, over TCP.
func (c Connection) URL() string {
	u := url.URL{
		Scheme: "postgres", User: url.UserPassword(c.User, c.Password), Host: c.Host + ":" + strconv.Itoa(c.Port),
		Path: "/" + c.Database, RawQuery: "sslmode=disable",
	}
	return u.String()
}

// Expand replaces {url}, {host}, {port}, {user}, {password}, {dbname} (or {db}), {socket} (the directory of the Unix
// socket), {table} and {worker}. Other braces stay as they are.
func (c Connection) Expand(template string) string {
	return strings.NewReplacer(
		"{url}", c.URL(), "{host}", c.Host, "{port}", strconv.Itoa(c.Port), "{user}", c.User, "{password}", c.Password,
		"{dbname}", c.Database, "{db}", c.Database, "{socket}", c.Socket, "{table}", c.Table, "{worker}", c.Worker,
	).Replace(template)
}

// Variables are those of every process.
func (c Connection) Variables() []Variable {
	return []Variable{
		{"DATABASE_URL", c.URL()}, {"PGHOST", c.Host}, {"PGPORT", strconv.Itoa(c.Port)}, {"PGUSER", c.User},
		{"PGPASSWORD", c.Password}, {"PGDATABASE", c.Database}, {"PGSSLMODE", "disable"}, {"TEST_DB_NAME", c.Database},
		{"TEST_DB_NAME_2", c.Database + "_2"}, {"TEST_TABLE_NAME", c.Table}, {"TEST_WORKER", c.Worker},
	}
}

// misleading are variables by which libpq would connect elsewhere.
var misleading = []string{"PGHOSTADDR", "PGSERVICE", "PGSERVICEFILE", "PGPASSFILE", "PGSSLCERT", "PGREQUIRESSL", "PGCHANNELBINDING"}

// With gives an environment with variables added to it, or in the place of those of the same name.
func With(environ []string, variables []Variable) []string {
	changed := slices.DeleteFunc(slices.Clone(environ), func(v string) bool {
		name, _, _ := strings.Cut(v, "=")
		return slices.Contains(misleading, name) || slices.ContainsFunc(variables, func(v Variable) bool { return v.Name == name })
	})
	for _, v := range variables {
		changed = append(changed, v.Name+"="+v.Value)
	}
	return changed
}

// Connection is how the command as a whole connects. Each test process below it that does so gets its own database.
func (b *Broker) Connection() Connection { return b.connection(b.command) }

func (b *Broker) connection(u *Unit) Connection {
	c := Connection{
		Host: "127.0.0.1", Port: b.port, Socket: b.config.Dir, User: b.config.User, Password: b.config.Password,
		Database: u.name, Table: tablePrefix + u.id, Worker: u.worker,
	}
	if u == b.command || b.chosen {
		c.Database = b.config.Database
	}
	return c
}

// variables are those of a connection, and the additional ones.
func (b *Broker) variables(c Connection) []Variable {
	all := c.Variables()
	for _, v := range b.config.Variables {
		all = append(all, Variable{v.Name, c.Expand(v.Value)})
	}
	return all
}

// Environ gives an environment with the variables of the command as a whole.
func (b *Broker) Environ(environ []string) []string {
	return With(environ, append(b.variables(b.Connection()), Variable{DirVariable, b.config.Dir}))
}

// DirVariable names the broker's directory, for [Enter].
const DirVariable = "PGCELL_EXEC"
