package mountopt

import (
	"math/bits"
	"net/netip"
	"slices"
	"time"
)

// Opt is the value of an option, and whether it was given: a negotiated or
// default value must never be mistaken for a wish.
type Opt[T any] struct {
	Value T
	Set   bool
}

// Some is the value of an option that was given.
func Some[T any](v T) Opt[T] { return Opt[T]{v, true} }

// Or returns the value, or def where none was given.
func (o Opt[T]) Or(def T) T {
	if o.Set {
		return o.Value
	}
	return def
}

// Options are the options of a mount. The zero value stands for no options at
// all: the defaults of nfs(5). Package mount fills in what was negotiated in a
// copy of its own.
type Options struct {
	// VFS are the options that are the kernel's business: handed to FUSE.
	VFS

	Vers       Opt[uint32] // nfsvers, vers, v3: always 3
	Proto      Opt[string] // proto, udp, tcp: netid of NFS; bare ones mean IPv4, those with a 6 IPv6
	MountProto Opt[string] // mountproto: netid of mountd
	Port       Opt[uint16] // port of NFS; 0 is the same as not given: rpcbind is asked
	MountPort  Opt[uint16] // mountport: port of mountd, likewise
	MountVers  Opt[uint32] // mountvers: always 3

	MountHost Opt[string]     // mounthost: the host that mountd is asked at, if it is not the server
	MountAt   Opt[netip.Addr] // mountaddr: its address; goes before mounthost

	Nconnect  Opt[uint32]        // nconnect: connections to NFS, 1 to 16; default 1
	KeepAlive Opt[time.Duration] // keepalive: idle time before TCP asks whether the server lives; default 30 s
	Idle      Opt[time.Duration] // idle: how long a connection is kept that nobody needs, 0 for ever; see IdleTime
	NoConn    Opt[bool]          // conn, noconn: take replies over UDP from any address; default conn

	Rsize Opt[uint32] // most bytes of a READ as wished; package mount rounds and clamps it
	Wsize Opt[uint32] // most bytes of a WRITE, likewise

	Bsize   Opt[uint32]  // bsize: the unit in which statfs(2) counts, as wished; see BlockSize
	UDPFrag Opt[UDPFrag] // udpfrag: what is done about messages over UDP that do not fit a frame; default warn

	ReadAhead Opt[uint32] // rahead: most bytes that are read ahead of one reader of a file; default 16 MiB, 0: none
	Dirty     Opt[uint32] // dirty: most bytes of the mount that are not safe at the server; default 64 MiB, at most 5 % of the memory

	NameMax Opt[uint32] // namlen: longest name as statfs(2) tells it; 0 and not given: what PATHCONF says

	Timeo    Opt[time.Duration] // minor timeout; default 60 s (TCP), 1.1 s (UDP)
	Retrans  Opt[int]           // retransmissions before the major timeout; default 2 (TCP), 3 (UDP)
	Recovery Opt[Recovery]      // hard, soft, softerr

	Sec       []string       // sec: flavours in order, "sys" and "none"; empty: what the server lists
	Resvport  Opt[bool]      // resvport, noresvport: bind a reserved port if possible; default true
	Lock      Opt[bool]      // lock, nolock: ask the server for locks; see Locks
	LocalLock Opt[LocalLock] // local_lock: kinds of locks kept on this host; see Locks
	LocksAuto Opt[bool]      // locks: "auto" keeps locks on this host where the server has no lock manager; "server" fails them

	ACL Opt[bool] // acl, noacl: access control lists by NFSACL, if the server has it; default true

	AcRegMin, AcRegMax Opt[time.Duration] // attribute cache of files; see AttrCache
	AcDirMin, AcDirMax Opt[time.Duration] // attribute cache of directories
	NoAC               Opt[bool]          // ac, noac
	NoCTO              Opt[bool]          // cto, nocto: no revalidation at open
	LookupCache        Opt[LookupCache]   // lookupcache: answers of LOOKUP that are given again
	Write              Opt[Write]         // write: when what was written is sent
	NoRdirplus         Opt[bool]          // rdirplus, nordirplus: read directories with READDIR alone
	StrictReplay       Opt[bool]          // replay: believe EEXIST and ENOENT after a retransmission

	// What a command does that mounts; Parse reads it, package mount does not
	// look at it: it makes one attempt.
	Background Opt[bool]   // bg, fg: go on in the background after a first attempt that failed for now
	Retry      Opt[uint32] // retry: minutes for which a mount is tried; see RetryMinutes

	AllowOther bool // allow_other: an ordinary user's mount that other users may enter (root's always can)
	Remount    bool // remount: change a mount that exists
	Sloppy     bool // sloppy: unknown names were skipped

	// What package mount found out, for String: text of addresses, PATHCONF's
	// longest name. Parse never sets them.
	Addr, MountAddr string
	Namlen          uint32

	// Warnings are lines to be said once, at the mount and in its status.
	Warnings []string
}

