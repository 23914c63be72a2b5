package client

import "golang.org/x/sys/unix"

// memory returns the machine's memory in bytes.
func memory() int64 {
	var si unix.Sysinfo_t
	if unix.Sysinfo(&si) != nil {
		return unknownMemory
	}
	return int64(uint64(si.Totalram) * uint64(si.Unit))
}
