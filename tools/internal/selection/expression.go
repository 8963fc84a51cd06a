package main

import (
	"errors"
	"fmt"
	"strings"
)

// expression is a parsed -k or -m: words with and, or, not and parentheses, as pytest has them.
type expression struct {
	op    string // "and", "or", "not", or "" for a word
	word  string
	parts []*expression
}

// parseExpression reads an expression. A word is whatever stands between spaces and parentheses; and, or and not are
// none.
func parseExpression(text string) (*expression, error) {
	p := &expressionParser{tokens: strings.Fields(strings.NewReplacer("(", " ( ", ")", " ) ").Replace(text))}
	e, err := p.or()
	if err != nil {
		return nil, err
	}
	if p.next() != "" {
		return nil, fmt.Errorf("%q is one too many: write words with and, or, not between them", p.next())
	}
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

func (p *expressionParser) or() (*expression, error)  { return p.chain("or", p.and) }
func (p *expressionParser) and() (*expression, error) { return p.chain("and", p.not) }

// chain reads parts that op joins.
func (p *expressionParser) chain(op string, part func() (*expression, error)) (*expression, error) {
	first, err := part()
	if err != nil {
		return nil, err
	}
	e := &expression{op: op, parts: []*expression{first}}
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

func (p *expressionParser) not() (*expression, error) {
	switch word := p.next(); word {
	case "":
		return nil, errors.New("a word is missing at its end")
	case "and", "or", ")":
		return nil, fmt.Errorf("a word is missing before %q", word)
	case "not":
		p.take()
		part, err := p.not()
		return &expression{op: "not", parts: []*expression{part}}, err
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
		return &expression{word: word}, nil
	}
}

// match evaluates the expression; has says whether a word holds.
func (e *expression) match(has func(word string) bool) bool {
	switch e.op {
	case "not":
		return !e.parts[0].match(has)
	case "and":
		for _, p := range e.parts {
			if !p.match(has) {
				return false
			}
		}
		return true
	case "or":
		for _, p := range e.parts {
			if p.match(has) {
				return true
			}
		}
		return false
	}
	return has(e.word)
}

// words gives all words, in order.
func (e *expression) words() []string {
	if e.op == "" {
		return []string{e.word}
	}
	var words []string
	for _, p := range e.parts {
		words = append(words, p.words()...)
	}
	return words
}
