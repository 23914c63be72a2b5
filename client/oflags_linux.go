package client

import "syscall"

// Flags of open(2) that os does not name.
const (
	oDirect    = syscall.O_DIRECT                 // writes reach the server at once, reads are not ahead
	oNoFollow  = syscall.O_NOFOLLOW               // a symbolic link at the end is an error
	oDirectory = syscall.O_DIRECTORY              // anything but a directory is an error
	oSync      = syscall.O_SYNC | syscall.O_DSYNC // writes reach the server at once
)
