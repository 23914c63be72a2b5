package lock

import (
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/vmihailenco/msgpack/v5"

	"github.com/gonfs/gonfs/portmap"
)

// hostState is the state directory as one daemon uses it. Beside the file
// "nsm" each living daemon has one, "nsm-PID-N", on which it holds a lock of
// the kernel: so a file without a lock is that of a daemon which is dead. All
// changes are made with the directory's own lock held.
type hostState struct {
	dir string

	mu   sync.Mutex // guards what follows, and serialises this process
	boot bootRecord // as last read
	own  *os.File   // this daemon's file, locked
	self daemonRecord
}

// daemonRecord is what a daemon tells the others in its file.
type daemonRecord struct {
	Peers []netip.Addr   `msgpack:"peers"` // whom it watches
	Regs  []portmap.Rpcb `msgpack:"regs"`  // what it registered at rpcbind
}

// openHost opens the state directory, and begins a new state of the host if
// this is another boot than that of the record.
func openHost(dir, bootID string) (*hostState, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	h := &hostState{dir: dir}
	err := h.locked(func() error {
		for n := 0; h.own == nil; n++ {
			name := filepath.Join(dir, "nsm-"+strconv.Itoa(os.Getpid())+"-"+strconv.Itoa(n))
			f, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
			if errors.Is(err, fs.ErrExist) && n < maxPeers {
				continue
			}
			if err != nil {
				return err
			}
			if _, err := tryLock(f); err != nil {
				return errors.Join(err, f.Close(), os.Remove(name))
			}
			h.own = f
		}
		if err := h.eachDead(func(name string, d daemonRecord) {
			if len(d.Regs) == 0 { // of others who has rpcbind disposes; see registrations
				os.Remove(name)
			}
		}); err != nil {
			return err
		}
		b, changed := h.boot.rebooted(bootID, time.Now().Unix())
		if h.boot = b; changed {
			return h.boot.save()
		}
		return nil
	})
	if err != nil {
		h.close()
		return nil, err
	}
	return h, nil
}

// locked reads the record and calls f, while no other daemon does.
func (h *hostState) locked(f func() error) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	l, err := os.OpenFile(filepath.Join(h.dir, "nsm.lock"), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	defer l.Close()
	if err := waitLock(l); err != nil {
		return fmt.Errorf("%s: %w", l.Name(), err)
	}
	if h.boot, err = loadBoot(h.dir); err != nil {
		return err
	}
	return f()
}

// watch puts p on the record. late says that p has not been told yet of the
// last restart of the host, and that telling is the caller's now.
func (h *hostState) watch(p Peer) (late bool, err error) {
	err = h.locked(func() error {
		late = contains(h.boot.Untold, p.Addr)
		known := contains(h.boot.Peers, p.Addr)
		if !known && len(h.boot.Peers) >= maxPeers {
			return fmt.Errorf("%d servers are watched already", maxPeers)
		}
		if late || !known {
			h.boot.Untold = without(h.boot.Untold, p.Addr)
			h.boot.Peers = append(without(h.boot.Peers, p.Addr), p)
			if err := h.boot.save(); err != nil {
				return err
			}
		}
		if !slices.Contains(h.self.Peers, p.Addr) {
			h.self.Peers = append(h.self.Peers, p.Addr)
		}
		return h.tellSelf()
	})
	return late, err
}

// unwatch takes the peer at a off this daemon's list, and off the record if no
// other daemon watches it. last says so.
func (h *hostState) unwatch(a netip.Addr) (last bool, err error) {
	err = h.locked(func() error {
		h.self.Peers = slices.DeleteFunc(h.self.Peers, func(p netip.Addr) bool { return p == a })
		if err := h.tellSelf(); err != nil {
			return err
		}
		last = true
		for _, d := range h.livingLocked() {
			for _, p := range d.Peers {
				last = last && p != a
			}
		}
		if !last {
			return nil
		}
		h.boot.Peers = without(h.boot.Peers, a)
		return h.boot.save()
	})
	return last, err
}

// told takes the peer at a off the list of those that must be told of the last
// restart of the host.
func (h *hostState) told(a netip.Addr) error {
	return h.locked(func() error {
		h.boot.Untold = without(h.boot.Untold, a)
		return h.boot.save()
	})
}

// record is the record as it is now.
func (h *hostState) record() (b bootRecord, err error) {
	err = h.locked(func() error { return nil })
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.boot, err
}

// registered tells the other daemons what this one has registered at rpcbind.
func (h *hostState) registered(regs []portmap.Rpcb) error {
	return h.locked(func() error {
		h.self.Regs = regs
		return h.tellSelf()
	})
}

// registrations are those of living daemons of this directory, and those that
// dead ones left, whose files are removed: they are the caller's to undo.
func (h *hostState) registrations() (living, dead []portmap.Rpcb, err error) {
	err = h.locked(func() error {
		for _, d := range h.livingLocked() {
			living = append(living, d.Regs...)
		}
		return h.eachDead(func(name string, d daemonRecord) {
			dead = append(dead, d.Regs...)
			os.Remove(name)
		})
	})
	return living, dead, err
}

// tellSelf writes this daemon's file. It need not survive a crash: the record
// of peers does.
func (h *hostState) tellSelf() error {
	text, err := msgpack.Marshal(&h.self)
	if err != nil {
		return err
	}
	if err := h.own.Truncate(int64(len(text))); err != nil {
		return err
	}
	_, err = h.own.WriteAt(text, 0)
	return err
}

// livingLocked are the other daemons that live.
func (h *hostState) livingLocked() (l []daemonRecord) {
	h.each(func(name string, d daemonRecord, dead bool) {
		if !dead {
			l = append(l, d)
		}
	})
	return l
}

// eachDead calls f with each file of a dead daemon.
func (h *hostState) eachDead(f func(name string, d daemonRecord)) error {
	return h.each(func(name string, d daemonRecord, dead bool) {
		if dead {
			f(name, d)
		}
	})
}

// each calls f with each other daemon's file.
func (h *hostState) each(f func(name string, d daemonRecord, dead bool)) error {
	names, err := filepath.Glob(filepath.Join(h.dir, "nsm-*"))
	for _, name := range names {
		if name == h.own.Name() || strings.Contains(name, ".new") {
			continue
		}
		file, err := os.OpenFile(name, os.O_RDWR, 0)
		if err != nil {
			continue // just removed
		}
		dead, err := tryLock(file)
		var d daemonRecord
		text, _ := os.ReadFile(name)
		_ = msgpack.Unmarshal(text, &d) // of a daemon that died while it wrote: nothing is known
		f(name, d, dead && err == nil)
		file.Close()
	}
	return err
}

// close removes this daemon's file.
func (h *hostState) close() error {
	if h.own == nil {
		return nil
	}
	err := h.locked(func() error { return os.Remove(h.own.Name()) })
	return errors.Join(err, h.own.Close())
}
