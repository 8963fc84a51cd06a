package page_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"
)

// browser is a headless Chromium.
type browser struct {
	path string
	env  []string // where it was unpacked and not installed
}

var findBrowser = sync.OnceValues(func() (browser, error) {
	if named := os.Getenv("PGCELL_CHROMIUM"); named != "" {
		return browser{path: named}, nil
	}
	for _, name := range []string{"chromium-headless-shell", "chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return browser{path: path}, nil
		}
	}
	return unpackBrowser()
})

// unpackBrowser takes Chromium and the libraries that this machine lacks from Debian's packages and unpacks them in the
// user's cache directory, once. Nothing is installed.
func unpackBrowser() (browser, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return browser{}, fmt.Errorf("no Chromium on PATH, and no place to unpack one: %w", err)
	}
	system, err := os.ReadFile("/etc/os-release")
	if err != nil {
		return browser{}, fmt.Errorf("no Chromium on PATH, and Debian's package cannot be had: %w", err)
	}
	// What is lacking depends on the system, which inside tools/bazel may be another.
	root := filepath.Join(cache, "pgcell", fmt.Sprintf("chromium-%x", sha256.Sum256(system))[:len("chromium-")+12])
	var libraries []string
	for _, machine := range []string{"x86_64-linux-gnu", "aarch64-linux-gnu"} {
		dir := filepath.Join(root, "usr", "lib", machine)
		libraries = append(libraries, dir, filepath.Join(dir, "pulseaudio"))
	}
	fonts := filepath.Join(root, "fonts.conf")
	b := browser{
		path: filepath.Join(root, "usr", "lib", "chromium", "chromium-headless-shell"),
		env: []string{"LD_LIBRARY_PATH=" + strings.Join(libraries, ":"),
			"FONTCONFIG_FILE=" + fonts},
	}
	if _, err := os.Stat(fonts); err == nil { // it is written last
		return b, nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Minute)
	defer cancel()
	script := exec.CommandContext(ctx, "../../closednet/unpack", root, "chromium-headless-shell", "fonts-dejavu-core")
	if output, err := script.CombinedOutput(); err != nil {
		end := output[max(0, len(output)-500):]
		return browser{}, fmt.Errorf("no Chromium on PATH, and Debian's package cannot be had: %w: %s", err, end)
	}
	config := fmt.Sprintf(`<fontconfig><dir>/usr/share/fonts</dir><dir>%s/usr/share/fonts</dir></fontconfig>`, root)
	part := fmt.Sprintf("%s.%d", fonts, os.Getpid())
	if err := os.WriteFile(part, []byte(config), 0o666); err != nil {
		return browser{}, fmt.Errorf("write Chromium's font configuration: %w", err)
	}
	return b, os.Rename(part, fonts)
}

// mustBrowser gives a browser or skips the test with the reason.
func mustBrowser(t *testing.T) browser {
	t.Helper()
	b, err := findBrowser()
	if err != nil {
		t.Skip(err)
	}
	return b
}

func (b browser) run(t *testing.T, args ...string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	flags := []string{"--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--disable-dev-shm-usage",
		"--user-data-dir=" + t.TempDir()}
	cmd := exec.CommandContext(ctx, b.path, append(flags, args...)...)
	cmd.Env = append(os.Environ(), b.env...)
	var out, messages bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &messages
	if err := cmd.Run(); err != nil {
		if strings.Contains(messages.String(), "shared librar") {
			t.Skipf("Chromium lacks a library here: %s", messages.String())
		}
		t.Fatalf("run Chromium: %v\n%s", err, messages.String())
	}
	return out.String()
}

