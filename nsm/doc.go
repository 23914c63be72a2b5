// Package nsm speaks the Network Status Monitor protocol, version 1 (X/Open
// XNFS, chapter 11, "Network Status Monitor Protocol"): it is how two hosts
// that hold locks with each other learn that one of them was restarted.
//
// NLM locks live in the memory of a server. When the server is restarted they
// are gone, and each client has a short time, the grace period, to claim its
// own again. When a client is restarted its locks must go, since nobody will
// ever unlock them. Neither notices by itself: NLM has no leases.
//
// So each host runs a status monitor (rpc.statd), which keeps two things on
// disk: a state number, odd while the host is up and greater after each
// restart, and the list of hosts that it has a lock in common with. Who takes
// or gives a lock asks the monitor of its own host to watch the other one:
//
//	MON         watch mon_name; when it is restarted, call my_id with priv
//	UNMON       watch it no more
//	UNMON_ALL   watch nobody for my_id any more
//	STAT        would MON of mon_name work, and what is the state number?
//	SIMU_CRASH  behave as after a restart: for tests
//	NOTIFY      another host tells that it was restarted, and its new state
//
// After a restart of the host its monitor sends NOTIFY to every host of the
// list. The monitor there looks for who asked to be told, and calls it: my_id
// is program, version and procedure of a service of that host, and the
// argument is a Status with the 16 bytes that came with MON.
//
// # What a notice is worth
//
// NOTIFY is not authenticated, and comes over UDP. Anybody who can send a
// datagram can claim that anybody was restarted; a server that believes it
// drops locks, and a client that believes it claims them again, at the wrong
// time. A receiver therefore heeds only hosts that it watches, by name or by
// address, and only a state number other than the last.
//
//	c := nsm.NewClient(rpcClient)
//	state, err := c.Mon(ctx, &nsm.Mon{ID: nsm.MonID{Name: "server", My: me}, Priv: cookie})
package nsm
