package nfsacl

import (
	"fmt"
	"slices"
)

// Edit is what a call of setfacl(1) does to the lists of a file, in this order.
type Edit struct {
	Clear        bool        // -b: all goes that the mode does not say
	ClearDefault bool        // -k: the default list goes
	Set          []TextEntry // --set: these replace the lists that they belong to
	Remove       []TextEntry // -x: these go; their permissions mean nothing
	Modify       []TextEntry // -m: these are set, or added
	KeepMask     bool        // -n: the mask stays, though it would have to be another
}

// Apply returns the lists of a file after the edit: nil stands for none, and an
// access list of three entries for what the mode says. access and initial are
// what it has, nil for none, mode its permissions; dir says that it is a
// directory, which alone has a default list. Errors are *ListError.
func (e *Edit) Apply(access, initial ACL, mode uint32, dir bool) (ACL, ACL, error) {
	if access = slices.Clone(access); len(access) == 0 {
		access = FromMode(mode)
	}
	initial = slices.Clone(initial)
	if e.Clear {
		access, initial = access.base(), nil
	}
	if e.ClearDefault {
		initial = nil
	}
	var err error
	set, setDefault := split(e.Set)
	if len(set) > 0 {
		access = nil
	}
	if len(setDefault) > 0 {
		initial = nil
	}
	del, delDefault := split(e.Remove)
	mod, modDefault := split(e.Modify)
	if access, err = e.one(access, del, append(set, mod...), dir); err != nil {
		return nil, nil, err
	}
	changes := append(setDefault, modDefault...)
	if len(changes) > 0 && !dir {
		return nil, nil, &ListError{"only a directory has a default list"}
	}
	if len(changes) > 0 {
		initial = initial.completed(access)
	}
	if len(initial) > 0 {
		initial, err = e.one(initial, delDefault, changes, dir)
	}
	return access, initial, err
}

// one edits one list.
func (e *Edit) one(a ACL, remove, change []TextEntry, dir bool) (ACL, error) {
	maskGiven := false
	for _, t := range remove {
		if t.Tag == UserObj || t.Tag == GroupObj || t.Tag == Other {
			return nil, &ListError{fmt.Sprintf("the entry for %s cannot be removed", t.who())}
		}
		a = slices.DeleteFunc(a, func(x Entry) bool { return x.Tag == t.Tag && x.ID == t.ID })
	}
	before := slices.Clone(a)
	for _, t := range change {
		maskGiven = maskGiven || t.Tag == Mask
		if t.CapX && (dir || before.executes()) {
			t.Perm |= Execute
		}
		i := slices.IndexFunc(a, func(x Entry) bool { return x.Tag == t.Tag && x.ID == t.ID })
		if i < 0 {
			a = append(a, t.Entry)
		} else {
			a[i] = t.Entry
		}
	}
	a.Sort()
	switch touched := len(remove)+len(change) > 0; {
	case !touched, maskGiven:
	case !e.KeepMask:
		a = a.UpdateMask()
	case a.find(Mask) == nil && len(a) > 3: // a list must have one: as much as the group had
		if g := a.find(GroupObj); g != nil {
			a = append(a, Entry{Mask, 0, g.Perm})
			a.Sort()
		}
	}
	return a, a.Valid()
}

// executes reports whether anybody may execute the file.
func (a ACL) executes() bool {
	return slices.ContainsFunc(a, func(e Entry) bool { return a.Effective(e)&Execute != 0 })
}

// base returns the three entries that every object has. The group keeps what
// the mask left of its permissions.
func (a ACL) base() ACL {
	b := ACL{}
	for _, e := range a {
		switch e.Tag {
		case UserObj, GroupObj, Other:
			e.Perm = a.Effective(e)
			b = append(b, e)
		}
	}
	return b
}

// completed returns a with what it lacks of the three entries that a list must
// have, as access has them.
func (a ACL) completed(access ACL) ACL {
	for _, t := range []Tag{UserObj, GroupObj, Other} {
		if from := access.find(t); a.find(t) == nil && from != nil {
			a = append(a, *from)
		}
	}
	return a
}

// WithoutDefault returns the entries that are not of a default list: all that a
// file that is no directory can have.
func WithoutDefault(all []TextEntry) []TextEntry {
	access, _ := split(all)
	return access
}

// split parts the entries of access lists from those of default lists.
func split(all []TextEntry) (access, initial []TextEntry) {
	for _, t := range all {
		if t.Default {
			initial = append(initial, t)
		} else {
			access = append(access, t)
		}
	}
	return access, initial
}
