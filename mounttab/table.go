package mounttab

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
)

// Names in a directory: PID-N and one of these.
const (
	recordSuffix = ".mount"
	socketSuffix = ".sock"
)

// maxRecords bounds how many names of a directory are looked at.
const maxRecords = 16384

// Table is the records of one user. It is safe for concurrent use, by several
// processes too.
type Table struct {
	uid  int
	dir  string   // where Add puts records
	dirs []string // where List looks for them: dir may have been another when a daemon was started
}

// Open returns the table of this process's user, creating its directory. The
// error is a *DirError if there is one already that others could tamper with.
func Open() (*Table, error) {
	uid := os.Geteuid()
	dirs := candidates(uid, os.Getenv("XDG_RUNTIME_DIR"))
	var why error
	for _, dir := range dirs {
		if err := makeDir(dir, uid); err != nil {
			why = errors.Join(why, err)
			continue
		}
		return &Table{uid, dir, dirs}, nil
	}
	return nil, why
}

// OpenUser returns the table of another user, to be read: by root, who is
// asked about everybody's mounts. There need not be any.
func OpenUser(uid int) *Table {
	return &Table{uid: uid, dirs: candidates(uid, filepath.Join("/run/user", strconv.Itoa(uid)))}
}

// OpenDir returns the table in a directory of the caller's choice, creating it.
func OpenDir(dir string) (*Table, error) {
	if err := makeDir(dir, os.Geteuid()); err != nil {
		return nil, err
	}
	return &Table{os.Geteuid(), dir, []string{dir}}, nil
}

// List returns the records of all live mounts, oldest first. What dead daemons
// have left is removed. A file that is no record is passed over; it is not
// removed, for it may be a newer version's.
func (t *Table) List() ([]Record, error) {
	var all []Record
	for _, dir := range t.dirs {
		err := check(dir, t.uid)
		if errors.Is(err, fs.ErrNotExist) || len(t.dirs) > 1 && dir != t.dir && err != nil {
			continue
		}
		if err != nil {
			return nil, err
		}
		recs, err := t.list(dir)
		if err != nil {
			return nil, err
		}
		all = append(all, recs...)
	}
	slices.SortFunc(all, func(a, b Record) int {
		return cmp.Or(a.Created.Compare(b.Created), cmp.Compare(a.PID, b.PID))
	})
	return all, nil
}

// mine reports whether the table is this process's own. In another user's
// directory nothing is removed: he could lead root elsewhere.
func (t *Table) mine() bool { return t.uid == os.Geteuid() }

func (t *Table) list(dir string) ([]Record, error) {
	d, err := os.Open(dir)
	if err != nil {
		return nil, fmt.Errorf("mounttab: %w", err)
	}
	defer d.Close()
	names, err := d.Readdirnames(maxRecords)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("mounttab: %w", err)
	}
	var recs []Record
	for _, name := range names {
		base, isRecord := strings.CutSuffix(name, recordSuffix)
		if !isRecord {
			if t.mine() {
				sweep(dir, name)
			}
			continue
		}
		rec, err := readRecord(filepath.Join(dir, name))
		if err != nil {
			continue // gone meanwhile, or not ours to judge
		}
		rec.socket = filepath.Join(dir, base+socketSuffix)
		if !rec.Live() {
			if t.mine() {
				remove(dir, base)
			}
			continue
		}
		recs = append(recs, rec)
	}
	return recs, nil
}

// sweep removes a socket that a process left between making it and its record.
func sweep(dir, name string) {
	base, isSocket := strings.CutSuffix(name, socketSuffix)
	pid, _, _ := strings.Cut(base, "-")
	n, err := strconv.Atoi(pid)
	if !isSocket || err != nil {
		return
	}
	if _, err := startTime(n); !errors.Is(err, fs.ErrNotExist) {
		return
	}
	if _, err := os.Lstat(filepath.Join(dir, base+recordSuffix)); errors.Is(err, fs.ErrNotExist) {
		remove(dir, base)
	}
}

// remove takes an entry out of dir. The socket goes last: as long as it is
// there nobody else can take the name. What cannot be removed is found again by
// the next List.
func remove(dir, base string) {
	for _, suffix := range []string{recordSuffix, socketSuffix} {
		_ = os.Remove(filepath.Join(dir, base+suffix))
	}
}

func readRecord(path string) (Record, error) {
	// Root reads the directories of others, where a FIFO or a link may wait.
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NOFOLLOW|syscall.O_NONBLOCK, 0)
	if err != nil {
		return Record{}, err
	}
	defer f.Close()
	if st, err := f.Stat(); err != nil || !st.Mode().IsRegular() {
		return Record{}, errors.Join(err, &MessageError{"a record that is no file"})
	}
	b, err := io.ReadAll(io.LimitReader(f, maxMessage+1))
	if err != nil {
		return Record{}, err
	}
	var rec Record
	if len(b) > maxMessage {
		return Record{}, &MessageError{"a record of more than 256 KiB"}
	}
	if err := unmarshal(b, &rec); err != nil {
		return Record{}, err
	}
	return rec, nil
}

// Find returns the newest record of a mount at dir, which must be absolute and
// without symbolic links, of the file system that is device there: daemons of
// others may live on, below it or out of sight (umount -l). If there is none, it
// is one that does not tell its device yet. The error is fs.ErrNotExist if there
// is no such record either.
func (t *Table) Find(dir, device string) (Record, error) {
	recs, err := t.List()
	if err != nil {
		return Record{}, err
	}
	for _, device := range []string{device, ""} {
		for _, r := range slices.Backward(recs) {
			if r.Dir == dir && r.Device == device {
				return r, nil
			}
		}
	}
	return Record{}, fmt.Errorf("mounttab: no live mount at %s: %w", dir, fs.ErrNotExist)
}

// writeRecord puts rec under its name at once: a reader sees all of it or
// nothing.
func writeRecord(dir, base string, rec *Record) error {
	b, err := marshal(rec)
	if err != nil {
		return err
	}
	tmp, err := os.CreateTemp(dir, ".record-*") // 0600
	if err != nil {
		return fmt.Errorf("mounttab: %w", err)
	}
	defer os.Remove(tmp.Name()) // not there any more when all went well
	_, err = io.Copy(tmp, bytes.NewReader(b))
	if err := errors.Join(err, tmp.Close()); err != nil {
		return fmt.Errorf("mounttab: %w", err)
	}
	return os.Rename(tmp.Name(), filepath.Join(dir, base+recordSuffix))
}
