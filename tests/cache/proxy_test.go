//go:build linux

package cache_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// proxy stands before nginx and does to requests what a network, or somebody else's proxy, may do.
type proxy struct {
	*httptest.Server
	requests atomic.Int64
	fault    atomic.Pointer[fault]
	link     link
	closing  chan struct{}
}

// fault is what happens to requests. The zero value is none.
type fault struct {
	status   int   // answer all requests with it, in place of nginx
	readOnly bool  // refuse PUT with 403
	hole     bool  // never answer
	slow     bool  // 100 ms before each answer, and 1 MB/s for all requests and answers together
	after    int64 // let so many requests pass
	then     func()
}

// page is what a proxy sends along with an error.
const page = `<!DOCTYPE html>
<html><head><title>Something went wrong</title>
<style>body { width: 35em; margin: 0 auto; }</style></head>
<body><h1>An error occurred.</h1>
<p>Sorry, the page you are looking for is currently unavailable.</p>
</body>
</html>
`

func startProxy(t *testing.T, to *nginx) *proxy {
	t.Helper()
	target, err := url.Parse(to.url())
	if err != nil {
		t.Fatal(err)
	}
	p := &proxy{closing: make(chan struct{})}
	p.fault.Store(&fault{})
	forward := httputil.NewSingleHostReverseProxy(target)
	forward.ErrorLog = nil
	forward.ErrorHandler = func(w http.ResponseWriter, _ *http.Request, _ error) { // as where nothing listens
		if c, _, err := http.NewResponseController(w).Hijack(); err == nil {
			c.Close()
		}
	}
	p.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p.serve(forward, w, r)
	}))
	t.Cleanup(func() {
		close(p.closing)
		p.CloseClientConnections()
		p.Close()
	})
	return p
}

// set has another fault happen from now on.
func (p *proxy) set(f fault) {
	p.requests.Store(0)
	p.fault.Store(&f)
}

func (p *proxy) serve(forward http.Handler, w http.ResponseWriter, r *http.Request) {
	f := p.fault.Load()
	n := p.requests.Add(1)
	if f.then != nil && n == f.after {
		f.then()
	}
	switch {
	case f.hole:
		select {
		case <-p.closing:
		case <-r.Context().Done():
		}
	case f.status != 0:
		refuse(w, f.status)
	case f.readOnly && r.Method == http.MethodPut:
		refuse(w, http.StatusForbidden)
	case f.slow:
		wait(r.Context(), 100*time.Millisecond)
		r.Body = &slowBody{r.Body, r.Context(), &p.link}
		forward.ServeHTTP(&slowWriter{w, r.Context(), &p.link}, r)
	default:
		forward.ServeHTTP(w, r)
	}
}

func refuse(w http.ResponseWriter, status int) {
	w.Header().Set("Content-Type", "text/html")
	w.WriteHeader(status)
	io.WriteString(w, page)
}

// link is one line of 1 MB/s, on which bytes wait for those before them.
type link struct {
	mu   sync.Mutex
	free time.Time // when the line has sent what it was given
}

const bytesPerSecond = 1_000_000

func (l *link) pass(ctx context.Context, bytes int) {
	l.mu.Lock()
	if now := time.Now(); l.free.Before(now) {
		l.free = now
	}
	l.free = l.free.Add(time.Duration(bytes) * time.Second / bytesPerSecond)
	until := l.free
	l.mu.Unlock()
	wait(ctx, time.Until(until))
}

func wait(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}

type slowBody struct {
	io.ReadCloser
	ctx  context.Context
	link *link
}

func (b *slowBody) Read(to []byte) (int, error) {
	n, err := b.ReadCloser.Read(to[:min(len(to), 16<<10)])
	b.link.pass(b.ctx, n)
	return n, err
}

type slowWriter struct {
	http.ResponseWriter
	ctx  context.Context
	link *link
}

func (w *slowWriter) Write(from []byte) (int, error) {
	w.link.pass(w.ctx, len(from))
	return w.ResponseWriter.Write(from)
}

// TestProxy makes sure of the proxy's own faults, without Bazel.
func TestProxy(t *testing.T) {
	n := startNginx(t, t.TempDir())
	p := startProxy(t, n)
	put := func(path, body string) int {
		t.Helper()
		r, err := http.NewRequest(http.MethodPut, p.URL+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		answer, err := http.DefaultClient.Do(r)
		if err != nil {
			return 0
		}
		answer.Body.Close()
		return answer.StatusCode
	}
	get := func(path string) string {
		t.Helper()
		answer, err := http.Get(p.URL + path)
		if err != nil {
			return "no answer"
		}
		defer answer.Body.Close()
		text, err := io.ReadAll(answer.Body)
		return fmt.Sprintf("%d %s %v", answer.StatusCode, text, err)
	}
	want := func(what, got, want string) {
		t.Helper()
		if !strings.Contains(got, want) {
			t.Errorf("%s = %q, want %q in it", what, got, want)
		}
	}
	if got := put("/cas/a", strings.Repeat("x", 200_000)); got != http.StatusCreated {
		t.Errorf("PUT = %d, want 201", got)
	}
	want("GET", get("/cas/a"), "200 xxx")
	p.set(fault{readOnly: true})
	if got := put("/cas/b", "b"); got != http.StatusForbidden {
		t.Errorf("PUT with credentials for reading = %d, want 403", got)
	}
	want("GET with credentials for reading", get("/cas/a"), "200 xxx")
	p.set(fault{status: 500})
	want("GET of a broken server", get("/cas/a"), "500 <!DOCTYPE html>")
	start := time.Now()
	p.set(fault{slow: true})
	want("GET from a slow server", get("/cas/a"), "200 xxx")
	if took := time.Since(start); took < 300*time.Millisecond {
		t.Errorf("200 kB took %v, want 100 ms and 200 ms at the least", took)
	}
	p.set(fault{after: 2, then: n.stop})
	want("first GET", get("/cas/a"), "200 xxx")
	want("GET after the server was killed", get("/cas/a"), "no answer")
}
