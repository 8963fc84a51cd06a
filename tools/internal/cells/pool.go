package cells

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/pgcell/pgcell/tools/internal/conns"
	"github.com/pgcell/pgcell/tools/internal/facts"
	"github.com/pgcell/pgcell/tools/internal/renew"
	"github.com/pgcell/pgcell/tools/internal/session"
)

// pool keeps the cells of one template: ready ones, made ahead of need, and those that are being made so.
//
// One rule says how many there are: as long as tests run one after another and their cells are used again, one; from the
// first time on that two tests have cells at once, or that a cell is dropped, some more are kept ready (see ahead).
type pool struct {
	cluster  *Cluster
	template string
	facts    *facts.Template
	renewed  *renew.Template

	mu      sync.Mutex
	ready   []*cell // the newest last, which is handed out first
	waiting []chan made
	kept    []*cell // of failed tests, the newest last
	making  int     // makers at work
	coming  int     // cells that are being made or recycled
	leased  int
	more    bool // cells are made ahead of need
	drops   int  // cells dropped in a row
	warned  bool // of those

	reference struct { // see asCloned
		sync.Mutex
		of *renew.Reference
	}
}

type made struct {
	cell *cell
	err  error
}

const (
	// makers bounds how many cells are made at once: it is work of the server's, which more of them do not speed up.
	makers = 2
	// patience bounds what is done with a cell while no test waits for it.
	patience = 2 * time.Minute
)

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

// take hands out a ready cell, or waits for one. unused asks for one that no test has had. Call left when the cell's test
// has it no more, and also after an error.
func (p *pool) take(ctx context.Context, unused bool) (*cell, error) {
	p.mu.Lock()
	p.leased++
	p.more = p.more || p.leased > 1
	if unused {
		p.mu.Unlock()
		return p.clone(ctx)
	}
	for n := len(p.ready); n > 0; n = len(p.ready) {
		c := p.ready[n-1]
		p.ready = p.ready[:n-1]
		if c.alive() {
			p.grow()
			p.mu.Unlock()
			return c, nil
		}
		p.mu.Unlock()
		p.cluster.server.CheckCrash(ctx)
		p.cluster.behind(func() { p.discardCell(c) })
		p.mu.Lock()
	}
	got := make(chan made, 1)
	p.waiting = append(p.waiting, got)
	p.grow()
	p.mu.Unlock()
	select {
	case m := <-got:
		return m.cell, m.err
	case <-ctx.Done():
		p.mu.Lock()
		i := slices.Index(p.waiting, got)
		if i >= 0 {
			p.waiting = slices.Delete(p.waiting, i, i+1)
		}
		p.mu.Unlock()
		if i < 0 { // it comes at this moment
			if m := <-got; m.cell != nil {
				p.give(m.cell)
			}
		}
		return nil, context.Cause(ctx)
	}
}

// left notes that a test has its cell no more.
func (p *pool) left() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.leased--
}

func (p *pool) inUse() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.leased > 0
}

// grow starts makers as long as cells are wanted. Call it with the lock held.
func (p *pool) grow() {
	want := len(p.waiting)
	if p.more && p.cluster.config.Ahead != AheadOff {
		want += ahead - len(p.ready)
	}
	for p.coming < want && p.making < makers {
		p.coming++
		p.making++
		p.cluster.behind(p.make)
	}
}

