// Package lock is the lock engine of a mount: who holds which bytes of which
// file, who waits, and what the server has been told of it.
//
// # Owners
//
// A process that locks with fcntl(2) is one owner, whatever it has open; a lock
// of flock(2) or F_OFD_SETLK belongs to an open file description. The kernel
// gives each a number, and Kind says which of the three it is, so that numbers
// that happen to be equal do not make two owners one.
//
// # The table
//
// What is held here is in a table, a list of ranges for each file, by the rules
// of fcntl(2): an owner's new lock replaces what he had of the bytes, so that
// locks are split, merged, upgraded and downgraded. A lock that is in another's
// way waits in a queue; what is given back wakes the queue in its order, and
// whoever finds nobody in his way goes on. Nobody waits merely because another
// waits: that could make a deadlock where there was none. A wait of processes
// for each other is found and refused (EDEADLK).
//
// # Local kinds
//
// Kinds that are local to this host (nolock, local_lock=) live in the table
// alone. flock(2) and fcntl(2) then know nothing of each other, as on a local
// file system; at a server they do.
//
//	e := lock.New(lock.Config{Local: mountopt.LocalAll})
//	err := e.Lock(ctx, fh, nil, lock.Lock{Owner: o, Range: lock.WholeFile, Type: lock.Exclusive}, true)
package lock
