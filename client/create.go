package client

import (
	"context"
	crand "crypto/rand"
	"errors"
	"os"

	"github.com/gonfs/gonfs/nfs3"
	"github.com/gonfs/gonfs/rpc"
)

// Create makes the regular file name in dir with the permissions mode and opens
// it. flags are those of os.OpenFile. The bits of umask are taken off mode,
// unless dir has a default list (GetACLs): what that says is granted, and the
// file gets lists accordingly, as on a local file system.
//
// With O_EXCL the file must not be there (NFS3ERR_EXIST): CREATE is EXCLUSIVE,
// with 64 random bits by which the server knows a retransmission from a rival,
// and a SETATTR gives the file its mode and resets the times, which held these
// bits. If that SETATTR fails, its error is returned although the file exists.
// Without O_EXCL a file that is there is taken, and cut if flags have O_TRUNC.
//
// The creator may read and write as flags say, whatever mode says. The File
// keeps cred and must be released. ctx cancels the wait; the file may have
// been made all the same.
func (fs *FS) Create(ctx context.Context, cred *rpc.Cred, dir *Inode, name string, flags int, mode, umask uint32) (*Inode, nfs3.Fattr, *File, error) {
	if err := fs.checkChange(dir, name); err != nil {
		return nil, nfs3.Fattr{}, nil, err
	}
	cred = fs.credOr(cred)
	excl := flags&os.O_EXCL != 0
	b, err := fs.inherit(ctx, cred, dir, mode, umask, excl)
	if err != nil {
		return nil, nfs3.Fattr{}, nil, err
	}
	var ino *Inode
	if excl {
		ino, err = fs.bornAs(b)(fs.createExclusive(ctx, cred, dir, name, b.mode))
	} else {
		how := nfs3.CreateHow{Mode: nfs3.Unchecked, Attr: withMode(b.mode)}
		how.Attr.Size.Set = flags&os.O_TRUNC != 0
		ino, err = fs.createAs(ctx, cred, dir, name, &how)
	}
	if err != nil {
		return nil, nfs3.Fattr{}, nil, err
	}
	if err := fs.openable(ino); err != nil { // UNCHECKED took something that was there
		return nil, nfs3.Fattr{}, nil, err
	}
	return ino, fs.view(ino), newFile(fs, ino, cred, flags), nil
}

// createExclusive makes a file that must not be there: EXCLUSIVE, or what the
// server has instead.
func (fs *FS) createExclusive(ctx context.Context, cred *rpc.Cred, dir *Inode, name string, mode uint32) (*Inode, error) {
	how := nfs3.CreateHow{Mode: nfs3.Exclusive}
	if _, err := crand.Read(how.Verf[:]); err != nil {
		return nil, err
	}
	ino, err := fs.createAs(ctx, cred, dir, name, &how)
	if err == nil {
		s := withMode(mode)
		s.Atime.How, s.Mtime.How = nfs3.SetToServerTime, nfs3.SetToServerTime
		_, err = fs.Setattr(ctx, cred, ino, nil, &s)
		return ino, err
	}
	if !errors.Is(err, nfs3.ErrNotsupp) {
		return nil, err
	}
	how = nfs3.CreateHow{Mode: nfs3.Guarded, Attr: withMode(mode)}
	if ino, err = fs.createAs(ctx, cred, dir, name, &how); !errors.Is(err, nfs3.ErrNotsupp) {
		return ino, err
	}
	// The best that such a server allows: a rival may come in between.
	if _, _, err := fs.lookup(ctx, cred, dir, name); err == nil {
		return nil, nfs3.ErrExist
	} else if !errors.Is(err, nfs3.ErrNoent) {
		return nil, err
	}
	how.Mode = nfs3.Unchecked
	return fs.createAs(ctx, cred, dir, name, &how)
}

// createAs makes one CREATE.
func (fs *FS) createAs(ctx context.Context, cred *rpc.Cred, dir *Inode, name string, how *nfs3.CreateHow) (*Inode, error) {
	args := nfs3.CreateArgs{Where: nfs3.DirOpArgs{Name: name}, How: *how}
	evidence := func() outcome { return notExecuted } // the same call again is right for UNCHECKED and EXCLUSIVE
	doubt := nfs3.OK
	if how.Mode == nfs3.Guarded {
		doubt = nfs3.ErrExist
		evidence = func() outcome { return fs.madeAnew(ctx, cred, dir, name) }
	}
	ino, err := fs.make(ctx, cred, "CREATE", dir, name, how.Attr.Size.Set, doubt, evidence, func(reply *nfs3.CreateReply) error {
		args.Where.Dir = dir.FH()
		return fs.nfs.Create(ctx, cred, &args, reply)
	})
	if err == nil && how.Attr.Size.Set && ino.typ == nfs3.TypeReg {
		return fs.cut(ctx, cred, ino)
	}
	return ino, err
}

