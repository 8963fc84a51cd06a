package divide

import (
	"os"
	"os/signal"
	"sync"
	"syscall"
)

// signals passes on what this process is sent to those that it has started.
type signals struct {
	mu        sync.Mutex
	processes map[*os.Process]bool
	last      os.Signal
	sent      chan os.Signal
	finished  chan struct{}
}

func passSignals() *signals {
	s := &signals{
		processes: map[*os.Process]bool{}, sent: make(chan os.Signal, 8), finished: make(chan struct{}),
	}
	signal.Notify(s.sent, os.Interrupt, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGQUIT)
	go func() {
		for {
			select {
			case sig := <-s.sent:
				s.pass(sig)
			case <-s.finished:
				return
			}
		}
	}()
	return s
}

// pass sends a signal on, unless the terminal has sent it to all of its processes already.
func (s *signals) pass(sig os.Signal) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.last = sig
	if (sig == os.Interrupt || sig == syscall.SIGQUIT) && inForeground() {
		return
	}
	for p := range s.processes {
		_ = p.Signal(sig) // it may just have ended
	}
}

// received gives the last signal; nil for none.
func (s *signals) received() os.Signal {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.last
}

func (s *signals) add(p *os.Process) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.processes[p] = true
	if s.last != nil {
		_ = p.Signal(s.last) // it came between two starts
	}
}

func (s *signals) remove(p *os.Process) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.processes, p)
}

func (s *signals) stop() {
	signal.Stop(s.sent)
	close(s.finished)
}
