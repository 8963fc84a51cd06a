package migrations

import (
	"regexp"
	"slices"
	"strings"
)

// kind says what a marker does.
type kind int

const (
	up    kind = iota // the way up begins
	down              // the way down begins
	note              // neither
	wrong             // the tool would not take it, or does with it what this package does not
)

// marker is a comment that is an order to a tool.
type marker struct {
	comment
	tool    *tool
	kind    kind
	alone   bool   // the file is not to be one transaction
	problem string // of a wrong one
}

// reader recognises the markers of one tool. It reports false for a comment that is none.
type reader func(c comment) (marker, bool)

var readers = []reader{readGoose, readSQLMigrate, readDbmate, readTern, readRambler, readNodePg, readMyBatis, readUpDown}

var (
	gooseLine      = regexp.MustCompile(`(?i)\+goose`)
	sqlMigrateLine = regexp.MustCompile(`(?i)^--\s*\+migrate\b`)
	dbmateLine     = regexp.MustCompile(`(?i)^--\s*migrate:\s*(up|down)\b`)
	dbmateMarker   = regexp.MustCompile(`^--\s*migrate:(up|down)($|\s+\S+)`)
	ternSeparator  = regexp.MustCompile(`(?i)-+\s*create above\s*/\s*drop below\s*-+`)
	ternLine       = regexp.MustCompile(`(?i)^-+\s*tern:`)
	ramblerLine    = regexp.MustCompile(`(?i)^--\s*rambler\b`)
	nodePgLine     = regexp.MustCompile(`(?i)^--[\s-]*(up|down)\s+migration`)
	nodePgNoTx     = regexp.MustCompile(`(?i)^--[\s-]*no[\s-]*transaction`)
	mybatisLine    = regexp.MustCompile(`(?i)^--\s*//\s*@undo\b`)
	upDownLine     = regexp.MustCompile(`(?i)^-{2,}[\s=#*!@+-]*(up|down|undo|rollback|revert)s?[\s:;.=#*-]*$`)
)

func (c comment) is(t *tool, k kind) (marker, bool) {
	return marker{comment: c, tool: t, kind: k}, true
}

// withoutTransaction is a marker that asks for no transaction.
func (c comment) withoutTransaction(t *tool, k kind) (marker, bool) {
	return marker{comment: c, tool: t, kind: k, alone: true}, true
}

func (c comment) wrong(t *tool, problem string) (marker, bool) {
	return marker{comment: c, tool: t, kind: wrong, problem: problem}, true
}

// readGoose: https://pressly.github.io/goose/documentation/annotations/
func readGoose(c comment) (marker, bool) {
	if !gooseLine.MatchString(c.text) {
		return marker{}, false
	}
	order := strings.TrimSpace(gooseLine.ReplaceAllString(strings.ReplaceAll(c.text, "--", ""), ""))
	switch strings.ToUpper(order) {
	case "ENVSUB ON":
		return c.wrong(goose, "goose puts variables of the environment into this file")
	case "ENVSUB OFF", "STATEMENTBEGIN", "STATEMENTEND":
		return c.is(goose, note) // a semicolon within quotes ends no statement here anyhow
	}
	if c.indent || !strings.Contains(c.text, "+goose") {
		return c.wrong(goose, "goose does not read this line: it wants -- +goose at the very start")
	}
	switch strings.ToUpper(order) {
	case "UP":
		return c.is(goose, up)
	case "DOWN":
		return c.is(goose, down)
	case "NO TRANSACTION":
		return c.withoutTransaction(goose, note)
	}
	return c.wrong(goose, "goose knows no annotation "+order)
}

