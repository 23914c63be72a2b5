// Package mounttab knows which mounts of gonfs live on this host, and talks to
// the daemons that serve them.
//
// The kernel's own table shows of a FUSE mount little more than its source: the
// options in effect, the state of the server and the statistics are known to
// the daemon alone. So each daemon leaves a record and a unix socket, side by
// side, in a directory that only its user can enter:
//
//	/run/gonfs                root
//	$XDG_RUNTIME_DIR/gonfs    others
//	/tmp/gonfs-UID            where the first cannot be had
//
//	1234-0.mount              a Record, as msgpack
//	1234-0.sock               where process 1234 answers questions about it
//
// A record outlives a daemon that was killed. It names the process with the
// time that it was started at, so a reader can tell, and List removes what is
// left of the dead.
//
// # The socket
//
// Both ends check who the other is (SO_PEERCRED): a daemon answers its own user
// and root, and a client believes the user that it asked for and root. A
// message is its length, four bytes, the most significant first, and as many
// bytes of msgpack (https://msgpack.org). The client sends a Request, the
// daemon a Response, as often as they like. Lengths, nesting and times are
// bounded on both ends; see frame.go.
//
// The same framing carries the Result that a daemon sends to the command that
// started it, over a pipe.
//
//	tab, err := mounttab.Open()
//	for _, rec := range records {
//		resp, err := mounttab.Call(ctx, rec, mounttab.Request{Op: mounttab.OpStatus})
package mounttab
