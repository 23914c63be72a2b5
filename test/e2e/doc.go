// Package e2e holds the end-to-end tests: the built commands, the kernel's
// FUSE, and nfs-ganesha with rpcbind, as a person would use them.
//
//	GONFS_E2E=1 go test -count=1 -v ./test/e2e
//
// That needs root and the Debian packages that the tests name when they miss
// one; without GONFS_E2E the tests are skipped, so that go test ./... stays
// quick. All of it runs in a network, mount and process namespace of its own
// (test/rigs/netns.sh): rpcbind has port 111 there and nfs-ganesha 2049, the
// host nfsserver has an IPv4 and an IPv6 address, any user may open /dev/fuse,
// and whatever a failed test leaves behind ends with it.
//
// Tests of locks have three hosts of their own in it (test/rigs/hosts.sh).
//
// The work itself is done by the scripts in test/checks, which take any
// directory. GONFS_E2E_KEEP=1 keeps the work directory, with server logs and
// captures.
package e2e
