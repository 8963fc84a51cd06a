package postgres

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"time"

	"github.com/pgcell/pgcell/tools/internal/keeper"
)

// listen passes replies on and notes when the server or the keeper ends.
func (s *Server) listen(out *os.File) {
	ended := make(chan error, 1)
	go func() {
		ended <- s.process.Wait()
		out.SetReadDeadline(time.Now().Add(time.Second)) // a process that an initialiser has left may hold the pipe
	}()
	lines := bufio.NewReader(out)
	for {
		line, err := lines.ReadBytes('\n')
		if err != nil {
			break
		}
		var r keeper.Reply
		if err := json.Unmarshal(line, &r); err != nil {
			s.setDown(fmt.Errorf("the keeper of the server in %q said %.200q, which is no reply: %w", s.dir.Path(), line, err))
			s.process.Process.Kill() // it may be no keeper, and never end
			break
		}
		s.begun = true
		s.pass(r)
	}
	s.setDown(s.ended(<-ended))
	out.Close()
	s.in.Close()
	close(s.gone)
}

// pass gives a reply to whom it is for.
func (s *Server) pass(r keeper.Reply) {
	if r.Op == keeper.OpExited {
		s.setDown(r.Failure)
		return
	}
	s.mu.Lock()
	whom := s.waiting[r.ID]
	delete(s.waiting, r.ID)
	s.mu.Unlock()
	if whom != nil { // else nobody waits for it any more
		whom <- r
	}
}

// request asks the keeper for something.
func (s *Server) request(ctx context.Context, op string) (keeper.Reply, error) {
	s.mu.Lock()
	s.last++
	id := s.last
	s.mu.Unlock()
	return s.ask(ctx, id, keeper.Request{ID: id, Op: op})
}

// ask sends one value and waits for its reply. A failure that the reply tells of is the error.
func (s *Server) ask(ctx context.Context, id int, what any) (keeper.Reply, error) {
	if err := ctx.Err(); err != nil {
		return keeper.Reply{}, fmt.Errorf("wait for server in %q: %w", s.dir.Path(), err)
	}
	answer := make(chan keeper.Reply, 1)
	s.mu.Lock()
	s.waiting[id] = answer
	s.mu.Unlock()
	s.asking.Lock()
	err := json.NewEncoder(s.in).Encode(what)
	s.asking.Unlock()
	if err != nil {
		<-s.gone
		return keeper.Reply{}, s.Err()
	}
	select {
	case r := <-answer:
		if r.Failure != nil {
			return r, r.Failure
		}
		return r, nil
	case <-s.gone:
		return keeper.Reply{}, s.Err()
	case <-ctx.Done():
		s.mu.Lock()
		delete(s.waiting, id)
		s.mu.Unlock()
		return keeper.Reply{}, fmt.Errorf("wait for server in %q: %w", s.dir.Path(), ctx.Err())
	}
}
