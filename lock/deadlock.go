package lock

import "slices"

// maxChain bounds how many owners a search for deadlocks looks at. What is not
// found among so many waits like a lock of another host would; a signal ends
// it.
const maxChain = 1024

// blockers returns whose locks are in the way of l, each owner once.
func (rs ranges) blockers(l Lock) []Owner {
	var out []Owner
	for _, h := range rs {
		if h.conflicts(l) && !slices.Contains(out, h.Owner) {
			out = append(out, h.Owner)
		}
	}
	return out
}

// deadlockLocked reports whether r would wait for an owner who waits, in the
// end, for r's. Only owners of kind Posix are looked at, as in Linux: a process
// waits as a whole, but who will unlock an open file description cannot be
// known.
func (e *Engine) deadlockLocked(r *request) bool {
	if r.lock.Owner.Kind != Posix {
		return false
	}
	waits := map[Owner][]Owner{}
	for _, f := range e.files {
		for i := range f.spaces {
			for _, w := range f.spaces[i].waiting {
				if o := w.lock.Owner; o.Kind == Posix && w != r {
					waits[o] = append(waits[o], f.spaces[i].held.blockers(w.lock)...)
				}
			}
		}
	}
	seen := map[Owner]bool{}
	todo := e.files[r.fh].spaces[e.space(Posix)].held.blockers(r.lock)
	for len(todo) > 0 && len(seen) < maxChain {
		o := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		if o == r.lock.Owner {
			return true
		}
		if !seen[o] {
			seen[o] = true
			todo = append(todo, waits[o]...)
		}
	}
	return false
}
