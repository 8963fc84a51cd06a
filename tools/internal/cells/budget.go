package cells

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"
)

// slowly is after how long a wait is spoken of.
const slowly = 5 * time.Second

// budget gives out a limited number of places, first come, first served, and knows who holds them.
type budget struct {
	what string // that places are for, in the plural
	warn func(string)
	shed func()      // frees places that nobody uses; called, without the lock, before somebody waits
	more func() bool // reports whether a place more may be given to somebody who waits; nil where none may
	// eager has a place more given at once, where whoever runs has one, and the others wait for tests that do not.
	eager   bool
	reclaim func() // frees places whose holders have not used them for a while; nil where nobody can tell
	low     int    // how few places are free when reclaim is called though nobody waits

	mu      sync.Mutex
	free    int
	queue   []chan struct{}
	spoken  time.Time // when a wait was last told of
	added   time.Time // when a place more was last given
	asked   time.Time // when reclaim was last called
	holders map[any]*holding
}

// holding is who holds how many places. A holder is known by a key, and named when somebody has to wait for it.
type holding struct {
	name   func() string
	places int
}

// take waits for a place and gives what gives it back, which may be called once. Whoever waits longer than 5 s is told
// about, with the holders.
//
// Errors: that of ctx, with the holders.
func (b *budget) take(ctx context.Context, key any, name func() string) (release func(), err error) {
	b.mu.Lock()
	none, few := b.free <= 0, b.free <= b.low
	b.mu.Unlock()
	if none && b.shed != nil {
		b.shed()
	}
	if few {
		b.ask()
	}
	extra := none && b.eager && b.more()
	b.mu.Lock()
	if (b.free > 0 || extra) && len(b.queue) == 0 {
		b.free--
		b.hold(key, name)
		b.mu.Unlock()
		return func() { b.giveBack(key) }, nil
	}
	turn := make(chan struct{})
	b.queue = append(b.queue, turn)
	b.mu.Unlock()
	if err := b.wait(ctx, turn, name()); err != nil {
		return nil, err
	}
	b.mu.Lock()
	b.hold(key, name)
	b.mu.Unlock()
	return func() { b.giveBack(key) }, nil
}

// try takes a place if there is one, and gives nil where there is none.
func (b *budget) try(key any, name func() string) (release func()) {
	b.mu.Lock()
	none := b.free <= 0
	b.mu.Unlock()
	if none && b.shed != nil {
		b.shed()
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.free <= 0 {
		return nil
	}
	b.free--
	b.hold(key, name)
	return func() { b.giveBack(key) }
}

// force takes a place even where there is none: for those whose waiting would keep others waiting.
func (b *budget) force(key any, name func() string) (release func()) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.free--
	b.hold(key, name)
	return func() { b.giveBack(key) }
}

func (b *budget) wait(ctx context.Context, turn chan struct{}, who string) error {
	slow, again := time.NewTimer(slowly), time.NewTicker(reconsidered)
	defer slow.Stop()
	defer again.Stop()
	for {
		select {
		case <-turn:
			return nil
		case <-again.C:
			b.ask()
			b.addFor(turn)
		case <-slow.C:
			b.speak(who)
		case <-ctx.Done():
			b.mu.Lock()
			i := slices.Index(b.queue, turn)
			if i >= 0 {
				b.queue = slices.Delete(b.queue, i, i+1)
			} else {
				b.pass() // the turn came at the same moment
			}
			b.mu.Unlock()
			return fmt.Errorf("wait for %s, which are held by %s: %w", b.what, b.held(), context.Cause(ctx))
		}
	}
}

// reconsidered is how often somebody who waits may be given a place more.
const reconsidered = 100 * time.Millisecond

// addFor gives a place more to the first in the queue, if that is turn. Tests whose parallel subtests wait for a turn of
// go test's hold cells that they do not use, and what waits for these may have the turn.
func (b *budget) addFor(turn chan struct{}) {
	due := func() bool { return len(b.queue) > 0 && b.queue[0] == turn && time.Since(b.added) >= reconsidered }
	b.mu.Lock()
	none := b.more == nil || !due()
	b.mu.Unlock()
	if none || !b.more() {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if due() {
		b.added = time.Now()
		b.free--
		close(turn)
		b.queue = b.queue[1:]
	}
}

// ask has places freed that are not used, unless it has just done so.
func (b *budget) ask() {
	b.mu.Lock()
	due := b.reclaim != nil && time.Since(b.asked) >= reconsidered
	if due {
		b.asked = time.Now()
	}
	b.mu.Unlock()
	if due {
		b.reclaim()
	}
}

// keys gives the keys of all holders.
func (b *budget) keys() []any {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Collect(maps.Keys(b.holders))
}

// left gives how many places are free.
func (b *budget) left() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.free
}

// speak tells of a wait, unless it has lately told of another.
func (b *budget) speak(who string) {
	b.mu.Lock()
	others, lately := len(b.queue)-1, time.Since(b.spoken) < slowly
	if !lately {
		b.spoken = time.Now()
	}
	b.mu.Unlock()
	if lately {
		return
	}
	more := ""
	if others > 0 {
		more = fmt.Sprintf(", as do %d others,", others)
	}
	b.warn(fmt.Sprintf("%s waits for %s%s which are held by %s", who, b.what, cmp.Or(more, ","), b.held()))
}

// hold notes a place that was given. Call it with the lock held.
func (b *budget) hold(key any, name func() string) {
	if b.holders == nil {
		b.holders = map[any]*holding{}
	}
	h := b.holders[key]
	if h == nil {
		h = &holding{name: name}
		b.holders[key] = h
	}
	h.places++
}

func (b *budget) giveBack(key any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if h := b.holders[key]; h != nil {
		if h.places--; h.places == 0 {
			delete(b.holders, key)
		}
	}
	b.pass()
}

// pass gives one place to the next in the queue, or keeps it. Call it with the lock held.
func (b *budget) pass() {
	b.free++
	if b.free > 0 && len(b.queue) > 0 {
		b.free--
		close(b.queue[0])
		b.queue = b.queue[1:]
	}
}

// held names the holders, those with most places first.
func (b *budget) held() string {
	b.mu.Lock()
	all := make([]holding, 0, len(b.holders))
	for _, h := range b.holders {
		all = append(all, *h)
	}
	b.mu.Unlock()
	slices.SortFunc(all, func(x, y holding) int { return y.places - x.places })
	const most = 10
	var parts []string
	for _, h := range all[:min(most, len(all))] {
		parts = append(parts, fmt.Sprintf("%s (%d)", h.name(), h.places))
	}
	if rest := len(all) - most; rest > 0 {
		parts = append(parts, fmt.Sprintf("%d more", rest))
	}
	if len(parts) == 0 {
		return "nobody any more"
	}
	return strings.Join(parts, ", ")
}
