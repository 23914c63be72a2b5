package nfsacl

import (
	"encoding/binary"
	"fmt"
)

// Names of the extended attributes by which Linux's system calls give out the
// lists of a file (acl(5), xattr(7)). Their values are those of ACL.Xattr.
const (
	XattrAccess  = "system.posix_acl_access"
	XattrDefault = "system.posix_acl_default"
)

// The form of the values (Linux's include/uapi/linux/posix_acl_xattr.h): a
// version, and eight bytes an entry, the least significant byte first.
const (
	xattrVersion = 2
	xattrHead    = 4
	xattrEntry   = 8
	noID         = 1<<32 - 1 // the id of entries that name nobody
)

// MaxXattr is the length of the longest value in bytes.
const MaxXattr = xattrHead + MaxEntries*xattrEntry

// Xattr returns the value of the extended attribute that says a.
func (a ACL) Xattr() []byte {
	le := binary.LittleEndian
	b := le.AppendUint32(make([]byte, 0, xattrHead+len(a)*xattrEntry), xattrVersion)
	for _, e := range a {
		id := uint32(noID)
		if e.Tag.named() {
			id = e.ID
		}
		b = le.AppendUint16(b, uint16(e.Tag))
		b = le.AppendUint16(b, uint16(e.Perm))
		b = le.AppendUint32(b, id)
	}
	return b
}

// ParseXattr returns the list that the value of an extended attribute says,
// sorted. A value without entries is no list, nil. What is not of the form, or
// not a list by Valid, is a *ListError: anybody who may set the attributes of a
// file can send it.
func ParseXattr(value []byte) (ACL, error) {
	if len(value) == 0 {
		return nil, nil
	}
	le := binary.LittleEndian
	body := len(value) - xattrHead
	switch {
	case body < 0 || body%xattrEntry != 0:
		return nil, &ListError{fmt.Sprintf("%d bytes are no value of an attribute", len(value))}
	case le.Uint32(value) != xattrVersion:
		return nil, &ListError{fmt.Sprintf("version %d of the attribute's form", le.Uint32(value))}
	case body/xattrEntry > MaxEntries:
		return nil, &ListError{fmt.Sprintf("%d entries, where %d is the most", body/xattrEntry, MaxEntries)}
	case body == 0:
		return nil, nil
	}
	a := make(ACL, 0, body/xattrEntry)
	for b := value[xattrHead:]; len(b) > 0; b = b[xattrEntry:] {
		e := Entry{Tag: Tag(le.Uint16(b)), Perm: uint32(le.Uint16(b[2:]))}
		if e.Tag.named() {
			if e.ID = le.Uint32(b[4:]); e.ID == noID {
				return nil, &ListError{"a named user or group without an id"}
			}
		}
		a = append(a, e)
	}
	a.Sort()
	return a, a.Valid()
}
