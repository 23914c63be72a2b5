package nfsacl

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// edits are calls of setfacl(1), and what becomes of a file's lists.
var edits = []struct {
	name  string
	flags string // of setfacl
	has   string // access list;default list
	dir   bool
	want  string // likewise; "" is an error
}{
	{"a user is added, and a mask", "-m u:7:rw", "u::rw,g::r,o::-;", false, "user::rw-,user:7:rw-,group::r--,mask::rw-,other::---;"},
	{"the mask grows with what is granted", "-m g:8:x", "u::rw,u:7:r,g::r,m::r,o::-;", false, "user::rw-,user:7:r--,group::r--,group:8:--x,mask::r-x,other::---;"},
	{"a mask that was given stays", "-m u:7:rwx,m::r", "u::rw,g::r,o::-;", false, "user::rw-,user:7:rwx,group::r--,mask::r--,other::---;"},
	{"with -n the mask stays", "-n -m u:7:rwx", "u::rw,u:8:r,g::r,m::r,o::-;", false, "user::rw-,user:7:rwx,user:8:r--,group::r--,mask::r--,other::---;"},
	{"with -n a mask is made of the group's", "-n -m u:7:rwx", "u::rw,g::r,o::-;", false, "user::rw-,user:7:rwx,group::r--,mask::r--,other::---;"},
	{"entries of the mode", "-m u::r,g::-,o::x", "u::rw,g::r,o::-;", false, "user::r--,group::---,other::--x;"},
	{"X is for what is executable", "-m u:7:rX", "u::rw,g::r,o::-;", false, "user::rw-,user:7:r--,group::r--,mask::r--,other::---;"},
	{"X where somebody may", "-m u:7:rX", "u::rwx,g::r,o::-;", false, "user::rwx,user:7:r-x,group::r--,mask::r-x,other::---;"},
	{"X for a directory", "-m u:7:rX", "u::rw,g::r,o::-;", true, "user::rw-,user:7:r-x,group::r--,mask::r-x,other::---;"},
	{"a user is removed; the mask stays", "-x u:7", "u::rw,u:7:rwx,g::r,m::rwx,o::-;", false, "user::rw-,group::r--,mask::r--,other::---;"},
	{"a user who is not there is removed", "-x u:9", "u::rw,g::r,o::-;", false, "user::rw-,group::r--,other::---;"},
	{"one is removed and one added", "-x u:7 -m u:8:r", "u::rw,u:7:rwx,g::r,m::rwx,o::-;", false, "user::rw-,user:8:r--,group::r--,mask::r--,other::---;"},
	{"the owner cannot be removed", "-x u::", "u::rw,g::r,o::-;", false, ""},
	{"all is removed; the group keeps what it had", "-b", "u::rw,u:7:r,g::rwx,m::r,o::x;u::rwx,g::r,o::-", true, "user::rw-,group::r--,other::--x;"},
	{"the default list is removed", "-k", "u::rw,u:7:r,g::r,m::r,o::-;u::rwx,g::r,o::-", true, "user::rw-,user:7:r--,group::r--,mask::r--,other::---;"},
	{"a default entry brings the rest along", "-m d:u:7:rwx", "u::rwx,g::rx,o::-;", true, "user::rwx,group::r-x,other::---;user::rwx,user:7:rwx,group::r-x,mask::rwx,other::---"},
	{"-d makes them default entries", "-d -m u:7:r,g::w", "u::rwx,g::rx,o::-;", true, "user::rwx,group::r-x,other::---;user::rwx,user:7:r--,group::-w-,mask::rw-,other::---"},
	{"a default entry is changed", "-m d:o::r", "u::rwx,g::rx,o::-;u::rwx,u:7:rx,g::r,m::rx,o::-", true, "user::rwx,group::r-x,other::---;user::rwx,user:7:r-x,group::r--,mask::r-x,other::r--"},
	{"a default entry is removed", "-x d:u:7", "u::rwx,g::rx,o::-;u::rwx,u:7:rx,g::r,m::rx,o::-", true, "user::rwx,group::r-x,other::---;user::rwx,group::r--,mask::r--,other::---"},
	{"a file has no default list", "-m d:u:7:r", "u::rwx,g::rx,o::-;", false, ""},
	{"lists are replaced", "--set u::r,g::r,o::r,u:9:w", "u::rw,u:7:r,g::r,m::r,o::-;u::rwx,g::r,o::-", true, "user::r--,user:9:-w-,group::r--,mask::rw-,other::r--;user::rwx,group::r--,other::---"},
	{"what replaces must be a list", "--set u::r,g::r", "u::rw,g::r,o::-;", false, ""},
}

