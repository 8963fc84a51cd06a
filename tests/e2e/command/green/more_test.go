package green_test

import "testing"

func TestIndex(*testing.T) {}
