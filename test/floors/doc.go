// Package floors holds the tests of the house itself: that imports point down
// only, that files stay short, that every package says what it is.
//
// # The floors
//
// A package may import packages of lower floors, never of its own or a higher
// one. Test packages may import upward: the server in nfstest is what most of
// them talk to.
//
//	8  cmd/...                       argv and exit codes
//	7  gonfs (root)  fuse  mounttab  the front door; FUSE; the records of live mounts
//	6  client                        the file system: inodes, caches, names
//	5  mount  nfstest                spec and options to a session; the server for tests
//	4  lock  nfsacl                  lock engine; ACLs
//	3  portmap  mountd  nlm  nsm  nfs3  mountopt    one RPC program each; the option grammar
//	2  rpc                           calls, replies, retransmission
//	1  transport                     whole messages over TCP and UDP
//	0  xdr                           the codec
//
// What a command and only commands share is in cmd/internal. Tools and tests
// under test/ may import anything and are imported by nothing.
package floors
