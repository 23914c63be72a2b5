package mountopt

// VFS are the options of mount(8) that concern the mount point rather than NFS.
// The kernel keeps them, so they are handed to FUSE. They are what was asked
// for: fusermount3 adds nosuid and nodev for an ordinary user.
type VFS struct {
	ReadOnly    bool // ro
	NoSuid      bool // nosuid
	NoDev       bool // nodev
	NoExec      bool // noexec
	NoAtime     bool // noatime; access times are the server's business, so this and its kin change nothing on NFS
	NoDiratime  bool // nodiratime
	Relatime    bool // relatime
	StrictAtime bool // strictatime
	Sync        bool // sync: every write(2) is followed by an fsync; noac implies it, see Flags
	DirSync     bool // dirsync
}

// vfsTable are the words of VFS with their opposites, in the order in which
// /proc/mounts shows them.
var vfsTable = []struct {
	on, off string
	field   func(*VFS) *bool
}{
	{"sync", "async", func(v *VFS) *bool { return &v.Sync }},
	{"dirsync", "", func(v *VFS) *bool { return &v.DirSync }},
	{"nosuid", "suid", func(v *VFS) *bool { return &v.NoSuid }},
	{"nodev", "dev", func(v *VFS) *bool { return &v.NoDev }},
	{"noexec", "exec", func(v *VFS) *bool { return &v.NoExec }},
	{"noatime", "atime", func(v *VFS) *bool { return &v.NoAtime }},
	{"nodiratime", "diratime", func(v *VFS) *bool { return &v.NoDiratime }},
	{"relatime", "norelatime", func(v *VFS) *bool { return &v.Relatime }},
	{"strictatime", "nostrictatime", func(v *VFS) *bool { return &v.StrictAtime }},
	{"ro", "rw", func(v *VFS) *bool { return &v.ReadOnly }},
}

// Flags returns the words for FUSE and /proc/mounts that are in effect, "ro" or
// "rw" first.
func (o *Options) Flags() []string {
	v := o.VFS
	v.Sync = v.Sync || o.NoAC.Value // noac promises that others see a write when it returns
	words := []string{"rw"}
	if v.ReadOnly {
		words[0] = "ro"
	}
	for _, w := range vfsTable {
		if w.on != "ro" && *w.field(&v) {
			words = append(words, w.on)
		}
	}
	return words
}

// swallowed are words for mount(8), init systems and humans, which say nothing
// to the file system. mount(8) takes most of them off before it calls a helper;
// autofs, kubelet and fstab readers do not. Those that imply nosuid and its kin
// (user, group …) were expanded by mount(8) when they come from there, and
// expanding them again would undo "user,exec": so they are only swallowed.
var swallowed = []string{
	"defaults", "auto", "noauto", "user", "nouser", "users", "nousers", "owner", "noowner", "group", "nogroup",
	"_netdev", "nofail", "fail", "comment", "uhelper", "quiet", "loud", "silent", "mand", "nomand",
	"lazytime", "nolazytime", "iversion", "noiversion",
	"quota", "noquota", "usrquota", "grpquota",
}

// remountOnly are words that /proc/mounts shows of a FUSE mount, and which
// mount(8) therefore repeats when it remounts.
var remountOnly = []string{"user_id", "group_id", "max_read", "rootmode", "blksize", "default_permissions"}

// refused are words of mount(8) that ask for what gonfs cannot do.
var refused = []string{
	"bind", "rbind", "move", "loop", "offset", "sizelimit", "nosymfollow",
	"context", "fscontext", "defcontext", "rootcontext", "seclabel",
}
