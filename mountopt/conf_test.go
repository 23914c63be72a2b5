package mountopt

import (
	"errors"
	"strings"
	"testing"
)

const confText = `
# Defaults of this host.
[ NFSMount_Global_Options ]
Proto = tcp
Rsize=64k
Hard=True
; Timeo is for satellites.
Timeo = "600"
Defaultvers=4.2
Defaultproto=tcp
[ Server "Big" ]
rsize=1m
nconnect=4
Lock=False
[Server "list2"]
soft=true
[ MountPoint "/mnt/a" ]
ac=False
BACKGROUND=True
rsize=8192
Rsize=4096
[ MountPoint "/bad" ]
Frob=1
`

func TestDefaultsGoBeforeTheCommandLine(t *testing.T) {
	c, err := ParseConf("conf", []byte(confText))
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name, host, dir, given, want string
	}{
		{"all mounts", "h", "/x", "", "proto=tcp,rsize=64k,hard,timeo=600"},
		{"what is given stays", "h", "", "ro,nosuid", "proto=tcp,rsize=64k,hard,timeo=600,ro,nosuid"},
		{"udp silences Proto", "h", "/x", "udp", "rsize=64k,hard,timeo=600,udp"},
		{"tcp silences Proto", "h", "/x", "tcp", "rsize=64k,hard,timeo=600,tcp"},
		{"proto silences Proto", "h", "/x", "proto=udp6", "rsize=64k,hard,timeo=600,proto=udp6"},
		{"soft silences Hard", "h", "/x", "soft", "proto=tcp,rsize=64k,timeo=600,soft"},
		{"a number silences its own", "h", "/x", "timeo=7", "proto=tcp,rsize=64k,hard,timeo=7"},
		{"a server goes before all", "big", "/x", "", "proto=tcp,hard,timeo=600,rsize=1m,nconnect=4,nolock"},
		{"lock silences Lock=False", "big", "/x", "lock", "proto=tcp,hard,timeo=600,rsize=1m,nconnect=4,lock"},
		{"local_lock silences Lock=False", "big", "/x", "local_lock=all", "proto=tcp,hard,timeo=600,rsize=1m,nconnect=4,local_lock=all"},
		{"any server of a list", "list1,list2", "/x", "", "proto=tcp,rsize=64k,timeo=600,soft"},
		{"a mount point goes before a server, and its first line counts", "big", "/mnt/a", "", "proto=tcp,hard,timeo=600,nconnect=4,nolock,noac,bg,rsize=8192"},
		{"a mount point with a slash behind it", "h", "/mnt/a/", "", "proto=tcp,hard,timeo=600,noac,bg,rsize=8192"},
		{"fg silences Background", "h", "/mnt/a", "fg", "proto=tcp,hard,timeo=600,noac,rsize=8192,fg"},
		{"ac silences ac=False", "h", "/mnt/a", "ac,bg", "proto=tcp,hard,timeo=600,rsize=8192,ac,bg"},
		{"a time of the attribute cache silences ac=False", "h", "/mnt/a", "actimeo=9,bg", "proto=tcp,hard,timeo=600,rsize=8192,actimeo=9,bg"},
		{"sloppy skips what is unknown", "h", "/bad", "sloppy", "proto=tcp,rsize=64k,hard,timeo=600,sloppy"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := c.Over(Spec{Host: tt.host, Path: "/e"}, tt.dir, tt.given)
			if err != nil || got != tt.want {
				t.Errorf("got  %s\nwant %s (%v)", got, tt.want, err)
			}
			if _, err := Parse(got); err != nil {
				t.Error(err)
			}
		})
	}
	var e *Error
	if _, err := c.Over(Spec{Host: "h"}, "/bad", ""); !errors.As(err, &e) || err.Error() != "conf:23: an incorrect mount option was specified: 'frob=1' is unknown to gonfs" {
		t.Errorf("an unknown default: %v", err)
	}
}

