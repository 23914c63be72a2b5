package trees

import (
	"context"
	"sync"
)

// Usage adds up what trees take.
type Usage struct {
	Side     Side
	Crew     *Crew
	Problems *Problems
	// Apparent counts the sizes of files rather than what they take on the disk.
	Apparent bool
	// Tell, if set, is called with each file and directory, one at a time, a
	// directory after all that is in it.
	Tell func(e *Entry, bytes int64)

	mu   sync.Mutex // guards both below; held while Tell runs
	seen map[key]bool
	sums map[*Entry]int64 // of directories that were not left yet
}

// Run returns how many bytes name takes with all that is in it. A file of
// several names is counted once, in all runs of the Usage. The error is that of
// ctx, or why name cannot be looked at; all others are Problems.
func (u *Usage) Run(ctx context.Context, name string) (total int64, err error) {
	u.mu.Lock()
	if u.seen == nil {
		u.seen, u.sums = map[key]bool{}, map[*Entry]int64{}
	}
	u.mu.Unlock()
	add := func(e *Entry, bytes int64) {
		if e.up == nil {
			total = bytes
			return
		}
		u.sums[e.up.entry] += bytes
	}
	w := &Walk{Side: u.Side, Crew: u.Crew, Problems: u.Problems}
	w.Enter = func(_ context.Context, e *Entry) (bool, error) {
		bytes := u.bytes(e)
		u.mu.Lock()
		defer u.mu.Unlock()
		if e.Info.IsDir() {
			u.sums[e] += bytes
			return true, nil
		}
		add(e, bytes)
		if u.Tell != nil {
			u.Tell(e, bytes)
		}
		return false, nil
	}
	w.Leave = func(_ context.Context, e *Entry, _ bool) error {
		u.mu.Lock()
		defer u.mu.Unlock()
		bytes := u.sums[e]
		delete(u.sums, e)
		add(e, bytes)
		if u.Tell != nil {
			u.Tell(e, bytes)
		}
		return nil
	}
	err = w.Run(ctx, name)
	return total, err
}

// bytes returns what one entry takes, without what is in it.
func (u *Usage) bytes(e *Entry) int64 {
	id := u.Side.Identity(e.Info)
	if id.Links > 1 && !e.Info.IsDir() {
		u.mu.Lock()
		again := u.seen[id.key()]
		u.seen[id.key()] = true
		u.mu.Unlock()
		if again {
			return 0
		}
	}
	if u.Apparent {
		return e.Info.Size()
	}
	return id.Used
}
