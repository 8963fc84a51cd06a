package selection_test

import (
	"strings"
	"testing"

	"github.com/pgcell/pgcell/tools/internal/selection"
)

func TestExpression(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]bool{
		"view": true, "nothing": false, "not nothing": true, "not not view": true, "view and ddl": true,
		"view and nothing": false, "nothing or view": true, "nothing and nothing or view": true,
		"nothing and (nothing or view)": false, "not (view or nothing)": false, "(view)and(ddl)": true,
	} {
		e, err := selection.ParseExpression(text)
		if err != nil {
			t.Fatalf("ParseExpression(%q): %v", text, err)
		}
		if got := e.Match(func(word string) bool { return strings.Contains("view ddl", word) }); got != want {
			t.Errorf("%q matches: %v, want %v", text, got, want)
		}
		if e.String() != text {
			t.Errorf("String() = %q, want %q", e.String(), text)
		}
	}
	if e, err := selection.ParseExpression(""); e != nil || err != nil || e.String() != "" {
		t.Errorf("ParseExpression of nothing = %v, %v, want nil", e, err)
	}
}

func TestExpressionErrors(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"a b": `"b" is one too many: write words with and, or, not between them`, "a and": "a word is missing at its end",
		"or a": `a word is missing before "or"`, "(a": `a ")" is missing`, "()": `a word is missing before ")"`,
		"a)": `")" is one too many: write words with and, or, not between them`, "not": "a word is missing at its end",
	} {
		if _, err := selection.ParseExpression(text); err == nil || err.Error() != want {
			t.Errorf("ParseExpression(%q) = %v, want %s", text, err, want)
		}
	}
}