func TestFlagsAndTheirOpposites(t *testing.T) {
	for in, want := range map[string]string{
		"nolock=False": "lock", "resvport=false": "noresvport", "noresvport=false": "resvport", "suid=FALSE": "nosuid",
		"ro=true": "ro", "rw=False": "ro", "fg=False": "bg", "bg=False": "fg", "foreground=true": "fg", "softerr=false": "hard",
		"hard=false": "soft", "cto=False": "nocto", "noac=False": "ac", "acl=false": "noacl", "_netdev=true": "_netdev",
		`sec="sys:none"`: "sec=sys:none", "sec='none'": "sec=none", "acregmin=0x10": "acregmin=0x10", "rdirplus=True": "rdirplus",
		"Udpfrag=refuse": "udpfrag=refuse", "WRITE='eager'": "write=eager", "Bsize=8k": "bsize=8k",
	} {
		c, err := ParseConf("f", []byte("[nfsmount_global_options]\n"+in))
		if err != nil {
			t.Errorf("%s: %v", in, err)
			continue
		}
		if got, err := c.Over(Spec{Host: "h"}, "", ""); got != want || err != nil {
			t.Errorf("%s is %s, want %s (%v)", in, got, want, err)
		}
	}
}

func TestFaultsOfAConf(t *testing.T) {
	for in, want := range map[string]string{
		"Proto=udp":                    "f:1: 'Proto=udp': it stands before the first section",
		"[Server]":                     "f:1: '[Server]': the section names no server",
		"\n[ Server \"h\"":             `f:2: '[ Server "h"': the closing bracket is missing`,
		"[Other]":                      "f:1: '[Other]': a section is MountPoint, Server or NFSMount_Global_Options",
		"[Server h]\nhard":             "f:2: 'hard': it is not 'Option = value'",
		"[Server h]\nrsize=":           "f:2: 'rsize=': it is not 'Option = value'",
		"[Server h]\nsec=a\"b":         `f:2: 'sec=a"b': a quote within the value`,
		"[Server h]\nrsize=lots":       "f:2: invalid value for 'rsize=' option: 'lots' is not a number of bytes (0 to 4294967295, k, m and g are 1024 and its powers)",
		"[Server h]\nrsize=True":       "f:2: invalid value for 'rsize=' option: 'True' is not a number of bytes (0 to 4294967295, k, m and g are 1024 and its powers)",
		"[Server h]\ntcp=False":        "f:2: invalid value for 'tcp=' option: 'False' is not True: the option has no opposite",
		"[Server h]\nnfsvers=4":        "f:2: requested NFS version or transport protocol is not supported: 'nfsvers=4': gonfs speaks NFS version 3",
		"[Server h]\nSec=krb5":         "f:2: option 'sec=krb5' is not supported by gonfs: it has no Kerberos yet, and does not go on with less security than was asked for",
		"[Server h]\nhard=yes":         "f:2: option 'hard' takes no value: 'hard=yes'",
		"[Server h]\ndefaultproto=udp": "f:2: option 'defaultproto=udp' is not supported by gonfs: TCP is tried first; Proto= settles it",
		"[Server h]\nhard=\x00":        "f: NUL byte in it",
	} {
		c, err := ParseConf("f", []byte(in))
		if err == nil {
			_, err = c.Over(Spec{Host: "h"}, "", "")
		}
		var e *Error
		if !errors.As(err, &e) || e.Error() != want {
			t.Errorf("%q\n got %v\nwant %s", in, err, want)
		}
	}
	if _, err := ParseConf("f", []byte(strings.Repeat("#\n", maxConf))); err == nil {
		t.Error("an endless file is read")
	}
}

// Whatever the file says, what comes out is an option string that Parse takes,
// or an error; and what was given has the last word.
func FuzzConf(f *testing.F) {
	f.Add(confText, "ro,soft,sec=sys")
	f.Add("[server h]\nsec=\"a,b\"\nx-note='a,b'", "")
	f.Fuzz(func(t *testing.T, text, given string) {
		if _, err := Parse(given); err != nil {
			return
		}
		c, err := ParseConf("f", []byte(text))
		if err != nil {
			return
		}
		all, err := c.Over(Spec{Host: "h"}, "/mnt/a", given)
		if err != nil {
			return
		}
		if !strings.HasSuffix(all, strings.TrimSuffix(given, ",")) {
			t.Fatalf("%q over %q is %q", given, text, all)
		}
		if _, err := Parse(all); err != nil && len(all) <= maxLen {
			t.Fatalf("%q over %q is %q: %v", given, text, all, err)
		}
	})
}
