package psql

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/pgcell/pgcell/tools/internal/migrations"
	"github.com/pgcell/pgcell/tools/internal/sqltext"
)

// checkEncoding refuses a file that is not in an encoding of which ASCII is a part: UTF-16, which Windows' PowerShell
// writes with >, and UTF-32. No SQL text holds a zero byte.
func checkEncoding(script migrations.Script) error {
	sql := script.SQL
	looks := ""
	zero := strings.IndexByte(sql, 0)
	switch {
	case strings.HasPrefix(sql, "\xff\xfe\x00\x00"), strings.HasPrefix(sql, "\x00\x00\xfe\xff"):
		looks = "UTF-32"
	case strings.HasPrefix(sql, "\xff\xfe"), strings.HasPrefix(sql, "\xfe\xff"):
		looks = "UTF-16"
	case zero < 0:
		return nil
	case zero == 0:
		looks = "UTF-16BE"
	case zero == 1:
		looks = "UTF-16LE"
	default:
		return &Error{Name: script.Name, Line: 1 + strings.Count(sql[:zero], "\n"),
			Err: fmt.Errorf("the file holds a zero byte, at offset %d, so it is no SQL script; "+
				"dump in plain format (pg_dump -Fp)", zero)}
	}
	return &Error{Name: script.Name, Line: 1, Err: fmt.Errorf(
		"the file looks like %s, and PostgreSQL reads UTF-8; convert it: %s", looks, iconv(looks, script.Name))}
}

// checkText refuses what is not UTF-8, unless the script has set client_encoding to another encoding.
func (r *run) checkText(f *file, s sqltext.Statement) error {
	if r.conn.PgConn().ParameterStatus("client_encoding") != "UTF8" {
		return nil
	}
	text, line := s.Text, s.Line
	if utf8.ValidString(text) {
		if text = s.Data; utf8.ValidString(text) {
			return nil
		}
		line += strings.Count(s.Text, "\n") + 1
	}
	at := firstInvalid(text)
	looks := looksLike(f.SQL)
	return &Error{Name: f.Name, Line: line + strings.Count(text[:at], "\n"), Err: fmt.Errorf(
		`the byte 0x%02x is not UTF-8; the file looks like %s: convert it (%s), or begin it with SET client_encoding = '%s'`,
		text[at], looks.iconv, iconv(looks.iconv, f.Name), looks.postgres)}
}

// firstInvalid gives the offset of the first byte that is not UTF-8.
func firstInvalid(text string) int {
	for at, c := range text {
		if c == utf8.RuneError {
			if _, size := utf8.DecodeRuneInString(text[at:]); size == 1 {
				return at
			}
		}
	}
	return len(text)
}

// encoding is one as iconv and PostgreSQL call it.
type encoding struct{ iconv, postgres string }

// looksLike guesses which of two encodings a text is in that is not UTF-8. The bytes 0x80 to 0x9f are control characters
// in Latin-1, and quotation marks and the like in Windows' encoding.
func looksLike(text string) encoding {
	for at := 0; at < len(text); {
		c, size := utf8.DecodeRuneInString(text[at:])
		if c == utf8.RuneError && size == 1 && text[at] < 0xa0 {
			return encoding{"WINDOWS-1252", "WIN1252"}
		}
		at += size
	}
	return encoding{"ISO-8859-1", "LATIN1"}
}

func iconv(from, name string) string {
	return fmt.Sprintf("iconv -f %s -t UTF-8 %s > new.sql", from, name)
}
