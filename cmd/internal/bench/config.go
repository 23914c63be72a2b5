package bench

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Config says what is measured. Zero numbers are the mode's defaults; a number
// that the mode has no use for must be zero.
type Config struct {
	Mode      string
	File      string // that is read or written, or the directory whose entries are; "" makes one. Relative to the path that is measured
	Size      int64  // bytes of the file: read or written once by read and write, the span of offsets of the random modes
	BlockSize int64  // bytes of one read or write
	Depth     int    // calls under way at once
	Ops       int64  // calls to make
	Files     int64  // files to look up, list, or make
}

// Most of what Config can ask for.
const (
	maxSize  = 1 << 50
	maxBlock = 1 << 30
	maxDepth = 256 // an endpoint's slots
	maxOps   = 1 << 40
	maxFiles = 100_000_000
)

// mode is one way to measure.
type mode struct {
	name     string
	what     string
	defaults Config // of the numbers that the mode uses; File is "ok" if it takes one
	options  string // mount options that it needs
	run      func(*run) error
}

// The modes that ask the server each time are mounted without caches.
const uncached = "noac,lookupcache=none"

func modes() []mode {
	return []mode{
		{"null", "NULL calls", Config{Depth: 1, Ops: 100_000}, "", (*run).null},
		{"getattr", "GETATTR of one file, not cached", Config{File: "ok", Depth: 1, Ops: 100_000}, uncached, (*run).getattr},
		{"lookup", "LOOKUP and GETATTR of each of many files, not cached", Config{File: "ok", Depth: 16, Files: 10_000}, uncached, (*run).lookup},
		{"read", "one file from its start to its end", Config{File: "ok", Size: 1 << 30, BlockSize: 1 << 20, Depth: 8}, "", (*run).read},
		{"write", "one file from its start to its end, closed and safe", Config{File: "ok", Size: 1 << 30, BlockSize: 1 << 20, Depth: 8}, "", (*run).write},
		{"randread", "blocks of one file in random order", Config{File: "ok", Size: 1 << 30, BlockSize: 4 << 10, Depth: 32, Ops: 100_000}, "", (*run).randread},
		{"randwrite", "blocks of one file in random order, closed and safe", Config{File: "ok", Size: 1 << 30, BlockSize: 4 << 10, Depth: 32, Ops: 100_000}, "", (*run).randwrite},
		{"readdir", "all entries of a directory with their attributes", Config{File: "ok", Files: 10_000}, "", (*run).readdir},
		{"smallfiles", "create, write, close and remove files", Config{BlockSize: 4 << 10, Depth: 1, Files: 10_000}, "", (*run).smallfiles},
	}
}

// Modes lists the names of the modes.
func Modes() []string {
	var names []string
	for _, m := range modes() {
		names = append(names, m.name)
	}
	return names
}

// Describe tells what each mode measures and which flags it heeds, a line each.
func Describe() string {
	var b strings.Builder
	for _, m := range modes() {
		fmt.Fprintf(&b, "%-10s %s (%s)\n", m.name, m.what, strings.Join(m.flags(), " "))
	}
	return b.String()
}

// flags lists the flags that have a meaning for m.
func (m *mode) flags() (names []string) {
	for _, n := range numbers(&m.defaults) {
		if n.get() != 0 {
			names = append(names, n.flag)
		}
	}
	if m.defaults.File != "" {
		names = append(names, "--file")
	}
	return names
}

// number is a field of Config with its flag and its bound.
type number struct {
	flag string
	most int64
	get  func() int64
	set  func(int64)
}

func numbers(c *Config) []number {
	wide := func(flag string, v *int64, most int64) number {
		return number{flag, most, func() int64 { return *v }, func(n int64) { *v = n }}
	}
	return []number{
		wide("--size", &c.Size, maxSize), wide("--bs", &c.BlockSize, maxBlock),
		{"--qd", maxDepth, func() int64 { return int64(c.Depth) }, func(n int64) { c.Depth = int(n) }},
		wide("--ops", &c.Ops, maxOps), wide("--files", &c.Files, maxFiles),
	}
}

// complete checks c and returns it with the defaults filled in, and its mode.
func complete(c Config) (Config, *mode, error) {
	all := modes()
	i := slices.IndexFunc(all, func(m mode) bool { return m.name == c.Mode })
	if i < 0 {
		return c, nil, fmt.Errorf("bench: no mode %q: one of %s is expected", c.Mode, strings.Join(Modes(), ", "))
	}
	m := &all[i]
	switch {
	case c.File != "" && m.defaults.File == "":
		return c, nil, fmt.Errorf("bench: mode %s has no use for --file", m.name)
	case c.File != "" && c.Files != 0:
		return c, nil, fmt.Errorf("bench: --files says how many files to make; the directory --file %s has its own", c.File)
	}
	defaults := numbers(&m.defaults)
	for i, n := range numbers(&c) {
		switch given := n.get(); {
		case given < 0 || given > n.most:
			return c, nil, fmt.Errorf("bench: %s %d: 1 to %d are allowed", n.flag, given, n.most)
		case given != 0 && defaults[i].get() == 0:
			return c, nil, fmt.Errorf("bench: mode %s has no use for %s: it heeds %s", m.name, n.flag, strings.Join(m.flags(), ", "))
		case given == 0:
			n.set(defaults[i].get())
		}
	}
	if c.Size != 0 && c.Size < c.BlockSize {
		return c, nil, fmt.Errorf("bench: --size %d is less than one block (--bs %d)", c.Size, c.BlockSize)
	}
	return c, m, nil
}

// Check reports what is wrong with c before anything is mounted.
func Check(c Config) error {
	_, _, err := complete(c)
	return err
}

// MountOptions returns the mount options that the mode needs, to stand before
// those of the user.
func MountOptions(mode string) string {
	for _, m := range modes() {
		if m.name == mode {
			return m.options
		}
	}
	return ""
}

// errNothing is the error of a directory without entries.
var errNothing = errors.New("bench: there was nothing to measure")
