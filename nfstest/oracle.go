package nfstest

import (
	"fmt"
	"io/fs"
	"strings"

	"github.com/gonfs/gonfs/nfs3"
)

// The methods of this file look at the file system from inside, as its owner:
// no call is made, nothing is counted. Paths are relative to the export's root,
// with or without a slash at the front. Errors are *fs.PathError with an
// nfs3.Status. They work after Close too.

// ReadFile returns the content of a file, UNSTABLE data included.
func (s *Server) ReadFile(path string) ([]byte, error) {
	s.fsMu.Lock()
	defer s.fsMu.Unlock()
	fh, err := s.resolveLocked("readfile", path)
	if err != nil {
		return nil, err
	}
	var data []byte
	for {
		var r nfs3.ReadReply
		s.fs.read(&ident{}, fh, uint64(len(data)), defaultIO, &r)
		if r.Status != nfs3.OK {
			return nil, &fs.PathError{Op: "readfile", Path: path, Err: r.Status}
		}
		if data = append(data, r.Data...); r.EOF {
			return data, nil
		}
	}
}

// WriteFile makes a file with the given content and mode, or replaces the
// content of one that exists. The data is stable.
func (s *Server) WriteFile(path string, data []byte, mode uint32) error {
	s.fsMu.Lock()
	defer s.fsMu.Unlock()
	dir, name, err := s.parentLocked("writefile", path)
	if err != nil {
		return err
	}
	var r nfs3.CreateReply
	how := nfs3.CreateHow{Attr: nfs3.Sattr{Mode: nfs3.SetUint32{Set: true, Value: mode}, Size: nfs3.SetUint64{Set: true}}}
	if s.fs.create(&ident{}, dir, name, &how, &r); r.Status != nfs3.OK {
		return &fs.PathError{Op: "writefile", Path: path, Err: r.Status}
	}
	var w nfs3.WriteReply
	if s.fs.write(&ident{}, r.Object.FH, 0, data, nfs3.FileSync, &w); w.Status != nfs3.OK {
		return &fs.PathError{Op: "writefile", Path: path, Err: w.Status}
	}
	return nil
}

// Mkdir makes a directory.
func (s *Server) Mkdir(path string, mode uint32) error {
	s.fsMu.Lock()
	defer s.fsMu.Unlock()
	dir, name, err := s.parentLocked("mkdir", path)
	if err != nil {
		return err
	}
	var r nfs3.MkdirReply
	if s.fs.mkdir(&ident{}, dir, name, &nfs3.Sattr{Mode: nfs3.SetUint32{Set: true, Value: mode}}, &r); r.Status != nfs3.OK {
		return &fs.PathError{Op: "mkdir", Path: path, Err: r.Status}
	}
	return nil
}

// Symlink makes a symbolic link at path.
func (s *Server) Symlink(target, path string) error {
	s.fsMu.Lock()
	defer s.fsMu.Unlock()
	dir, name, err := s.parentLocked("symlink", path)
	if err != nil {
		return err
	}
	var r nfs3.SymlinkReply
	if s.fs.symlink(&ident{}, dir, name, target, &nfs3.Sattr{}, &r); r.Status != nfs3.OK {
		return &fs.PathError{Op: "symlink", Path: path, Err: r.Status}
	}
	return nil
}

// Remove removes a file, or an empty directory, behind the clients' backs:
// their handles of it are stale.
func (s *Server) Remove(path string) error {
	s.fsMu.Lock()
	defer s.fsMu.Unlock()
	dir, name, err := s.parentLocked("remove", path)
	if err != nil {
		return err
	}
	var r nfs3.RemoveReply
	if s.fs.remove(&ident{}, dir, name, &r); r.Status == nfs3.ErrIsdir {
		var d nfs3.RmdirReply
		s.fs.rmdir(&ident{}, dir, name, &d)
		r.Status = d.Status
	}
	if r.Status != nfs3.OK {
		return &fs.PathError{Op: "remove", Path: path, Err: r.Status}
	}
	return nil
}

