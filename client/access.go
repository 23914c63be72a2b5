package client

import (
	"context"
	"slices"
	"time"

	"github.com/gonfs/gonfs/nfs3"
	"github.com/gonfs/gonfs/rpc"
)

// maxAccess is how many credentials' rights are remembered per object: enough
// for the users of one file at a time.
const maxAccess = 8

// accessCache is what the server said about rights, one entry a credential.
// Nothing is ever derived from mode bits or from another credential's answer:
// the server may squash root, map users, or have ACLs. It is guarded by its
// Inode's mutex and expires with the attributes.
type accessCache struct {
	entries []accessEntry // most recently used last
	dropped uint64        // answers to questions asked before this generation are too old
}

type accessEntry struct {
	cred           rpc.Cred
	asked, granted uint32
}

// drop forgets everything: the rights may have changed.
func (c *accessCache) drop(gen uint64) { c.entries, c.dropped = nil, gen }

// rights returns which of mask are granted, and whether that is known.
func (c *accessCache) rights(cred *rpc.Cred, mask uint32) (granted uint32, ok bool) {
	i := c.index(cred)
	if i < 0 || c.entries[i].asked&mask != mask {
		return 0, false
	}
	e := c.entries[i]
	copy(c.entries[i:], c.entries[i+1:])
	c.entries[len(c.entries)-1] = e
	return e.granted & mask, true
}

// learn notes an answer to a question that was asked at generation gen.
func (c *accessCache) learn(gen uint64, cred *rpc.Cred, asked, granted uint32) {
	if gen <= c.dropped {
		return
	}
	if i := c.index(cred); i >= 0 {
		e := &c.entries[i]
		e.asked |= asked
		e.granted = e.granted&^asked | granted&asked
		return
	}
	if len(c.entries) >= maxAccess {
		c.entries = slices.Delete(c.entries, 0, 1)
	}
	c.entries = append(c.entries, accessEntry{*cred, asked, granted & asked})
}

func (c *accessCache) index(cred *rpc.Cred) int {
	for i := range c.entries {
		if c.entries[i].cred == *cred {
			return i
		}
	}
	return -1
}

// What ACCESS is asked for: everything that means something for the type, so
// that one answer serves all questions.
const (
	allDirRights  = nfs3.AccessRead | nfs3.AccessLookup | nfs3.AccessModify | nfs3.AccessExtend | nfs3.AccessDelete
	allFileRights = nfs3.AccessRead | nfs3.AccessModify | nfs3.AccessExtend | nfs3.AccessExecute
)

// Access returns which of the ACCESS bits in mask (RFC 1813 section 3.3.4) the
// server grants cred on ino. The answer is cached per credential for as long
// as the attributes count. Bits that mean nothing for the type are not granted.
func (fs *FS) Access(ctx context.Context, cred *rpc.Cred, ino *Inode, mask uint32) (granted uint32, err error) {
	if err := fs.alive(ino); err != nil {
		return 0, err
	}
	cred = fs.credOr(cred)
	all := uint32(allFileRights)
	if ino.typ == nfs3.TypeDir {
		all = allDirRights
	}
	mask &= all
	if granted, ok := fs.cachedRights(cred, ino, mask); ok {
		return granted, nil
	}
	var (
		st    stamp
		args  = nfs3.AccessArgs{Access: all}
		reply nfs3.AccessReply
	)
	err = fs.about(ctx, cred, ino, func() error {
		args.Object = ino.FH()
		st = fs.begin()
		err := fs.nfs.Access(ctx, cred, &args, &reply)
		if answered(err) {
			fs.applyAttr(ino, st, &reply.Attr)
		}
		return err
	})
	if err != nil {
		return 0, fs.failed(ino, err)
	}
	ino.mu.Lock()
	ino.access.learn(st.gen, cred, all, reply.Access)
	ino.mu.Unlock()
	return reply.Access & mask, nil
}

// cachedRights is Access without asking the server.
func (fs *FS) cachedRights(cred *rpc.Cred, ino *Inode, mask uint32) (granted uint32, ok bool) {
	ino.mu.Lock()
	defer ino.mu.Unlock()
	if !ino.cache.fresh(time.Now()) {
		return 0, false
	}
	return ino.access.rights(cred, mask)
}

// permit returns NFS3ERR_ACCES unless cred has all rights in need.
func (fs *FS) permit(ctx context.Context, cred *rpc.Cred, ino *Inode, need uint32) error {
	if need == 0 {
		return nil
	}
	granted, err := fs.Access(ctx, cred, ino, need)
	if err == nil && granted != need {
		err = nfs3.ErrAcces
	}
	return err
}
