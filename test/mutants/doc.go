// Package mutants breaks the code on purpose, and sees that the tests notice.
//
// A mutant is one decision of the program turned wrong: a write verifier that
// is not compared, a stamp that is not looked at. It is made by replacing a
// piece of a source file in an overlay (go help build, -overlay), so that
// nothing of it is in the program, not even under a build tag. The tests that
// guard the decision are then run and must fail; a mutant that they let live
// is a promise that nobody checks.
//
// Each invariant of the house has at least one mutant. That their pieces are
// still in the code is checked with every run of the tests; the mutants
// themselves, a minute or two for all, are run by make soak, or by hand:
//
//	GONFS_SOAK=1 go test -v -run TestMutantsAreKilled/verifier ./test/mutants
package mutants
