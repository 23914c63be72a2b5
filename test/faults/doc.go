// Package faults holds the tests over bad networks: the client, a router that
// loses and forgets, and nfs-ganesha with rpcbind, each in a network namespace
// of its own.
//
//	GONFS_E2E=1 go test -count=1 -v -parallel 12 ./test/faults
//
// That needs root and the Debian packages that the tests name when they miss
// one; without GONFS_E2E the tests are skipped, so that go test ./... stays
// quick. Each test has a network to itself (test/rigs/network.sh), made for it
// and gone with it: the test binary starts itself again in the namespace of
// the client, with this one test, so that what dials there is package gonfs as
// any program would use it. test/link adds what nft cannot do: delay,
// reordering, duplication.
//
// The limits on time are those that the project promises. GONFS_SOAK=1 makes
// outages, files and counts as large as the promises are (make soak); without
// it they are as large as make test has time for. GONFS_E2E_KEEP=1 keeps the
// work directories with the servers' logs.
package faults
