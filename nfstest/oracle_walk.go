package nfstest

import (
	"cmp"
	"io/fs"
	"slices"
	"strings"

	"github.com/gonfs/gonfs/nfs3"
)

// resolveLocked returns the handle of path. fsMu is held, as for all of this
// file.
func (s *Server) resolveLocked(op, path string) (nfs3.FH, error) {
	fh := s.fs.rootFH()
	for name := range strings.SplitSeq(path, "/") {
		if name == "" {
			continue
		}
		var r nfs3.LookupReply
		if s.fs.lookup(&ident{}, fh, name, &r); r.Status != nfs3.OK {
			return fh, &fs.PathError{Op: op, Path: path, Err: r.Status}
		}
		fh = r.Object
	}
	return fh, nil
}

// parentLocked returns the directory of path, and its last name.
func (s *Server) parentLocked(op, path string) (nfs3.FH, string, error) {
	path = strings.TrimRight(path, "/")
	dir, name := "", path
	if i := strings.LastIndexByte(path, '/'); i >= 0 {
		dir, name = path[:i], path[i+1:]
	}
	fh, err := s.resolveLocked(op, dir)
	return fh, name, err
}

// listLocked returns the entries of a directory by name, without "." and "..".
func (s *Server) listLocked(dir nfs3.FH, path string) ([]nfs3.EntryPlus, error) {
	var (
		entries []nfs3.EntryPlus
		cookie  uint64
		verf    [8]byte
	)
	for {
		var r nfs3.ReaddirplusReply
		s.fs.readdirplus(&ident{}, dir, cookie, verf, maxList, maxList, &r)
		if r.Status != nfs3.OK {
			return nil, &fs.PathError{Op: "list", Path: path, Err: r.Status}
		}
		for _, e := range r.Entries {
			cookie = e.Cookie
			if e.Name != "." && e.Name != ".." {
				entries = append(entries, e)
			}
		}
		if verf = r.Verf; r.EOF {
			break
		}
	}
	slices.SortFunc(entries, func(a, b nfs3.EntryPlus) int { return cmp.Compare(a.Name, b.Name) })
	return entries, nil
}
