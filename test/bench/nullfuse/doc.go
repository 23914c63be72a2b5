// Command nullfuse mounts a file system in which nothing happens, to show what
// FUSE itself costs a Go program:
//
//	nullfuse DIR
//
// A file bigN has N MiB of constant data; what is written to any file is thrown
// away. It asks the kernel for what gonfs asks for, and runs until it is
// unmounted.
package main
