package mountopt

import (
	"math"
	"strconv"
	"strings"
	"time"
)

// number reads an unsigned number as the kernel's kstrtouint does with base 0:
// decimal, 0x hexadecimal, 0 octal. What Go would accept besides (0b, 0o,
// underscores) is refused, and so is the empty string.
func number(s string, limit uint64) (uint64, bool) {
	if len(s) > 1 && s[0] == '0' && strings.ContainsAny(s[1:2], "bBoO") || strings.Contains(s, "_") {
		return 0, false
	}
	n, err := strconv.ParseUint(s, 0, 64)
	return n, err == nil && n <= limit
}

// size reads a number of bytes: a number, or one with the suffix k, m or g
// (1024, 1024², 1024³). The Linux client has the suffixes in nfsmount.conf
// only.
func size(s string) (uint64, bool) {
	unit := uint64(1)
	if s != "" {
		switch s[len(s)-1] {
		case 'k', 'K':
			unit = 1 << 10
		case 'm', 'M':
			unit = 1 << 20
		case 'g', 'G':
			unit = 1 << 30
		}
	}
	if unit > 1 {
		s = s[:len(s)-1]
	}
	n, ok := number(s, math.MaxUint32/unit)
	return n * unit, ok
}

// The forms of values. Each returns a setter for one field of Options, and with
// an error names the option, the value and what is allowed.

func setSize(field func(*Options) *Opt[uint32]) setter {
	return func(p *parser, it item) error {
		n, ok := size(it.value)
		if !ok {
			return badValue(it.name, it.value, "a number of bytes (0 to 4294967295, k, m and g are 1024 and its powers)")
		}
		*field(p.o) = Some(uint32(n))
		return nil
	}
}

func setPort(field func(*Options) *Opt[uint16]) setter {
	return func(p *parser, it item) error {
		n, ok := number(it.value, math.MaxUint16)
		if !ok {
			return badValue(it.name, it.value, "a port (0 to 65535)")
		}
		*field(p.o) = Some(uint16(n))
		return nil
	}
}

func setSeconds(fields ...func(*Options) *Opt[time.Duration]) setter {
	return func(p *parser, it item) error {
		n, ok := number(it.value, math.MaxUint32)
		if !ok {
			return badValue(it.name, it.value, "a number of seconds (0 to 4294967295)")
		}
		for _, field := range fields {
			*field(p.o) = Some(time.Duration(n) * time.Second)
		}
		return nil
	}
}

func setBool(field func(*Options) *Opt[bool], v bool) setter {
	return func(p *parser, _ item) error {
		*field(p.o) = Some(v)
		return nil
	}
}

// setNetid takes one of the netids of RFC 5665 that NFS knows.
func setNetid(field func(*Options) *Opt[string], wrong func(it item) *Error) setter {
	return func(p *parser, it item) error {
		v := it.value
		if !it.hasValue { // the flags udp, tcp and rdma are netids themselves
			v = it.name
		}
		switch v {
		case "udp", "udp6", "tcp", "tcp6":
		case "rdma", "rdma6":
			if field(p.o) == &p.o.MountProto {
				return wrong(it)
			}
		default:
			return wrong(it)
		}
		*field(p.o) = Some(v)
		return nil
	}
}

// setTimeo takes tenths of a second.
func setTimeo(p *parser, it item) error {
	n, ok := number(it.value, math.MaxInt32)
	if !ok || n == 0 {
		return badValue(it.name, it.value, "a number of tenths of a second (1 to 2147483647)")
	}
	p.o.Timeo = Some(time.Duration(n) * time.Second / 10)
	return nil
}

func setRetrans(p *parser, it item) error {
	n, ok := number(it.value, math.MaxInt32)
	if !ok {
		return badValue(it.name, it.value, "a number of retransmissions (0 to 2147483647)")
	}
	p.o.Retrans = Some(int(n))
	return nil
}

func setRecovery(r Recovery) setter {
	return func(p *parser, _ item) error {
		p.o.Recovery = Some(r)
		return nil
	}
}

// setVers takes every spelling of the version. Two of them are an error, even
// if they say the same: the one family where the rightmost does not win.
func setVers(p *parser, it item) error {
	if p.o.Vers.Set {
		return &Error{Conflict, it.name, it.value, "multiple version options not permitted"}
	}
	v, ok := it.value, true
	if !it.hasValue {
		v = strings.TrimPrefix(it.name, "v")
	}
	major, minor, dotted := strings.Cut(v, ".")
	n, isNumber := number(major, math.MaxUint32)
	if dotted {
		_, ok = number(minor, math.MaxUint32)
	}
	switch {
	case isNumber && n == 3 && !dotted:
		p.o.Vers = Some(uint32(3))
		return nil
	case isNumber && ok && (n == 4 || n == 2 && !dotted):
		return versionError(it.name, it.value, "gonfs speaks NFS version 3")
	}
	return &Error{BadValue, it.name, it.value,
		"parsing error on '" + it.name + "=' option: " + show(v) + " is not an NFS version (gonfs speaks 3)"}
}

func setMountVers(p *parser, it item) error {
	n, ok := number(it.value, math.MaxUint32)
	switch {
	case ok && n == 3:
		p.o.MountVers = Some(uint32(3))
		return nil
	case ok && (n == 1 || n == 2 || n == 4):
		return versionError(it.name, it.value, "NFS version 3 goes with version 3 of the MOUNT protocol")
	}
	return badValue(it.name, it.value, "a version of the MOUNT protocol (3)")
}

// maxFlavors is how many flavours the Linux client takes in all of sec=
// (NFS_MAX_SECFLAVORS, less one).
const maxFlavors = 11

// setSec takes a colon list of flavours. Several sec= add up.
func setSec(p *parser, it item) error {
	for f := range strings.SplitSeq(it.value, ":") {
		switch f {
		case "sys":
		case "none", "null":
			f = "none"
		case "krb5", "krb5i", "krb5p":
			return unsupported(item{it.name, f, true}, "it has no Kerberos yet, and does not go on with less security than was asked for")
		case "lkey", "lkeyi", "lkeyp", "spkm", "spkmi", "spkmp":
			return unsupported(item{it.name, f, true}, "nobody has this flavour any more")
		default:
			return &Error{BadValue, it.name, f, "sec=" + strings.Trim(show(f), "'") + " option not recognized (sys or none)"}
		}
		if len(p.o.Sec) == maxFlavors {
			return &Error{BadValue, it.name, it.value, "sec= names more than 11 flavours"}
		}
		p.o.Sec = append(p.o.Sec, f)
	}
	return nil
}

// setLocalLock adds to what is local: flock and then posix is all, as in the
// kernel.
func setLocalLock(p *parser, it item) error {
	l := p.o.LocalLock.Value
	switch it.value {
	case "all":
		l = LocalAll
	case "flock":
		l |= LocalFlock
	case "posix":
		l |= LocalPosix
	case "none":
		l = LocalNone
	default:
		return badValue(it.name, it.value, "all, flock, posix or none")
	}
	p.o.LocalLock = Some(l)
	return nil
}

// setLocks takes what becomes of locks where the server has no lock manager. It
// is gonfs's own option.
func setLocks(p *parser, it item) error {
	switch it.value {
	case "server", "auto":
		p.o.LocksAuto = Some(it.value == "auto")
		return nil
	}
	return badValue(it.name, it.value, "server or auto")
}
