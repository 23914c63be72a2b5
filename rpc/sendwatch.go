package rpc

import (
	"sync"
	"time"
)

// sendWatch looks after a Send that waits for the peer to take what is sent: a
// payload, a long call (SETACL), or anything where much has been queued before. The
// caller's goroutine is inside Send then and can ask neither its context nor
// its timer, so a timer's goroutine does, each 200 ms.
type sendWatch struct {
	mu     sync.Mutex // guards what follows; held while the context is asked
	w      *patience  // nil: no Send
	due    instant    // the call's major timeout
	gone   error      // why the caller gave up
	fired  bool       // cancel was closed
	cancel chan struct{}
	timer  *time.Timer
}

// shortCall is how long a call without a payload may be for its first transmission
// not to be watched: transport.Conn queues 1 MiB of them for a peer that reads
// nothing, and there are 256 slots. Those that are sent again, and those whose
// callers have given up, may come on top of that: so the caller's context is what
// can cancel it, and who is to be asked first is asked by a sendWatch.
const shortCall = 4 << 10

// watchedSend is a Send that may wait. gone is why the caller gave up meanwhile, if
// it did; late says that the major timeout has come.
func (p *pending) watchedSend(w *patience, l *link, head, payload []byte) (late bool, gone, err error) {
	s := p.watch
	if s == nil {
		s = &sendWatch{cancel: make(chan struct{})}
		s.timer = time.AfterFunc(time.Hour, s.look)
		s.timer.Stop()
		p.watch = s
	}
	s.mu.Lock()
	s.w, s.due, s.gone = w, p.period.add(p.ep.core.major), nil
	s.timer.Reset(askEvery)
	s.mu.Unlock()
	err = l.conn.Send(head, payload, s.cancel)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.timer.Stop()
	s.w = nil
	if s.fired {
		s.fired, s.cancel = false, make(chan struct{})
		late = s.gone == nil
	}
	return late, s.gone, err
}

// look is the timer's function.
func (s *sendWatch) look() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.w == nil {
		return
	}
	s.gone = s.w.poll()
	if s.gone != nil || now() >= s.due {
		s.fired = true
		close(s.cancel)
		return
	}
	s.timer.Reset(askEvery)
}