// Rename renames a file behind the clients' backs.
func (s *Server) Rename(from, to string) error {
	s.fsMu.Lock()
	defer s.fsMu.Unlock()
	fd, fn, err := s.parentLocked("rename", from)
	if err != nil {
		return err
	}
	td, tn, err := s.parentLocked("rename", to)
	if err != nil {
		return err
	}
	var r nfs3.RenameReply
	if s.fs.rename(&ident{}, fd, fn, td, tn, &r); r.Status != nfs3.OK {
		return &fs.PathError{Op: "rename", Path: from, Err: r.Status}
	}
	return nil
}

// Stat returns the attributes of a file; symbolic links are not followed.
func (s *Server) Stat(path string) (nfs3.Fattr, error) {
	s.fsMu.Lock()
	defer s.fsMu.Unlock()
	fh, err := s.resolveLocked("stat", path)
	if err != nil {
		return nfs3.Fattr{}, err
	}
	var r nfs3.GetattrReply
	if s.fs.getattr(fh, &r); r.Status != nfs3.OK {
		return nfs3.Fattr{}, &fs.PathError{Op: "stat", Path: path, Err: r.Status}
	}
	return r.Attr, nil
}

// Handle returns the file handle of a file.
func (s *Server) Handle(path string) (nfs3.FH, error) {
	s.fsMu.Lock()
	defer s.fsMu.Unlock()
	return s.resolveLocked("handle", path)
}

// Setattr changes attributes, as root.
func (s *Server) Setattr(path string, a *nfs3.Sattr) error {
	s.fsMu.Lock()
	defer s.fsMu.Unlock()
	fh, err := s.resolveLocked("setattr", path)
	if err != nil {
		return err
	}
	var r nfs3.SetattrReply
	if s.fs.setattr(&ident{}, fh, a, nil, &r); r.Status != nfs3.OK {
		return &fs.PathError{Op: "setattr", Path: path, Err: r.Status}
	}
	return nil
}

// Unsaved returns the paths of the files that hold UNSTABLE data, which a
// Restart would lose.
func (s *Server) Unsaved() []string {
	s.fsMu.Lock()
	defer s.fsMu.Unlock()
	return s.fs.unsaved()
}

// Tree returns one line for each file: type and mode, links, owner, size and
// path, and the target of a symbolic link; in the order of the names. Times are
// left out, so that the trees of two runs can be compared.
func (s *Server) Tree() ([]string, error) {
	s.fsMu.Lock()
	defer s.fsMu.Unlock()
	var lines []string
	err := s.treeLocked(s.fs.rootFH(), "", &lines)
	return lines, err
}

func (s *Server) treeLocked(dir nfs3.FH, path string, lines *[]string) error {
	entries, err := s.listLocked(dir, path)
	if err != nil {
		return err
	}
	for _, e := range entries {
		p := strings.TrimPrefix(path+"/"+e.Name, "/")
		a := e.Attr.Attr
		typ := strings.ToLower(strings.TrimPrefix(a.Type.String(), "NF3"))
		line := fmt.Sprintf("%s %04o %d %d:%d %d %s", typ, a.Mode, a.Nlink, a.UID, a.GID, a.Size, p)
		switch a.Type {
		case nfs3.TypeDir:
			// The size of a directory is the file system's own affair.
			line = fmt.Sprintf("%s %04o %d %d:%d - %s", typ, a.Mode, a.Nlink, a.UID, a.GID, p)
		case nfs3.TypeLnk:
			var r nfs3.ReadlinkReply
			s.fs.readlink(e.FH.FH, &r)
			line += " -> " + r.Target
		}
		*lines = append(*lines, line)
		if a.Type == nfs3.TypeDir {
			if err := s.treeLocked(e.FH.FH, p, lines); err != nil {
				return err
			}
		}
	}
	return nil
}
