package cells

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/pgcell/pgcell/tools/internal/golden"
	"github.com/pgcell/pgcell/tools/internal/renew"
	"github.com/pgcell/pgcell/tools/internal/session"
)

// pool keeps the cells of one template: ready ones, made ahead of need, and those that are being made so.
type pool struct {
	cluster  *Cluster
	template string
	facts    *golden.Facts
	renewed  *renew.Template

	mu        sync.Mutex
	ready     []*cell // the newest last, which is handed out first
	waiting   []*waiter
	kept      []*cell // of failed tests, the newest last
	making    int     // makers at work
	pending   int     // cells that are being made or recycled
	leased    int
	peak      int // most leased at once
	taken     int
	reference struct { // see asCloned
		sync.Mutex
		of map[string]string
	}
	ahead int // cells that should be ready, or about to be, beyond those that are waited for

	dropping bool // the last cell that came back was not recycled
	drops    int  // in a row
	warned   bool // of those

	shared atomic.Bool // see shareRelcache
}

// waiter is a test that waits for a cell.
type waiter struct {
	got chan made
}

type made struct {
	cell *cell
	err  error
}

// makers bounds how many cells are made at once: it is work of the server's, which more of them do not speed up.
const makers = 2

// recyclers bounds how many cells are recycled at once.
var recyclers = max(2, runtime.GOMAXPROCS(0))

// discard says why no cell of the pool is used again; "" if one may be.
func (p *pool) discard() string {
	switch c := p.cluster; {
	case c.config.Recycle == Never:
		return "recycling is off"
	case c.manifest.Superuser || c.config.Superuser:
		return "tests are superusers"
	case c.uncounted != "":
		return c.uncounted
	}
	return p.facts.Discard
}

// take hands out a ready cell, or waits for one. unused asks for one that no test has had.
func (p *pool) take(ctx context.Context, unused bool) (*cell, error) {
	p.mu.Lock()
	p.taken++
	p.leased++
	p.peak = max(p.peak, p.leased)
	if unused {
		p.mu.Unlock()
		c, err := p.clone(ctx)
		if err != nil {
			p.left()
		}
		return c, err
	}
	for n := len(p.ready); n > 0; n = len(p.ready) {
		c := p.ready[n-1]
		p.ready = p.ready[:n-1]
		if !c.alive() {
			p.mu.Unlock()
			p.cluster.checkCrash(ctx)
			p.cluster.behind(func() { p.discardCell(c) })
			p.mu.Lock()
			continue
		}
		p.grow()
		p.mu.Unlock()
		return c, nil
	}
	if p.taken > 1 {
		p.ahead = min(p.ahead+1, p.most()) // more would have been of use
	}
	return p.await(ctx)
}

// await waits for a cell. Call it with the lock held, which it gives up.
func (p *pool) await(ctx context.Context) (*cell, error) {
	w := &waiter{got: make(chan made, 1)}
	p.waiting = append(p.waiting, w)
	p.grow()
	p.mu.Unlock()
	select {
	case m := <-w.got:
		if m.err != nil {
			p.left()
		}
		return m.cell, m.err
	case <-ctx.Done():
		p.left()
		p.mu.Lock()
		i := slices.Index(p.waiting, w)
		if i >= 0 {
			p.waiting = slices.Delete(p.waiting, i, i+1)
		}
		p.mu.Unlock()
		if i < 0 { // it comes at this moment
			if m := <-w.got; m.cell != nil {
				p.give(m.cell)
			}
		}
		return nil, context.Cause(ctx)
	}
}

// most bounds how many cells are made ahead of need. Call it with the lock held.
func (p *pool) most() int {
	if p.dropping {
		return p.peak + 2*runtime.GOMAXPROCS(0) // a store for when many tests want one at once
	}
	// What comes back is soon ready again, and each more is two more processes whose caches are cold when it is their
	// turn.
	return runtime.GOMAXPROCS(0)
}

// left notes that a test has its cell no more.
func (p *pool) left() {
	p.mu.Lock()
	p.leased--
	p.mu.Unlock()
}