// Recovery is what a caller sees when the server does not answer. The numbers
// are those of package rpc.
type Recovery uint8

// The kinds of Recovery.
const (
	Hard    Recovery = iota // go on for ever
	Soft                    // after the major timeout EIO
	SoftErr                 // after the major timeout ETIMEDOUT
)

// String returns the option's name.
func (r Recovery) String() string {
	switch r {
	case Soft:
		return "soft"
	case SoftErr:
		return "softerr"
	}
	return "hard"
}

// Write says when write-behind sends what was written. nfs(5) does not have it;
// the Linux client does.
type Write uint8

// The values of Write.
const (
	WriteLazy  Write = iota // when a WRITE is full, after a second, or when somebody waits
	WriteEager              // at once
	WriteWait               // at once, and write(2) returns when the server has answered; it may still lose the data
)

// String returns the value of write=.
func (w Write) String() string {
	switch w {
	case WriteEager:
		return "eager"
	case WriteWait:
		return "wait"
	}
	return "lazy"
}

// BlockSize returns the unit in which statfs(2) counts, in bytes: bsize=, as the
// Linux client rounds it, or 4096.
func (o *Options) BlockSize() uint32 {
	const least, def, most = 1024, 4096, 1 << 20
	switch n := o.Bsize.Value; {
	case n < least:
		return def
	case n >= most:
		return most
	default:
		return 1 << (bits.Len32(n) - 1)
	}
}

// LookupCache says which answers of LOOKUP may be given again without asking
// the server (nfs(5) lookupcache).
type LookupCache uint8

// The values of LookupCache.
const (
	LookupAll      LookupCache = iota // names that are there and names that are not
	LookupPositive                    // names that are there
	LookupNone
)

// String returns the value of lookupcache=.
func (l LookupCache) String() string {
	switch l {
	case LookupPositive:
		return "pos"
	case LookupNone:
		return "none"
	}
	return "all"
}

// UDPFrag says what is done about rsize and wsize of which messages over UDP do
// not fit one frame of the route, so that IP cuts them into fragments. See
// docs/transports.md for what can come of that.
type UDPFrag uint8

// The kinds of UDPFrag.
const (
	UDPFragWarn   UDPFrag = iota // say so, where the link is fast enough to mix fragments up
	UDPFragRefuse                // do not mount, and never send a fragment
	UDPFragAllow                 // say nothing
)

// String returns the value of udpfrag=.
func (f UDPFrag) String() string {
	switch f {
	case UDPFragRefuse:
		return "refuse"
	case UDPFragAllow:
		return "allow"
	}
	return "warn"
}

// LocalLock is the set of kinds of locks that are kept on this host instead of
// asking the server for them.
type LocalLock uint8

// The members of LocalLock, and the two sets that have names.
const (
	LocalFlock LocalLock = 1 << iota // flock(2)
	LocalPosix                       // fcntl(2)
	LocalNone  LocalLock = 0
	LocalAll             = LocalFlock | LocalPosix
)

// String returns the value of local_lock=.
func (l LocalLock) String() string {
	switch l {
	case LocalAll:
		return "all"
	case LocalFlock:
		return "flock"
	case LocalPosix:
		return "posix"
	}
	return "none"
}

// Locks returns which kinds of locks are kept on this host: those of local_lock,
// or all with nolock, which beats local_lock in any order.
func (o *Options) Locks() LocalLock {
	if !o.Lock.Or(true) {
		return LocalAll
	}
	return o.LocalLock.Value
}

// The defaults of the attribute cache (nfs(5)).
const (
	DefaultAcRegMin = 3 * time.Second
	DefaultAcRegMax = 60 * time.Second
	DefaultAcDirMin = 30 * time.Second
	DefaultAcDirMax = 60 * time.Second
)

// AttrCache are the times that attributes may be answered from memory: Min when
// they changed a moment ago, growing to Max.
type AttrCache struct{ RegMin, RegMax, DirMin, DirMax time.Duration }

