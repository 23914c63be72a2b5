package lock

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/vmihailenco/msgpack/v5"

	"github.com/gonfs/gonfs/nlm"
	"github.com/gonfs/gonfs/portmap"
	"github.com/gonfs/gonfs/rpc"
)

// The agent is the daemon that is this host's lock manager: it is registered at
// rpcbind, where servers find it, and hands on to its siblings what is theirs.
// Whoever holds the file "agent" of the state directory is it; the others try
// to have it now and then. The file says what was registered: after an agent
// that was killed the next one takes that off the list, and nothing else ever.
// Where somebody else is registered, the kernel's lockd or another user's gonfs,
// there is no agent, and locks that wait are asked for again and again.

const (
	agentFile    = "agent"
	agentEvery   = 3 * time.Second  // between tries to be the agent
	foreignEvery = 30 * time.Second // where somebody else is registered
	agentCheck   = 10 * time.Second // of the registration
	localTime    = 5 * time.Second  // for what is asked of this host's rpcbind
)

// errForeign says that another lock manager is registered.
var errForeign = errors.New("another lock manager is registered at this host's rpcbind")

// serveCallbacks is the agent whenever nobody else is, until the engine ends.
func (e *Engine) serveCallbacks(dir string) {
	said := ""
	for {
		err := e.beAgent(dir)
		pause := e.agentEvery
		if err != nil && e.life.Err() == nil {
			if text := err.Error(); text != said {
				said = text
				e.log.Info("lock: servers cannot call back; locks that wait are polled for", "error", err)
			}
			pause = foreignEvery
		}
		if rpc.Sleep(e.life, pause) != nil {
			return
		}
	}
}

// beAgent serves as the agent until the registration is lost or the engine
// ends. It returns nil at once if a sibling is the agent.
func (e *Engine) beAgent(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	f, err := os.OpenFile(filepath.Join(dir, agentFile), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	defer f.Close() // and with it the office
	if ok, err := tryLock(f); !ok || err != nil {
		e.callable.Store(err == nil) // a sibling is
		return err
	}
	e.callable.Store(false)
	ctx, stop := context.WithTimeout(e.life, localTime)
	defer stop()
	c, err := portmap.DialLocal(ctx, e.rpcbind)
	if err != nil {
		return err
	}
	defer c.Close()
	reg := portmap.NewRegistrar(c)
	if err := takeOver(ctx, f, c, reg); err != nil {
		return err
	}
	l, err := openEars()
	if err != nil {
		return err
	}
	defer l.close()
	services := l.services(nlm.Program, nlm.Version)
	if err := writeAgent(f, services); err != nil { // first: whoever comes next must know
		return err
	}
	if err := reg.Register(ctx, services...); err != nil {
		return errors.Join(fmt.Errorf("registering as this host's lock manager: %w", err), writeAgent(f, nil))
	}
	l.serve(e.life, nlm.Program, nlm.Version, newCallbacks(e).program(), e.log)
	e.agent.Store(true)
	e.callable.Store(true)
	defer e.callable.Store(false)
	defer e.agent.Store(false)
	for rpc.Sleep(e.life, agentCheck) == nil {
		if lost, err := reg.Lost(e.life); err != nil || len(lost) > 0 {
			break // rpcbind was restarted
		}
	}
	ctx, stop = context.WithTimeout(context.Background(), localTime)
	defer stop()
	if err := reg.Unregister(ctx); err == nil {
		return writeAgent(f, nil)
	}
	return nil // the file tells the next agent
}

// takeOver undoes the registrations of a dead agent. The error is errForeign if
// there are others then.
func takeOver(ctx context.Context, f *os.File, c *rpc.Client, reg *portmap.Registrar) error {
	reg.Adopt(readAgent(f)...)
	if err := reg.Unregister(ctx); err != nil {
		return err
	}
	list, err := portmap.NewRpcbind(c, portmap.Version4).Dump(ctx)
	if err != nil {
		return err
	}
	if slices.ContainsFunc(list, func(r portmap.Rpcb) bool { return r.Prog == nlm.Program }) {
		return errForeign
	}
	return nil
}

// readAgent returns what an agent wrote; nothing if it died over it, or there
// never was one.
func readAgent(f *os.File) (services []portmap.Rpcb) {
	b, err := io.ReadAll(io.NewSectionReader(f, 0, maxEntry))
	if err != nil || msgpack.Unmarshal(b, &services) != nil {
		return nil
	}
	return services
}

// writeAgent replaces it.
func writeAgent(f *os.File, services []portmap.Rpcb) error {
	b, err := msgpack.Marshal(services)
	if err == nil {
		err = f.Truncate(0)
	}
	if err == nil {
		_, err = f.WriteAt(b, 0)
	}
	return err
}
