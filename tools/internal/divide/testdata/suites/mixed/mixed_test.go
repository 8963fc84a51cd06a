// Package mixed has all that a test binary can print.
package mixed

import (
	"fmt"
	"os"
	"testing"
	"time"
)

func TestMain(m *testing.M) {
	fmt.Println("main begins")
	code := m.Run()
	fmt.Println("main ends")
	os.Exit(code)
}

func TestPasses(t *testing.T) { t.Log("a log") }

func TestFails(t *testing.T) {
	if os.Getenv("MIXED") == "fails" {
		t.Error("an error")
	}
}

func TestSkips(t *testing.T) { t.Skip("a reason") }

func TestSubtests(t *testing.T) {
	for _, name := range []string{"one", "two", "three"} {
		t.Run(name, func(t *testing.T) { t.Log("in", name) })
	}
}

func TestParallel(t *testing.T) {
	for i := range 4 {
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			t.Parallel()
			time.Sleep(time.Millisecond)
			t.Log("in", i)
		})
	}
}

func TestParallelToo(t *testing.T) { t.Parallel() }

func TestParallelAsWell(t *testing.T) { t.Parallel() }

func TestPrintsWithoutEnd(t *testing.T) { fmt.Print("no end") }

func TestPrintsVerdicts(t *testing.T) {
	fmt.Println("PASS")
	fmt.Println("FAIL")
	fmt.Println("coverage: 1.0% of statements")
}

func TestPrintsMuch(t *testing.T) {
	for range 3 {
		fmt.Printf("%0100000d\n", 7)
	}
}

func FuzzSeeds(f *testing.F) {
	f.Add(1)
	f.Add(2)
	f.Fuzz(func(t *testing.T, n int) {})
}

func BenchmarkNothing(b *testing.B) {}

func Example_hello() {
	fmt.Println("hello")
	// Output: hello
}

func Example_unordered() {
	fmt.Println("2")
	fmt.Println("1")
	// Unordered output:
	// 1
	// 2
}
