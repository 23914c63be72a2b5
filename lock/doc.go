// Package lock is the lock engine of a mount: who holds which bytes of which
// file, who waits, and what the server has been told of it. It speaks NLM (see
// package nlm) and NSM (package nsm) for a host that may have many daemons.
//
// # Owners
//
// A process that locks with fcntl(2) is one owner, whatever it has open; a lock
// of flock(2) or F_OFD_SETLK belongs to an open file description. The kernel
// gives each a number, and Kind says which of the three it is, so that numbers
// that happen to be equal do not make two owners one. To the server an owner is
// the host, the daemon's oh (the boot and the daemon, at random) and a svid of
// his own; all three stay the same for as long as he holds anything.
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
// The server has the same table. Calls of one owner at one file are made one at
// a time, and the table changes with the answer, so both change in the same
// order. Whatever was begun and not wanted any more, or may or may not have
// been done, is followed by making the server hold what the table says.
//
// # Waiting
//
// A lock that another holds is asked for again a few times at once, and then
// waits at the server; see pace.go. The server calls back when a lock is free;
// see Granted. That is a hint and no more: the server is asked again, since a
// callback may be late, or forged. It may never come, so the server is also
// asked after 1 s, 2 s, 4 s and then each 4 s.
//
// # Many daemons, one host
//
// A server knows one lock manager a host, registered at rpcbind. One daemon is
// it, the agent, and asks its Siblings about what it does not know; see
// agent.go. Where somebody else is registered, all poll.
//
// A daemon that crashes leaves its locks at the server. Each keeps a journal of
// who may hold some, and whoever finds the journal of a dead one gives its
// locks back, with their old owners; see journal.go and heir.go.
//
// # When the server restarts
//
// It has forgotten all locks, and gives them back to those who ask in its grace
// period. That it restarted is told by its NSM, by a changed write verifier
// (Suspect), by the end of a connection, by a grace period that it speaks of,
// or it shows when it is asked after 30 s of silence. Any of these may be
// wrong, so the locks are looked at first: a TEST names their holder. New locks
// wait until that is done. What the server does not give back is lost: see
// OnLost.
//
// # Kinds that stay here
//
// Kinds that are local to this host (nolock, local_lock=) live in the table
// alone. flock(2) and fcntl(2) then know nothing of each other, as on a local
// file system; at a server they do.
//
//	e := lock.New(lock.Config{Local: mountopt.LocalAll})
//	err := e.Lock(ctx, fh, nil, lock.Lock{Owner: o, Range: lock.WholeFile, Type: lock.Exclusive}, true)
package lock
