package rpc

import (
	"time"

	"golang.org/x/sys/unix"
)

// asleep returns for how long the machine has been suspended since it booted.
// Timers do not run meanwhile (CLOCK_MONOTONIC), so that none is early or all
// are due at the resume; but servers and NATs went on without us.
func asleep() time.Duration {
	var boot, mono unix.Timespec
	if unix.ClockGettime(unix.CLOCK_BOOTTIME, &boot) != nil || unix.ClockGettime(unix.CLOCK_MONOTONIC, &mono) != nil {
		return 0
	}
	return time.Duration(boot.Nano() - mono.Nano())
}
