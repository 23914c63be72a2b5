//go:build !linux

package client

// memory returns the machine's memory in bytes, as far as it is known.
func memory() int64 { return unknownMemory }
