//go:build !linux && !darwin && !dragonfly && !freebsd && !netbsd && !openbsd

package transport

// setOptions sets nothing. On Windows SO_REUSEADDR would take ports away from
// other programs.
func setOptions(uintptr, *candidate) error { return nil }
