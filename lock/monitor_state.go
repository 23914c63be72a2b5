package lock

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"os"
	"path/filepath"
	"slices"

	"github.com/vmihailenco/msgpack/v5"

	"github.com/gonfs/gonfs/nsm"
)

// bootRecord is the file "nsm" of the state directory: what outlives the
// daemons, and the host's restarts.
type bootRecord struct {
	BootID string             `msgpack:"boot"`   // of the boot that State belongs to
	State  int32              `msgpack:"state"`  // odd
	Cookie [nsm.PrivSize]byte `msgpack:"cookie"` // what rpc.statd must bring back
	Peers  []Peer             `msgpack:"peers"`  // who may hold locks of this boot
	Untold []Peer             `msgpack:"untold"` // who held locks of an earlier boot, and does not know that it ended
	Since  int64              `msgpack:"since"`  // when Untold began, in seconds since 1970
	Name   string             `msgpack:"-"`      // the file
}

// maxPeers bounds the lists of a record: more servers than any host mounts.
const maxPeers = 4096

// rebooted returns what becomes of a record at a start of a daemon in the boot
// called id: in the same boot nothing, and after a restart of the host the
// state number rises by two, and who held locks is to be told. Where the system
// does not name its boots (id is ""), locks are never taken for an earlier
// boot's.
func (b bootRecord) rebooted(id string, now int64) (bootRecord, bool) {
	switch {
	case b.State != 0 && (id == "" || b.BootID == id):
		return b, false
	case b.State == 0:
		rand.Read(b.Cookie[:])
		b.State = 1
	case b.State > 1<<31-4: // a wrap would be a number from the past; 2 billion restarts are not
		b.State = 1
	default:
		b.State += 2
	}
	b.BootID = id
	for _, p := range b.Peers {
		if !p.Statd && !contains(b.Untold, p.Addr) {
			b.Untold = append(b.Untold, p)
		}
	}
	b.Peers, b.Since = nil, now
	return b, true
}

// contains reports whether one of l is at a.
func contains(l []Peer, a netip.Addr) bool {
	return slices.ContainsFunc(l, func(p Peer) bool { return p.Addr == a })
}

// without returns l without the peer at a.
func without(l []Peer, a netip.Addr) []Peer {
	return slices.DeleteFunc(slices.Clone(l), func(p Peer) bool { return p.Addr == a })
}

// loadBoot reads the record in dir; a missing file is the zero record. One that
// cannot be read is an error: a state number that begins anew would be a number
// from the past.
func loadBoot(dir string) (bootRecord, error) {
	b := bootRecord{Name: filepath.Join(dir, "nsm")}
	text, err := os.ReadFile(b.Name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return b, nil
	case err != nil:
		return b, err
	}
	if err = msgpack.Unmarshal(text, &b); err != nil || b.State < 1 || b.State%2 == 0 || len(b.Peers) > maxPeers || len(b.Untold) > maxPeers {
		return b, fmt.Errorf("%s is damaged (%d bytes, state %d): remove it, and restart the host's NFS locks", b.Name, len(text), b.State)
	}
	return b, nil
}

// save writes the record so that a crash leaves the old or the new one.
func (b *bootRecord) save() error {
	text, err := msgpack.Marshal(b)
	if err != nil {
		return err
	}
	return writeFile(b.Name, text)
}

// writeFile replaces a file, safely on disk when it returns.
func writeFile(name string, text []byte) error {
	f, err := os.CreateTemp(filepath.Dir(name), filepath.Base(name)+".new*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name()) // there is none after the rename
	_, err = f.Write(text)
	err = errors.Join(err, f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), name)
	}
	if err != nil {
		return err
	}
	d, err := os.Open(filepath.Dir(name))
	if err != nil {
		return err
	}
	_ = d.Sync() // not every system syncs directories
	return d.Close()
}
