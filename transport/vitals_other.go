//go:build !linux

package transport

// Vitals has nobody to ask.
func (s *stream) Vitals() (Vitals, bool) { return s.unaided(), false }