// readSQLMigrate: https://github.com/rubenv/sql-migrate#writing-migrations
func readSQLMigrate(c comment) (marker, bool) {
	if !sqlMigrateLine.MatchString(c.text) {
		return marker{}, false
	}
	order, ok := strings.CutPrefix(c.text, "-- +migrate ")
	fields := strings.Fields(order)
	if !ok || c.indent || len(fields) == 0 {
		return c.wrong(sqlMigrate, "sql-migrate does not read this line: it wants -- +migrate at the very start")
	}
	switch fields[0] {
	case "Up":
		if slices.Contains(fields[1:], "notransaction") {
			return c.withoutTransaction(sqlMigrate, up)
		}
		return c.is(sqlMigrate, up)
	case "Down":
		return c.is(sqlMigrate, down)
	case "StatementBegin", "StatementEnd":
		return c.is(sqlMigrate, note)
	}
	return c.wrong(sqlMigrate, "sql-migrate does not read this line: it knows Up, Down, StatementBegin and StatementEnd, in these letters")
}

// readDbmate: https://github.com/amacneil/dbmate#migration-options
func readDbmate(c comment) (marker, bool) {
	if !dbmateLine.MatchString(c.text) {
		return marker{}, false
	}
	match := dbmateMarker.FindStringSubmatch(c.text)
	switch {
	case match == nil || c.indent:
		return c.wrong(dbmate, "dbmate does not read this line: it wants -- migrate:up or -- migrate:down at the very start, in small letters")
	case match[1] == "down":
		return c.is(dbmate, down)
	case strings.Contains(" "+strings.Join(strings.Fields(c.text), " ")+" ", " transaction:false "):
		return c.withoutTransaction(dbmate, up)
	}
	return c.is(dbmate, up)
}

// readTern: https://github.com/jackc/tern#migrations
func readTern(c comment) (marker, bool) {
	switch {
	case strings.Contains(c.text, "---- create above / drop below ----"):
		return c.is(tern, down)
	case ternSeparator.MatchString(c.text):
		return c.wrong(tern, "tern does not read this line: it wants ---- create above / drop below ----")
	case !ternLine.MatchString(c.text):
		return marker{}, false
	case c.text == "---- tern: disable-tx ----" && !c.indent:
		return c.withoutTransaction(tern, note)
	}
	return c.wrong(tern, "tern does not read this line: it wants ---- tern: disable-tx ----")
}

// readRambler: https://github.com/elwinar/rambler#migrations
func readRambler(c comment) (marker, bool) {
	if !ramblerLine.MatchString(c.text) {
		return marker{}, false
	}
	order, ok := strings.CutPrefix(c.text, "-- rambler")
	switch order = strings.TrimSpace(order); {
	case ok && !c.indent && order == "up":
		return c.is(rambler, up)
	case ok && !c.indent && order == "down":
		return c.is(rambler, down)
	}
	return c.wrong(rambler, "rambler does not read this line: it wants -- rambler up or -- rambler down at the very start")
}

// readNodePg reads -- no transaction too, which sqlx has in its files: https://salsita.github.io/node-pg-migrate/migrations/
func readNodePg(c comment) (marker, bool) {
	match := nodePgLine.FindStringSubmatch(c.text)
	switch {
	case c.after == 0 && nodePgNoTx.MatchString(c.text):
		return c.withoutTransaction(nodePg, note)
	case match == nil || c.inside:
		return marker{}, false
	case strings.EqualFold(match[1], "up"):
		return c.is(nodePg, up)
	}
	return c.is(nodePg, down)
}

// readMyBatis: https://mybatis.org/migrations/migrations.html
func readMyBatis(c comment) (marker, bool) {
	if !mybatisLine.MatchString(c.text) {
		return marker{}, false
	}
	return c.is(mybatis, down)
}

// readUpDown takes a line with the word up or down and nothing else.
func readUpDown(c comment) (marker, bool) {
	match := upDownLine.FindStringSubmatch(c.text)
	switch {
	case match == nil || c.inside:
		return marker{}, false
	case strings.EqualFold(match[1], "up"):
		return c.is(upDown, up)
	}
	return c.is(upDown, down)
}