// AttrCache returns the times in effect: all zero with noac. A maximum below
// its minimum is taken for the minimum (the Linux client would go back and
// forth between them).
func (o *Options) AttrCache() AttrCache {
	if o.NoAC.Value {
		return AttrCache{}
	}
	c := AttrCache{
		RegMin: o.AcRegMin.Or(DefaultAcRegMin), RegMax: o.AcRegMax.Or(DefaultAcRegMax),
		DirMin: o.AcDirMin.Or(DefaultAcDirMin), DirMax: o.AcDirMax.Or(DefaultAcDirMax),
	}
	c.RegMax, c.DirMax = max(c.RegMin, c.RegMax), max(c.DirMin, c.DirMax)
	return c
}

// Minutes for which a mount is tried (nfs(5)): a little while when somebody
// waits for it, and about a week in the background.
const (
	DefaultRetryForeground = 2
	DefaultRetryBackground = 10000
)

// RetryMinutes returns for how many minutes a mount is tried; 0 means once.
func (o *Options) RetryMinutes() uint32 {
	if o.Background.Value {
		return o.Retry.Or(DefaultRetryBackground)
	}
	return o.Retry.Or(DefaultRetryForeground)
}

// DefaultIdle is how long a connection is kept that nobody needs, as in the
// Linux client.
const DefaultIdle = 5 * time.Minute

// IdleTime returns how long a connection is kept that nobody needs; 0 is for
// ever.
func (o *Options) IdleTime() time.Duration { return o.Idle.Or(DefaultIdle) }

// Over returns the options that hold when o is said over base: o's where they
// were given, base's else. VFS, which does not know what was given, is o's.
func (o *Options) Over(base *Options) *Options {
	m := base.Clone()
	m.VFS = o.VFS
	m.Vers, m.MountVers = o.Vers.over(m.Vers), o.MountVers.over(m.MountVers)
	m.Proto, m.MountProto = o.Proto.over(m.Proto), o.MountProto.over(m.MountProto)
	m.Port, m.MountPort = o.Port.over(m.Port), o.MountPort.over(m.MountPort)
	m.MountHost, m.MountAt = o.MountHost.over(m.MountHost), o.MountAt.over(m.MountAt)
	m.Nconnect, m.KeepAlive, m.NameMax = o.Nconnect.over(m.Nconnect), o.KeepAlive.over(m.KeepAlive), o.NameMax.over(m.NameMax)
	m.Idle, m.NoConn = o.Idle.over(m.Idle), o.NoConn.over(m.NoConn)
	m.Background, m.Retry = o.Background.over(m.Background), o.Retry.over(m.Retry)
	m.Rsize, m.Wsize, m.UDPFrag = o.Rsize.over(m.Rsize), o.Wsize.over(m.Wsize), o.UDPFrag.over(m.UDPFrag)
	m.Timeo, m.Retrans, m.Recovery = o.Timeo.over(m.Timeo), o.Retrans.over(m.Retrans), o.Recovery.over(m.Recovery)
	m.Resvport, m.Lock, m.LocalLock = o.Resvport.over(m.Resvport), o.Lock.over(m.Lock), o.LocalLock.over(m.LocalLock)
	m.AcRegMin, m.AcRegMax = o.AcRegMin.over(m.AcRegMin), o.AcRegMax.over(m.AcRegMax)
	m.AcDirMin, m.AcDirMax = o.AcDirMin.over(m.AcDirMin), o.AcDirMax.over(m.AcDirMax)
	m.NoAC, m.NoCTO, m.LookupCache = o.NoAC.over(m.NoAC), o.NoCTO.over(m.NoCTO), o.LookupCache.over(m.LookupCache)
	m.Write, m.Bsize = o.Write.over(m.Write), o.Bsize.over(m.Bsize)
	m.ReadAhead, m.Dirty = o.ReadAhead.over(m.ReadAhead), o.Dirty.over(m.Dirty)
	m.NoRdirplus, m.StrictReplay = o.NoRdirplus.over(m.NoRdirplus), o.StrictReplay.over(m.StrictReplay)
	m.ACL, m.LocksAuto = o.ACL.over(m.ACL), o.LocksAuto.over(m.LocksAuto)
	if len(o.Sec) > 0 {
		m.Sec = slices.Clone(o.Sec)
	}
	return m
}

func (o Opt[T]) over(base Opt[T]) Opt[T] {
	if o.Set {
		return o
	}
	return base
}

// Clone returns a copy that shares nothing with o.
func (o *Options) Clone() *Options {
	c := *o
	c.Sec, c.Warnings = slices.Clone(o.Sec), slices.Clone(o.Warnings)
	return &c
}
