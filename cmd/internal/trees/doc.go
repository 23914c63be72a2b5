// Package trees goes through trees of files, on servers and on the local disk,
// with many requests under way at once: it is what gonfs cp, rm, du and find do.
//
// # Parallel, in bounded memory
//
// A server answers thirty requests in hardly more time than one. So a walk
// hands each entry that it meets to a helper if there is an idle one, and does
// the work itself if there is none ([Crew]). No queue can grow, whatever the
// shape of the tree, and a walk ends when the last helper has.
//
// What is done to a directory after all that is in it (its times are set, it is
// removed, its sum is told) is done by whoever finishes the last of its
// entries.
//
// # Whom to believe
//
// Names come from a server, and are written on the local disk. Package client
// lets none through that is empty, "." or "..", or that holds "/" or NUL; and
// all local files are reached through an os.Root, which no name and no symbolic
// link leads out of.
//
// Nothing of a copy is believed to be done before its close has returned, and
// the times of a file are set last: a file of the right size and time is
// complete, which is how a copy that was interrupted goes on.
package trees
