package lock

import (
	"context"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/gonfs/gonfs/nlm"
	"github.com/gonfs/gonfs/rpc"
)

// A daemon that dies leaves its locks at the server: to it the host lives, and
// nobody will ever give them back. So each daemon looks now and then, and once
// when it starts, for journals that nobody holds any more, and gives the locks
// in them back one by one, with their old owners. Who holds a journal does it
// alone; locks of the living are never touched, whatever host and server they
// have in common with the dead.

// heirEvery is how often that is looked for.
const heirEvery = 3 * time.Second

// maxJournals bounds how many names of a directory are looked at.
const maxJournals = 4096

// watchJournals looks for journals of the dead until the engine ends.
func (e *Engine) watchJournals(dir string) {
	var working sync.Map // name of each journal that is being worked off
	var heirs sync.WaitGroup
	defer heirs.Wait()
	for {
		for _, name := range journalsIn(dir) {
			if _, busy := working.LoadOrStore(name, true); busy {
				continue
			}
			heirs.Go(func() { // ends when the journal is worked off, or with the engine's life
				defer working.Delete(name)
				e.inherit(filepath.Join(dir, name))
			})
		}
		if rpc.Sleep(e.life, heirEvery) != nil {
			return
		}
	}
}

// journalsIn lists the names of journals, and removes what a daemon has left
// that died before its journal had a name.
func journalsIn(dir string) []string {
	d, err := os.Open(dir)
	if err != nil {
		return nil
	}
	defer d.Close()
	names, err := d.Readdirnames(maxJournals)
	if err != nil {
		return nil
	}
	var out []string
	for _, n := range names {
		switch {
		case strings.HasSuffix(n, journalSuffix):
			out = append(out, n)
		case strings.HasPrefix(n, unnamed):
			sweep(filepath.Join(dir, n))
		}
	}
	return out
}

// sweep removes a journal that has had no name for a minute: its daemon died
// over it.
func sweep(path string) {
	if st, err := os.Stat(path); err == nil && time.Since(st.ModTime()) > time.Minute {
		_ = os.Remove(path) // else the next one finds it
	}
}

// takeJournal opens a journal that nobody holds, and holds it; nil if somebody
// does.
func takeJournal(path string) *os.File {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return nil
	}
	if ok, err := tryLock(f); !ok || err != nil {
		f.Close()
		return nil
	}
	// Whoever held it may have replaced or removed it meanwhile.
	here, err := os.Stat(path)
	st, ferr := f.Stat()
	if err != nil || ferr != nil || !os.SameFile(here, st) {
		f.Close()
		return nil
	}
	return f
}

// inherit works off one journal, if nobody holds it.
func (e *Engine) inherit(path string) {
	f := takeJournal(path)
	if f == nil {
		return
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxJournal))
	if err != nil {
		return
	}
	h, live, ok := readJournal(b)
	// After a reboot of the host the network has another name.
	if ok && h.Boot == bootID() && h.Network != network() {
		return
	}
	if ok && len(live) > 0 && !e.unlockFor(h, live) {
		return
	}
	if err := os.Remove(path); err != nil {
		e.log.Warn("lock: a journal that was worked off cannot be removed", "journal", path, "error", err)
	}
}

// unlockFor gives the locks of a dead daemon back. It reports whether all were.
func (e *Engine) unlockFor(h header, live map[noted]bool) bool {
	c := &caller{
		server: Server{Name: h.Server, Host: h.Host, Netid: h.Netid, Reserved: h.Reserved, Cred: *rpc.NewCred(h.UID, h.GID, nil),
			DialContext: e.caller.server.DialContext},
		machine: h.Machine, ended: func() {},
	}
	defer c.close()
	for n := range live {
		args := nlm.UnlockArgs{Lock: nlm.Lock{CallerName: h.Machine, FH: n.fh.Bytes(), OH: h.OH, Svid: n.svid}}
		var pause time.Duration
		for {
			args.Cookie = e.cookie()
			var stat nlm.Stats
			err := c.call(e.life, func(ctx context.Context, c *nlm.Client) (err error) {
				stat, err = c.Unlock(ctx, nil, &args)
				return err
			})
			if err == nil && stat != nlm.DeniedGracePeriod {
				break
			}
			if pause = nextPause(pause, downFirst, graceLast); rpc.Sleep(e.life, pause) != nil {
				return false
			}
		}
	}
	e.log.Warn("locks were given back that another daemon of this host had left when it died", "pid", h.PID, "server", h.Server, "files", len(live))
	return true
}

// header is that of the engine's own journal.
func (e *Engine) header() header {
	s := &e.caller.server
	return header{
		Version: journalVersion, Boot: bootID(), Network: network(), PID: os.Getpid(), Machine: e.machine, OH: e.oh,
		Server: s.Name, Host: s.Host, Netid: s.Netid, Reserved: s.Reserved, UID: s.Cred.UID, GID: s.Cred.GID,
	}
}
