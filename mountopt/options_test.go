package mountopt

import (
	"net/netip"
	"reflect"
	"strings"
	"testing"
	"time"
)

// Locks are the server's unless they are asked to be local, and then a mount says
// nothing of it.
func TestLocksAreTheServersByDefault(t *testing.T) {
	for in, want := range map[string]LocalLock{
		"": LocalNone, "lock": LocalNone, "nolock,lock": LocalNone, "local_lock=none": LocalNone, "local_lock=all,local_lock=none": LocalNone,
		"nolock": LocalAll, "lock,nolock": LocalAll, "local_lock=all": LocalAll, "local_lock=flock,local_lock=posix": LocalAll,
		"nolock,local_lock=none": LocalAll, "local_lock=flock": LocalFlock, "lock,local_lock=posix": LocalPosix,
	} {
		o, err := Parse(in)
		if err != nil {
			t.Fatal(err)
		}
		if o.Locks() != want {
			t.Errorf("%q: local locks are %v, want %v", in, o.Locks(), want)
		}
		if len(o.Warnings) > 0 {
			t.Errorf("%q: warned %v", in, o.Warnings)
		}
	}
}

func TestFieldsThatStringDoesNotShow(t *testing.T) {
	o, err := Parse("port=0,remount,allow_other,sloppy,nosuch,resvport")
	if err != nil {
		t.Fatal(err)
	}
	if !o.Port.Set || !o.Remount || !o.AllowOther || !o.Sloppy || !o.Resvport.Set {
		t.Errorf("got %+v", o)
	}
	if o.Rsize.Set || o.Vers.Set || o.Lock.Set {
		t.Errorf("what was not given is set: %+v", o)
	}
}

func TestSloppyAndRemountHoldForWhatStandsBeforeThem(t *testing.T) {
	for _, in := range []string{"nosuch,sloppy", "user_id=0,remount"} {
		if _, err := Parse(in); err != nil {
			t.Errorf("%q: %v", in, err)
		}
	}
}

func TestZeroOptionsAreTheDefaults(t *testing.T) {
	var o Options
	if err := o.Validate(); err != nil {
		t.Error(err)
	}
	if want := (AttrCache{3 * time.Second, time.Minute, 30 * time.Second, time.Minute}); o.AttrCache() != want {
		t.Errorf("attribute cache %v, want %v", o.AttrCache(), want)
	}
	if o.Recovery.Value != Hard || o.Resvport.Or(true) != true || o.Locks() != LocalNone {
		t.Errorf("got %+v", o)
	}
}

// A mount that has negotiated shows it in the kernel's order.
func TestStringOfANegotiatedMount(t *testing.T) {
	o := Options{
		VFS:  VFS{NoSuid: true, NoDev: true, Relatime: true},
		Vers: Some[uint32](3), Rsize: Some[uint32](1 << 20), Wsize: Some[uint32](1 << 20), Namlen: 255,
		Proto: Some("tcp"), Timeo: Some(time.Minute), Retrans: Some(2), Sec: []string{"sys"},
		MountAddr: "192.0.2.1", MountVers: Some[uint32](3), MountPort: Some[uint16](20048), MountProto: Some("udp"),
		Addr: "192.0.2.1",
	}
	const want = "rw,nosuid,nodev,relatime,vers=3,rsize=1048576,wsize=1048576,namlen=255,hard,proto=tcp,timeo=600,retrans=2," +
		"sec=sys,mountaddr=192.0.2.1,mountvers=3,mountport=20048,mountproto=udp,local_lock=none,addr=192.0.2.1"
	if got := o.String(); got != want {
		t.Errorf("\n got %s\nwant %s", got, want)
	}
}

func TestValidateRefusesWhatAProgramGotWrong(t *testing.T) {
	for name, o := range map[string]Options{
		"another version":          {Vers: Some[uint32](4)},
		"another mount version":    {MountVers: Some[uint32](1)},
		"a transport of fantasy":   {Proto: Some("sctp")},
		"an empty transport":       {Proto: Some("")},
		"RDMA":                     {Proto: Some("rdma")},
		"RDMA for mountd":          {MountProto: Some("rdma")},
		"no time at all":           {Timeo: Some(time.Duration(0))},
		"less than no retransmits": {Retrans: Some(-1)},
		"Kerberos":                 {Sec: []string{"sys", "krb5"}},
		"connections over the top": {Nconnect: Some[uint32](17)},
		"no keepalive at all":      {KeepAlive: Some(time.Duration(0))},
		"an address that is none":  {MountAt: Some(netip.Addr{})},
		"a list of mountds":        {MountHost: Some("a,b")},
		"locks of another kind":    {LocalLock: Some(LocalLock(4))},
	} {
		if o.Validate() == nil {
			t.Errorf("%s is accepted", name)
		}
	}
}

