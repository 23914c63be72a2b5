package nfstest

import (
	"fmt"

	"github.com/gonfs/gonfs/nfs3"
)

// Actions for READDIR and READDIRPLUS.

// TopCookies sets the top bit of all cookies: they are no offsets, and a
// client that keeps them in a signed integer will show it.
func TopCookies() Action {
	return Action{"TopCookies", func(p *plan) {
		p.topBit = true
		p.edits = append(p.edits, func(_, reply any) {
			eachEntry(reply, func(_ int, e entry) { *e.cookie |= topBit })
		})
	}}
}

// StuckCookie repeats the page that was asked for: its last cookie is the one
// that the client sent, and the end is never reached.
func StuckCookie() Action {
	return edit("StuckCookie", func(args, reply any) {
		cookie, last := askedCookie(args), -1
		eachEntry(reply, func(i int, _ entry) { last = i })
		eachEntry(reply, func(i int, e entry) {
			if i == last {
				*e.cookie = cookie
			}
		})
		setEOF(reply, false)
	})
}

// EmptyPages answers with no entries and no end.
func EmptyPages() Action {
	return edit("EmptyPages", func(_, reply any) {
		switch r := reply.(type) {
		case *nfs3.ReaddirReply:
			r.Entries, r.EOF = nil, false
		case *nfs3.ReaddirplusReply:
			r.Entries, r.EOF = nil, false
		}
	})
}

// EndlessDir makes a directory that never ends: each page holds n entries with
// new names and cookies.
func EndlessDir(n int) Action {
	return edit(fmt.Sprintf("EndlessDir(%d)", n), func(args, reply any) {
		setStatus(reply, nfs3.OK)
		cookie := askedCookie(args)
		clearEntries(reply)
		for range n {
			cookie++
			addEntry(reply, fmt.Sprintf("endless-%d", cookie), cookie, cookie)
		}
		setEOF(reply, false)
	})
}

// Names adds entries with the given names, which may be any: "", "..", "a/b",
// "nul\x00".
func Names(names ...string) Action {
	return edit(fmt.Sprintf("Names(%q)", names), func(_, reply any) {
		var last uint64
		eachEntry(reply, func(_ int, e entry) { last = *e.cookie })
		for i, name := range names {
			addEntry(reply, name, last, 1<<40+uint64(i))
		}
	})
}

// entry is what entries of both procedures have.
type entry struct {
	name   *string
	cookie *uint64
}

// eachEntry calls f for the entries of a reply.
func eachEntry(reply any, f func(i int, e entry)) {
	switch r := reply.(type) {
	case *nfs3.ReaddirReply:
		for i := range r.Entries {
			f(i, entry{&r.Entries[i].Name, &r.Entries[i].Cookie})
		}
	case *nfs3.ReaddirplusReply:
		for i := range r.Entries {
			f(i, entry{&r.Entries[i].Name, &r.Entries[i].Cookie})
		}
	}
}

func clearEntries(reply any) {
	switch r := reply.(type) {
	case *nfs3.ReaddirReply:
		r.Entries = nil
	case *nfs3.ReaddirplusReply:
		r.Entries = nil
	}
}

// addEntry adds an entry without attributes or handle: a client must look it
// up.
func addEntry(reply any, name string, cookie, fileID uint64) {
	switch r := reply.(type) {
	case *nfs3.ReaddirReply:
		r.Entries = append(r.Entries, nfs3.Entry{FileID: fileID, Name: name, Cookie: cookie})
	case *nfs3.ReaddirplusReply:
		r.Entries = append(r.Entries, nfs3.EntryPlus{FileID: fileID, Name: name, Cookie: cookie})
	}
}

func setEOF(reply any, eof bool) {
	switch r := reply.(type) {
	case *nfs3.ReaddirReply:
		r.EOF = eof
	case *nfs3.ReaddirplusReply:
		r.EOF = eof
	}
}

func askedCookie(args any) uint64 {
	switch a := args.(type) {
	case *nfs3.ReaddirArgs:
		return a.Cookie
	case *nfs3.ReaddirplusArgs:
		return a.Cookie
	}
	return 0
}
