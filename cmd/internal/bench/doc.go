// Package bench measures a mounted export as gonfs bench does: one mode, one
// measured part, one Result.
//
// What is needed for it (a file to read, names to look up) is made before, and
// removed after, the measured part. All goes through the library as any
// program's calls do: data through client.File, names through client.FS.
package bench