// grow starts makers as long as cells are wanted. Call it with the lock held.
func (p *pool) grow() {
	want := len(p.waiting)
	// A single test needs none ahead, and tests that run one after another use one cell as long as it is not dropped.
	if p.peak > 1 || p.dropping {
		want += max(1, p.ahead) - len(p.ready)
	}
	if p.cluster.config.Ahead == AheadOff {
		want = len(p.waiting)
	}
	for p.pending < want && p.making < makers {
		p.pending++
		p.making++
		urgent := len(p.waiting) > p.pending-1
		p.cluster.behind(func() { p.make(urgent) })
	}
}

// make makes one cell. urgent tells that a test waits for it.
func (p *pool) make(urgent bool) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	c, err := p.clone(ctx)
	if err == nil && !urgent && p.mayWarm() {
		if err = c.warm(ctx); err == nil {
			if failed := p.shareRelcache(ctx, c); failed != nil {
				p.cluster.trace(failed.Error())
			}
		}
	}
	p.mu.Lock()
	p.making--
	p.pending--
	p.mu.Unlock()
	if err == nil {
		p.give(c)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if err != nil {
		if len(p.waiting) == 0 { // whoever needs one next will see the error
			return
		}
		p.waiting[0].got <- made{err: err}
		p.waiting = p.waiting[1:]
	}
	p.grow()
}

// mayWarm reports whether to open a connection before a test asks for it: not if connections are few, and not where tests
// need a database without sessions.
func (p *pool) mayWarm() bool {
	few := p.cluster.connections.Free() <= 0 || p.cluster.leases.Free() < 0
	return !few && p.cluster.config.RolePassword == "" && !p.facts.MayCopy // with a password, clients are other programs
}

// clone makes a cell. Where a process of the server has crashed, it waits until the server has recovered.
func (p *pool) clone(ctx context.Context) (c *cell, err error) {
	for start := time.Now(); ; time.Sleep(20 * time.Millisecond) {
		c, err = p.cloneOnce(ctx)
		if err == nil || !broken(err) || p.cluster.server.Err() != nil || ctx.Err() != nil || time.Since(start) > recovery {
			return c, err
		}
	}
}

// recovery is how long the server may take after a crash of one of its processes.
const recovery = 10 * time.Second

func (p *pool) cloneOnce(ctx context.Context) (*cell, error) {
	c := &cell{pool: p, name: p.cluster.newName(), clients: map[*session.Session]*session.Conn{}, made: "cloned"}
	var err error
	if c.database, err = p.cluster.create(ctx, c.name, p.template); err != nil {
		return nil, err
	}
	if err := c.prepare(ctx); err != nil {
		return nil, fmt.Errorf("make cell %s: %w", c.name, err)
	}
	return c, nil
}

// give hands a ready cell to the first who waits, or keeps it.
func (p *pool) give(c *cell) {
	p.mu.Lock()
	if len(p.waiting) > 0 {
		p.waiting[0].got <- made{cell: c}
		p.waiting = p.waiting[1:]
		p.mu.Unlock()
		return
	}
	// Of those that many tests had at once, while they waited for subtests, not all are wanted again.
	keep := len(p.ready) <= min(p.peak, p.cluster.usual)+max(1, p.ahead)
	if keep {
		p.ready = append(p.ready, c)
	}
	p.mu.Unlock()
	if !keep {
		p.discardCell(c)
	}
}

// returned notes that a test gives its cell back, which takeBack is called for next. A shared cell does not count as a
// test's.
func (p *pool) returned(shared bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !shared {
		p.leased--
	}
	p.pending++
}

// takeBack makes a returned cell ready again. Where that cannot be, drop drops it. wrong is the error of Verify.
func (p *pool) takeBack(c *cell, sessions []*session.Session, test string, once bool) (drop func(), wrong error) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	var ours []uint32
	for _, s := range sessions {
		ours = append(ours, s.PID())
	}
	reason := "its test wanted it for itself"
	if once {
		endAll(sessions)
	} else {
		reason, wrong = p.renew(ctx, c, sessions, test, ours)
	}
	if reason != "" { // whatever it is, the test may have given parameters to roles as well
		p.cluster.takeBackParameters(ctx)
	}
	p.mu.Lock()
	p.pending--
	p.dropping = reason != ""
	switch {
	case reason == "":
		p.drops = 0
	case !once:
		p.tellOfDrops(reason, test)
	}
	p.ahead = min(p.ahead, p.most())
	p.mu.Unlock()
	if reason == "" {
		p.give(c)
		return func() {}, nil
	}
	p.cluster.trace(fmt.Sprintf("the cell of %s is dropped, not recycled: %s", test, reason))
	p.mu.Lock()
	p.grow()
	p.mu.Unlock()
	return func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		p.cluster.nameSessions(ctx, c, test, ours)
		p.discardCell(c)
	}, wrong
}