// cut notes that a CREATE has emptied ino. What was being written to it may
// have come to the server after that; then it is emptied again, after the last
// of these WRITEs was answered.
func (fs *FS) cut(ctx context.Context, cred *rpc.Cred, ino *Inode) (*Inode, error) {
	ino.mu.Lock()
	size := ino.cache.attr.Size
	ino.mu.Unlock()
	if size == 0 && !ino.hasDirty() {
		fs.resized(ino, 0)
		return ino, nil
	}
	_, err := fs.Setattr(ctx, cred, ino, nil, &nfs3.Sattr{Size: nfs3.SetUint64{Set: true}})
	return ino, err
}

// Mkdir makes a directory with the permissions mode; umask and lists are as for
// Create. ctx cancels the wait.
func (fs *FS) Mkdir(ctx context.Context, cred *rpc.Cred, dir *Inode, name string, mode, umask uint32) (*Inode, nfs3.Fattr, error) {
	if err := fs.checkChange(dir, name); err != nil {
		return nil, nfs3.Fattr{}, err
	}
	cred = fs.credOr(cred)
	b, err := fs.inherit(ctx, cred, dir, mode, umask, false)
	if err != nil {
		return nil, nfs3.Fattr{}, err
	}
	args := nfs3.MkdirArgs{Where: nfs3.DirOpArgs{Name: name}, Attr: withMode(b.mode)}
	evidence := func() outcome { return fs.madeAnew(ctx, cred, dir, name) }
	return fs.viewed(fs.bornAs(b)(fs.make(ctx, cred, "MKDIR", dir, name, false, nfs3.ErrExist, evidence, func(reply *nfs3.CreateReply) error {
		args.Where.Dir = dir.FH()
		return fs.nfs.Mkdir(ctx, cred, &args, (*nfs3.MkdirReply)(reply))
	})))
}

// Mknod makes a device (typ TypeChr or TypeBlk, of number rdev), a socket or a
// named pipe with the permissions mode; umask and lists are as for Create. Other
// types are NFS3ERR_BADTYPE: regular files are made by Create.
func (fs *FS) Mknod(ctx context.Context, cred *rpc.Cred, dir *Inode, name string, mode, umask uint32, typ nfs3.FileType, rdev nfs3.Specdata) (*Inode, nfs3.Fattr, error) {
	if err := fs.checkChange(dir, name); err != nil {
		return nil, nfs3.Fattr{}, err
	}
	switch typ {
	case nfs3.TypeChr, nfs3.TypeBlk, nfs3.TypeSock, nfs3.TypeFifo:
	default:
		return nil, nfs3.Fattr{}, nfs3.ErrBadtype
	}
	cred = fs.credOr(cred)
	b, err := fs.inherit(ctx, cred, dir, mode, umask, false)
	if err != nil {
		return nil, nfs3.Fattr{}, err
	}
	args := nfs3.MknodArgs{
		Where: nfs3.DirOpArgs{Name: name},
		What:  nfs3.MknodData{Type: typ, Attr: withMode(b.mode), Spec: rdev},
	}
	evidence := func() outcome { return fs.madeAnew(ctx, cred, dir, name) }
	return fs.viewed(fs.bornAs(b)(fs.make(ctx, cred, "MKNOD", dir, name, false, nfs3.ErrExist, evidence, func(reply *nfs3.CreateReply) error {
		args.Where.Dir = dir.FH()
		return fs.nfs.Mknod(ctx, cred, &args, (*nfs3.MknodReply)(reply))
	})))
}

