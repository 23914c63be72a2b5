// Command willscott-bench does what gonfs bench does with
// github.com/willscott/go-nfs-client, in the one way that library has: call by
// call. It is a module of its own, so that gonfs does not depend on its peers.
//
//	willscott-bench MODE SERVER [size=N] [bs=N] [ops=N] [file=NAME]
//
// MODE is read, write or getattr; the last is LOOKUP, since the library makes
// no GETATTR. mountd and NFS are found by rpcbind.
package main
