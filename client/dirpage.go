package client

import (
	"context"
	"errors"
	"hash/maphash"
	"slices"
	"strings"

	"github.com/gonfs/gonfs/nfs3"
)

// plainCount is the size of a READDIR when the server found the usual one too
// small, in bytes.
const plainCount = 64 << 10

// maxPage is how long a page of entries becomes, in bytes, where the server
// likes shorter ones. (A server may do nothing else while it makes a page, so
// it is not a READ's megabyte.)
const maxPage = 256 << 10

// pageSize returns how long the next page may be: what the server prefers, and
// twice as much for each page that was not the last. Large directories take
// fewer calls, and small ones cost the server no more than it likes.
func (d *Dir) pageSize() uint32 {
	most := max(d.fs.dtsize, min(maxPage, d.fs.rsize))
	if d.count == 0 {
		d.count = d.fs.dtsize
	} else {
		d.count = min(2*d.count, most)
	}
	return d.count
}

// fetch gets the page at d.cookie: by READDIRPLUS, or by READDIR where that
// does not work. It sets verf, eof and d.reply's DirAttr.
func (d *Dir) fetch(ctx context.Context) ([]nfs3.EntryPlus, error) {
	if !d.plain && !d.fs.noPlus.Load() {
		entries, err := d.fetchPlus(ctx)
		switch {
		case errors.Is(err, nfs3.ErrNotsupp):
			d.fs.noPlus.Store(true)
		case errors.Is(err, nfs3.ErrToosmall):
			d.plain = true
		default:
			return entries, err
		}
	}
	entries, err := d.fetchPlain(ctx, d.fs.dtsize)
	if errors.Is(err, nfs3.ErrToosmall) && d.fs.dtsize < plainCount {
		entries, err = d.fetchPlain(ctx, plainCount)
	}
	return entries, err
}

func (d *Dir) fetchPlus(ctx context.Context) ([]nfs3.EntryPlus, error) {
	count := d.pageSize()
	args := nfs3.ReaddirplusArgs{Cookie: d.cookie, Verf: d.verf, DirCount: count, MaxCount: count}
	var st stamp
	err := d.fs.about(ctx, d.cred, d.ino, func() error {
		args.Dir = d.ino.FH()
		st = d.fs.begin()
		err := d.fs.nfs.Readdirplus(ctx, d.cred, &args, &d.reply)
		if answered(err) {
			d.fs.applyAttr(d.ino, st, &d.reply.DirAttr)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	d.verf, d.eof = d.reply.Verf, d.reply.EOF
	d.learn(st)
	return d.reply.Entries, nil
}

func (d *Dir) fetchPlain(ctx context.Context, count uint32) ([]nfs3.EntryPlus, error) {
	args := nfs3.ReaddirArgs{Cookie: d.cookie, Verf: d.verf, Count: count}
	var reply nfs3.ReaddirReply
	err := d.fs.about(ctx, d.cred, d.ino, func() error {
		args.Dir = d.ino.FH()
		st := d.fs.begin()
		err := d.fs.nfs.Readdir(ctx, d.cred, &args, &reply)
		if answered(err) {
			d.fs.applyAttr(d.ino, st, &reply.DirAttr)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	d.verf, d.eof, d.inodes = reply.Verf, reply.EOF, nil
	entries := make([]nfs3.EntryPlus, len(reply.Entries))
	for i, e := range reply.Entries {
		entries[i] = nfs3.EntryPlus{FileID: e.FileID, Name: e.Name, Cookie: e.Cookie}
	}
	return entries, nil
}

// learn books what the page says of the objects in it: their attributes, and
// which names mean them. An entry whose handle and attributes are of another
// object than the entry itself (a server-side mount point, on some servers) is
// stripped to its name.
func (d *Dir) learn(st stamp) {
	d.inodes = slices.Grow(d.inodes[:0], len(d.reply.Entries))[:len(d.reply.Entries)]
	clear(d.inodes)
	for i := range d.reply.Entries {
		e := &d.reply.Entries[i]
		if !e.Attr.Present || e.Attr.Attr.FileID != e.FileID {
			e.Attr.Present, e.FH.Present = false, false
		}
		if !e.FH.Present || !d.goodName(e.Name) || e.Name == "." || e.Name == ".." {
			continue
		}
		ino := d.fs.table.known(&e.FH.FH)
		if ino == nil {
			if !d.all && d.made >= maxMade {
				continue
			}
			d.made++
		}
		ino = d.fs.inode(&e.FH.FH, &e.Attr.Attr)
		d.fs.applyAttr(ino, st, &e.Attr)
		d.fs.learnName(d.ino, st, &d.reply.DirAttr, e.Name, ino)
		ino.toldAt(d.ino, e.Name)
		d.inodes[i] = ino
	}
}

// goodName reports whether a server's name is one that can be given to others.
func (d *Dir) goodName(name string) bool {
	return name != "" && strings.IndexByte(name, '/') < 0 && strings.IndexByte(name, 0) < 0 && len(name) <= max(int(d.fs.nameMax), hardNameMax)
}

// accept makes the page of what was fetched: without names that cannot be,
// entries that were read before starting over, and those before the place that
// is sought.
func (d *Dir) accept(entries []nfs3.EntryPlus) {
	page := make([]DirEntry, 0, len(entries))
	attrs := make([]nfs3.Fattr, len(entries)) // the reply's own are decoded into again
	bad := 0
	for i := range entries {
		e := &entries[i]
		d.cookie = e.Cookie
		if e.Name == "." || e.Name == ".." {
			continue
		}
		if !d.goodName(e.Name) {
			bad++
			continue
		}
		hash := maphash.String(d.fs.table.seed, e.Name)
		if d.owed > 0 && d.log.isOld(hash) {
			d.owed-- // no more than there were: Read has to end if the server repeats itself
			continue
		}
		ordinal := d.place + uint64(len(page)) + 1
		d.log.put(ordinal, e.Cookie, hash)
		d.anew = 0
		if d.skip > 0 {
			d.skip--
			d.place++
			continue
		}
		var ino *Inode
		if i < len(d.inodes) {
			ino = d.inodes[i]
		}
		page = append(page, d.entry(e, ino, ordinal, &attrs[i]))
	}
	if bad > 0 {
		d.fs.badNames.Add(uint64(bad))
		d.fs.log.Warn("entries with impossible names were left out", "dir", d.fs.pathOf(d.ino), "entries", bad)
	}
	d.page, d.at = page, 0
}

// entry returns e as callers see it, with its attributes in a.
func (d *Dir) entry(e *nfs3.EntryPlus, ino *Inode, ordinal uint64, a *nfs3.Fattr) DirEntry {
	out := DirEntry{Name: e.Name, Cookie: ordinal}
	switch {
	case ino != nil:
		*a = d.fs.view(ino)
		out.Inode, out.Attr, out.Type, out.FileID = ino, a, ino.typ, ino.number
	case e.Attr.Present:
		*a = e.Attr.Attr
		a.FileID = mixFileID(a.FileID, a.FSID, d.fs.rootAttr.FSID)
		out.Attr, out.Type, out.FileID = a, a.Type, a.FileID
	default:
		out.FileID = mixFileID(e.FileID, d.fs.fsid(d.ino), d.fs.rootAttr.FSID)
	}
	return out
}

// fsid returns the id of the file system that ino is in, as the server numbers
// them.
func (fs *FS) fsid(ino *Inode) uint64 {
	ino.mu.Lock()
	defer ino.mu.Unlock()
	return ino.cache.attr.FSID
}
