package nfs3

import "github.com/gonfs/gonfs/xdr"

// ReaddirArgs is READDIR3args (RFC 1813 section 3.3.16).
type ReaddirArgs struct {
	Dir    FH
	Cookie uint64               // of the last entry that was read; 0 at the start
	Verf   [CookieVerfSize]byte // of the reply that the cookie is from; zero at the start
	Count  uint32               // the longest READDIR3resok in bytes
}

// XDR implements xdr.Value.
func (a *ReaddirArgs) XDR(c *xdr.Codec) {
	a.Dir.XDR(c)
	c.Uint64(&a.Cookie)
	c.Fixed(a.Verf[:])
	c.Uint32(&a.Count)
}

// Entry is entry3 (RFC 1813 section 3.3.16). Name is what the server sent: it
// may be empty, ".", "..", or hold "/" or NUL.
type Entry struct {
	FileID uint64
	Name   string
	Cookie uint64
}

// XDR implements xdr.Value. The link to the next entry is the list's.
func (e *Entry) XDR(c *xdr.Codec) {
	c.Uint64(&e.FileID)
	name(c, &e.Name)
	c.Uint64(&e.Cookie)
}

// ReaddirReply is READDIR3res with its dirlist3 (RFC 1813 section 3.3.16).
type ReaddirReply struct {
	Status  Status
	DirAttr PostOpAttr
	Verf    [CookieVerfSize]byte // success only, like those below
	// Entries reuses its capacity when it is decoded into again.
	Entries []Entry
	EOF     bool
}

// XDR implements xdr.Value.
func (r *ReaddirReply) XDR(c *xdr.Codec) {
	xdr.Enum(c, &r.Status)
	r.DirAttr.XDR(c)
	if r.Status == OK {
		c.Fixed(r.Verf[:])
		xdr.List(c, &r.Entries, MaxEntries, readEntry)
		c.Bool(&r.EOF)
	}
}

// readEntry is Entry.XDR in the form that xdr.List wants.
func readEntry(c *xdr.Codec, e *Entry) { e.XDR(c) }

// ReaddirplusArgs is READDIRPLUS3args (RFC 1813 section 3.3.17).
type ReaddirplusArgs struct {
	Dir      FH
	Cookie   uint64
	Verf     [CookieVerfSize]byte
	DirCount uint32 // the most bytes of file ids, names and cookies
	MaxCount uint32 // the longest READDIRPLUS3resok in bytes
}

// XDR implements xdr.Value.
func (a *ReaddirplusArgs) XDR(c *xdr.Codec) {
	a.Dir.XDR(c)
	c.Uint64(&a.Cookie)
	c.Fixed(a.Verf[:])
	c.Uint32(&a.DirCount)
	c.Uint32(&a.MaxCount)
}

// EntryPlus is entryplus3 (RFC 1813 section 3.3.17). What Entry says of names
// holds here too.
type EntryPlus struct {
	FileID uint64
	Name   string
	Cookie uint64
	Attr   PostOpAttr
	FH     PostOpFH
}

// XDR implements xdr.Value.
func (e *EntryPlus) XDR(c *xdr.Codec) { e.code(c, nil) }

// code is XDR, with the name kept in names if that is not nil.
func (e *EntryPlus) code(c *xdr.Codec, names *xdr.Arena) {
	c.Uint64(&e.FileID)
	nameIn(c, &e.Name, names)
	c.Uint64(&e.Cookie)
	e.Attr.XDR(c)
	e.FH.XDR(c)
}

// ReaddirplusReply is READDIRPLUS3res with its dirlistplus3 (RFC 1813 section
// 3.3.17).
type ReaddirplusReply struct {
	Status  Status
	DirAttr PostOpAttr
	Verf    [CookieVerfSize]byte // success only, like those below
	// Entries reuses its capacity when it is decoded into again.
	Entries []EntryPlus
	EOF     bool
}

// XDR implements xdr.Value.
func (r *ReaddirplusReply) XDR(c *xdr.Codec) {
	xdr.Enum(c, &r.Status)
	r.DirAttr.XDR(c)
	if r.Status == OK {
		c.Fixed(r.Verf[:])
		var names xdr.Arena // thousands of them: allocating each was a tenth of a listing's CPU
		xdr.List(c, &r.Entries, MaxEntries, func(c *xdr.Codec, e *EntryPlus) { e.code(c, &names) })
		c.Bool(&r.EOF)
	}
}
