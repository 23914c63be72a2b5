package nfsacl

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestValidByACL5(t *testing.T) {
	many := ACL{{UserObj, 0, 7}, {GroupObj, 0, 5}, {Mask, 0, 7}, {Other, 0, 0}}
	for i := range uint32(1021) {
		many = append(many, Entry{User, i, 7})
	}
	for _, tt := range []struct {
		name string
		acl  ACL
		ok   bool
	}{
		{"the three that every object has", plain, true},
		{"all tags", full, true},
		{"a mask alone besides", ACL{{UserObj, 0, 7}, {GroupObj, 0, 5}, {Mask, 0, 1}, {Other, 0, 0}}, true},
		{"1024 entries", many[:1024], true},
		{"1025 entries", many, false},
		{"no entries", nil, false},
		{"no owner", full[1:], false},
		{"no others", full[:5], false},
		{"no group", ACL{{UserObj, 0, 7}, {Other, 0, 0}}, false},
		{"two owners", append(ACL{{UserObj, 0, 1}}, full...), false},
		{"one user twice", append(ACL{{User, 1001, 1}}, full...), false},
		{"a user and a group of the same number", append(ACL{{Group, 1001, 1}}, full...), true},
		{"a named user without a mask", ACL{{UserObj, 0, 7}, {User, 5, 7}, {GroupObj, 0, 5}, {Other, 0, 0}}, false},
		{"an unknown tag", append(ACL{{3, 0, 1}}, full...), false},
		{"permissions beyond rwx", ACL{{UserObj, 0, 8}, {GroupObj, 0, 5}, {Other, 0, 0}}, false},
	} {
		var e *ListError
		if err := tt.acl.Valid(); (err == nil) != tt.ok || err != nil && !errors.As(err, &e) {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
}

// The results are those of a directory on ext4 with the same default list.
func TestInheritAsOnExt4(t *testing.T) {
	mask5 := ACL{{UserObj, 0, 7}, {User, 1001, 7}, {GroupObj, 0, 5}, {Mask, 0, 5}, {Other, 0, 5}}
	for _, tt := range []struct {
		name string
		dir  ACL
		mode uint32
		want ACL
		bits uint32
	}{
		{"a file that open(2) makes with 0666", full, 0o666,
			ACL{{UserObj, 0, 6}, {User, 1001, 6}, {GroupObj, 0, 5}, {Group, 50, 4}, {Mask, 0, 6}, {Other, 0, 0}}, 0o660},
		{"a directory that mkdir(2) makes with 0777", mask5, 0o777, mask5, 0o755},
		{"a private file", mask5, 0o600,
			ACL{{UserObj, 0, 6}, {User, 1001, 7}, {GroupObj, 0, 5}, {Mask, 0, 0}, {Other, 0, 0}}, 0o600},
		{"set-id and sticky bits stay", mask5, 0o7777, mask5, 0o7755},
		{"a list that says no more than a mode", plain, 0o666, nil, 0o640},
	} {
		got, bits := tt.dir.Inherit(tt.mode)
		if diff := cmp.Diff(tt.want, got); diff != "" || bits != tt.bits {
			t.Errorf("%s: mode %04o, want %04o; %s", tt.name, bits, tt.bits, diff)
		}
	}
	if diff := cmp.Diff(ACL{{UserObj, 0, 7}, {User, 1001, 6}, {GroupObj, 0, 5}, {Group, 50, 4}, {Mask, 0, 7}, {Other, 0, 1}}, full); diff != "" {
		t.Errorf("the directory's list was changed: %s", diff)
	}
}

func TestModeAndChmodMeanTheMask(t *testing.T) {
	if got := full.Mode(0o4000); got != 0o4771 {
		t.Errorf("the mode of a list with a mask is %04o", got)
	}
	if got := plain.Mode(0o777); got != 0o640 {
		t.Errorf("the mode of a list without is %04o", got)
	}
	want := ACL{{UserObj, 0, 6}, {User, 1001, 6}, {GroupObj, 0, 5}, {Group, 50, 4}, {Mask, 0, 4}, {Other, 0, 0}}
	if diff := cmp.Diff(want, full.Chmod(0o640)); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(plain, FromMode(0o777).Chmod(0o640)); diff != "" {
		t.Error(diff)
	}
}

func TestUpdateMask(t *testing.T) {
	for _, tt := range []struct {
		name      string
		acl, want ACL
	}{
		{"added where somebody is named", ACL{{Other, 0, 0}, {User, 5, 6}, {GroupObj, 0, 1}, {UserObj, 0, 7}},
			ACL{{UserObj, 0, 7}, {User, 5, 6}, {GroupObj, 0, 1}, {Mask, 0, 7}, {Other, 0, 0}}},
		{"made right where it is", ACL{{UserObj, 0, 7}, {GroupObj, 0, 4}, {Group, 9, 2}, {Mask, 0, 1}, {Other, 0, 1}},
			ACL{{UserObj, 0, 7}, {GroupObj, 0, 4}, {Group, 9, 2}, {Mask, 0, 6}, {Other, 0, 1}}},
		{"none where nobody is named", plain, plain},
	} {
		if diff := cmp.Diff(tt.want, append(ACL(nil), tt.acl...).UpdateMask()); diff != "" {
			t.Errorf("%s: %s", tt.name, diff)
		}
	}
}
