package mounttab

import (
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

func TestARecordIsListedAsItWasAdded(t *testing.T) {
	tab := table(t)
	rec := Record{
		Spec: "srv:/exp", Dir: "/mnt/\xff", FSType: "fuse.gonfs", Options: "rw,vers=3", Version: "v0",
		MountID: 77, Device: "0:50", Created: time.Date(2026, 1, 2, 3, 4, 5, 6, time.UTC),
	}
	e := serve(t, tab, rec, &mountStub{})
	got, err := tab.List()
	if err != nil || len(got) != 1 {
		t.Fatalf("got %v, %v", got, err)
	}
	ignore := cmpopts.IgnoreUnexported(Record{})
	if d := cmp.Diff(e.Record(), got[0], ignore); d != "" {
		t.Error(d)
	}
	if got[0].Dir != rec.Dir || got[0].PID != os.Getpid() || got[0].StartTime == 0 || got[0].UID != os.Geteuid() || !got[0].Live() {
		t.Errorf("got %+v", got[0])
	}
	if found, err := tab.Find("/mnt/\xff", "0:50"); err != nil || found.MountID != 77 {
		t.Errorf("Find: %+v, %v", found, err)
	}
	if _, err := tab.Find("/elsewhere", "0:50"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("Find of what is not there: %v", err)
	}
}

func TestFilesAreForTheirUserOnly(t *testing.T) {
	tab := table(t)
	serve(t, tab, Record{Dir: "/mnt"}, &mountStub{})
	names, err := filepath.Glob(tab.dir + "/*")
	if err != nil || len(names) != 2 {
		t.Fatalf("got %v, %v", names, err)
	}
	for _, n := range names {
		if st, err := os.Lstat(n); err != nil || st.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, %v", n, st.Mode(), err)
		}
	}
}

func TestCloseLeavesNothing(t *testing.T) {
	tab := table(t)
	e, err := tab.Add(Record{Dir: "/mnt"})
	if err != nil {
		t.Fatal(err)
	}
	rec := e.Record()
	for range 2 {
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	}
	if left, err := os.ReadDir(tab.dir); err != nil || len(left) != 0 {
		t.Errorf("left: %v, %v", left, err)
	}
	if !rec.Live() {
		t.Error("after Close its process does not live")
	}
	if err := e.Mounted(1, "0:50"); err == nil {
		t.Error("a closed entry can be changed")
	}
}

func TestOneProcessCanHaveSeveralMounts(t *testing.T) {
	tab := table(t)
	for i := range 3 {
		serve(t, tab, Record{Dir: "/mnt", MountID: uint64(i), Created: time.Unix(int64(i), 0)}, &mountStub{})
	}
	got, err := tab.List()
	if err != nil || len(got) != 3 {
		t.Fatalf("got %v, %v", got, err)
	}
	if newest, err := tab.Find("/mnt", "0:50"); err != nil || newest.MountID != 2 {
		t.Errorf("Find returned %+v, %v: want the newest", newest, err)
	}
}

func TestTheRecordOfAMountIsNotThatOfAnotherAtItsDirectory(t *testing.T) {
	tab := table(t)
	for i, device := range []string{"0:50", "0:51", "0:50"} { // the first one is gone from there, and its number used again
		dir := map[bool]string{true: "/mnt", false: "/elsewhere"}[i < 2]
		serve(t, tab, Record{Dir: dir, Device: device, Created: time.Unix(int64(i), 0)}, &mountStub{})
	}
	for _, tt := range []struct {
		name, dir, device string
		created           int64 // of the record that is found; -1: none
	}{
		{"the newest", "/mnt", "0:51", 1},
		{"one with a newer one at its directory", "/mnt", "0:50", 0},
		{"one at another directory", "/elsewhere", "0:50", 2},
		{"one that has no record yet", "/mnt", "0:52", -1},
	} {
		rec, err := tab.Find(tt.dir, tt.device)
		if none := errors.Is(err, fs.ErrNotExist); none != (tt.created < 0) || !none && rec.Created.Unix() != tt.created {
			t.Errorf("%s: %+v, %v", tt.name, rec, err)
		}
	}
}

func TestARecordIsThereBeforeItsMount(t *testing.T) {
	tab := table(t)
	serve(t, tab, Record{Dir: "/mnt", Device: "0:50", MountID: 6, Created: time.Unix(1, 0)}, &mountStub{})
	e := serve(t, tab, Record{Dir: "/mnt", Created: time.Unix(2, 0)}, &mountStub{})
	find := func(when string, want map[string]int64) {
		t.Helper()
		for device, created := range want {
			got, err := tab.Find("/mnt", device)
			if none := errors.Is(err, fs.ErrNotExist); none != (created == 0) || !none && got.Created.Unix() != created {
				t.Errorf("%s: %s: %+v, %v, want number %d", when, device, got, err, created)
			}
		}
	}
	find("before", map[string]int64{"0:50": 1, "0:51": 2, "0:52": 2})
	if err := e.Mounted(7, "0:51"); err != nil {
		t.Fatal(err)
	}
	find("then", map[string]int64{"0:50": 1, "0:51": 2, "0:52": 0})
	if got := e.Record(); got.MountID != 7 || got.Device != "0:51" {
		t.Errorf("the record is %+v", got)
	}
}

