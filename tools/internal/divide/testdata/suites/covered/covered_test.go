package covered

import "testing"

func ensure(t *testing.T, n int, want string) {
	t.Helper()
	if got := Word(n); got != want {
		t.Errorf("Word(%d) = %q, want %q", n, got, want)
	}
}

func TestOne(t *testing.T) { ensure(t, 1, "one") }

func TestTwo(t *testing.T) { ensure(t, 2, "two") }

func TestThree(t *testing.T) { ensure(t, 3, "three") }

func TestMany(t *testing.T) { ensure(t, 9, "twice is 18") }
