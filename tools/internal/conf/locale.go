package conf

import (
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strings"

	"github.com/pgcell/pgcell/tools/internal/binaries"
)

// LocaleForm says what a locale may be: "" is encoding UTF8 with the classification of letters of C.UTF-8 and the
// order of bytes.
const LocaleForm = `a locale of the machine ("en_US.UTF-8"), "C", "icu:" and a language ("icu:en-US"; PostgreSQL 15 or later), or ` +
	`"builtin:C.UTF-8" (PostgreSQL 17 or later)`

// ctypes are names, on various systems, of a locale that tells letters of all languages from other characters.
var ctypes = []string{"C.UTF-8", "UTF-8", "en_US.UTF-8"} // UTF-8 is macOS's

// badLocale is what initdb says of a locale that the machine, the build or the version lacks.
var badLocale = regexp.MustCompile(`(?m)^initdb: error: (.*locale.*|ICU is not supported.*|.*could not open collator.*)$`)

// LocaleOptions are the options of initdb for a locale, in the order in which to try them.
//
// Errors: the version does not know the provider.
func LocaleOptions(v binaries.Version, locale string) (tries [][]string, err error) {
	provider, name, found := strings.Cut(locale, ":")
	var options []string
	switch {
	case locale == "" && v.Major >= 17:
		options = []string{"--locale-provider=builtin", "--builtin-locale=C.UTF-8"}
	case locale == "" && v.Major >= 15:
		options = []string{"--locale-provider=libc"}
	case locale == "":
	case found && provider == "icu" && name != "":
		if options = []string{"--locale-provider=icu", "--icu-locale=" + name}; v.Major < 15 {
			return nil, fmt.Errorf("locale %q: PostgreSQL %v has no ICU for whole databases, as there is from 15 on", locale, v)
		}
	case found && provider == "builtin" && name != "":
		if options = []string{"--locale-provider=builtin", "--builtin-locale=" + name}; v.Major < 17 {
			return nil, fmt.Errorf("locale %q: PostgreSQL %v has no builtin locales, as there are from 17 on", locale, v)
		}
	case found:
		return nil, fmt.Errorf("locale is %q; want %s", locale, LocaleForm)
	default:
		if options = []string{"--locale=" + locale}; v.Major >= 15 {
			options = append(options, "--locale-provider=libc")
		}
		return [][]string{options}, nil
	}
	// Full-text search and pg_trgm ask the C library up to PostgreSQL 17, whoever else the provider is.
	for _, ctype := range ctypes {
		tries = append(tries, append([]string{"--locale=C", "--lc-ctype=" + ctype}, options...))
	}
	if len(options) > 1 {
		tries = append(tries, append([]string{"--locale=C"}, options...))
	}
	return tries, nil
}

// RefusedLocale reads from what initdb printed that it refused a locale; nil where it did not.
func RefusedLocale(locale string, output []byte) *LocaleError {
	m := badLocale.FindSubmatch(output)
	if m == nil {
		return nil
	}
	return &LocaleError{Locale: locale, Reason: string(m[1])}
}

// LocaleError says that initdb refused a locale.
type LocaleError struct{ Locale, Reason string }

func (e *LocaleError) Error() string {
	text := fmt.Sprintf("locale %q: initdb says: %s; ", e.Locale, e.Reason)
	if !strings.Contains(e.Locale, ":") {
		text += "this machine has " + machineLocales() + " (locale -a); install it, or choose another: "
	}
	return text + "a locale is " + LocaleForm
}

// machineLocales lists the locales of the C library.
func machineLocales() string {
	cmd := exec.Command("locale", "-a")
	cmd.Env = Env("")
	out, err := cmd.Output()
	if err != nil {
		return "no program that lists its locales"
	}
	return strings.Join(strings.Fields(string(out)), ", ")
}

// InitialSettings reads what initdb has written into a configuration for the sake of the locale. The language of
// messages is left out: it is English, as pgcell reads them.
func InitialSettings(path string) (map[string]string, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	settings := map[string]string{}
	for _, m := range setting.FindAllSubmatch(text, -1) {
		settings[string(m[1])] = string(m[2])
	}
	return settings, nil
}

var setting = regexp.MustCompile(`(?m)^(lc_monetary|lc_numeric|lc_time|default_text_search_config)\s*=\s*'?([^'\s]+)'?`)
