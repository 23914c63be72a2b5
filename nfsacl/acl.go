package nfsacl

import (
	"cmp"
	"fmt"
	"io/fs"
	"slices"
)

// Tag says whom an entry is about. The numbers are those of acl(5) on Linux,
// of Solaris and of the wire alike.
type Tag uint32

// The tags, in the order in which a list has its entries.
const (
	UserObj  Tag = 0x01 // the owner
	User     Tag = 0x02 // a named user
	GroupObj Tag = 0x04 // the owning group
	Group    Tag = 0x08 // a named group
	Mask     Tag = 0x10 // the most that all but the owner and others get
	Other    Tag = 0x20 // everybody else
)

// Permissions of an entry, as in a mode.
const (
	Execute = 1
	Write   = 2
	Read    = 4
)

// named reports whether entries of the tag have an id.
func (t Tag) named() bool { return t == User || t == Group }

// Entry grants Perm, a sum of Read, Write and Execute, to whom Tag and, for
// User and Group, ID name. ID is 0 for the other tags.
type Entry struct {
	Tag  Tag
	ID   uint32
	Perm uint32
}

// ACL is a list as acl(5) has it. nil is no list. Lists that this package
// returns are sorted by Tag, then ID, and have no mask that says nothing.
type ACL []Entry

// FromMode returns the list that says what the permission bits of mode say.
func FromMode(mode uint32) ACL {
	return ACL{{UserObj, 0, mode >> 6 & 7}, {GroupObj, 0, mode >> 3 & 7}, {Other, 0, mode & 7}}
}

// Minimal reports whether a has the three entries alone that every object has:
// the list says no more than the mode.
func (a ACL) Minimal() bool {
	return len(a) == 3 && a.find(UserObj) != nil && a.find(GroupObj) != nil && a.find(Other) != nil
}

// Named reports whether a has entries for named users or groups.
func (a ACL) Named() bool {
	return slices.ContainsFunc(a, func(e Entry) bool { return e.Tag.named() })
}

// Mode returns mode with the permission bits that an object with the access
// list a has: those of the owner, the mask or else the group, and others.
func (a ACL) Mode(mode uint32) uint32 {
	set := func(e *Entry, shift uint) {
		if e != nil {
			mode = mode&^(7<<shift) | e.Perm&7<<shift
		}
	}
	set(a.find(UserObj), 6)
	if m := a.find(Mask); m != nil {
		set(m, 3)
	} else {
		set(a.find(GroupObj), 3)
	}
	set(a.find(Other), 0)
	return mode
}

// Inherit returns what an object begins with that is made with mode in a
// directory whose default list is a: the access list, and the mode that goes
// with it (acl(5), "Object creation and default ACLs"; the umask does not
// count). The list is nil if the mode says it all.
func (a ACL) Inherit(mode uint32) (ACL, uint32) {
	list := slices.Clone(a)
	limit := func(e *Entry, shift uint) {
		if e != nil {
			e.Perm &= mode >> shift & 7
		}
	}
	limit(list.find(UserObj), 6)
	if m := list.find(Mask); m != nil {
		limit(m, 3)
	} else {
		limit(list.find(GroupObj), 3)
	}
	limit(list.find(Other), 0)
	mode = list.Mode(mode)
	if list.Minimal() {
		list = nil
	}
	return list, mode
}

// Chmod returns a with the permissions of mode, as chmod(2) changes a list: the
// mask, where there is one, takes the bits of the group.
func (a ACL) Chmod(mode uint32) ACL {
	list := slices.Clone(a)
	set := func(e *Entry, shift uint) {
		if e != nil {
			e.Perm = mode >> shift & 7
		}
	}
	set(list.find(UserObj), 6)
	if m := list.find(Mask); m != nil {
		set(m, 3)
	} else {
		set(list.find(GroupObj), 3)
	}
	set(list.find(Other), 0)
	return list
}

// find returns the first entry with a tag, or nil.
func (a ACL) find(t Tag) *Entry {
	for i := range a {
		if a[i].Tag == t {
			return &a[i]
		}
	}
	return nil
}

// ListError tells what keeps entries from being a list.
type ListError struct{ Msg string }

// Error implements error.
func (e *ListError) Error() string { return "nfsacl: not an access control list: " + e.Msg }

// Is maps e to fs.ErrInvalid.
func (e *ListError) Is(target error) bool { return target == fs.ErrInvalid }

// Valid returns nil if a is a list by acl(5), and otherwise a *ListError: it
// has one entry each for the owner, the group and others, no user or group
// twice, a mask if any is named, known tags and no other permissions than rwx,
// and at most MaxEntries entries.
func (a ACL) Valid() error {
	if len(a) > MaxEntries {
		return &ListError{fmt.Sprintf("%d entries, where %d is the most", len(a), MaxEntries)}
	}
	seen := make(map[Entry]bool, len(a))
	for _, e := range a {
		key := Entry{Tag: e.Tag}
		switch e.Tag {
		case User, Group:
			key.ID = e.ID
		case UserObj, GroupObj, Mask, Other:
		default:
			return &ListError{fmt.Sprintf("tag %#x", uint32(e.Tag))}
		}
		if e.Perm > 7 {
			return &ListError{fmt.Sprintf("permissions %#x", e.Perm)}
		}
		if seen[key] {
			return &ListError{"two entries for " + e.who()}
		}
		seen[key] = true
	}
	for _, t := range []Tag{UserObj, GroupObj, Other} {
		if !seen[Entry{Tag: t}] {
			return &ListError{"no entry for " + Entry{Tag: t}.who()}
		}
	}
	if a.Named() && !seen[Entry{Tag: Mask}] {
		return &ListError{"a named user or group, but no mask"}
	}
	return nil
}

// who names whom e is about.
func (e Entry) who() string {
	switch e.Tag {
	case UserObj:
		return "the owner"
	case User:
		return fmt.Sprintf("user %d", e.ID)
	case GroupObj:
		return "the group"
	case Group:
		return fmt.Sprintf("group %d", e.ID)
	case Mask:
		return "the mask"
	}
	return "others"
}

// Sort puts the entries into the order of acl(5), in place: by tag, then id.
func (a ACL) Sort() {
	slices.SortStableFunc(a, func(x, y Entry) int {
		return cmp.Or(cmp.Compare(x.Tag, y.Tag), cmp.Compare(x.ID, y.ID))
	})
}

// UpdateMask sets the mask to all that is granted to the group, to named users
// and to named groups, adding one if a has named entries and no mask: what
// setfacl(1) does after a change. It returns the list, sorted.
func (a ACL) UpdateMask() ACL {
	var perm uint32
	for _, e := range a {
		if e.Tag.named() || e.Tag == GroupObj {
			perm |= e.Perm
		}
	}
	if m := a.find(Mask); m != nil {
		m.Perm = perm
	} else if a.Named() {
		a = append(a, Entry{Mask, 0, perm})
	}
	a.Sort()
	return a
}
