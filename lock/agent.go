package lock

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/vmihailenco/msgpack/v5"

	"github.com/gonfs/gonfs/nlm"
	"github.com/gonfs/gonfs/portmap"
	"github.com/gonfs/gonfs/rpc"
	"github.com/gonfs/gonfs/transport"
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
	maxCallers   = 64               // TCP connections of servers at once
	callerLife   = 10 * time.Minute // of one
	maxCallback  = 8 << 10          // bytes of a message: the longest arguments are about 4 KiB
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
		if sleep(e.life, pause) != nil {
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
		return err
	}
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
	l, err := listenCallbacks()
	if err != nil {
		return err
	}
	defer l.close()
	services := portmap.Services(nlm.Program, nlm.Version, portOf(l.udp.LocalAddr()), portOf(l.tcp.Addr()), l.v6())
	if err := writeAgent(f, services); err != nil { // first: whoever comes next must know
		return err
	}
	if err := reg.Register(ctx, services...); err != nil {
		return errors.Join(fmt.Errorf("registering as this host's lock manager: %w", err), writeAgent(f, nil))
	}
	l.serve(e.life, newCallbacks(e).program(), e.log)
	e.agent.Store(true)
	defer e.agent.Store(false)
	for sleep(e.life, agentCheck) == nil {
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

// ears are the sockets at which servers call back.
type ears struct {
	udp net.PacketConn
	tcp net.Listener

	stop context.CancelFunc
	wg   sync.WaitGroup // the goroutines that serve
}

func listenCallbacks() (*ears, error) {
	udp, err := net.ListenPacket("udp", ":0")
	if err != nil {
		return nil, err
	}
	tcp, err := net.Listen("tcp", ":0")
	if err != nil {
		udp.Close()
		return nil, err
	}
	return &ears{udp: udp, tcp: tcp, stop: func() {}}, nil
}

// v6 reports whether the sockets hear IPv6, too.
func (l *ears) v6() bool { return l.tcp.Addr().(*net.TCPAddr).IP.To4() == nil }

// serve answers until close, or the end of life.
func (l *ears) serve(life context.Context, p rpc.Program, log *slog.Logger) {
	life, l.stop = context.WithCancel(life)
	s := &rpc.Server{Logger: log}
	s.Register(nlm.Program, nlm.Version, p)
	l.wg.Go(func() { s.ServePacketConn(life, l.udp) }) // ends with life
	l.wg.Go(func() { l.accept(life, s) })              // likewise
}

// accept serves TCP connections, a limited number at once, each for a limited
// time.
func (l *ears) accept(life context.Context, s *rpc.Server) {
	stop := context.AfterFunc(life, func() { l.tcp.Close() })
	defer stop()
	slots := make(chan struct{}, maxCallers)
	for {
		nc, err := l.tcp.Accept()
		switch {
		case life.Err() != nil:
			if err == nil {
				nc.Close()
			}
			return
		case err != nil:
			_ = sleep(life, 100*time.Millisecond) // out of descriptors: others will close theirs
			continue
		}
		select {
		case slots <- struct{}{}:
			l.wg.Go(func() { // ends with the connection, or after callerLife
				ctx, cancel := context.WithTimeout(life, callerLife)
				defer cancel()
				s.ServeConn(ctx, transport.NewStream(nc, maxCallback))
				<-slots
			})
		default:
			nc.Close()
		}
	}
}

// close ends the sockets and waits for what is being served.
func (l *ears) close() {
	l.stop()
	l.udp.Close()
	l.tcp.Close()
	l.wg.Wait()
}