// dom gives the document after its script ran. steps run after that; what they put into the attribute data-result of
// <html> can be asserted.
func (b browser) dom(t *testing.T, file, hash, steps string) string {
	t.Helper()
	if steps != "" {
		html, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		text := strings.Replace(string(html), "</body>", "<script>"+steps+"</script></body>", 1)
		if err := os.WriteFile(file, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	return b.run(t, "--dump-dom", "file://"+file+hash)
}

func TestBrowserShowsTheReport(t *testing.T) {
	t.Parallel()
	dom := mustBrowser(t).dom(t, write(t, sample()), "", `
		const visible = s => { const r = document.querySelector(s).getBoundingClientRect(); return r.width > 0 && r.height > 0; };
		document.documentElement.dataset.result = ["#verdict", "#failures .failure pre", "#timeline .bar.failed", "#timeline .bar i.cell",
			"#timeline .bar i.wait", "#table tbody tr", "#balance .shard u", "#history .run.now i", "#reasons", "#flaky"]
			.map(s => s + "=" + visible(s)).join(" ");`)
	ensureContains(t, dom, `data-ready="true"`, `>21 tests</output>`)
	result := regexp.MustCompile(`data-result="([^"]*)"`).FindStringSubmatch(dom)
	if result == nil || strings.Contains(result[1], "=false") || strings.Count(result[1], "=true") != 10 {
		t.Errorf("visible = %v, want all", result)
	}
}

func TestBrowserFiltersAndSearches(t *testing.T) {
	t.Parallel()
	b := mustBrowser(t)
	ensureContains(t, b.dom(t, write(t, sample()), "#show=failed", ""), `>1 test</output>`)
	ensureContains(t, b.dom(t, write(t, sample()), "#show=all&search=view1%20w1", ""), `>5 tests</output>`)
	ensureContains(t, b.dom(t, write(t, sample()), "#show=ran", ""), `>20 tests</output>`)
}

func TestBrowserKeys(t *testing.T) {
	t.Parallel()
	dom := mustBrowser(t).dom(t, write(t, sample()), "", `
		const press = (key, on = document.body) => on.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true }));
		const got = [];
		press("f"); got.push(document.getElementById("shown").textContent);
		press("a"); got.push(document.getElementById("shown").textContent);
		press("j"); got.push(document.activeElement.id); press("j"); got.push(document.activeElement.id);
		press("j"); press("k"); got.push(document.activeElement.id);
		press("/"); got.push(document.activeElement.id);
		document.querySelector("th button[data-sort='1']").click();
		got.push(document.querySelector("#table tbody tr b").textContent, document.querySelectorAll("th[aria-sort=descending]").length);
		const all = [...document.querySelectorAll("a, button, input, summary, [tabindex='0']")];
		got.push(all.every(e => e.tabIndex >= 0));
		document.documentElement.dataset.result = got.join("|");`)
	want := `data-result="1 test|21 tests|failure-1|failure-2|failure-1|search|TestView34|1|true"`
	if !strings.Contains(dom, want) {
		t.Errorf("result = %v, want %s", regexp.MustCompile(`data-result="[^"]*"`).FindString(dom), want)
	}
}

// At no width does the page itself scroll sideways; the night has its own colours.
func TestBrowserNarrowAndDark(t *testing.T) {
	t.Parallel()
	b := mustBrowser(t)
	run := big()
	long := "/" + strings.Repeat("k8_fastbuild_testlogs_", 12)
	run.Shards[1].Log, run.Shards[1].Outputs = long+"/test.log", long+"/test.outputs"
	for _, width := range []int{360, 400, 1280} {
		frame := filepath.Join(t.TempDir(), "frame.html")
		page := write(t, run)
		html := fmt.Sprintf(`<iframe id="f" src="%s" style="width:%dpx;height:900px;border:0"></iframe><script>
			document.getElementById("f").onload = e => { const d = e.target.contentDocument;
			document.documentElement.dataset.result = d.documentElement.scrollWidth <= %d; };</script>`, page, width, width)
		if err := os.WriteFile(frame, []byte(html), 0o666); err != nil {
			t.Fatal(err)
		}
		dom := b.run(t, "--allow-file-access-from-files", "--virtual-time-budget=5000", "--dump-dom", "file://"+frame)
		ensureContains(t, dom, `data-result="true"`)
	}
	colours := func(flags ...string) string {
		file := write(t, sample())
		b.dom(t, file, "", `document.documentElement.dataset.result = getComputedStyle(document.body).backgroundColor`)
		dom := b.run(t, append(flags, "--dump-dom", "file://"+file)...)
		return regexp.MustCompile(`data-result="[^"]*"`).FindString(dom)
	}
	if day, night := colours(),
		colours("--blink-settings=preferredColorScheme=0"); day != `data-result="rgb(255, 255, 255)"` || day == night {
		t.Errorf("background by day %s, by night %s; want white and another", day, night)
	}
}
