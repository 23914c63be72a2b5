// Command bench measures gonfs beside its peers and writes docs/benchmarks.md.
// It is what `make bench` runs, by run.sh, which builds all and makes a network
// namespace for it:
//
//	bench -bin DIR -results DIR [-doc FILE] [-reps N] [-quick] [-again] [-report] [ROW…]
//
// # Rows
//
// A row is one kind of work and the contenders that do it: gonfs first, then
// those it is compared with. Each contender is run once per repetition, the
// first one being another each time, and medians are taken; a goal is a ratio
// of two medians, and holds within 10 %. The contenders talk to nullnfsd, a
// server that costs next to nothing, over loopback. Each is a program of its
// own that prints a line of JSON; processor time is that of the client in the
// measured part (rusage), of a FUSE daemon that of /proc.
//
// # What misleads
//
// Wake-ups of an idle virtual processor cost 60 to 70 µs, more than all else in
// a small call: latency is measured with client and server on one processor.
// What others do on the machine moves absolute rates two to three times, ratios
// in one run less: run it alone, and see the load that is printed. A run for the
// report waits until the machine is at rest: builds are work of others, too. A
// source or destination that is larger than the L2 cache decides the rate:
// nullnfsd sends from 264 KiB, and all clients reuse their buffers.
//
// # Resuming
//
// The result of each row is kept in a file of the results directory. A row that
// was measured with the same build is not measured again, unless it is named or
// -again is given; so an interrupted run goes on where it was. -report makes
// the report of what is there, whichever build it was measured with.
package main
