//go:build !linux

package lock

import "net/netip"

// showFlag does nothing: elsewhere than on Linux nothing mounts.
func showFlag(netip.Addr, int) closeFunc { return func() {} }

// rivals knows nobody.
func rivals(netip.Addr, int) string { return "" }
