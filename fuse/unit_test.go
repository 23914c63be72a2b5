package fuse

import (
	"errors"
	"fmt"
	"math"
	"reflect"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	gofuse "github.com/hanwen/go-fuse/v2/fuse"
	"golang.org/x/sys/unix"

	"github.com/gonfs/gonfs/mountopt"
	"github.com/gonfs/gonfs/nfs3"
	"github.com/gonfs/gonfs/rpc"
)

func TestNoErrorOfTheServerBecomesENOSYS(t *testing.T) {
	for s := range nfs3.Status(11000) {
		err := error(&nfs3.Error{Status: s})
		if s == nfs3.OK {
			err = nil
		}
		if got := status(err); got == gofuse.ENOSYS || (got == gofuse.OK) != (s == nfs3.OK) {
			t.Errorf("%v is %v", s, got)
		}
	}
	if got := status(fmt.Errorf("a bug: %w", syscall.ENOSYS)); got != gofuse.EIO {
		t.Errorf("ENOSYS is %v", got)
	}
	if got := status(errors.New("something")); got != gofuse.EIO {
		t.Errorf("an unknown error is %v", got)
	}
}

func TestDeviceNumbersHaveTheKernelsForm(t *testing.T) {
	for _, tc := range []struct {
		dev  nfs3.Specdata
		want uint32
		back nfs3.Specdata
	}{
		{nfs3.Specdata{}, 0, nfs3.Specdata{}},
		{nfs3.Specdata{Major: 8, Minor: 1}, 0x801, nfs3.Specdata{Major: 8, Minor: 1}},
		{nfs3.Specdata{Major: 259, Minor: 0x12345}, 0x12310345, nfs3.Specdata{Major: 259, Minor: 0x12345}},
		{nfs3.Specdata{Major: 0xfff, Minor: 0xfffff}, 0xffffffff, nfs3.Specdata{Major: 0xfff, Minor: 0xfffff}},
		{nfs3.Specdata{Major: 0x1001, Minor: 0x100002}, 0x102, nfs3.Specdata{Major: 1, Minor: 2}},
	} {
		if got := encodeDev(tc.dev); got != tc.want {
			t.Errorf("%v is %#x, want %#x", tc.dev, got, tc.want)
		}
		if got := decodeDev(tc.want); got != tc.back {
			t.Errorf("%#x is %v, want %v", tc.want, got, tc.back)
		}
		if m, n := unix.Major(uint64(tc.want&0xfff00)), tc.back.Major; m != n {
			t.Errorf("%#x has major %d for the C library, want %d", tc.want, m, n)
		}
	}
}

func TestSetAttrBecomesSattr(t *testing.T) {
	in := func(valid uint32, f func(*gofuse.SetAttrIn)) *gofuse.SetAttrIn {
		s := &gofuse.SetAttrIn{}
		s.Valid = valid
		s.Size, s.Mode, s.Uid, s.Gid = 10, 0o104755, 1, 2
		s.Atime, s.Atimensec, s.Mtime, s.Mtimensec = 5, 6, 7, 8
		if f != nil {
			f(s)
		}
		return s
	}
	client := func(sec, nsec uint32) nfs3.SetTime {
		return nfs3.SetTime{How: nfs3.SetToClientTime, Time: nfs3.Time{Sec: sec, Nsec: nsec}}
	}
	server := nfs3.SetTime{How: nfs3.SetToServerTime}
	for _, tc := range []struct {
		name string
		in   *gofuse.SetAttrIn
		want nfs3.Sattr
	}{
		{"chmod sets permissions without the type", in(gofuse.FATTR_MODE, nil), nfs3.Sattr{Mode: nfs3.SetUint32{Set: true, Value: 0o4755}}},
		{"chown sets both ids", in(gofuse.FATTR_UID|gofuse.FATTR_GID, nil),
			nfs3.Sattr{UID: nfs3.SetUint32{Set: true, Value: 1}, GID: nfs3.SetUint32{Set: true, Value: 2}}},
		{"truncate of an open file sets the size", in(0x248, nil), nfs3.Sattr{Size: nfs3.SetUint64{Set: true, Value: 10}}},
		{"touch sets the server's time", in(0x1b0, nil), nfs3.Sattr{Atime: server, Mtime: server}},
		{"utimens sets the client's time", in(0x30, nil), nfs3.Sattr{Atime: client(5, 6), Mtime: client(7, 8)}},
		{"one time alone", in(gofuse.FATTR_MTIME, nil), nfs3.Sattr{Mtime: client(7, 8)}},
		{"a time before 1970 is 1970", in(gofuse.FATTR_MTIME, func(s *gofuse.SetAttrIn) { s.Mtime = ^uint64(0) }), nfs3.Sattr{Mtime: client(0, 0)}},
		{"ctime alone is nothing", in(gofuse.FATTR_CTIME|gofuse.FATTR_FH, nil), nfs3.Sattr{}},
	} {
		got := sattr(tc.in)
		if !got.Mode.Set {
			got.Mode.Value = 0
		}
		if got != tc.want {
			t.Errorf("%s: %+v, want %+v", tc.name, got, tc.want)
		}
	}
}

