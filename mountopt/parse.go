package mountopt

import (
	"slices"
	"strings"
	"time"
)

// maxLen bounds an option string. mount(2) takes a page; this is more than any
// caller needs and little enough to be read at once.
const maxLen = 64 << 10

// parser is the state of one Parse.
type parser struct{ o *Options }

// warn adds a line to Warnings, once.
func (p *parser) warn(line string) {
	if !slices.Contains(p.o.Warnings, line) {
		p.o.Warnings = append(p.o.Warnings, line)
	}
}

// Parse reads an option string as mount(8) has it after -o. The rightmost of
// options that contradict each other wins; sec= and local_lock= add up; a
// second version option is an error. An option that gonfs knows and cannot obey
// is an error that names it, never ignored; an unknown name is one too, unless
// "sloppy" is in the string. Errors are *Error.
func Parse(opts string) (*Options, error) {
	if len(opts) > maxLen {
		return nil, &Error{Kind: Syntax, Msg: "parsing error on mount options: the string is longer than 64 KiB"}
	}
	if i := strings.IndexByte(opts, 0); i >= 0 {
		return nil, &Error{Kind: Syntax, Value: opts, Msg: "parsing error on mount options: NUL byte in " + show(opts)}
	}
	items, err := split(opts)
	if err != nil {
		return nil, err
	}
	p := &parser{o: new(Options)}
	for _, it := range items { // wherever they stand, these hold for the whole string
		p.o.Sloppy = p.o.Sloppy || it == item{name: "sloppy"}
		p.o.Remount = p.o.Remount || it == item{name: "remount"}
	}
	for _, it := range items {
		if err := p.option(it); err != nil {
			return nil, err
		}
	}
	if err := p.o.Validate(); err != nil {
		return nil, err
	}
	return p.o, nil
}

// option puts one option into p.o.
func (p *parser) option(it item) error {
	if e := find(it.name); e != nil {
		switch {
		case e.arg == valued && !it.hasValue:
			return &Error{BadValue, it.name, "", "option '" + it.name + "' needs a value: " + it.name + "=…"}
		case e.arg == flag && it.hasValue:
			return &Error{BadValue, it.name, it.value, "option '" + it.name + "' takes no value: " + show(it.String())}
		}
		return e.set(p, it)
	}
	if p.generic(it) {
		return nil
	}
	switch {
	case slices.Contains(refused, it.name):
		return unsupported(it, "")
	case p.o.Remount && slices.Contains(remountOnly, it.name), p.o.Sloppy:
		return nil
	}
	return unknown(it)
}

// find returns the entry of name, nil if it is none of nfs(5).
func find(name string) *entry {
	for i := range table {
		if slices.Contains(table[i].Names, name) {
			return &table[i]
		}
	}
	return nil
}

// generic takes the words that are not about NFS, and tells whether it is one
// of them.
func (p *parser) generic(it item) bool {
	for _, w := range vfsTable {
		if it.hasValue {
			break
		}
		if it.name == w.on || it.name == w.off && w.off != "" {
			*w.field(&p.o.VFS) = it.name == w.on
			return true
		}
	}
	switch {
	case it == item{name: "remount"}:
	case it == item{name: "allow_other"}:
		p.o.AllowOther = true
	case strings.HasPrefix(it.name, "x-"), strings.HasPrefix(it.name, "X-"):
	default:
		return slices.Contains(swallowed, it.name)
	}
	return true
}

// Validate reports what Parse would have refused in Options that a program
// filled in, as far as it is about values and not their spelling.
func (o *Options) Validate() error {
	if o.Vers.Set && o.Vers.Value != 3 {
		return versionError("vers", decimal(o.Vers.Value), "gonfs speaks NFS version 3")
	}
	if o.MountVers.Set && o.MountVers.Value != 3 {
		return versionError("mountvers", decimal(o.MountVers.Value), "NFS version 3 goes with version 3 of the MOUNT protocol")
	}
	switch v := o.Proto.Value; v {
	case "udp", "udp6", "tcp", "tcp6":
	case "rdma", "rdma6": // here, not where it was read: "rdma,tcp" asks for TCP
		return versionError("proto", v, "gonfs has TCP and UDP, and does not go on over another transport than was asked for")
	default:
		if o.Proto.Set {
			return noTransport(item{"proto", v, true})
		}
	}
	switch v := o.MountProto.Value; v {
	case "udp", "udp6", "tcp", "tcp6":
	default:
		if o.MountProto.Set {
			return noMountTransport(item{"mountproto", v, true})
		}
	}
	if n := o.Nconnect; n.Set && (n.Value < 1 || n.Value > maxConnections) {
		return badValue("nconnect", decimal(n.Value), "a number of connections (1 to 16)")
	}
	if k := o.KeepAlive; k.Set && (k.Value < time.Second || k.Value > maxKeepAlive*time.Second) {
		return badValue("keepalive", k.Value.String(), "1 s to 32767 s")
	}
	if a := o.MountAt; a.Set && !a.Value.IsValid() {
		return badValue("mountaddr", "", "an IP address")
	}
	if h := o.MountHost; h.Set && !isHost(h.Value) {
		return badValue("mounthost", h.Value, "the name or address of a host")
	}
	if o.Timeo.Set && o.Timeo.Value <= 0 {
		return badValue("timeo", o.Timeo.Value.String(), "more than 0")
	}
	if o.Retrans.Set && o.Retrans.Value < 0 {
		return badValue("retrans", itoa(o.Retrans.Value), "0 or more")
	}
	for _, f := range o.Sec {
		if f != "sys" && f != "none" {
			return unsupported(item{"sec", f, true}, "")
		}
	}
	if o.LocalLock.Value&^LocalAll != 0 {
		return badValue("local_lock", itoa(int(o.LocalLock.Value)), "LocalFlock, LocalPosix, LocalAll or LocalNone")
	}
	return nil
}
