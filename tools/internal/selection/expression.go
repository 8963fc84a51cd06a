package selection

import (
	"errors"
	"fmt"
	"strings"
)

// Expression is a parsed -k or -m: words with and, or, not and parentheses, as pytest has them.
type Expression struct {
	text  string // as the user wrote it; of the whole alone
	op    string // "and", "or", "not", or "" for a word
	word  string
	parts []*Expression
}

// ParseExpression reads an expression. A word is whatever stands between spaces and parentheses, except and, or and
// not. The empty text gives nil.
func ParseExpression(text string) (*Expression, error) {
	if text == "" {
		return nil, nil
	}
	p := &expressionParser{tokens: strings.Fields(strings.NewReplacer("(", " ( ", ")", " ) ").Replace(text))}
	e, err := p.or()
	if err != nil {
		return nil, err
	}
	if p.next() != "" {
		return nil, fmt.Errorf("%q is one too many: write words with and, or, not between them", p.next())
	}
	e.text = text
	return e, nil
}

type expressionParser struct{ tokens []string }

func (p *expressionParser) next() string {
	if len(p.tokens) == 0 {
		return ""
	}
	return p.tokens[0]
}

func (p *expressionParser) take() { p.tokens = p.tokens[1:] }

func (p *expressionParser) or() (*Expression, error)  { return p.chain("or", p.and) }
func (p *expressionParser) and() (*Expression, error) { return p.chain("and", p.not) }

// chain reads parts that op joins.
func (p *expressionParser) chain(op string, part func() (*Expression, error)) (*Expression, error) {
	first, err := part()
	if err != nil {
		return nil, err
	}
	e := &Expression{op: op, parts: []*Expression{first}}
	for p.next() == op {
		p.take()
		more, err := part()
		if err != nil {
			return nil, err
		}
		e.parts = append(e.parts, more)
	}
	if len(e.parts) == 1 {
		return first, nil
	}
	return e, nil
}

func (p *expressionParser) not() (*Expression, error) {
	switch word := p.next(); word {
	case "":
		return nil, errors.New("a word is missing at its end")
	case "and", "or", ")":
		return nil, fmt.Errorf("a word is missing before %q", word)
	case "not":
		p.take()
		part, err := p.not()
		return &Expression{op: "not", parts: []*Expression{part}}, err
	case "(":
		p.take()
		e, err := p.or()
		if err != nil {
			return nil, err
		}
		if p.next() != ")" {
			return nil, errors.New(`a ")" is missing`)
		}
		p.take()
		return e, nil
	default:
		p.take()
		return &Expression{word: word}, nil
	}
}

// String gives the expression as the user wrote it; "" for nil.
func (e *Expression) String() string {
	if e == nil {
		return ""
	}
	return e.text
}

// Match evaluates the expression; has says whether a word holds.
func (e *Expression) Match(has func(word string) bool) bool {
	switch e.op {
	case "not":
		return !e.parts[0].Match(has)
	case "and":
		for _, p := range e.parts {
			if !p.Match(has) {
				return false
			}
		}
		return true
	case "or":
		for _, p := range e.parts {
			if p.Match(has) {
				return true
			}
		}
		return false
	}
	return has(e.word)
}

// words gives all words, in order.
func (e *Expression) words() []string {
	if e.op == "" {
		return []string{e.word}
	}
	var words []string
	for _, p := range e.parts {
		words = append(words, p.words()...)
	}
	return words
}