// editOf reads the flags of setfacl.
func editOf(t *testing.T, flags string) Edit {
	t.Helper()
	var e Edit
	f, def := strings.Fields(flags), false
	for i := 0; i < len(f); i++ {
		read := func() []TextEntry {
			i++
			l, err := ParseEntries(f[i], Names{})
			if err != nil {
				t.Fatal(err)
			}
			for k := range l {
				l[k].Default = l[k].Default || def
			}
			return l
		}
		switch f[i] {
		case "-b":
			e.Clear = true
		case "-k":
			e.ClearDefault = true
		case "-n":
			e.KeepMask = true
		case "-d":
			def = true
		case "-m":
			e.Modify = read()
		case "-x":
			e.Remove = read()
		case "--set":
			e.Set = read()
		}
	}
	return e
}

func TestEditsOfLists(t *testing.T) {
	for _, tt := range edits {
		var has [2]ACL
		for i, text := range strings.Split(tt.has, ";") {
			if text != "" {
				has[i], _ = Parse(text, Names{})
			}
		}
		before := slices.Clone(has[0])
		e := editOf(t, tt.flags)
		access, initial, err := e.Apply(has[0], has[1], 0, tt.dir)
		got := access.String() + ";" + initial.String()
		if err != nil {
			got = ""
		}
		if got != tt.want {
			t.Errorf("%s: setfacl %s of %s gives\n%s, want\n%s (%v)", tt.name, tt.flags, tt.has, got, tt.want, err)
		}
		if diff := cmp.Diff(before, has[0]); diff != "" {
			t.Errorf("%s: the list that was given has changed: %s", tt.name, diff)
		}
	}
}

// setfacl(1) itself is the oracle of the table, where it is installed.
func TestSetfaclDoesTheSame(t *testing.T) {
	tool, err := exec.LookPath("setfacl")
	if err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal(err)
		}
		t.Skip(err)
	}
	for _, tt := range edits {
		path := filepath.Join(t.TempDir(), "f")
		if tt.dir {
			err = os.Mkdir(path, 0o700)
		} else {
			err = os.WriteFile(path, nil, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
		access, initial, _ := strings.Cut(tt.has, ";")
		start := []string{"--set", access}
		if initial != "" {
			start[1] += ",d:" + strings.ReplaceAll(initial, ",", ",d:")
		}
		if out, err := exec.Command(tool, append(start, path)...).CombinedOutput(); err != nil {
			t.Skipf("the file system has no lists: %s", out)
		}
		out, err := exec.Command(tool, append(strings.Fields(tt.flags), path)...).CombinedOutput()
		if (err != nil) != (tt.want == "") {
			t.Errorf("%s: setfacl %s: %v %s", tt.name, tt.flags, err, out)
			continue
		}
		if tt.want == "" {
			continue
		}
		text, err := exec.Command("getfacl", "-cn", "--absolute-names", "-E", path).Output()
		if err != nil {
			t.Fatal(err)
		}
		var got [2][]string
		for _, line := range strings.Fields(string(text)) {
			if d, ok := strings.CutPrefix(line, "default:"); ok {
				got[1] = append(got[1], d)
			} else {
				got[0] = append(got[0], line)
			}
		}
		if s := strings.Join(got[0], ",") + ";" + strings.Join(got[1], ","); s != tt.want {
			t.Errorf("%s: setfacl %s of %s gives\n%s, the table has\n%s", tt.name, tt.flags, tt.has, s, tt.want)
		}
	}
}
