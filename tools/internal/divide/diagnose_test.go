package divide_test

import (
	"net"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pgcell/pgcell/tools/internal/divide"
)

func TestDiagnose(t *testing.T) {
	t.Parallel()
	c := divide.Config{Binary: mustBinary(t, "ordered"), Shards: 1, Each: true}
	result, out := mustRun(t, c)
	want := []string{"TestNeedsA", "TestNeedsABD", "TestFails"} // TestDislikesD is content alone
	if diff := cmp.Diff(want, result.Failed); diff != "" {
		t.Fatalf("failed alone (-want +got):\n%s\n%s", diff, out)
	}
	findings, err := divide.Diagnose(t.Context(), c, append(result.Failed, "TestDislikesD"))
	if err != nil {
		t.Fatal(err)
	}
	var said []string
	for _, f := range findings {
		said = append(said, f.String())
		c.Groups = append(c.Groups, f.Group())
	}
	want = []string{
		"TestNeedsA passes only after TestA",
		"TestNeedsABD passes only after TestA, TestB, TestD",
		"TestFails fails after all tests before it, too: it does not depend on order",
		"TestDislikesD passes alone: another test of its process disturbed it, or it is flaky",
	}
	if diff := cmp.Diff(want, said); diff != "" {
		t.Errorf("findings (-want +got):\n%s", diff)
	}
	result, _ = mustRun(t, c) // the groups share TestA, and so are one
	if diff := cmp.Diff([]string{"TestFails"}, result.Failed); diff != "" {
		t.Errorf("failed in groups (-want +got):\n%s", diff)
	}
}

func TestDiagnoseKeepsToTheFilter(t *testing.T) {
	t.Parallel()
	findings, err := divide.Diagnose(t.Context(), divide.Config{
		Binary: mustBinary(t, "ordered"), Args: []string{"-test.skip=TestA|TestC", "-test.run=Test"},
	}, []string{"TestNeedsA"})
	if err != nil || len(findings) != 1 || findings[0].Group() != nil {
		t.Errorf("Diagnose() = %v, %v, want that TestNeedsA always fails without TestA", findings, err)
	}
}

func TestFixedPortsAreNamed(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	_, out := mustRun(t, divide.Config{
		Binary: mustBinary(t, "ports"), Args: []string{"-test.v"}, Shards: 2,
		Env: func(int) ([]string, func(), error) { return []string{"PORTS=" + address}, nil, nil },
	})
	for line := range strings.Lines(out) {
		if strings.HasPrefix(line, "pgcell: Test") && strings.Contains(line, " failed because "+address+" was in use") {
			return
		}
	}
	t.Errorf("nothing says which test wanted %s:\n%s", address, out)
}