func TestAccessAsksForWhatTheMaskMeans(t *testing.T) {
	for _, tc := range []struct {
		mask uint32
		dir  bool
		want uint32
	}{
		{0, false, 0},
		{gofuse.R_OK, false, nfs3.AccessRead},
		{gofuse.W_OK, false, nfs3.AccessModify | nfs3.AccessExtend},
		{gofuse.X_OK, false, nfs3.AccessExecute},
		{gofuse.X_OK, true, nfs3.AccessLookup},
		{gofuse.W_OK | gofuse.R_OK, true, nfs3.AccessRead | nfs3.AccessModify | nfs3.AccessExtend | nfs3.AccessDelete},
	} {
		if got := accessBits(tc.mask, tc.dir); got != tc.want {
			t.Errorf("%d, %v: %#x, want %#x", tc.mask, tc.dir, got, tc.want)
		}
	}
}

func TestPagesAreKeptOnlyIfNobodyElseChangedTheFile(t *testing.T) {
	at := func(size uint64, sec uint32) *nfs3.Fattr { return &nfs3.Fattr{Size: size, Mtime: nfs3.Time{Sec: sec}} }
	var k keeper
	if k.opened(at(1, 1), 1) {
		t.Error("kept at the first open")
	}
	if !k.opened(at(1, 1), 1) {
		t.Error("not kept though nothing changed")
	}
	k.ours(k.state(), at(2, 2))
	if !k.opened(at(2, 2), 1) {
		t.Error("not kept after our own change")
	}
	if k.opened(at(2, 3), 1) {
		t.Error("kept although mtime moved")
	}
	if k.opened(at(3, 3), 1) {
		t.Error("kept although the size changed")
	}
	k.changed()
	if k.opened(at(3, 3), 1) {
		t.Error("kept although others changed it")
	}
	if k.opened(at(3, 3), 2) {
		t.Error("kept although the inode says that others changed it")
	}
	epoch := k.state()
	k.changed()
	k.opened(at(4, 4), 1)
	k.ours(epoch, at(5, 5))
	if k.opened(at(5, 5), 1) {
		t.Error("a change of others during our own was taken for ours")
	}
}

func TestInvalidationsOfOneNodeBecomeOne(t *testing.T) {
	v := newInvalidator()
	v.drop(2, 100, 10)
	v.drop(2, 50, 10)
	v.drop(3, 5, 5)
	v.dropAll(3)
	v.drop(3, 9, 9)
	type told struct {
		id          uint64
		off, length int64
	}
	got := map[uint64]told{}
	stop, done, all := make(chan struct{}), make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		v.run(stop, func(id uint64, off, length int64) gofuse.Status {
			got[id] = told{id, off, length}
			if len(got) == 2 {
				close(all)
			}
			return gofuse.ENOENT
		})
	}()
	within(t, 10*time.Second, "telling", func() { <-all })
	close(stop)
	<-done
	if want := map[uint64]told{2: {2, 50, 60}, 3: {3, 0, 0}}; !reflect.DeepEqual(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}

func TestAnOpenWaitsUntilTheKernelHasDroppedAFile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := newInvalidator()
		stop := make(chan struct{})
		defer close(stop)
		busy := make(chan time.Duration, 1)
		go v.run(stop, func(uint64, int64, int64) gofuse.Status { // ends with stop
			time.Sleep(<-busy)
			return gofuse.OK
		})
		for _, c := range []struct {
			what       string
			do         func()
			id         uint64
			busy, wait time.Duration
		}{
			{"nothing is to be told", func() {}, 2, 0, 0},
			{"it is being told", func() { v.dropAll(2) }, 2, 30 * time.Millisecond, 30 * time.Millisecond},
			{"another is being told", func() { v.dropAll(3) }, 2, 30 * time.Millisecond, 0},
			{"the kernel waits for a server that is away", func() { v.dropAll(2) }, 2, time.Hour, settleTime},
		} {
			if c.busy > 0 {
				busy <- c.busy
			}
			c.do()
			begin := time.Now()
			v.settle(c.id)
			if got := time.Since(begin); got != c.wait {
				t.Errorf("when %s: %v, want %v", c.what, got, c.wait)
			}
			time.Sleep(2 * time.Hour)
		}
	})
}

