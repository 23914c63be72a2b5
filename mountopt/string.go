package mountopt

import (
	"strconv"
	"strings"
	"time"
)

// String returns the options as /proc/mounts shows them for an NFS mount
// (fs/nfs/super.c, nfs_show_mount_options): same words, same order, so that
// what reads the one can read the other. What is not known, because it was
// neither given nor negotiated yet, is left out; so are options at a default
// that the kernel does not show either.
func (o *Options) String() string {
	w := o.Flags()
	add := func(name, value string) { w = append(w, name+"="+value) }
	flag := func(on bool, name string) {
		if on {
			w = append(w, name)
		}
	}
	seconds := func(name string, v, def time.Duration) {
		if v != def || o.NoAC.Value {
			add(name, strconv.FormatInt(int64(v/time.Second), 10))
		}
	}

	add("vers", "3")
	addNumber(add, "rsize", o.Rsize)
	addNumber(add, "wsize", o.Wsize)
	if o.Bsize.Value != 0 {
		add("bsize", decimal(o.BlockSize()))
	}
	addNumber(add, "rahead", o.ReadAhead)
	addNumber(add, "dirty", o.Dirty)
	switch {
	case o.Namlen != 0:
		add("namlen", decimal(o.Namlen))
	case o.NameMax.Value != 0:
		addNumber(add, "namlen", o.NameMax)
	}
	ac := o.AttrCache()
	seconds("acregmin", ac.RegMin, DefaultAcRegMin)
	seconds("acregmax", ac.RegMax, DefaultAcRegMax)
	seconds("acdirmin", ac.DirMin, DefaultAcDirMin)
	seconds("acdirmax", ac.DirMax, DefaultAcDirMax)
	w = append(w, o.Recovery.Value.String())
	flag(o.NoCTO.Value, "nocto")
	flag(o.NoAC.Value, "noac")
	flag(o.NoRdirplus.Value, "nordirplus")
	flag(!o.Lock.Or(true), "nolock")
	flag(!o.ACL.Or(true), "noacl")
	flag(!o.Resvport.Or(true), "noresvport")

	if o.Proto.Set {
		add("proto", o.Proto.Value)
	}
	addNumber(add, "nconnect", o.Nconnect)
	if o.KeepAlive.Set {
		add("keepalive", strconv.FormatInt(int64(o.KeepAlive.Value/time.Second), 10))
	}
	if o.Idle.Set {
		add("idle", strconv.FormatInt(int64(o.Idle.Value/time.Second), 10))
	}
	flag(o.NoConn.Value, "noconn")
	if o.UDPFrag.Set {
		add("udpfrag", o.UDPFrag.Value.String())
	}
	if o.Port.Value != 0 {
		addNumber(add, "port", o.Port)
	}
	if o.Timeo.Set {
		add("timeo", strconv.FormatInt(int64(o.Timeo.Value/(time.Second/10)), 10))
	}
	addNumber(add, "retrans", o.Retrans)
	if o.StrictReplay.Value {
		add("replay", "strict")
	}
	if len(o.Sec) > 0 {
		add("sec", strings.Join(o.Sec, ":"))
	}
	switch { // the kernel shows the address that the host turned out to have
	case o.MountAddr != "":
		add("mountaddr", o.MountAddr)
	case o.MountAt.Set:
		add("mountaddr", o.MountAt.Value.String())
	case o.MountHost.Set:
		add("mounthost", o.MountHost.Value)
	}
	addNumber(add, "mountvers", o.MountVers)
	if o.MountPort.Value != 0 {
		addNumber(add, "mountport", o.MountPort)
	}
	if o.MountProto.Set {
		add("mountproto", o.MountProto.Value)
	}
	if o.LookupCache.Value != LookupAll {
		add("lookupcache", o.LookupCache.Value.String())
	}
	add("local_lock", o.Locks().String())
	if o.LocksAuto.Value {
		add("locks", "auto")
	}
	if o.Write.Value != WriteLazy {
		add("write", o.Write.Value.String())
	}
	if o.Addr != "" {
		add("addr", o.Addr)
	}
	return strings.Join(w, ",")
}

// addNumber adds an option if it was given.
func addNumber[T uint16 | uint32 | int](add func(name, value string), name string, v Opt[T]) {
	if v.Set {
		add(name, strconv.FormatInt(int64(v.Value), 10))
	}
}

func decimal(v uint32) string { return strconv.FormatUint(uint64(v), 10) }
func itoa(v int) string       { return strconv.Itoa(v) }
