package client

import (
	iofs "io/fs"
	"time"

	"github.com/gonfs/gonfs/nfs3"
)

// info is a fs.FileInfo and fs.DirEntry over NFS attributes. Sys returns the
// *nfs3.Fattr, or nil for a directory entry that came without attributes.
type info struct {
	name string
	typ  nfs3.FileType
	attr *nfs3.Fattr
	// stat fetches attributes that did not come with the entry.
	stat func() (*nfs3.Fattr, error)
}

func (i *info) Name() string        { return i.name }
func (i *info) IsDir() bool         { return i.typ == nfs3.TypeDir }
func (i *info) Type() iofs.FileMode { return goType(i.typ) }
func (i *info) Size() int64         { return int64(min(i.attr.Size, 1<<63-1)) }
func (i *info) Mode() iofs.FileMode { return goMode(i.attr.Type, i.attr.Mode) }
func (i *info) ModTime() time.Time  { return i.attr.Mtime.Time() }
func (i *info) Sys() any            { return i.attr }
func (i *info) String() string      { return iofs.FormatDirEntry(i) }
func (i *info) Info() (iofs.FileInfo, error) {
	if i.attr != nil {
		return i, nil
	}
	a, err := i.stat()
	if err != nil {
		return nil, err
	}
	return &info{name: i.name, typ: a.Type, attr: a}, nil
}

// goType returns the type bits that package fs uses for an NFS file type.
func goType(t nfs3.FileType) iofs.FileMode {
	switch t {
	case nfs3.TypeReg:
		return 0
	case nfs3.TypeDir:
		return iofs.ModeDir
	case nfs3.TypeLnk:
		return iofs.ModeSymlink
	case nfs3.TypeBlk:
		return iofs.ModeDevice
	case nfs3.TypeChr:
		return iofs.ModeDevice | iofs.ModeCharDevice
	case nfs3.TypeFifo:
		return iofs.ModeNamedPipe
	case nfs3.TypeSock:
		return iofs.ModeSocket
	}
	return iofs.ModeIrregular
}

// The bits of mode3 (RFC 1813 section 2.5.5) above the permissions.
const (
	modeSetuid = 0o4000
	modeSetgid = 0o2000
	modeSticky = 0o1000
)

// goMode returns type and mode as package fs writes them.
func goMode(t nfs3.FileType, mode uint32) iofs.FileMode {
	m := goType(t) | iofs.FileMode(mode&0o777)
	if mode&modeSetuid != 0 {
		m |= iofs.ModeSetuid
	}
	if mode&modeSetgid != 0 {
		m |= iofs.ModeSetgid
	}
	if mode&modeSticky != 0 {
		m |= iofs.ModeSticky
	}
	return m
}

// nfsMode returns the mode3 of a mode of package fs; type bits do not count.
func nfsMode(m iofs.FileMode) uint32 {
	mode := uint32(m.Perm())
	if m&iofs.ModeSetuid != 0 {
		mode |= modeSetuid
	}
	if m&iofs.ModeSetgid != 0 {
		mode |= modeSetgid
	}
	if m&iofs.ModeSticky != 0 {
		mode |= modeSticky
	}
	return mode
}
