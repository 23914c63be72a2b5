package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gonfs/gonfs/cmd/internal/argv"
	"github.com/gonfs/gonfs/nfs3"
	"github.com/gonfs/gonfs/nfstest"
)

// facl runs gonfs with the options of s behind the command, and returns what it
// said on both outputs.
func facl(t *testing.T, s *nfstest.Server, line string, args ...string) (out string, err error) {
	t.Helper()
	var b bytes.Buffer
	app := newApp()
	app.Writer, app.ErrWriter = &b, &b
	words := append(strings.Fields(line), args...)
	for i, w := range words {
		if strings.HasPrefix(w, "/") {
			words[i] = s.Export() + w
		}
	}
	words = append([]string{"gonfs", words[0], "-o", s.MountOptions()}, words[1:]...)
	err = app.RunContext(t.Context(), argv.Permute(app, words))
	return strings.ReplaceAll(b.String(), s.Export(), "server:"), err
}

func TestSetfaclAndGetfacl(t *testing.T) {
	s := nfstest.Start(t, nfstest.Options{})
	s.Mkdir("d", 0o755)
	s.Mkdir("d/sub", 0o750)
	s.WriteFile("d/f", nil, 0o640)
	s.WriteFile("d/prog", nil, 0o750)
	if err := s.Symlink("f", "d/link"); err != nil {
		t.Fatal(err)
	}
	const header = "# file: server:/d/f\n# owner: root\n# group: root\n"
	for _, step := range []struct{ line, want string }{
		{"getfacl /d/f", header + "user::rw-\ngroup::r--\nother::---\n\n"},
		{"getfacl -R /d/sub", "# file: server:/d/sub\n# owner: root\n# group: root\nuser::rwx\ngroup::r-x\nother::---\n\n"},
		{"setfacl -m u:4001:rw,g:4002:x /d/f", ""},
		{"getfacl /d/f", header + "user::rw-\nuser:4001:rw-\ngroup::r--\ngroup:4002:--x\nmask::rwx\nother::---\n\n"},
		{"setfacl -n -m m::r /d/f", ""},
		{"getfacl -c -n /d/f", "user::rw-\nuser:4001:rw-\t#effective:r--\ngroup::r--\ngroup:4002:--x\t#effective:---\nmask::r--\nother::---\n\n"},
		{"setfacl -x u:4001,g:4002 /d/f", ""},
		{"setfacl -b /d/f", ""},
		{"getfacl -s /d/f", ""},
		{"setfacl -Rm u:4001:rX,d:u:4001:rwX /d", ""},
		{"getfacl -c -R /d/sub", "user::rwx\nuser:4001:r-x\ngroup::r-x\nmask::r-x\nother::---\n" +
			"default:user::rwx\ndefault:user:4001:rwx\ndefault:group::r-x\ndefault:mask::rwx\ndefault:other::---\n\n"},
		{"getfacl -c /d/f", "user::rw-\nuser:4001:r--\ngroup::r--\nmask::r--\nother::---\n\n"},
		{"getfacl -c -a /d/prog", "user::rwx\nuser:4001:r-x\ngroup::r-x\nmask::r-x\nother::---\n\n"},
		{"getfacl -c -d /d/f", "\n"},
		{"setfacl -k /d", ""},
		{"getfacl -c -d /d", "\n"},
		{"setfacl -d --set u::rwx,g::-,o::- /d", ""},
		{"getfacl -c -d /d", "default:user::rwx\ndefault:group::---\ndefault:other::---\n\n"},
	} {
		got, err := facl(t, s, step.line)
		if err != nil || got != step.want {
			t.Fatalf("gonfs %s: %v\n%s, want\n%s", step.line, err, got, step.want)
		}
	}
	// What getfacl says of one file can be set on another.
	text, err := facl(t, s, "getfacl /d/sub")
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "acl")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	s.Mkdir("copy", 0o700)
	var b bytes.Buffer
	app := newApp()
	app.Writer = &b
	if err := app.RunContext(t.Context(), []string{"gonfs", "setfacl", "-o", s.MountOptions(), "--set-file", file, s.Export() + "/copy"}); err != nil {
		t.Fatal(err)
	}
	one, _ := facl(t, s, "getfacl -c /d/sub")
	two, err := facl(t, s, "getfacl -c /copy")
	if err != nil || one != two {
		t.Errorf("%v: %s became %s", err, one, two)
	}
}

func TestWrongUsesOfSetfacl(t *testing.T) {
	s := nfstest.Start(t, nfstest.Options{})
	s.WriteFile("f", nil, 0o640)
	for _, tt := range []struct{ line, want string }{
		{"setfacl /f", "nothing is to be done"},
		{"setfacl -m u:nobody-has-this-name:r /f", `there is no user "nobody-has-this-name"`},
		{"setfacl -m u:4001 /f", "an entry has no permissions"},
		{"setfacl -x u:4001:r /f", "has no permissions"},
		{"setfacl -m hello /f", "begins with none of user, group"},
		{"setfacl -M /none/such /f", "no such file"},
		{"setfacl -m u:4001:r", "SERVER:/PATH expected"},
		{"setfacl -m d:u:4001:r /f", "only a directory has a default list"},
		{"setfacl -x u: /f", "cannot be removed"},
		{"setfacl -m u:4001:r /none", "no such file"},
		{"getfacl /none", "no such file"},
	} {
		out, err := facl(t, s, tt.line)
		if err == nil || !strings.Contains(out+err.Error(), tt.want) {
			t.Errorf("gonfs %s: %q %v, want %q", tt.line, out, err, tt.want)
		}
	}
}

func TestFaclWhereTheServerHasNoLists(t *testing.T) {
	s := nfstest.Start(t, nfstest.Options{NoACL: true})
	s.WriteFile("f", nil, 0o640)
	if out, err := facl(t, s, "getfacl -c /f"); err != nil || out != "user::rw-\ngroup::r--\nother::---\n\n" {
		t.Errorf("getfacl: %v %s", err, out)
	}
	if out, err := facl(t, s, "setfacl -m u::rwx,o::r /f"); err != nil {
		t.Errorf("what a mode can say: %v %s", err, out)
	}
	if a, err := s.Stat("f"); err != nil || a.Mode != 0o744 || a.Type != nfs3.TypeReg {
		t.Errorf("mode %o, %v", a.Mode, err)
	}
	if out, err := facl(t, s, "setfacl -m u:4001:r /f"); err == nil || !strings.Contains(out, "no access control lists") {
		t.Errorf("what a mode cannot say: %v %s", err, out)
	}
}
