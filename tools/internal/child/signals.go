package child

import (
	"os"
	"os/signal"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"
)

// Signals passes on what this process is sent to those that it has started. Its methods may be called concurrently.
type Signals struct {
	mu        sync.Mutex
	processes map[*os.Process]bool
	last      os.Signal
	sent      chan os.Signal
	finished  chan struct{}
}

// PassSignals begins to take SIGINT, SIGTERM, SIGHUP, SIGQUIT and more, and to pass them on. End it with Stop.
func PassSignals(more ...os.Signal) *Signals {
	s := &Signals{
		processes: map[*os.Process]bool{}, sent: make(chan os.Signal, 8), finished: make(chan struct{}),
	}
	signal.Notify(s.sent, append(more, os.Interrupt, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGQUIT)...)
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
func (s *Signals) pass(sig os.Signal) {
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

// Received gives the last signal; nil for none.
func (s *Signals) Received() os.Signal {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.last
}

// Add has a process get the signals from now on, and the last one if there was one already.
func (s *Signals) Add(p *os.Process) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.processes[p] = true
	if s.last != nil {
		_ = p.Signal(s.last) // it came between two starts
	}
}

// Remove takes a process out that has ended.
func (s *Signals) Remove(p *os.Process) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.processes, p)
}

// Stop leaves signals to whoever else takes them.
func (s *Signals) Stop() {
	signal.Stop(s.sent)
	close(s.finished)
}

// inForeground reports whether the terminal sends its signals to this process and to the command.
func inForeground() bool {
	tty, err := os.OpenFile("/dev/tty", os.O_RDONLY|unix.O_NOCTTY, 0)
	if err != nil {
		return false
	}
	defer tty.Close()
	group, err := unix.IoctlGetInt(int(tty.Fd()), unix.TIOCGPGRP)
	return err == nil && group == unix.Getpgrp()
}