// dead returns the number and start time of a process that has ended.
func dead(t *testing.T) (pid int, start uint64) {
	t.Helper()
	c := exec.Command("sleep", "60")
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	start, err := startTime(c.Process.Pid)
	if err != nil {
		t.Error(err)
	}
	if err := c.Process.Kill(); err != nil {
		t.Error(err)
	}
	_ = c.Wait() // it was killed
	return c.Process.Pid, start
}

func TestListRemovesWhatTheDeadLeft(t *testing.T) {
	pid, start := dead(t)
	self, err := startTime(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	boot := bootID()
	for name, rec := range map[string]Record{
		"its process has ended":          {PID: pid, StartTime: start, BootID: boot},
		"another process has its number": {PID: os.Getpid(), StartTime: self - 1, BootID: boot},
		"the host was booted since":      {PID: os.Getpid(), StartTime: self, BootID: "another"},
		"it names no process":            {BootID: boot},
	} {
		tab := table(t)
		if err := writeRecord(tab.dir, "7-0", &rec); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(tab.dir+"/7-0"+socketSuffix, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		if got, err := tab.List(); err != nil || len(got) != 0 {
			t.Errorf("%s: listed as %v, %v", name, got, err)
		}
		if left, err := os.ReadDir(tab.dir); err != nil || len(left) != 0 {
			t.Errorf("%s: left %v, %v", name, left, err)
		}
	}
}

func TestListSweepsSocketsWithoutRecord(t *testing.T) {
	tab := table(t)
	pid, _ := dead(t)
	orphan, young := strconv.Itoa(pid)+"-0"+socketSuffix, strconv.Itoa(os.Getpid())+"-0"+socketSuffix
	for _, n := range []string{orphan, young, "notes.txt"} {
		if err := os.WriteFile(filepath.Join(tab.dir, n), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := tab.List(); err != nil {
		t.Fatal(err)
	}
	for n, want := range map[string]bool{orphan: false, young: true, "notes.txt": true} {
		if _, err := os.Stat(filepath.Join(tab.dir, n)); (err == nil) != want {
			t.Errorf("%s: there: %v, want %v", n, err == nil, want)
		}
	}
}

func TestListPassesOverWhatIsNoRecord(t *testing.T) {
	tab := table(t)
	serve(t, tab, Record{Dir: "/mnt"}, &mountStub{})
	for name, b := range map[string][]byte{
		"1-0.mount": nil,
		"2-0.mount": []byte("text"),
		"3-0.mount": {0xdd, 0xff, 0xff, 0xff, 0xff}, // an array of 2³²−1
		"4-0.mount": make([]byte, maxMessage+1),
	} {
		if err := os.WriteFile(filepath.Join(tab.dir, name), b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink("1-0.mount", filepath.Join(tab.dir, "5-0.mount")); err != nil {
		t.Fatal(err)
	}
	if err := exec.Command("mkfifo", filepath.Join(tab.dir, "6-0.mount")).Run(); err != nil {
		t.Fatal(err)
	}
	if got, err := tab.List(); err != nil || len(got) != 1 {
		t.Errorf("got %v, %v", got, err)
	}
}

func TestDirectoriesThatAreNotTrusted(t *testing.T) {
	for name, prepare := range map[string]func(t *testing.T, dir string) error{
		"is open to other users": func(t *testing.T, dir string) error {
			return errors.Join(os.Mkdir(dir, 0o755), os.Chmod(dir, 0o755))
		},
		"is not a directory": func(t *testing.T, dir string) error {
			return os.Symlink(t.TempDir(), dir)
		},
		"belongs to another user": func(t *testing.T, dir string) error {
			if os.Geteuid() != 0 {
				t.Skip("only root can give a directory away")
			}
			return errors.Join(os.Mkdir(dir, 0o700), os.Chown(dir, 12345, 12345))
		},
	} {
		t.Run("one that "+name, func(t *testing.T) {
			dir := t.TempDir() + "/gonfs"
			if err := prepare(t, dir); err != nil {
				t.Fatal(err)
			}
			_, err := OpenDir(dir)
			var d *DirError
			if !errors.As(err, &d) || !strings.HasPrefix(d.Why, name) {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestOpenTakesTheNextDirectory(t *testing.T) {
	if os.Geteuid() == 0 {
		if got := candidates(0, ""); got[0] != "/run/gonfs" {
			t.Errorf("root's records are in %v", got)
		}
	}
	runtime := t.TempDir()
	got := candidates(1000, runtime)
	if want := []string{runtime + "/gonfs", "/tmp/gonfs-1000"}; !cmp.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if got := candidates(1000, "relative"); !cmp.Equal(got, []string{"/tmp/gonfs-1000"}) {
		t.Errorf("a relative XDG_RUNTIME_DIR counts: %v", got)
	}
}

func TestListOfAUserWithoutMounts(t *testing.T) {
	if got, err := OpenUser(54321).List(); err != nil || len(got) != 0 {
		t.Errorf("got %v, %v", got, err)
	}
}

// Socket paths are limited to 107 bytes; directories are not.
func TestADirectoryWithALongName(t *testing.T) {
	dir := filepath.Join(t.TempDir(), strings.Repeat("long", 30))
	tab, err := OpenDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	e := serve(t, tab, Record{Dir: "/mnt"}, &mountStub{})
	if _, err := Call(within30s(t), e.Record(), Request{Op: OpPing}); err != nil {
		t.Error(err)
	}
}
