// Command report reads `go test -json` from its standard input and tells what
// a person needs to know: everything of a test that failed, the reason of
// each that was skipped, and a line of sums.
//
//	go test -json ./... | report [-ci]
//
// It exits 1 if anything failed, if nothing was run, or if a test was skipped
// without giving a reason. With -ci a test that was skipped for want of a
// server, a device, a tool or a privilege is a failure, too: the CI's machine
// has them.
package main