// renew makes a returned cell like new. reason says why that cannot be done; wrong is the error of Verify.
func (p *pool) renew(ctx context.Context, c *cell, sessions []*session.Session, test string, ours []uint32) (reason string, wrong error) {
	p.cluster.recycling <- struct{}{}
	defer func() { <-p.cluster.recycling }()
	reason = c.retire(ctx, sessions, test, ours)
	if reason == "" && p.cluster.config.Recycle == Verify {
		if wrong = c.verify(ctx); wrong != nil {
			reason = wrong.Error()
		}
	}
	if reason == "" {
		c.cutOff()
		c.made = "recycled"
		if p.facts.MayCopy {
			c.leave()
		}
		none := len(c.sessions) == 0
		err := c.prepare(ctx)
		if err == nil && none && c.pooled && p.mayWarm() {
			err = c.warm(ctx)
		}
		if err != nil {
			reason = err.Error()
		}
	}
	return reason, wrong
}

// discardCell drops a cell that nobody has.
func (p *pool) discardCell(c *cell) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := c.drop(ctx); err != nil && p.cluster.server.Err() == nil {
		p.cluster.warn(err.Error())
	}
}

// shed ends the sessions of ready cells, and their cleaners.
func (p *pool) shed() {
	p.mu.Lock()
	ready := p.ready
	p.ready = nil
	p.mu.Unlock()
	for _, c := range ready {
		if err := c.unprepare(); err != nil {
			p.discardCell(c)
			continue
		}
		c.shed()
		c.dismissCleaner()
		p.give(c)
	}
}

// closePool closes a pool out of which all that rested has been taken, and tells how many connections its users have not
// given back.
func closePool(pool *pgxpool.Pool) (left int) {
	left = int(pool.Stat().AcquiredConns())
	if left == 0 {
		Soon(pool.Close) // or for ever, if somebody gets a connection at this moment
		return 0
	}
	go pool.Close() // waits for them
	// A connection that broke, as where a deadline passed, is given back and counts for a little yet.
	for start := time.Now(); left > 0 && time.Since(start) < ending; time.Sleep(time.Millisecond) {
		left = int(pool.Stat().AcquiredConns())
	}
	return left
}

// Soon waits for do, which closes a pool, but not for ever: for a connection that a test has not given back, the server
// ends it anyway.
func Soon(do func()) {
	done := make(chan struct{})
	go func() {
		do()
		close(done)
	}()
	select {
	case <-done:
	case <-time.After(100 * time.Millisecond):
	}
}

// behind does something while nobody waits for it.
func (c *Cluster) behind(do func()) {
	c.busy.Add(1)
	select {
	case c.work <- do: // to one that waits: a new one would first have to enlarge its stack
	default:
		go c.worker(do)
	}
}

// worker does what behind was given, and waits a little for more.
func (c *Cluster) worker(do func()) {
	const patient = 100 * time.Millisecond
	idle := time.NewTimer(patient)
	for {
		do()
		c.busy.Add(-1)
		idle.Reset(patient)
		select {
		case do = <-c.work:
		case <-idle.C:
			return
		}
	}
}

// Quiet waits until no cell is being made, recycled or dropped.
//
// Errors: that of ctx.
func (c *Cluster) Quiet(ctx context.Context) error {
	for c.busy.Load() > 0 {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(time.Millisecond):
		}
	}
	return nil
}

// told is how many cells in a row are dropped before the user is told: each costs its test a clone.
const told = 20

// tellOfDrops warns once where no cell is used again though cells might be. Call it with the lock held.
func (p *pool) tellOfDrops(reason, test string) {
	if p.discard() != "" || p == &p.cluster.empty {
		return // as somebody has chosen, or the template, or since there must be DDL where there is nothing
	}
	if p.drops++; p.drops == told && !p.warned {
		p.warned = true
		p.cluster.warn(fmt.Sprintf("the cells of the last %d tests could not be used again, and each test needs a new clone, which "+
			"is slower; the last was that of %s: %s; see docs/isolation.md of pgcell", told, test, reason))
	}
}
