package trees

import "errors"

// same reports whether a file of From and one of To are one: by their
// identities on one server. Elsewhere they can be one as well, where a server
// has two addresses, or a side is a mount of what is on the other; then the
// number of the file and the time when it was changed last, to the nanosecond,
// are what both sides tell alike. Copies of whole disks have these alike too:
// two servers tell them apart by the number of the file system.
func (c *Copy) same(from, to Identity) bool {
	switch {
	case from.ID != to.ID || from.ID == 0:
		return false
	case c.OneServer:
		return from.FS == to.FS
	case from.Served && to.Served && from.FS != to.FS:
		return false
	}
	return from.Ctime.Equal(to.Ctime)
}

// apart makes sure that the directory e is not the one that is copied to:
// copying a tree into itself would not end, and copying it onto itself would
// cut each file before it is read. If that one was made for the copy, what is copied
// there has changed it by the time that the walk comes to it. So a later change will
// do: hardly another directory of this number was changed meanwhile, too.
func (c *Copy) apart(e *Entry) error {
	id := c.From.Identity(e.Info)
	if c.newTop && id.Ctime.After(c.top.Ctime) {
		id.Ctime = c.top.Ctime
	}
	if c.same(id, c.top) {
		return errors.New("a directory cannot be copied into itself")
	}
	return nil
}
