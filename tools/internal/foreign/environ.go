package foreign

import (
	"errors"
	"fmt"
	"net/url"

	"github.com/pgcell/pgcell/tools/internal/external"
	"github.com/pgcell/pgcell/tools/internal/secret"
)

// FromEnvironment gives the URL in PGCELL_SERVER; "" if there is none.
//
// Errors: under Bazel, that the test is not declared for such a server, for Bazel would then keep its result although it
// knows nothing of the server, or that it is and there is none; what contradicts the variable.
func FromEnvironment(getenv func(string) string) (string, error) {
	server, declared, target := getenv("PGCELL_SERVER"), getenv("PGCELL_EXISTING_SERVER") == "1", getenv("TEST_TARGET")
	switch {
	case server == "" && declared:
		return "", fmt.Errorf("PGCELL_SERVER is not set, but %s has existing_server = True; set PGCELL_SERVER to the server's URL in the environment "+
			"of bazel test", target)
	case server != "" && !declared && getenv("TEST_SRCDIR") != "":
		return "", fmt.Errorf("PGCELL_SERVER is set, but Bazel would cache the result of %s, since it does not know the server; declare the test with "+
			"pg_go_test(existing_server = True), or leave PGCELL_SERVER out", target)
	case server != "" && getenv("PGCELL_RECYCLE") == "verify":
		return "", errors.New("PGCELL_RECYCLE is verify, but no cell is used again on the server of PGCELL_SERVER; unset one of them")
	}
	return server, nil
}

// ForPrivate is the error of pgcell.Server where the environment names a server; nil elsewhere.
func ForPrivate(getenv func(string) string) error {
	server, err := FromEnvironment(getenv)
	if server != "" {
		return errors.New("it starts a server for this test, but PGCELL_SERVER says that tests use one that others manage; run this test " +
			"without PGCELL_SERVER, or skip it where PGCELL_SERVER is set")
	}
	return err
}

// PublicURL is [external.URL] without the password, for messages. user is the role in it.
func PublicURL(server, user, database string) string {
	server = secret.WithoutPassword(server)
	if u, err := url.Parse(server); err == nil && u.Scheme != "" {
		query := u.Query()
		query.Del("user")
		u.User, u.RawQuery = url.User(user), query.Encode()
		server = u.String()
	}
	return external.URL(server, database)
}
