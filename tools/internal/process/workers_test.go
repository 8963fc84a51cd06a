package process

// Not an external package: the walk from a client to its worker takes processes that nobody has to start.

import (
	"fmt"
	"strings"
	"testing"
)

// A chain is a client and its ancestors up to the command: each "pid command [NAME=VALUE]...".
func TestWorker(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		chain []string
		known int
		want  string
	}{
		{[]string{"9 psql", "8 sh"}, 0, "none"},
		{[]string{"9 psql JEST_WORKER_ID=1", "8 node JEST_WORKER_ID=1", "7 jest"}, 0, "8 Jest"},
		{[]string{"9 node JEST_WORKER_ID=1", "8 jest", "7 npm"}, 0, "9 Jest"},
		{[]string{"9 ruby TEST_ENV_NUMBER=", "8 ruby"}, 0, "9 parallel_tests"},
		{[]string{"9 ruby TEST_ENV_NUMBER=2", "8 sh TEST_ENV_NUMBER=1"}, 0, "9 parallel_tests"},
		{[]string{"9 php TEST_TOKEN=1", "8 make TEST_TOKEN=1"}, 0, "8 ParaTest"},
		{[]string{"9 psql", "8 python -u -c import sys;exec(eval(sys.stdin.readline()))", "7 pytest"}, 0, "8 pytest-xdist"},
		{[]string{"9 /tmp/go-build1/b001/x.test -test.timeout=10m", "8 go test"}, 0, "9 go test"},
		{[]string{"9 /bin/node --conditions node /x/node_modules/vitest/dist/workers/forks.js", "8 node vitest.mjs"}, 0, "9 Vitest"},
		{[]string{"9 node (vitest 1) TINYPOOL_WORKER_ID=1", "8 node vitest.mjs"}, 0, "9 Vitest"},
		{[]string{"9 /x/items.test --test.timeout=0 --ginkgo.parallel.process=1", "8 ginkgo -p"}, 0, "9 go test"},
		{[]string{"9 psql", "8 x"}, 8, "8 "},
		{[]string{"9 psql JEST_WORKER_ID=1", "8 x JEST_WORKER_ID=1", "7 y"}, 8, "8 Jest"},
		{[]string{"9 java -cp x worker.org.gradle.process.internal.worker.GradleWorkerMain 'Gradle Test Executor 1'", "8 gradle"}, 0, "9 Gradle"},
		{[]string{"9 java -jar /x/target/surefire/surefirebooter123.jar /x", "8 mvn"}, 0, "9 Maven Surefire"},
	} {
		var chain []info
		for _, text := range c.chain {
			var p info
			fmt.Sscan(text, &p.pid)
			for _, word := range strings.Fields(text)[1:] {
				if name, _, found := strings.Cut(word, "="); found && strings.ToUpper(name) == name && name[0] != '-' {
					p.environ = append(p.environ, word)
				} else {
					p.command = strings.TrimSpace(p.command + " " + word)
				}
			}
			chain = append(chain, p)
		}
		got := "none"
		if found, runner := worker(chain, Runners, func(pid int) bool { return pid == c.known }); found != nil {
			got = fmt.Sprint(found.pid, " ", runner)
		}
		if got != c.want {
			t.Errorf("worker(%q) = %s, want %s", c.chain, got, c.want)
		}
	}
}
