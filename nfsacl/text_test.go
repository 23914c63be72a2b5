package nfsacl

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// joe is a system with one user and one group.
var joe = Names{
	User:    func(id uint32) string { return map[uint32]string{1001: "joe"}[id] },
	Group:   func(id uint32) string { return map[uint32]string{50: "staff"}[id] },
	UserID:  func(name string) (uint32, bool) { return 1001, name == "joe" },
	GroupID: func(name string) (uint32, bool) { return 50, name == "staff" },
}

func TestParseEntriesAsSetfacl(t *testing.T) {
	for _, tt := range []struct {
		text string
		want []TextEntry
	}{
		{"u::rwx", []TextEntry{{Entry: Entry{UserObj, 0, 7}}}},
		{"u:joe:rw,g:staff:r-x", []TextEntry{{Entry: Entry{User, 1001, 6}}, {Entry: Entry{Group, 50, 5}}}},
		{"user:joe:rw-\ngroup::r--\n", []TextEntry{{Entry: Entry{User, 1001, 6}}, {Entry: Entry{GroupObj, 0, 4}}}},
		{"u:4294967294:7", []TextEntry{{Entry: Entry{User, 1<<32 - 2, 7}}}},
		{"d:u:7:x,default:m::-", []TextEntry{{Entry: Entry{User, 7, 1}, Default: true}, {Entry: Entry{Mask, 0, 0}, Default: true}}},
		{"m:rx,o:0,o::r", []TextEntry{{Entry: Entry{Mask, 0, 5}}, {Entry: Entry{Other, 0, 0}}, {Entry: Entry{Other, 0, 4}}}},
		{"g:staff:rX", []TextEntry{{Entry: Entry{Group, 50, 4}, CapX: true}}},
		{"u:joe, d:g:staff, m", []TextEntry{
			{Entry: Entry{User, 1001, 0}, NoPerm: true}, {Entry: Entry{Group, 50, 0}, Default: true, NoPerm: true}, {Entry: Entry{Mask, 0, 0}, NoPerm: true}}},
		{"# file: x\nuser::r-- #effective:r--\n\n", []TextEntry{{Entry: Entry{UserObj, 0, 4}}}},
		{"", nil},
	} {
		got, err := ParseEntries(tt.text, joe)
		if diff := cmp.Diff(tt.want, got); err != nil || diff != "" {
			t.Errorf("%q: %v %s", tt.text, err, diff)
		}
	}
	for _, bad := range []string{"x:joe:r", "joe", "u:nobody-here:r", "u:-1:r", "u:4294967295:r", "u:joe:q", "u:joe:8", "m:joe:r", "u:joe:r:w", "d:"} {
		var e *TextError
		if got, err := ParseEntries(bad, joe); !errors.As(err, &e) || e.Text != bad {
			t.Errorf("%q: got %v, %v", bad, got, err)
		}
	}
}

func TestTextOfEntries(t *testing.T) {
	var got []string
	for _, e := range append(append(ACL(nil), full...), Entry{User, 9, 1}) {
		got = append(got, e.Text(joe))
	}
	want := []string{"user::rwx", "user:joe:rw-", "group::r-x", "group:staff:r--", "mask::rwx", "other::--x", "user:9:--x"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if got := full[1].Text(Names{}); got != "user:1001:rw-" {
		t.Errorf("without names: %s", got)
	}
}

func TestTheMaskLimitsWhatIsEffective(t *testing.T) {
	a := ACL{{UserObj, 0, 7}, {User, 5, 7}, {GroupObj, 0, 6}, {Mask, 0, 4}, {Other, 0, 7}}
	for i, want := range []uint32{7, 4, 4, 4, 7} {
		if got := a.Effective(a[i]); got != want {
			t.Errorf("%s: %o effective, want %o", a[i].Text(Names{}), got, want)
		}
	}
}

func TestParseIsTheOppositeOfString(t *testing.T) {
	got, err := Parse("o::x,m::rwx,g:50:r,g::rx,u:joe:rw,u::rwx", joe)
	if diff := cmp.Diff(full, got); err != nil || diff != "" {
		t.Error(err, diff)
	}
	again, err := Parse(full.String(), Names{})
	if diff := cmp.Diff(full, again); err != nil || diff != "" {
		t.Error(full.String(), err, diff)
	}
	for _, bad := range []string{"u::rw", "u::rw,g::r,o::-,d:o::r", "u::X,g::r,o::-", "u::rw,g::,o::r"} {
		if a, err := Parse(bad, joe); err == nil {
			t.Errorf("%q is %v", bad, a)
		}
	}
}
