//go:build !linux

package client

import "os"

// Flags of open(2) that os does not name, where the system has them.
const (
	oDirect    = 0
	oNoFollow  = 0
	oDirectory = 0
	oSync      = os.O_SYNC
)