// make makes one cell, with a connection, unless a test waits for it already.
func (p *pool) make() {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	c, err := p.clone(ctx)
	p.mu.Lock()
	urgent := len(p.waiting) > 0
	p.mu.Unlock()
	if err == nil && !urgent && p.mayWarm() {
		err = c.warm(ctx)
	}
	p.mu.Lock()
	p.making--
	p.coming--
	if err != nil && len(p.waiting) > 0 { // else whoever needs one next will see the error
		p.waiting[0] <- made{err: err}
		p.waiting = p.waiting[1:]
	}
	p.mu.Unlock()
	if err == nil {
		p.give(c)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if err == nil || len(p.waiting) > 0 {
		p.grow()
	}
}

// mayWarm reports whether to open a connection before a test asks for it: not where tests need a database without sessions,
// nor, with a password, where clients are other programs.
func (p *pool) mayWarm() bool { return !p.facts.MayCopy && p.cluster.config.RolePassword == "" }

// clone makes a cell. Where a process of the server has crashed, it waits until the server has recovered.
func (p *pool) clone(ctx context.Context) (c *cell, err error) {
	for start := time.Now(); ; time.Sleep(20 * time.Millisecond) {
		c, err = p.cloneOnce(ctx)
		if err == nil || !conns.Broken(err) || p.cluster.server.Err() != nil || ctx.Err() != nil || time.Since(start) > conns.Recovery {
			return c, err
		}
	}
}

func (p *pool) cloneOnce(ctx context.Context) (*cell, error) {
	name := p.cluster.newName()
	database, err := p.cluster.clones.Create(ctx, name, p.template)
	if err != nil {
		return nil, err
	}
	c := &cell{pool: p, database: database, conns: conns.New(&p.cluster.server, name), made: "cloned"}
	p.cluster.server.Note(c.database.Started)
	if err := c.prepare(ctx); err != nil {
		return nil, fmt.Errorf("make cell %s: %w", name, err)
	}
	return c, nil
}

// give hands a ready cell to the first who waits, or keeps it. Of those that many tests had at once, while they waited for
// subtests, not all are kept.
func (p *pool) give(c *cell) {
	p.mu.Lock()
	parallel := p.cluster.config.Parallel
	if parallel == 0 {
		parallel = 16
	}
	waited, keep := len(p.waiting) > 0, len(p.ready) < parallel+ahead
	if waited {
		p.waiting[0] <- made{cell: c}
		p.waiting = p.waiting[1:]
	} else if keep {
		p.ready = append(p.ready, c)
	}
	p.mu.Unlock()
	if !waited && !keep {
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
	p.coming++
}

// takeBack makes a returned cell ready again. reason says why it is to be dropped instead; wrong is the error of Verify.
func (p *pool) takeBack(c *cell, sessions []*session.Session, l *Lease) (reason string, wrong error) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if l.once {
		session.CloseAll(sessions)
		reason = "its test wanted it for itself"
	} else {
		reason, wrong = p.renew(ctx, c, sessions, l.test)
	}
	p.mu.Lock()
	p.coming--
	p.more = p.more || reason != ""
	switch {
	case reason == "":
		p.drops = 0
	case !l.once:
		p.tellOfDrops(reason, l.test)
	}
	p.mu.Unlock()
	if reason == "" {
		p.give(c)
		return "", nil
	}
	p.cluster.trace(fmt.Sprintf("the cell of %s is dropped, not recycled: %s", l.test, reason))
	p.mu.Lock()
	defer p.mu.Unlock()
	p.grow()
	return reason, wrong
}

// renew makes a returned cell like new. reason says why that cannot be done; wrong is the error of Verify.
func (p *pool) renew(ctx context.Context, c *cell, sessions []*session.Session, test string) (reason string, wrong error) {
	p.cluster.recycling <- struct{}{}
	defer func() { <-p.cluster.recycling }()
	reason = c.retire(ctx, sessions, test)
	if reason == "" && p.cluster.config.Recycle == Verify {
		if wrong = c.verify(ctx); wrong != nil {
			reason = wrong.Error()
		}
	}
	if reason != "" {
		return reason, wrong
	}
	c.conns.CutOff()
	c.made = "recycled"
	if p.facts.MayCopy {
		c.leave()
	}
	err := c.prepare(ctx)
	if err == nil && c.ready.Stat().TotalConns() == 0 && p.mayWarm() {
		err = c.warm(ctx)
	}
	if err != nil {
		return err.Error(), nil
	}
	return "", nil
}

// discardCell drops a cell that nobody has.
func (p *pool) discardCell(c *cell) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	c.close()
	c.conns.CutOff()
	if err := p.cluster.clones.Drop(ctx, c.conns.Name(), c.database.OID); err != nil && p.cluster.server.Err() == nil {
		p.cluster.warn(err.Error())
	}
}

// dropReturned drops the cell of a test, and tells of sessions that are still in it.
func (p *pool) dropReturned(c *cell, test string, ours []uint32) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	c.nameSessions(ctx, test, ours)
	p.discardCell(c)
}

// discardReady drops all ready cells.
func (p *pool) discardReady() {
	p.mu.Lock()
	ready := p.ready
	p.ready = nil
	p.mu.Unlock()
	for _, c := range ready {
		p.discardCell(c)
	}
}

// told is how many cells in a row are dropped before the user is told: each costs its test a clone.
const told = 20

// tellOfDrops warns once where no cell is used again though cells might be. Call it with the lock held.
func (p *pool) tellOfDrops(reason, test string) {
	if p.discard() != "" || p == &p.cluster.empty || p.cluster.config.RolePassword != "" {
		return // as somebody has chosen, or the template, or since there must be DDL where there is nothing, or in a suite
		// that knows nothing of pgcell and is not to be changed
	}
	if p.drops++; p.drops == told && !p.warned {
		p.warned = true
		p.cluster.warn(fmt.Sprintf("the cells of the last %d tests could not be used again, and each test needs a new clone, which "+
			"is slower; the last was that of %s: %s; see docs/isolation.md of pgcell", told, test, reason))
	}
}
