package mountopt

import (
	"strings"
	"time"
)

// Repeat is what an option means that is given twice.
type Repeat uint8

// The kinds of Repeat.
const (
	Rightmost   Repeat = iota // the last one wins, among all of its Group
	Accumulates               // they add up
	Forbidden                 // an error
)

// Known is an option that gonfs knows.
type Known struct {
	Names   []string // first the usual one
	Group   string   // options of one group override each other
	Values  string   // what it takes; "" for a flag
	Default string   // what holds when it is absent; "" when that is negotiated, or nothing
	Repeat  Repeat
	// Supported tells that it is in effect, or asks for what gonfs does anyway;
	// the others are refused. Where a value decides, Values lists those that
	// are accepted.
	Supported bool
}

// Table returns all options that are about NFS, those of nfs(5) that have to do
// with version 3, in its order. Words of mount(8) (ro, nosuid …) are not among
// them.
func Table() []Known {
	known := make([]Known, 0, len(table))
	for _, e := range table {
		known = append(known, e.Known)
	}
	return known
}

// setter puts an option into p.o, or says what is wrong with it.
type setter func(p *parser, it item) error

// arg says whether an option takes a value.
type arg uint8

const (
	flag arg = iota
	valued
	either
)

type entry struct {
	Known
	arg arg
	set setter
}

// The ways to refuse, and to accept what is so anyway.

// later refuses what gonfs does not have yet.
func later(_ *parser, it item) error { return unsupported(it, "") }

// never refuses what gonfs does not have for a reason.
func never(why string) setter {
	return func(_ *parser, it item) error { return unsupported(it, why) }
}

// already accepts an option that asks for what holds in any case.
func already(_ *parser, _ item) error { return nil }

// only accepts the values that ask for what holds in any case, refuses the
// others that nfs(5) has, and is an error for the rest.
func only(accepted string, others ...string) setter {
	return func(_ *parser, it item) error {
		if it.value == accepted {
			return nil
		}
		for _, v := range others {
			if it.value == v {
				return unsupported(it, "")
			}
		}
		return badValue(it.name, it.value, "one of its values ("+strings.Join(append([]string{accepted}, others...), ", ")+")")
	}
}

// warn accepts an option that has no effect, and says so once.
func warn(text string) setter {
	return func(p *parser, it item) error {
		p.warn("option '" + it.name + "' " + text)
		return nil
	}
}

func port(o *Options) *Opt[uint16]            { return &o.Port }
func mountPort(o *Options) *Opt[uint16]       { return &o.MountPort }
func proto(o *Options) *Opt[string]           { return &o.Proto }
func mountProto(o *Options) *Opt[string]      { return &o.MountProto }
func rsize(o *Options) *Opt[uint32]           { return &o.Rsize }
func wsize(o *Options) *Opt[uint32]           { return &o.Wsize }
func idle(o *Options) *Opt[time.Duration]     { return &o.Idle }
func noConn(o *Options) *Opt[bool]            { return &o.NoConn }
func acRegMin(o *Options) *Opt[time.Duration] { return &o.AcRegMin }
func acRegMax(o *Options) *Opt[time.Duration] { return &o.AcRegMax }
func acDirMin(o *Options) *Opt[time.Duration] { return &o.AcDirMin }
func acDirMax(o *Options) *Opt[time.Duration] { return &o.AcDirMax }
func noAC(o *Options) *Opt[bool]              { return &o.NoAC }
func noCTO(o *Options) *Opt[bool]             { return &o.NoCTO }
func bsize(o *Options) *Opt[uint32]           { return &o.Bsize }
func rahead(o *Options) *Opt[uint32]          { return &o.ReadAhead }
func dirty(o *Options) *Opt[uint32]           { return &o.Dirty }
func noRdirplus(o *Options) *Opt[bool]        { return &o.NoRdirplus }
func background(o *Options) *Opt[bool]        { return &o.Background }
func lock(o *Options) *Opt[bool]              { return &o.Lock }
func acl(o *Options) *Opt[bool]               { return &o.ACL }
func resvport(o *Options) *Opt[bool]          { return &o.Resvport }

// noTransport is the classic error of proto=, noMountTransport that of
// mountproto=.
func noTransport(it item) *Error {
	return &Error{BadValue, it.name, it.value, "Failed to find " + show(it.value) + " protocol (proto= is tcp, tcp6, udp or udp6)"}
}

func noMountTransport(it item) *Error {
	return &Error{BadValue, it.name, it.value,
		"Unrecognized transport protocol " + show(it.value) + " (mountproto= is tcp, tcp6, udp or udp6)"}
}

func names(n ...string) []string { return n }