func TestAFileThatOthersRenamedIsOpenedByItsNewNameOnly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, n := newForgetter(), new(node)
		stop := make(chan struct{})
		defer close(stop)
		var forgotten []entryName
		kernel := make(chan time.Duration, 1)
		go f.run(stop, func(dir uint64, name string) gofuse.Status { // ends with stop
			time.Sleep(<-kernel)
			forgotten = append(forgotten, entryName{dir, name})
			return gofuse.ENOENT
		})
		links := uint32(1)
		lookup := func(name string, pid uint32) {
			if old, moved := n.seen.seen(entryName{1, name}, pid, links); moved {
				f.drop(old, n)
			}
		}
		const me, other = 7, 8
		open := func(what string, pid uint32, want bool, after time.Duration) {
			t.Helper()
			begin := time.Now()
			if got := n.seen.open(pid); got != want || time.Since(begin) != after {
				t.Errorf("%s: %v after %v, want %v after %v", what, got, time.Since(begin), want, after)
			}
		}
		lookup("a", me)
		lookup("a", other)
		open("the only name", other, true, 0)
		lookup("b", me)
		open("by whoever found the new name", me, true, 0)
		time.AfterFunc(10*time.Millisecond, func() { kernel <- 0 })
		open("again, which may be by the old name", me, false, 10*time.Millisecond)
		open("when the old name is forgotten", other, true, 0)
		lookup("c", me)
		open("by another, while the kernel waits for a server", other, false, settleTime)
		links = 2
		lookup("d", me)
		open("by another, and the file has both names", other, true, 0)
		kernel <- 0
		kernel <- 0
		synctest.Wait()
		if want := []entryName{{1, "a"}, {1, "b"}, {1, "c"}}; !reflect.DeepEqual(forgotten, want) {
			t.Errorf("forgotten: %v, want %v", forgotten, want)
		}
	})
}

func TestGroupsComeFromProc(t *testing.T) {
	text := "Name:\tx\nUid:\t1\t1\t1\t1\nGroups:\t4 24 1000 \nNStgid:\t5\n"
	if got := parseGroups([]byte(text)); !reflect.DeepEqual(got, []uint32{4, 24, 1000}) {
		t.Error(got)
	}
	if got := parseGroups([]byte("Name:\tx\n")); got != nil {
		t.Error(got)
	}
	if got := groupsOf(math.MaxUint32); got != nil {
		t.Error("a process that does not exist has groups:", got)
	}
}

func TestGroupsAreReadOnceASecondForEachThreadAndOwner(t *testing.T) {
	now, reads := time.Unix(1000, 0), 0
	c := newCreds()
	c.now = func() time.Time { return now }
	c.groups = func(uint32) []uint32 { reads++; return []uint32{7} }
	who := gofuse.Caller{Owner: gofuse.Owner{Uid: 1, Gid: 2}, Pid: 3}
	a := c.of(who)
	if want := rpc.NewCred(1, 2, []uint32{7}); *a != *want || c.of(who) != a || reads != 1 {
		t.Errorf("%+v after %d reads", a, reads)
	}
	other := who
	other.Uid = 5
	if c.of(other).UID != 5 || reads != 2 {
		t.Error("a thread that changed its uid has its old groups")
	}
	now = now.Add(credTTL)
	if c.of(who) != a || reads != 3 {
		t.Error("groups are believed for ever")
	}
	if got := c.of(gofuse.Caller{}); *got != *root || reads != 3 {
		t.Errorf("the kernel itself is %+v", got)
	}
	for i := range uint32(2 * maxCreds) {
		c.of(gofuse.Caller{Pid: 1 + i})
	}
	if len(c.m) > maxCreds {
		t.Errorf("%d credentials are kept", len(c.m))
	}
}

func TestMountinfoIsParsed(t *testing.T) {
	text := `22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/root rw
90 22 0:45 / /mnt/a\040b rw,relatime shared:7 master:3 - fuse.gonfs h:/e\134x rw,user_id=0
91 90 0:46 / /mnt/a\040b rw - fuse.gonfs h:/second rw
bad line
`
	e, err := findMountIn(strings.NewReader(text), "/mnt/a b")
	if want := (mountEntry{91, "0:46", "/mnt/a b", "fuse.gonfs", "h:/second"}); err != nil || e != want {
		t.Errorf("%+v, %v", e, err)
	}
	if e, ok := parseMount(strings.Split(text, "\n")[1]); !ok || e.source != `h:/e\x` {
		t.Errorf("%+v, %v", e, ok)
	}
	if _, err := findMountIn(strings.NewReader(text), "/nowhere"); !errors.Is(err, unix.EINVAL) {
		t.Error(err)
	}
}

func TestMountOptionsReachKernelAndHelper(t *testing.T) {
	v := mountopt.VFS{ReadOnly: true, NoSuid: true, NoExec: true, NoAtime: true, Sync: true}
	if got, want := vfsFlags(&v), uintptr(unix.MS_RDONLY|unix.MS_NOSUID|unix.MS_NOEXEC|unix.MS_NOATIME|unix.MS_SYNCHRONOUS); got != want {
		t.Errorf("%#x, want %#x", got, want)
	}
	if got := strings.Join(vfsWords(&v), ","); got != "ro,nosuid,noexec,sync" {
		t.Error(got)
	}
	if got := vfsFlags(&mountopt.VFS{}); got != 0 {
		t.Errorf("%#x", got)
	}
	if got := escape(`h:/a,b\c`); got != `h:/a\,b\\c` {
		t.Error(got)
	}
	o := new(mountopt.Options)
	if got := blockSize(o); got != 1<<20 {
		t.Error(got)
	}
	o.Rsize, o.Wsize = mountopt.Some[uint32](65536), mountopt.Some[uint32](100000)
	if got := blockSize(o); got != 65536 {
		t.Error(got)
	}
	o.Rsize = mountopt.Some[uint32](1024)
	if got := blockSize(o); got != 4096 {
		t.Error(got)
	}
}
