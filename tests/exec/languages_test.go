package exec_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/pgcell/pgcell/tests/internal/source"
)

// mustDebian unpacks packages of Debian's into a directory. It skips the test on other systems.
func mustDebian(t *testing.T, packages ...string) string {
	t.Helper()
	for _, program := range []string{"apt-get", "dpkg"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Skipf("no %s on this machine, to get %v", program, packages)
		}
	}
	dir := t.TempDir()
	download := func() ([]byte, error) {
		cmd := exec.CommandContext(t.Context(), "apt-get", append([]string{"download", "-q"}, packages...)...)
		cmd.Dir = dir
		return cmd.CombinedOutput()
	}
	if _, err := download(); err != nil { // a fresh machine has no lists
		exec.CommandContext(t.Context(), "apt-get", "update", "-q").Run()
		if out, err := download(); err != nil {
			t.Skipf("%v cannot be had: %v: %s", packages, err, out)
		}
	}
	files, _ := filepath.Glob(dir + "/*.deb")
	for _, file := range files {
		if out, err := exec.Command("dpkg", "-x", file, dir).CombinedOutput(); err != nil {
			t.Fatalf("unpack %s: %v: %s", file, err, out)
		}
	}
	return dir
}

// pytest-xdist's workers have databases of their own.
func TestPython(t *testing.T) {
	t.Parallel()
	dir := mustDebian(t, "python3-psycopg2", "python3-pytest", "python3-pytest-xdist", "python3-execnet", "python3-iniconfig",
		"python3-packaging", "python3-pluggy", "python3-pygments", "python3-attr")
	c := call{suite: "python", flags: []string{"--migrations", "migrations"}, environ: []string{
		"PYTHONPATH=" + filepath.Join(dir, "usr/lib/python3/dist-packages"), "PYTHONDONTWRITEBYTECODE=1",
	}}
	const pytest = "/usr/bin/python3 -m pytest -q -p no:cacheprovider"
	if r := onOne(t, c, pytest+" -n 4"); r.code != 1 {
		t.Errorf("on one database: %v; want failed tests", r)
	}
	c.run(t, "sh", "-c", pytest+" -n 4").ensure(t, 0, "13 passed")
	c.run(t, "sh", "-c", pytest).ensure(t, 0, "13 passed")
	// A name that the suite has in its source is that of each worker's own database.
	c.flags = append(c.flags, "--database", "shop", "--user", "app")
	c.run(t, "sh", "-c", `export DATABASE_URL="dbname=shop user=app"; `+pytest+" -n 4").ensure(t, 0, "13 passed")
}

// The processes of node --test and of Mocha have databases of their own.
func TestNode(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("npm"); err != nil {
		t.Skip("no npm on this machine")
	}
	tree, err := source.Tree()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir() // node_modules must not lie in the source tree
	if err := os.CopyFS(dir, os.DirFS(filepath.Join(tree, "tests", "exec", "suites", "node"))); err != nil {
		t.Fatal(err)
	}
	install := exec.CommandContext(t.Context(), "npm", "install", "--no-audit", "--no-fund", "--no-package-lock")
	install.Dir, install.Env = dir, source.Environ()
	if out, err := install.CombinedOutput(); err != nil {
		t.Skipf("npm cannot install: %v: %s", err, out)
	}
	c := call{suite: dir, flags: []string{"--migrations", "migrations"}}
	tests := []string{"test/a.test.js", "test/b.test.js", "test/c.test.js"}
	mocha := slices.Concat([]string{"node", "node_modules/mocha/bin/mocha.js", "--parallel", "--jobs", "3"}, tests)
	if r := onOne(t, c, strings.Join(mocha, " ")); r.code == 0 {
		t.Errorf("on one database: %v; want failed tests", r)
	}
	c.run(t, mocha...).ensure(t, 0, "15 passing")
	c.run(t, slices.Concat([]string{"node", "--test", "--test-concurrency=3"}, tests)...).ensure(t, 0, "pass 15")
}

// A JVM over JDBC connects by TCP. Two of them have databases of their own.
func TestJava(t *testing.T) {
	t.Parallel()
	for _, program := range []string{"java", "javac"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Skipf("no %s on this machine", program)
		}
	}
	dir := mustDebian(t, "libpostgresql-jdbc-java", "junit4", "libhamcrest-java")
	var jars []string
	for _, jar := range []string{"postgresql", "junit4", "hamcrest"} {
		jars = append(jars, filepath.Join(dir, "usr/share/java", jar+".jar"))
	}
	c := call{suite: "java", flags: []string{
		"--migrations", "migrations", "--env", "JDBC_URL=jdbc:postgresql://{host}:{port}/{dbname}?user={user}&password={password}",
	}, environ: []string{"CLASSPATH=" + strings.Join(append(jars, dir), ":")}}
	c.run(t, "javac", "-d", dir, "ItemTest.java").ensure(t, 0)
	const both = "java org.junit.runner.JUnitCore ItemTest & java org.junit.runner.JUnitCore ItemTest; code=$?; wait %1 && exit $code"
	c.run(t, "sh", "-c", both).ensure(t, 1) // both are the command's
	c.flags = append(c.flags, "--worker", "^java .*JUnitCore")
	c.run(t, "sh", "-c", both).ensure(t, 0, "OK (1 test)")
}