// Symlink makes a symbolic link with the given text, which is not looked at.
func (fs *FS) Symlink(ctx context.Context, cred *rpc.Cred, dir *Inode, name, target string) (*Inode, nfs3.Fattr, error) {
	if err := fs.checkChange(dir, name); err != nil {
		return nil, nfs3.Fattr{}, err
	}
	if len(target) > nfs3.MaxPath {
		return nil, nfs3.Fattr{}, nfs3.ErrNametoolong
	}
	if target == "" {
		return nil, nfs3.Fattr{}, nfs3.ErrNoent // what symlink(2) says
	}
	cred = fs.credOr(cred)
	before := fs.view(dir).Ctime
	args := nfs3.SymlinkArgs{Where: nfs3.DirOpArgs{Name: name}, Attr: withMode(0o777), Target: target}
	evidence := func() outcome { return fs.madeLink(ctx, cred, dir, name, target, before) }
	return fs.viewed(fs.make(ctx, cred, "SYMLINK", dir, name, false, nfs3.ErrExist, evidence, func(reply *nfs3.CreateReply) error {
		args.Where.Dir = dir.FH()
		return fs.nfs.Symlink(ctx, cred, &args, (*nfs3.SymlinkReply)(reply))
	}))
}

// make makes a call that creates name in dir. Servers need not say what they
// made: then it is looked up. cuts says that the call cuts a file that is there.
func (fs *FS) make(ctx context.Context, cred *rpc.Cred, op string, dir *Inode, name string, cuts bool, doubt nfs3.Status,
	evidence func() outcome, call func(*nfs3.CreateReply) error) (*Inode, error) {
	var (
		st    stamp
		reply nfs3.CreateReply
	)
	fs.changeName(dir, name)
	err := fs.once(ctx, cred, op, name, doubt, func() error {
		st = fs.beginChange(dir)
		err := call(&reply)
		fs.booked(dir, st, err, &reply.DirWcc)
		if err != nil {
			reply = nfs3.CreateReply{}
		}
		return err
	}, evidence, dir)
	if err != nil {
		return nil, fs.failed(dir, err)
	}
	if !reply.Object.Present {
		ino, _, err := fs.lookup(ctx, cred, dir, name)
		return ino, err
	}
	ino, err := fs.obtain(ctx, cred, st, &reply.Object.FH, &reply.Attr, cuts)
	if err != nil {
		return nil, err
	}
	fs.nameChanged(dir, name, ino)
	fs.searched(dir, cred, st.gen)
	return ino, nil
}

// viewed adds the attributes to what make returned.
func (fs *FS) viewed(ino *Inode, err error) (*Inode, nfs3.Fattr, error) {
	if err != nil {
		return nil, nfs3.Fattr{}, err
	}
	return ino, fs.view(ino), nil
}

// Link makes name in dir another name of ino, which is no directory, and
// returns its attributes.
func (fs *FS) Link(ctx context.Context, cred *rpc.Cred, ino, dir *Inode, name string) (*Inode, nfs3.Fattr, error) {
	if err := fs.checkChange(dir, name); err != nil {
		return nil, nfs3.Fattr{}, err
	}
	if err := fs.alive(ino); err != nil {
		return nil, nfs3.Fattr{}, err
	}
	if ino.typ == nfs3.TypeDir {
		return nil, nfs3.Fattr{}, nfs3.ErrPerm // what link(2) says
	}
	cred = fs.credOr(cred)
	var (
		args  = nfs3.LinkArgs{Link: nfs3.DirOpArgs{Name: name}}
		reply nfs3.LinkReply
		old   = fs.view(ino)
	)
	fs.changeName(dir, name)
	err := fs.once(ctx, cred, "LINK", name, nfs3.ErrExist, func() error {
		args.File, args.Link.Dir = ino.FH(), dir.FH()
		st, sti := fs.beginChange(dir), fs.beginChange(ino)
		err := fs.nfs.Link(ctx, cred, &args, &reply)
		fs.booked(dir, st, err, &reply.LinkWcc)
		fs.booked(ino, sti, err, &nfs3.WccData{After: reply.Attr})
		return err
	}, func() outcome { return fs.linked(ctx, cred, dir, name, ino, old.Nlink) }, dir, ino)
	if err != nil {
		return nil, nfs3.Fattr{}, fs.failed(ino, fs.failed(dir, err))
	}
	fs.nameChanged(dir, name, ino)
	a, err := fs.Getattr(ctx, cred, ino)
	return ino, a, err
}

// withMode returns attributes that set the permissions.
func withMode(mode uint32) nfs3.Sattr {
	return nfs3.Sattr{Mode: nfs3.SetUint32{Set: true, Value: mode & 0o7777}}
}
