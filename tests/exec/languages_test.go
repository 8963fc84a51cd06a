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

// The processes of node --test, Mocha, Jest and Vitest have databases of their own.
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
	program := func(name string, args ...string) []string {
		return append([]string{"node", filepath.Join("node_modules", name)}, args...)
	}
	mocha := slices.Concat(program("mocha/bin/mocha.js", "--timeout", "60000", "--parallel", "--jobs", "3"), tests)
	if r := onOne(t, c, strings.Join(mocha, " ")); r.code == 0 {
		t.Errorf("on one database: %v; want failed tests", r)
	}
	c.run(t, mocha...).ensure(t, 0, "15 passing")
	c.run(t, slices.Concat([]string{"node", "--test", "--test-concurrency=3"}, tests)...).ensure(t, 0, "pass 15")
	patient := []string{"--maxWorkers", "3", "--testTimeout", "60000"}
	jest := append(program("jest/bin/jest.js", "--rootDir", "test", "--cacheDirectory", filepath.Join(dir, "cache")), patient...)
	c.run(t, jest...).ensureOwn(t, "Tests:       15 passed")
	c.environ = []string{"NO_COLOR=1"}
	vitest := append(program("vitest/vitest.mjs", "run", "--dir", "vitest"), patient...)
	c.run(t, vitest...).ensureOwn(t, "15 passed")
	c.flags = append(c.flags, "--split", "test/*.test.js", "--shards", "2")
	c.run(t, program("mocha/bin/mocha.js", "--timeout", "60000", "{}")...).ensureOwn(t, "10 passing", "5 passing")
}

// ensureOwn looks that a run passed, and that no test used the database of the command as a whole.
func (r result) ensureOwn(t *testing.T, words ...string) {
	t.Helper()
	r.ensure(t, 0, append(words, "database test_db_w")...)
	if strings.Contains(r.stdout+r.stderr, "database test_db_master") {
		t.Errorf("a test used the command's database: %v", r)
	}
}

// The processes of parallel_tests have databases of their own.
func TestRuby(t *testing.T) {
	t.Parallel()
	dir := mustDebian(t, "libruby3.1", "ruby", "ruby3.1", "ruby-rubygems", "ruby-pg", "ruby-rspec", "ruby-rspec-core",
		"ruby-rspec-expectations", "ruby-rspec-mocks", "ruby-rspec-support", "ruby-diff-lcs", "ruby-parallel", "ruby-parallel-tests")
	libraries, _ := filepath.Glob(filepath.Join(dir, "usr/lib/*-linux-gnu"))
	if len(libraries) != 1 {
		t.Fatalf("Ruby's libraries are in %v; want one directory", libraries)
	}
	lib, system := filepath.Join(dir, "usr/lib/ruby"), filepath.Join(libraries[0], "ruby")
	c := call{suite: "ruby", flags: []string{"--migrations", "migrations"}, environ: []string{
		"PATH=" + filepath.Join(dir, "usr/bin") + ":" + os.Getenv("PATH"), "LD_LIBRARY_PATH=" + libraries[0],
		"RUBYLIB=" + strings.Join([]string{lib + "/vendor_ruby", system + "/vendor_ruby/3.1.0", lib + "/3.1.0", system + "/3.1.0"}, ":"),
		"GEM_PATH=" + filepath.Join(dir, "usr/share/rubygems-integration/all"),
	}}
	rspec := filepath.Join(dir, "usr/bin/parallel_rspec")
	c.run(t, "ruby", rspec, "-n", "3", "spec").ensureOwn(t, "15 examples, 0 failures")
	c.flags = append(c.flags, "--split", "spec/**/*_spec.rb", "--shards", "2")
	c.run(t, "rspec", "{}").ensureOwn(t, "10 examples, 0 failures", "5 examples, 0 failures")
}

// PHPUnit, which takes one file, runs its files in processes with databases of their own.
func TestPHP(t *testing.T) {
	t.Parallel()
	dir := mustDebian(t, "php-common", "php8.2-common", "php8.2-cli", "php8.2-xml", "php8.2-mbstring", "php8.2-pgsql", "phpunit",
		"php-file-iterator", "php-text-template", "phpunit-code-unit-reverse-lookup", "phpunit-complexity", "phpunit-environment",
		"phpunit-lines-of-code", "phpunit-version", "php-codecoverage", "php-deepcopy", "php-doctrine-instantiator", "php-invoker",
		"php-phar-io-version", "php-phar-io-manifest", "php-timer", "phpunit-cli-parser", "phpunit-code-unit", "phpunit-diff",
		"phpunit-recursion-context", "phpunit-exporter", "phpunit-comparator", "phpunit-object-reflector", "phpunit-global-state",
		"phpunit-object-enumerator", "phpunit-resource-operations", "phpunit-type", "php-parser", "php-tokenizer")
	extensions, _ := filepath.Glob(filepath.Join(dir, "usr/lib/php/*/pdo_pgsql.so"))
	if len(extensions) != 1 {
		t.Fatalf("PHP's extensions are in %v; want one directory", extensions)
	}
	ini := "extension_dir=" + filepath.Dir(extensions[0]) + "\ninclude_path=" + filepath.Join(dir, "usr/share/php") + "\n"
	for _, name := range []string{"ctype", "dom", "iconv", "mbstring", "pdo", "pdo_pgsql", "phar", "tokenizer", "xml", "xmlwriter"} {
		ini += "extension=" + name + "\n"
	}
	if err := os.WriteFile(filepath.Join(dir, "php.ini"), []byte(ini), 0o666); err != nil {
		t.Fatal(err)
	}
	c := call{suite: "php", flags: []string{"--migrations", "migrations", "--split", "tests/*Test.php", "--shards", "3"}}
	c.environ = []string{"PHPRC=" + dir, "PHP_INI_SCAN_DIR="}
	php, unit := filepath.Join(dir, "usr/bin/php8.2"), filepath.Join(dir, "usr/bin/phpunit")
	c.run(t, php, unit, "--no-configuration", "--do-not-cache-result", "{file}").ensureOwn(t, "OK (5 tests, 5 assertions)")
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
