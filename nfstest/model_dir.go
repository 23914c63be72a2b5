package nfstest

import (
	"slices"
	"strings"

	"github.com/gonfs/gonfs/nfs3"
)

// Cookies of the entries that every directory has.
const (
	cookieDot    = 1
	cookieDotDot = 2
)

// directory is the content of a directory. An entry's cookie is given once
// and never again, so a listing that goes on at a cookie neither skips nor
// repeats an entry, whatever was removed meanwhile.
type directory struct {
	parent *inode // what ".." is; the root is its own
	names  map[string]*dirent
	order  []*dirent // by ascending cookie
	next   uint64    // the next cookie
}

type dirent struct {
	name   string
	node   *inode
	cookie uint64
}

func newDirectory() *directory {
	return &directory{names: make(map[string]*dirent), next: cookieDotDot + 1}
}

// lookup returns the inode that name stands for, or nil.
func (d *directory) lookup(name string) *inode {
	if e := d.names[name]; e != nil {
		return e.node
	}
	return nil
}

// put makes name stand for n. A name that exists keeps its cookie: a rename
// over it is atomic to a listing too.
func (d *directory) put(name string, n *inode) {
	if e := d.names[name]; e != nil {
		e.node = n
		return
	}
	e := &dirent{name: name, node: n, cookie: d.next}
	d.next++
	d.names[name] = e
	d.order = append(d.order, e)
}

// drop removes name.
func (d *directory) drop(name string) {
	e := d.names[name]
	if e == nil {
		return
	}
	delete(d.names, name)
	i := d.after(e.cookie - 1)
	d.order = slices.Delete(d.order, i, i+1)
}

// after returns the index of the first entry whose cookie is greater.
func (d *directory) after(cookie uint64) int {
	i, _ := slices.BinarySearchFunc(d.order, cookie, func(e *dirent, c uint64) int {
		if e.cookie <= c {
			return -1
		}
		return 1
	})
	return i
}

// each calls f for the entries behind cookie, "." and ".." first, until f
// returns false. It reports whether the end was reached.
func (d *directory) each(self *inode, cookie uint64, f func(dirent) bool) bool {
	if cookie < cookieDot && !f(dirent{".", self, cookieDot}) {
		return false
	}
	if cookie < cookieDotDot && !f(dirent{"..", d.parent, cookieDotDot}) {
		return false
	}
	for _, e := range d.order[d.after(cookie):] {
		if !f(*e) {
			return false
		}
	}
	return true
}

// within reports whether n is d's directory or lies below it.
func (n *inode) within(top *inode) bool {
	for {
		if n == top {
			return true
		}
		if n.dir.parent == n {
			return false
		}
		n = n.dir.parent
	}
}

// checkName says whether name may be given to a file.
func checkName(name string) nfs3.Status {
	switch {
	case name == "" || strings.ContainsAny(name, "/\x00"):
		return nfs3.ErrInval
	case name == "." || name == "..":
		return nfs3.ErrExist
	case len(name) > nameMax:
		return nfs3.ErrNametoolong
	}
	return nfs3.OK
}
