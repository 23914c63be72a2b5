package fuse

import (
	"log/slog"
	"math/bits"
	"os"
	"strconv"
	"strings"

	gofuse "github.com/hanwen/go-fuse/v2/fuse"
	"golang.org/x/sys/unix"

	"github.com/gonfs/gonfs/mountopt"
)

// What is asked of the kernel, in bytes and requests. The figures were
// measured (Linux 6.18): larger requests gain nothing, and fewer in the
// background cut the throughput of a long line to a quarter.
const (
	maxRequest  = 1 << 20   // READ and WRITE
	background  = 256       // READs of read-ahead and the like at once
	maxInFlight = 256 << 20 // memory that requests pin
)

// capabilities are what go-fuse does not ask for by itself.
const capabilities = gofuse.CAP_ATOMIC_O_TRUNC | // OPEN truncates: one call less, and no gap
	gofuse.CAP_ASYNC_DIO | // O_DIRECT reads of many requests at once
	gofuse.CAP_READDIRPLUS_AUTO | // attributes only where somebody looks at them
	gofuse.CAP_HANDLE_KILLPRIV_V2 | // the server clears set-id bits
	gofuse.CAP_DIRECT_IO_ALLOW_MMAP // files opened for appending can be mapped

// serverOptions returns the options of go-fuse. The mounting was done already.
// Where the kernel checks permissions (AllowOther) it must know the lists.
func (m *Mounted) serverOptions(c *Config) *gofuse.MountOptions {
	lists := m.raw.fs.HasACLs()
	caps := capabilities | lockCapabilities(c.Options.Locks())
	if lists {
		caps |= gofuse.CAP_DONT_MASK // a default list comes before the umask
	}
	return &gofuse.MountOptions{
		EnableAcl:                lists && c.AllowOther,
		MaxWrite:                 requestSize(),
		MaxBackground:            background,
		MaxInflightRequestBytes:  maxInFlight,
		DisableSplice:            true,   // see result
		ExplicitDataCacheControl: true,   // our own writes move mtime too
		EnableSymlinkCaching:     true,   // a handle's symbolic link does not change
		DisableXAttrs:            !lists, // NFS version 3 has none but these
		ExtraCapabilities:        caps,
		PanicHandler:             m.panicked,
		Logger:                   slog.NewLogLogger(m.log.Handler(), slog.LevelWarn),
	}
}

// requestSize returns maxRequest or, if that is less, what the kernel allows.
func requestSize() int {
	text, err := os.ReadFile("/proc/sys/fs/fuse/max_pages_limit")
	if err != nil {
		return maxRequest // older kernels have a fixed limit of just that
	}
	pages, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil || pages <= 0 {
		return maxRequest
	}
	return min(maxRequest, pages*os.Getpagesize())
}

// blockSize returns st_blksize, the size in which programs like to read and
// write: that of the calls, rounded down to a power of two.
func blockSize(o *mountopt.Options) uint32 {
	n := min(o.Rsize.Or(maxRequest), o.Wsize.Or(maxRequest))
	n = min(max(n, 4096), maxRequest)
	return 1 << (bits.Len32(n) - 1)
}

// kernelOptions are the options that the kernel's FUSE knows, for mount(2) and
// fusermount3 alike.
func kernelOptions(c *Config) []string {
	o := []string{"max_read=" + strconv.Itoa(requestSize())}
	if c.AllowOther {
		// The kernel checks the mode bits along the path too: it does not ask
		// about directories that somebody else has walked through before.
		o = append(o, "allow_other", "default_permissions")
	}
	return o
}

// vfsFlags returns the flags of mount(2) for the options that are the VFS's.
// That of noac, "sync", is not among them: package client sees to that.
func vfsFlags(v *mountopt.VFS) (flags uintptr) {
	for _, f := range []struct {
		on   bool
		flag uintptr
	}{
		{v.ReadOnly, unix.MS_RDONLY},
		{v.NoSuid, unix.MS_NOSUID},
		{v.NoDev, unix.MS_NODEV},
		{v.NoExec, unix.MS_NOEXEC},
		{v.NoAtime, unix.MS_NOATIME},
		{v.NoDiratime, unix.MS_NODIRATIME},
		{v.Relatime, unix.MS_RELATIME},
		{v.StrictAtime, unix.MS_STRICTATIME},
		{v.Sync, unix.MS_SYNCHRONOUS},
		{v.DirSync, unix.MS_DIRSYNC},
	} {
		if f.on {
			flags |= f.flag
		}
	}
	return flags
}

// vfsWords returns the same for fusermount3, which adds nosuid and nodev by
// itself for ordinary users. Times are the server's business, so the words
// about atime are left out: not all versions of it know them.
func vfsWords(v *mountopt.VFS) []string {
	words := []string{"rw"}
	if v.ReadOnly {
		words[0] = "ro"
	}
	for _, w := range []struct {
		on   bool
		word string
	}{{v.NoSuid, "nosuid"}, {v.NoDev, "nodev"}, {v.NoExec, "noexec"}, {v.Sync, "sync"}, {v.DirSync, "dirsync"}} {
		if w.on {
			words = append(words, w.word)
		}
	}
	return words
}

// escape protects commas and backslashes in the value of an option for
// fusermount3: an export may be called "/a,b".
func escape(value string) string {
	return strings.NewReplacer(`\`, `\\`, `,`, `\,`).Replace(value)
}