// One row sets every field that an option can set, so that Over forgets none.
func TestOverKnowsEveryOption(t *testing.T) {
	const all = "vers=3,proto=udp,mountproto=tcp,port=1,mountport=2,mountvers=3,rsize=1,wsize=2,timeo=3,retrans=4,soft,sec=none," +
		"mounthost=m,mountaddr=::1,nconnect=2,keepalive=3,namlen=4,bg,retry=5,noresvport,nolock,local_lock=all,acregmin=5,acregmax=6,acdirmin=7,acdirmax=8,ac,nocto," +
		"lookupcache=none,nordirplus,replay=strict,udpfrag=allow,bsize=8k,write=eager,noacl,rahead=1m,dirty=2m,idle=6,noconn,locks=auto"
	given, err := Parse(all)
	if err != nil {
		t.Fatal(err)
	}
	v := reflect.ValueOf(*given)
	for i := range v.NumField() {
		if set := v.Field(i); set.Kind() == reflect.Struct && set.NumField() == 2 && set.FieldByName("Set").IsValid() &&
			!set.FieldByName("Set").Bool() {
			t.Errorf("the test does not set %s", v.Type().Field(i).Name)
		}
	}
	if got := given.Over(&Options{}); got.String() != given.String() {
		t.Errorf("over nothing:\n got %s\nwant %s", got, given)
	}
	if got := new(Options).Over(given); got.String() != given.String() {
		t.Errorf("nothing over it:\n got %s\nwant %s", got, given)
	}
	over, err := Parse("hard,sec=sys,rsize=9")
	if err != nil {
		t.Fatal(err)
	}
	got := over.Over(given)
	if got.Recovery.Value != Hard || got.Rsize.Value != 9 || got.Wsize.Value != 2 || len(got.Sec) != 1 || got.Sec[0] != "sys" {
		t.Errorf("got %s", got)
	}
}

// A mount waits a little in the foreground and long in the background.
func TestRetryMinutes(t *testing.T) {
	for in, want := range map[string]uint32{
		"": 2, "fg": 2, "bg": 10000, "bg,fg": 2, "retry=0": 0, "bg,retry=0": 0, "retry=7,bg": 7, "retry=1,retry=2": 2,
	} {
		o, err := Parse(in)
		if err != nil {
			t.Fatal(err)
		}
		if got := o.RetryMinutes(); got != want {
			t.Errorf("%q: %d minutes, want %d", in, got, want)
		}
	}
}

func TestHostsOfASpec(t *testing.T) {
	for in, want := range map[string]string{"a:/e": "a", "a,b,c:/e": "a b c", "[::1,b]:/e": "::1 b"} {
		s, err := ParseSpec(in)
		if got := strings.Join(s.Hosts(), " "); got != want || err != nil || s.String() != in {
			t.Errorf("%s: hosts %s of %s, want %s (%v)", in, got, s, want, err)
		}
	}
}

func TestCloneSharesNothing(t *testing.T) {
	o, err := Parse("sec=sys:none")
	if err != nil {
		t.Fatal(err)
	}
	o.Warnings = []string{"a warning"}
	c := o.Clone()
	c.Sec[0], c.Warnings[0] = "changed", "changed"
	if o.Sec[0] != "sys" || o.Warnings[0] != "a warning" {
		t.Error("a clone shares its slices with the original")
	}
}

func TestHostileStrings(t *testing.T) {
	for name, in := range map[string]string{
		"a string without end":  strings.Repeat("soft,", maxLen),
		"a NUL byte":            "soft\x00hard",
		"a name without end":    strings.Repeat("x", 10000),
		"escapes of a terminal": "\x1b[2Jsoft",
		"no UTF-8":              "\xff\xfe",
		"too many flavours":     "sec=" + strings.Repeat("sys:", 10000) + "sys",
	} {
		_, err := Parse(in)
		if err == nil {
			t.Errorf("%s is accepted", name)
			continue
		}
		if m := err.Error(); len(m) > 500 || strings.ContainsAny(m, "\x00\x1b\n") {
			t.Errorf("%s: the error is %q", name, m)
		}
	}
}

// Whatever is accepted is shown in words that are accepted again and mean the
// same.
func FuzzParse(f *testing.F) {
	for _, r := range rows(f) {
		f.Add(r.input)
	}
	f.Fuzz(func(t *testing.T, in string) {
		o, err := Parse(in)
		if err != nil {
			if _, ok := err.(*Error); !ok {
				t.Fatalf("error is a %T", err)
			}
			return
		}
		s := o.String()
		again, err := Parse(s)
		if err != nil {
			t.Fatalf("%q is shown as %q: %v", in, s, err)
		}
		if again.String() != s {
			t.Fatalf("%q is shown as %q, and that as %q", in, s, again)
		}
	})
}
